"""A pod on the kubelet's side: its process, if it is a Celery worker of Open edX, and what became of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.control_plane.api import ApiError
from tests.pods import Container, Source, container

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from tests.control_plane.cluster import Cluster

BIN = Path(sys.executable).parent
IN_POD = Path(__file__).parent / "in_pod"
FIRST_BACK_OFF, LONGEST_BACK_OFF = 10, 300
"""Seconds that a kubelet waits before it starts a container for the third time, and at most."""
_OPEN_EDX = re.compile(r"\bcelery\b.* --app=(lms|cms)\.celery .*\bworker\b")
# What would have to be done for them isn't.
_UNKNOWN = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")


class Pod(NamedTuple):
    """What became of a pod. Times are ``time.time()``, real seconds, 0.0 for what hasn't happened."""

    name: str
    namespace: str
    deployment: str
    """Empty for a pod of anything else."""
    image: str
    created: float
    pid: int = 0
    """Of the container's first process; 0 where there is none."""
    started: float = 0.0
    """When its (first) process started; for the API server it is ready then, as a container without a probe is."""
    ready: float = 0.0
    """When its Celery first said that it is ready."""
    stopping: float = 0.0
    """When SIGTERM was sent, since the pod was deleted."""
    ended: float = 0.0
    """When the pod was gone."""
    how: str = ""
    """How it ended: "stopped" (by itself after SIGTERM), "cut off" (SIGKILL after the grace period), "lost" (by a test,
    with its node, or deleted by force)."""
    restarts: int = 0
    """How often its container was started again, since it had died."""

    @property
    def is_running(self) -> bool:
        """It has a process that works, or is finishing its work."""
        return bool(self.pid) and not self.how


class FromApi:
    """A namespace's ConfigMaps and Secrets, as the API server has them now."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object; raises KeyError where there is none."""
        try:
            return self._cluster.request("GET", f"/api/v1/namespaces/{self._namespace}/{kind.lower()}s/{name}")
        except ApiError as error:
            raise KeyError(kind, name) from error


