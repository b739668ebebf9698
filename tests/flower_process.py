"""A real Flower, started with exactly what the build emitted for its container.

There is no container: files of mounted volumes go below a directory of the test's, and so do the paths in them; the
port is another one, so that several can run at once.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

from versions import FLOWER

from tests import parts
from tests.pods import secret_values
from tests.processes import PATIENCE, answering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.pods import Objects

VERSIONS = (FLOWER.oldest, FLOWER.newest)
_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")


class Flower(NamedTuple):
    """A running Flower, and the log that it writes."""

    port: int
    log: Path

    def get(self, path: str, credentials: str = "") -> tuple[int, str]:
        """Return the status and the body that a path answers with."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        if credentials:
            encoded = base64.b64encode(credentials.encode()).decode()
            request.add_header("Authorization", f"Basic {encoded}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            match = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
            if match and match[1] == name and all(f'{key}="{value}"' in match[2] for key, value in labels.items()):
                total += float(match[3])
        return total


def environment(container: Mapping[str, Any], objects: Objects) -> dict[str, str]:
    """Return the container's environment as kubelet makes it (makeEnvironmentVariables in kubelet_pods.go)."""
    # What Kubernetes injects for a Service named flower, even though enableServiceLinks is off.
    found = {
        "FLOWER_SERVICE_HOST": "10.96.0.7",
        "FLOWER_SERVICE_PORT": "5555",
        "FLOWER_SERVICE_PORT_METRICS": "5555",
        "FLOWER_PORT": "tcp://10.96.0.7:5555",
        "FLOWER_PORT_5555_TCP": "tcp://10.96.0.7:5555",
        "FLOWER_PORT_5555_TCP_PROTO": "tcp",
        "FLOWER_PORT_5555_TCP_PORT": "5555",
        "FLOWER_PORT_5555_TCP_ADDR": "10.96.0.7",
    }
    for source in container.get("envFrom") or ():
        found |= secret_values(objects.get("Secret", source["secretRef"]["name"]))
    for entry in container["env"]:
        if "valueFrom" in entry:
            reference = entry["valueFrom"]["secretKeyRef"]
            found[entry["name"]] = secret_values(objects.get("Secret", reference["name"]))[reference["key"]]
        else:
            found[entry["name"]] = _expanded(entry["value"], found)
    return found


def _expanded(value: str, known: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: "$" if match[1] is None else known.get(match[1], match[0]), value)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def flower(version: str, objects: Objects, root: Path, **more: str) -> Iterator[Flower]:
    """Run a Flower until the end of the context; ``more`` are environment variables of the test's."""
    pod = objects.get("Deployment", "flower")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    env = environment(container, objects)
    assert env["FLOWER_PORT"] == "5555"
    mounts = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts") or ()}
    for volume in pod.get("volumes") or ():
        _lay_out(volume, mounts, root, objects)
    port = free_port()
    env = {name: _below(value, mounts.values(), root) for name, value in env.items()}
    home = root / "data"
    home.mkdir(parents=True)
    log = root / "flower.log"
    command = parts.present(parts.TOOLS / "flower" / version / "bin" / "celery")
    with log.open("wb") as output:
        process = subprocess.Popen(
            # What the image runs.
            [command, "flower"],
            cwd=home,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), **env, "FLOWER_PORT": str(port), **more},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Flower(port, log)
    with answering(process, log, lambda: _answers(running)):
        yield running


def _answers(running: Flower) -> bool:
    try:
        return running.get("/healthcheck")[0] in {200, 404}
    except OSError:
        return False


def _lay_out(volume: Mapping[str, Any], mounts: Mapping[str, str], root: Path, objects: Objects) -> None:
    if "configMap" in volume:
        data = objects.get("ConfigMap", volume["configMap"]["name"])["data"]
        items = None
    else:
        data = secret_values(objects.get("Secret", volume["secret"]["secretName"]))
        items = volume["secret"].get("items")
    directory = root / mounts[volume["name"]].lstrip("/")
    directory.mkdir(parents=True)
    for item in items or [{"key": key, "path": key} for key in data]:
        (directory / item["path"]).write_text(_below(data[item["key"]], mounts.values(), root))


def _below(text: str, paths: Any, root: Path) -> str:
    for path in paths:
        text = re.sub(rf"(?<![\w-]){re.escape(path)}(?![\w-])", f"{root}{path}", text)
    return text
