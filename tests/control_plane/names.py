"""Names that resolve as in a cluster: a hosts file of the test's own, which only the programs it starts can see.

KEDA asks for ``redis.<namespace>``, a worker for ``redis``. Go's resolver and libc's both read /etc/hosts and nothing
that an environment variable could name instead (HOSTALIASES knows no name with a dot). So each program is started in a
mount namespace in which the test's file lies over /etc/hosts: nothing of the machine changes, and nothing is left when
the program ends, whichever way it ends. That takes root, or a kernel that lets users have namespaces. In a container
that allows neither, but has root and an /etc/hosts of its own, the names are written there and taken out afterwards.

The namespaces also give each pod a hostname of its own, which Celery has in its nodes' names.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.control_plane.keeper import Keeper

SYSTEM = Path("/etc/hosts")
_IN_NAMESPACE = 'mount --bind "$1" /etc/hosts && { test -z "$2" || hostname "$2"; } && shift 2 && exec "$@"'
_WAYS = (("unshare", "--mount", "--uts"), ("unshare", "--map-root-user", "--mount", "--uts"))


class Names:
    """The names that programs started with ``command`` can resolve."""

    def __init__(self, directory: Path, keeper: Keeper) -> None:
        self._hosts = directory / "hosts"
        self._hosts.write_text(SYSTEM.read_text())
        self._keeper = keeper
        self._known: set[str] = set()
        self._way: Sequence[str] | None = next((way for way in _WAYS if self._works(way)), None)
        if self._way is None and not os.access(SYSTEM, os.W_OK):
            raise PermissionError(
                "KEDA has to resolve redis.<namespace> on this machine: that takes root, or user namespaces "
                "(unshare --map-root-user --mount true)."
            )

    def add(self, name: str, address: str) -> None:
        """Let ``name`` resolve, for what runs already too."""
        line = f"{address} {name}"
        if line in self._known:
            return
        self._known.add(line)
        # In place: a new file under the same name wouldn't be the one that is mounted.
        with self._hosts.open("a") as file:
            file.write(f"{line}\n")
        if self._way is None:
            self._keeper.restore(SYSTEM, line)
            with SYSTEM.open("a") as file:
                file.write(f"{line}\n")

    def command(self, command: Sequence[str | Path], *, hostname: str = "") -> Sequence[str | Path]:
        """Return what starts ``command``, in the same process, so that it resolves these names."""
        if self._way is None:
            return command
        return (*self._way, "--", "sh", "-c", _IN_NAMESPACE, "sh", self._hosts, hostname, *command)

    def _works(self, way: Sequence[str]) -> bool:
        self._way = way
        try:
            done = subprocess.run(self.command(["true"], hostname="probe"), check=False, capture_output=True)
        except FileNotFoundError:
            return False
        return done.returncode == 0
