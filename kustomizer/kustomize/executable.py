"""Finds the kustomize that builds: what is on PATH, or kubectl, which has one inside."""

from __future__ import annotations

import os

from kustomizer import DIRECTORY
from kustomizer.errors import UserError
from kustomizer.kustomize.programs import Permissions
from kustomizer.record import Record
from kustomizer.system import processes
from kustomizer.system.command_log import logged
from kustomizer.system.processes import LimitExceeded, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kustomizer.system.processes import Finished, Running, Scratch

OLDEST = (5, 2, 0)
"""The oldest kustomize that builds a site whose plugins patch the workers (several documents in a patch file)."""

FLAGS = ("--enable-alpha-plugins", "--enable-exec")

_A_WHILE = 30
"""Seconds that an answer to `kustomize version` may take."""


class Wanted(Record):
    """What the user says of how to build: the executable, what it may run, and its limits."""

    executable: str | None = None
    permissions: Permissions = Permissions()
    limits: Limits = Limits()


class Kustomize(Record):
    """An executable that builds kustomizations: kustomize itself, or kubectl, which runs legacy plugins only."""

    path: str
    version: str
    is_kubectl: bool = False
    permissions: Permissions = Permissions()
    limits: Limits = Limits()

    def command(self, overlay: Path | str) -> list[str]:
        """Return the command that builds ``overlay``."""
        if self.is_kubectl:
            return [self.path, "kustomize", "--enable-alpha-plugins", str(overlay)]
        return [self.path, "build", *FLAGS, str(overlay)]

    def plain_command(self, directory: Path | str) -> list[str]:
        """Return the command that builds ``directory`` with no plugins enabled."""
        return [self.path, "kustomize" if self.is_kubectl else "build", str(directory)]


def find_kustomize(wanted: Wanted | None = None) -> Kustomize:
    """Return the kustomize to use: the one that is wanted, else one on PATH or beside this package, else kubectl.

    Raises UserError where there is none, or one that is too old.
    """
    wanted = wanted or Wanted()
    if wanted.executable is not None:
        return _checked(wanted.executable, wanted)
    refused: list[UserError] = []
    for candidate in candidates():
        try:
            return _checked(candidate, wanted)
        except UserError as error:
            refused.append(error)
    kubectl = processes.which("kubectl")
    if kubectl is not None:
        return _made(kubectl, "", wanted, is_kubectl=True)
    if refused:
        raise refused[0]
    raise UserError.of(
        "there is no kustomize on PATH",
        remedy="Install kustomize 5.2 or newer (https://kubectl.docs.kubernetes.io/installation/kustomize/)",
    )


def candidates() -> Iterator[str]:
    """Yield kustomize on PATH, and the one that `make` puts beside this package.

    Not one near the overlay: whoever wrote that could have put it there.
    """
    on_path = processes.which("kustomize")
    if on_path is not None:
        yield on_path
    root = os.path.dirname(os.path.abspath(DIRECTORY))  # noqa: PTH100, PTH120 - pathlib costs 5 ms to import
    beside = f"{root}/.tools/bin/kustomize"
    if os.access(beside, os.X_OK):
        yield beside


def started(command: list[str], scratch: Scratch, *, env: Mapping[str, str] | None = None) -> Running:
    """Start ``command``. Raises UserError where it can't be run."""
    try:
        return processes.Running(command, scratch.path, env=env)
    except OSError as error:
        raise UserError.of(f"{command[0]} can't be run: {error.strerror}") from None


def finished(command: list[str], scratch: Scratch, limits: Limits, *, env: Mapping[str, str] | None = None) -> Finished:
    """Run ``command`` to its end. Raises UserError where it can't be run, or exceeds a limit."""
    with logged(command, env=env):
        return waited_for(started(command, scratch, env=env), command, limits)


def waited_for(running: Running, command: list[str], limits: Limits) -> Finished:
    """Wait for the end of ``running``, which is ``command``. Raises UserError where it exceeds a limit."""
    try:
        return running.wait(limits)
    except LimitExceeded as error:
        raise UserError.of(
            f"{command[0]} was stopped: {error}",
            remedy="Where that is meant: --time-limit SECONDS, --output-limit MEGABYTES",
        ) from None


def recent(path: str, version_process: Running, wanted: Wanted) -> Kustomize:
    """Return the kustomize at ``path``; ``version_process`` prints its version. Raises UserError if that is too old."""
    if not version_process.ends_within(_A_WHILE):
        raise UserError.of(f"{path} can't be run: it doesn't answer")
    version = version_process.wait().stdout.decode(errors="replace").strip().split("\n")[-1].strip()
    if not version:
        raise UserError.of(f"{path} isn't kustomize: `{path} version` prints nothing")
    numbers = version.rpartition("/")[2].lstrip("v").partition("-")[0].split(".")
    # Builds by `go install` before 5.8 call themselves (devel): take those at their word that they are recent.
    if all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) < OLDEST:
        raise UserError.of(
            f"{path} is kustomize {version}, which can't build a Tutor site with plugins",
            remedy="Install kustomize 5.2 or newer",
        )
    return _made(path, version, wanted)


def _checked(path: str, wanted: Wanted) -> Kustomize:
    with processes.Scratch() as scratch:
        command = [path, "version"]
        with logged(command):
            asked = started(command, scratch)
            return recent(path, asked, wanted)


def _made(path: str, version: str, wanted: Wanted, *, is_kubectl: bool = False) -> Kustomize:
    return Kustomize(
        path=path, version=version, is_kubectl=is_kubectl, permissions=wanted.permissions, limits=wanted.limits
    )
