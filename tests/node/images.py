"""The images that a node runs: layers of Debian's and PyPI's packages, with the stand-in for edx-platform over them.

They go by the names that Tutor gives them, so that what is emitted runs unchanged. What there is nothing for (MySQL,
MongoDB, Caddy …) is an image that waits: its pods run, and serve nobody.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.control_plane.kubelet import EDX_PLATFORM
from tests.parts import ROOT, TOOLS, present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LAYERS = TOOLS / "node"
IN_IMAGE = ROOT / "tests" / "node" / "image"
PAUSE = "localhost/pause:tests"
APP = 1000
PATH = "PATH=/openedx/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# As the image of Tutor's Dockerfile has them.
OPEN_EDX = (
    "LMS_CFG=/openedx/config/lms.env.yml",
    "CMS_CFG=/openedx/config/cms.env.yml",
    "SERVICE_VARIANT=lms",
    "DJANGO_SETTINGS_MODULE=lms.envs.tutor.production",
    "PYTHONDONTWRITEBYTECODE=1",
    # What the tasks of the stand-in ask for.
    "TASK_DIRECTORY=/tmp",
)
# A shell's script, as Tutor's Jobs have it, is run.
WAITING = ("sh", "-c", 'test "$1" != sh || exec "$@"; exec sleep infinity', "sh")


class Image(NamedTuple):
    """What there is to say of an image."""

    layers: Sequence[bytes | Path]
    config: Mapping[str, Any]


def write_images(archive: Path, names: Mapping[str, str]) -> None:
    """Write an archive with all images, as `docker save` does.

    ``names`` says what each image is: "openedx", "redis", "flower", or anything else for one that waits.
    """
    debian, celery, flower = (present(LAYERS / f"{name}.tar") for name in ("debian", "celery", "flower"))
    platform = _edx_platform()
    open_edx = (debian, celery, platform, _for_a_node())
    image = {
        "openedx": Image(
            open_edx,
            {"User": "app", "WorkingDir": "/openedx/edx-platform", "Env": [PATH, *OPEN_EDX], "Cmd": [*WAITING]},
        ),
        "redis": Image((debian, platform), {"WorkingDir": "/data", "Env": [PATH], "Cmd": ["redis-server"]}),
        "flower": Image((debian, flower), {"User": "app", "Env": [PATH], "Cmd": ["celery", "flower"]}),
    }
    # What it is asked to run is what it isn't: the entrypoint leaves it.
    waiting = Image((debian, platform), {"Env": [PATH], "Entrypoint": [*WAITING]})
    with _Archive(archive) as written:
        written.add({PAUSE}, waiting)
        for kind in sorted(set(names.values())):
            written.add({name for name, found in names.items() if found == kind}, image.get(kind, waiting))


class _Archive:
    """An archive of images that share layers."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w")  # noqa: SIM115 - closed by __exit__
        self._digests: dict[object, str] = {}
        self._manifest: list[dict[str, Any]] = []

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._put("manifest.json", json.dumps(self._manifest).encode())
        self._tar.close()

    def add(self, names: set[str], image: Image) -> None:
        digests = [self._layer(layer) for layer in image.layers]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": image.config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        }
        text = json.dumps(config).encode()
        name = f"{hashlib.sha256(text).hexdigest()}.json"
        self._put(name, text)
        layers = [f"{digest}/layer.tar" for digest in digests]
        self._manifest.append({"Config": name, "RepoTags": sorted(names), "Layers": layers})

    def _layer(self, layer: bytes | Path) -> str:
        if layer not in self._digests:
            data = layer if isinstance(layer, bytes) else layer.read_bytes()
            self._digests[layer] = hashlib.sha256(data).hexdigest()
            self._put(f"{self._digests[layer]}/layer.tar", data)
        return self._digests[layer]

    def _put(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))


def _edx_platform() -> bytes:
    """Return a layer with the stand-in for edx-platform, and the programs that Tutor's Jobs run."""
    return _layer({"openedx/edx-platform": EDX_PLATFORM, "openedx/bin": IN_IMAGE / "bin"})


def _for_a_node() -> bytes:
    """Return a layer with what the tests of a node have in the place of the stand-in's files."""
    return _layer({"openedx/edx-platform": IN_IMAGE / "edx-platform"})


def _layer(places: Mapping[str, Path]) -> bytes:
    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.uid = member.gid = APP
        member.uname = member.gname = ""
        member.mtime = 0
        return None if "__pycache__" in member.name else member

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in ("openedx", "openedx/data", "openedx/media"):
            directory = tarfile.TarInfo(name)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            directory.uid = directory.gid = APP
            tar.addfile(directory)
        for place, files in places.items():
            tar.add(files, place, filter=owned)
    return data.getvalue()
