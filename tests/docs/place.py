"""A machine as the pages expect it: Tutor with our plugin, kustomize, kubectl and git; a stand-in for the cluster.

What a flow commits is what its tests have: they start from a clone.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kustomizer import __version__
from tests import parts, sites
from tests.builds import FUNCTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KUBECTL = """\
#!/bin/sh
case "$1 $*" in
kustomize*) exec {real} "$@" ;;
esac
exec {python} -m tests.kubectl_stand_in "$@"
"""
_INFO = f"Metadata-Version: 2.1\nName: tutor-kustomizer\nVersion: {__version__}\n"


class Place(NamedTuple):
    """A directory to work in, and the environment there."""

    directory: Path
    environment: Mapping[str, str]

    def run(self, *commands: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``commands`` in one shell, which stops at the first that fails."""
        return subprocess.run(
            ["/bin/sh", "-eu", "-c", "\n".join(commands)],
            cwd=self.directory,
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *commands: str, env: Mapping[str, str] | None = None) -> str:
        """Run ``commands``, which have to succeed, and return their stdout."""
        ended = self.run(*commands, env=env)
        assert ended.returncode == 0, f"{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
        return ended.stdout

    def commit(self, *paths: str) -> None:
        """Commit ``paths`` alone."""
        self.done("[ -d .git ] || git init -q -b main", f"git add -f {' '.join(paths)}", "git commit -q -m site")

    def clone(self, name: str) -> Place:
        """Return a clone of what was committed, beside this directory."""
        there = self.directory.parent / name
        self.done(f"git clone -q . '{there}'")
        return Place(there, self.environment)

    def applied(self) -> Iterable[str]:
        """Return what was applied to the cluster's stand-in: kind and name."""
        there = sorted(path.name for path in Path(self.environment["STAND_IN"], "applied").iterdir())
        return [" ".join(name.split(".")[-3::2]) for name in there]


def place(scratch: Path) -> Place:
    """Return an empty place within ``scratch``."""
    binaries = scratch / "bin"
    binaries.mkdir()
    _packages(scratch / "packages")
    python = f"PYTHONPATH={sites.ROOT} exec {sys.executable}"
    kubectl = parts.program("kubectl")
    scripts = {
        "kubectl": _KUBECTL.format(real=kubectl, python=f"env PYTHONPATH={sites.ROOT} {sys.executable}"),
        "tutor-kustomizer": f"#!/bin/sh\n{python} -c 'from kustomizer.cli import run; run()' \"$@\"\n",
        "tutor": f'#!/bin/sh\nPYTHONPATH={scratch}/packages:{sites.ROOT} exec {sites.tutor("22")} "$@"\n',
    }
    for name, text in scripts.items():
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    (binaries / "kustomize").symlink_to(sites.kustomize(sites.NEWEST))
    (binaries / "tutor-celery-workers").symlink_to(FUNCTION)
    (scratch / "cluster" / "applied").mkdir(parents=True)
    directory = scratch / "site"
    directory.mkdir()
    environment = {
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "STAND_IN": str(scratch / "cluster"),
        "GIT_AUTHOR_NAME": "an operator",
        "GIT_AUTHOR_EMAIL": "operator@example.com",
        "GIT_COMMITTER_NAME": "an operator",
        "GIT_COMMITTER_EMAIL": "operator@example.com",
    }
    return Place(directory, environment)


def _packages(directory: Path) -> None:
    """Write what pip writes, so that Tutor finds the plugin."""
    info = directory / f"tutor_kustomizer-{__version__}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(_INFO)
    (info / "entry_points.txt").write_text("[tutor.plugin.v1]\nkustomizer = kustomizer.tutor_plugin.plugin\n")
