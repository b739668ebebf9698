"""etcd, an API server, the controllers and KEDA as processes on loopback, all of them gone afterwards.

    with running_cluster(directory, time_factor=10) as cluster:
        cluster.apply(build.stdout.decode(), force_conflicts=True)
        cluster.get("Deployment", "openedx", "lms-worker")

One cluster is enough for all tests of a process: ``clear`` empties a namespace between them.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Cluster:
    """A running control plane.

    ``directory`` holds all it writes: certificates, data, logs (``<program>.log``). ``kubeconfig`` is the file for
    whoever talks to it (kubectl, Tutor): all is allowed.
    """

    directory: Path
    kubeconfig: Path

    def apply(self, yaml_text: str, *, server_side: bool = True, force_conflicts: bool = False) -> str:
        """Apply documents with kubectl and return what it printed; raises RefusedError with what it said instead."""
        raise NotImplementedError

    def delete(self, kind: str, namespace: str, *names: str) -> None:
        """Delete objects; none of them being there is fine. Pods go the kubelet's way, with their grace period."""
        raise NotImplementedError

    def get(self, kind: str, namespace: str, name: str | None = None) -> Any:
        """Return the object, or None where there is none; without ``name`` a list of all in the namespace.

        ``kind`` is what kubectl takes: ``Deployment``, ``pods``, ``ScaledObject``, ``hpa``.
        """
        raise NotImplementedError

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl on this cluster; raises RefusedError unless ``check`` is off."""
        raise NotImplementedError

    def request(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Any:
        """Send a request to the API, such as ``/apis/apps/v1/namespaces/openedx/deployments``; returns what it says.

        Raises ApiError, which has a ``status``. It costs a millisecond where kubectl takes a tenth of a second.
        """
        raise NotImplementedError

    def watch(self, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the collection's objects and then each change, as type (ADDED, MODIFIED, DELETED) and object."""
        raise NotImplementedError

    def name_address(self, name: str, address: str = "127.0.0.1") -> None:
        """Let KEDA and the pods resolve ``name`` (say, ``redis.openedx``), as a cluster's DNS would."""
        raise NotImplementedError

    def clear(self, namespace: str) -> None:
        """Delete the namespace with all that is in it, pods too, without grace."""
        raise NotImplementedError


class RefusedError(AssertionError):
    """kubectl failed; the text is what it said on stderr."""


class ApiError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@contextlib.contextmanager
def running_cluster(directory: Path, *, time_factor: int = 10) -> Iterator[Cluster]:
    """Start everything and wait until it answers; afterwards nothing of it runs, also when the test was killed.

    ``time_factor`` divides the controllers' own times: the HPA's sync period (15 s) and its downscale stabilisation.
    """
    raise NotImplementedError
    yield  # pragma: no cover
