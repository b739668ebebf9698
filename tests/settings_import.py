"""Imports a pod's Django settings for real: its volumes laid out as a kubelet does, edx-platform a stub below.

``load(build, deployment, root)`` gives what ``DJANGO_SETTINGS_MODULE`` of a worker comes to in a Python of its own. The
settings files are Tutor's, unmodified; :mod:`tests.settings_stub` stands in for everything that they import.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.builds import Build

STUB = Path(__file__).with_name("settings_stub.py")
PLATFORM = "openedx/edx-platform"

# What edx-platform's own settings say, of what we add to.
BELOW: Mapping[str, dict[str, Any]] = {
    "BROKER_TRANSPORT_OPTIONS": {"fanout_patterns": True, "fanout_prefix": True},
    "EXPLICIT_QUEUES": {"openedx.tasks.own": {"queue": "edx.lms.core.default"}},
}


class Settings(NamedTuple):
    """A pod's settings: those in capitals, and whether the features proxy speaks for the module that Django reads."""

    values: dict[str, Any]
    features_proxy: bool | None
    """None where ``FEATURES`` is no proxy, as before Tutor 22."""


def load(build: Build, deployment: str, root: Path, *, below: Mapping[str, object] = BELOW) -> Settings:
    """Return the settings of a Deployment's first container; ``below`` is what edx-platform's have to begin with."""
    pod = build.deployments()[deployment]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    lay_out(pod, container, build.config_maps(), root)
    environment = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    done = subprocess.run(
        # Without the packages of this environment: what is stubbed has to be the same wherever the tests run.
        [sys.executable, "-I", "-S", STUB, root / PLATFORM, environment["DJANGO_SETTINGS_MODULE"], json.dumps(below)],
        env={"PATH": "", "PYTHONHASHSEED": "0", **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Settings(**json.loads(done.stdout))


def lay_out(pod: Any, container: Any, config_maps: Mapping[str, Any], root: Path) -> None:
    """Write the container's ConfigMap and projected volumes below ``root``, where they are mounted."""
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
    for mount in container.get("volumeMounts") or ():
        volume = volumes[mount["name"]]
        if "configMap" not in volume and "projected" not in volume:
            continue
        content = dict(files(volume, config_maps))
        place = root / mount["mountPath"].strip("/")
        if "subPath" in mount:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content[mount["subPath"]])
        else:
            write_volume(place, content)


def files(volume: Any, config_maps: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file in a volume; as in a cluster, what it names has to be there."""
    seen: set[str] = set()
    for source in volume.get("projected", {}).get("sources") or [volume]:
        reference = source["configMap"]
        data = config_maps[reference["name"]]["data"]
        for item in reference.get("items") or [{"key": key, "path": key} for key in data]:
            # The API server refuses two sources with one path.
            assert item["path"] not in seen, item["path"]
            seen.add(item["path"])
            yield item["path"], data[item["key"]]


def write_volume(directory: Path, content: Mapping[str, str]) -> None:
    """Write files as a kubelet does: in a directory of its own, which ``..data`` links to, and links through that.

    So an update is one rename (pkg/volume/util/atomic_writer.go of Kubernetes).
    """
    version = directory / "..2026_01_01_00_00_00.0123456789"
    version.mkdir(parents=True)
    (directory / "..data").symlink_to(version.name)
    for path, text in content.items():
        assert "/" not in path
        (version / path).write_text(text)
        (directory / path).symlink_to(f"..data/{path}")