class Worker:
    """A pod's container that is a Celery worker, as processes of this machine."""

    def __init__(self, pod: Pod, spec: Mapping[str, Any], cluster: Cluster, directory: Path) -> None:
        self.pod = pod
        self._spec = spec
        self._cluster = cluster
        self._root = directory / pod.name
        self.log = directory / f"{pod.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._cut_off_at = 0.0
        self._again_at = 0.0

    def start(self, platform: Path, environ: Mapping[str, str]) -> None:
        """Start the process; raises KeyError where a ConfigMap or Secret is missing, to be tried again."""
        shutil.rmtree(self._root, ignore_errors=True)
        shutil.copytree(platform, self._root / "edx-platform", ignore=shutil.ignore_patterns("__pycache__"))
        given = {"metadata": {"name": self.pod.deployment}, "spec": {"template": {"spec": self._spec}}}
        inside = container(given, FromApi(self._cluster, self.pod.namespace), self._root)
        self.process = self._cluster.keeper.start(
            self._cluster.names.command(inside.argv, hostname=self.pod.name),
            log=self.log,
            env=self._environ(inside, environ),
            cwd=self._root / "edx-platform",
        )
        self.pod = self.pod._replace(pid=self.process.pid, started=self.pod.started or time.time())

    def _environ(self, inside: Container, environ: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self._root),
            # The image sets these two.
            "LMS_CFG": str(self._root / "config" / "lms.env.yml"),
            "CMS_CFG": str(self._root / "config" / "cms.env.yml"),
            **inside.env,
            "PYTHONPATH": str(IN_POD),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POD": self.pod.name,
            "DEPLOYMENT": self.pod.deployment,
            **environ,
        }

    def notice_ready(self) -> None:
        """Take notice of Celery's own word in the log."""
        if self.process is not None and not self.pod.ready and b" ready.\n" in self.log.read_bytes():
            self.pod = self.pod._replace(ready=time.time())

    def stop(self, grace_seconds: float) -> None:
        """Send SIGTERM to the first process, once, and remember when the grace period is over."""
        if self.pod.stopping:
            return
        self._cut_off_at = time.time() + grace_seconds
        self.pod = self.pod._replace(stopping=time.time())
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def has_stopped(self) -> bool:
        """Say whether the pod may go; what is left at the end of the grace period is killed."""
        if self.process is None or self.process.poll() is not None:
            how = "stopped"
        elif time.time() >= self._cut_off_at:
            how = "cut off"
        else:
            return False
        self.end(how)
        return True

    def end(self, how: str) -> None:
        """Leave no process of the pod."""
        if self.process is not None:
            self._cluster.keeper.kill(self.process)
            self.process = None
        self.pod = self.pod._replace(ended=self.pod.ended or time.time(), how=self.pod.how or how, pid=0)

    def kill(self) -> None:
        """Send SIGKILL to every process of the container."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def is_due(self, time_factor: float) -> bool:
        """Say whether its container has to be started, for the first time or since it died some time ago."""
        if self.process is not None and self.process.poll() is not None:
            self._cluster.keeper.kill(self.process)
            self.process = None
            seconds = min(FIRST_BACK_OFF * 2 ** (self.pod.restarts - 1), LONGEST_BACK_OFF) if self.pod.restarts else 0
            self._again_at = time.time() + seconds / time_factor
            self.pod = self.pod._replace(pid=0, restarts=self.pod.restarts + 1)
        return self.process is None and time.time() >= self._again_at


def seen(item: Mapping[str, Any]) -> Pod:
    """Return what there is to say of a pod that the API server tells of for the first time."""
    metadata = item["metadata"]
    owner = next(
        (owner["name"] for owner in metadata.get("ownerReferences") or () if owner["kind"] == "ReplicaSet"), ""
    )
    return Pod(
        name=metadata["name"],
        namespace=metadata["namespace"],
        deployment=owner.rpartition("-")[0],
        image=item["spec"]["containers"][0]["image"],
        created=time.time(),
    )


def is_worker(spec: Mapping[str, Any]) -> bool:
    """Say whether a pod runs Open edX's Celery; raises NotImplementedError where it asks for what nobody does here."""
    for given in spec["containers"]:
        words = " ".join(str(word) for word in (*(given.get("command") or ()), *(given.get("args") or ())))
        if _OPEN_EDX.search(words):
            if unknown := [name for name in _UNKNOWN if name in given]:
                raise NotImplementedError(f"a worker with {', '.join(unknown)}")
            return True
    return False


def missing(spec: Mapping[str, Any], source: Source) -> list[str]:
    """Return the ConfigMaps and Secrets that a pod needs in order to start, and that aren't there."""
    named = {("ConfigMap", name) for name in _named(spec, "configMap", "name")}
    named |= {("Secret", name) for field in ("secretName", "name") for name in _named(spec, "secret", field)}
    for kind, keys in (("ConfigMap", ("configMapRef", "configMapKeyRef")), ("Secret", ("secretRef", "secretKeyRef"))):
        named |= {(kind, name) for key in keys for name in _named(spec, key, "name")}
    absent = []
    for kind, name in sorted(named):
        try:
            source.get(kind, name)
        except KeyError:
            absent.append(f"{kind} {name}")
    return absent


def _named(tree: Any, key: str, field: str) -> Iterator[str]:
    """Yield ``field`` of each map under ``key`` in a pod's spec, but of what may be missing."""
    if isinstance(tree, list):
        for child in tree:
            yield from _named(child, key, field)
    elif isinstance(tree, dict):
        found = tree.get(key)
        if isinstance(found, dict) and field in found and not found.get("optional"):
            yield found[field]
        for child in tree.values():
            yield from _named(child, key, field)
