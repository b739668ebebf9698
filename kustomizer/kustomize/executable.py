"""The executable that builds: kustomize on PATH or in ``.tools``, recent enough, or kubectl."""

from __future__ import annotations

import os

from kustomizer.errors import Problem, UserError
from kustomizer.record import Record
from kustomizer.system import processes
from kustomizer.system.command_log import logged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kustomizer.system.processes import Running, Scratch

OLDEST = (5, 2, 0)
"""Older ones can't build a site whose plugins patch the workers (several documents in a patch file)."""

FLAGS = ("--enable-alpha-plugins", "--enable-exec")

_A_WHILE = 30
"""Seconds that an answer to `kustomize version` may take."""


class Kustomize(Record):
    """An executable that builds kustomizations: kustomize itself, or kubectl, which runs legacy plugins only."""

    path: str
    version: str
    is_kubectl: bool = False

    def command(self, overlay: Path | str) -> list[str]:
        """Return the command that builds ``overlay``."""
        if self.is_kubectl:
            return [self.path, "kustomize", "--enable-alpha-plugins", str(overlay)]
        return [self.path, "build", *FLAGS, str(overlay)]

    def plain_command(self, directory: Path | str) -> list[str]:
        """Return the command that builds ``directory`` with no plugins enabled."""
        return [self.path, "kustomize" if self.is_kubectl else "build", str(directory)]


def find_kustomize(given: str | None = None, *, near: Path | str | None = None) -> Kustomize:
    """Return the kustomize to use: ``given``, else one on PATH or in ``.tools/bin`` above ``near``, else kubectl.

    Raises UserError where there is none, or one that is too old.
    """
    if given is not None:
        return _checked(given)
    refused: list[UserError] = []
    for candidate in candidates(near):
        try:
            return _checked(candidate)
        except UserError as error:
            refused.append(error)
    kubectl = processes.which("kubectl")
    if kubectl is not None:
        return Kustomize(path=kubectl, version="", is_kubectl=True)
    if refused:
        raise refused[0]
    raise UserError(
        Problem(
            message="there is no kustomize on PATH",
            remedy="Install kustomize 5.2 or newer (https://kubectl.docs.kubernetes.io/installation/kustomize/)",
        )
    )


def candidates(near: Path | str | None) -> Iterator[str]:
    """Yield kustomize on PATH, and those in ``.tools/bin`` above ``near``, or above the working directory."""
    on_path = processes.which("kustomize")
    if on_path is not None:
        yield on_path
    directory = os.path.realpath(near or ".")
    while True:
        place = os.path.join(directory, ".tools", "bin", "kustomize")  # noqa: PTH118 - pathlib costs 5 ms to import
        if os.access(place, os.X_OK):
            yield place
        if directory == os.path.dirname(directory):  # noqa: PTH120
            return
        directory = os.path.dirname(directory)  # noqa: PTH120


def _checked(path: str) -> Kustomize:
    with processes.Scratch() as scratch:
        command = [path, "version"]
        with logged(command):
            return recent(path, start(command, scratch))


def start(command: list[str], scratch: Scratch, *, env: Mapping[str, str] | None = None) -> Running:
    """Start a program, its output in ``scratch``. Raises UserError where it can't be started."""
    try:
        return processes.Running(command, scratch.path, env=env)
    except OSError as error:
        raise UserError(Problem(message=f"{command[0]} can't be run: {error.strerror}")) from None


def recent(path: str, version_run: Running) -> Kustomize:
    """Return the kustomize at ``path`` from its ``version_run``. Raises UserError where it is too old."""
    if not version_run.ends_within(_A_WHILE):
        raise UserError(Problem(message=f"{path} can't be run: it doesn't answer"))
    version = version_run.wait().stdout.decode(errors="replace").strip().split("\n")[-1].strip()
    if not version:
        raise UserError(Problem(message=f"{path} isn't kustomize: `{path} version` prints nothing"))
    numbers = version.rpartition("/")[2].lstrip("v").partition("-")[0].split(".")
    # Builds by `go install` before 5.8 call themselves (devel): take those at their word that they are recent.
    if all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) < OLDEST:
        raise UserError(
            Problem(
                message=f"{path} is kustomize {version}, which can't build a Tutor site with plugins",
                remedy="Install kustomize 5.2 or newer",
            )
        )
    return Kustomize(path=path, version=version)
