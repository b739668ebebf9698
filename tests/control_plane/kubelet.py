"""A kubelet without containers: each pod of a Celery worker is a real process with what its spec says.

    with Kubelet(cluster, environ={"TASK_DIRECTORY": str(tasks)}) as kubelet:
        cluster.apply(faster(build.stdout.decode(), 10))
        ...
        kubelet.kill(kubelet.running("lms-worker-high")[0].name)

A pod has its own copy of ``platform`` (tests/edx_platform unless another is given) in the place of the image's
``/openedx/edx-platform``; it is the working directory, and that is where a test's tasks are: a bench with tasks of its
own gives a directory that holds edx_platform's files and them. Every process gets ``environ``, its name in ``POD``, its
Deployment in ``DEPLOYMENT``, the emitted environment, and the files of its volumes.

Containers that don't run Celery are pods that are merely marked running. A Job's pods
end only when a test says so (``succeed``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.control_plane.cluster import Cluster

EDX_PLATFORM = Path(__file__).parent.parent / "edx_platform"


class Pod(NamedTuple):
    """What became of a pod. Times are ``time.time()``, real seconds, 0.0 for what hasn't happened."""

    name: str
    namespace: str
    deployment: str
    """Empty for a pod of anything else."""
    pid: int
    """Of the container's first process; 0 where there is none."""
    created: float
    started: float
    """When its (first) process started."""
    ready: float
    stopping: float
    """When SIGTERM was sent, since the pod was deleted."""
    ended: float
    """When the pod was gone."""
    how: str
    """How it ended: "stopped" (by itself after SIGTERM), "cut off" (SIGKILL after the grace period), "lost" (by a test,
    with the node), or empty."""
    restarts: int
    """How often its container was started again, since it had died."""
    image: str

    @property
    def is_running(self) -> bool:
        """It has a process that works, or is finishing its work."""
        return bool(self.started) and not self.ended


class Kubelet:
    """Runs the pods of a cluster, in a thread of its own, while it is open as a context."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        platform: Path = EDX_PLATFORM,
        environ: Mapping[str, str] | None = None,
        time_factor: int = 10,
    ) -> None:
        """``time_factor`` divides what is the kubelet's own: the back-off of a container that dies again and again."""
        raise NotImplementedError

    def __enter__(self) -> Kubelet:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError

    def pods(self, deployment: str = "") -> Sequence[Pod]:
        """Return every pod there has been, the oldest first, or those of one Deployment."""
        raise NotImplementedError

    def running(self, deployment: str) -> Sequence[Pod]:
        """Return the pods of a Deployment that have a process and haven't been told to stop."""
        raise NotImplementedError

    def kill(self, name: str) -> None:
        """Send SIGKILL to all of a pod's processes, as the out-of-memory killer does; its container starts again."""
        raise NotImplementedError

    def lose(self, name: str) -> None:
        """Send SIGKILL and remove the pod, as when its node is gone; its Deployment makes another one."""
        raise NotImplementedError

    def succeed(self, namespace: str, job: str) -> None:
        """Let the pods of a Job end well."""
        raise NotImplementedError

    def log(self, name: str) -> str:
        """Return what a pod's container has written."""
        raise NotImplementedError
