"""What whoever runs a command lets a build do beyond running our own function.

Never is it what is built that says so.
"""

from __future__ import annotations

import os

from kustomizer.kustomize.programs import CONTAINER
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from kustomizer.kustomize.programs import Program

ALLOW_EXEC = "TUTOR_KUSTOMIZER_ALLOW_EXEC"
"""Names more programs, between spaces."""


class Permissions(Record):
    """Programs that may run, and whether what isn't on this machine may be fetched.

    A program is the path of a file, a name that is looked up on PATH, `docker:` and an image, or the API version and
    kind of a legacy plugin.
    """

    programs: frozenset[str] = frozenset()
    remote: bool = False
    outside: bool = False
    """Whether directories may take part that lie outside of the overlay's checkout."""

    def allow(self, program: Program, directory: str) -> bool:
        """Tell whether ``program`` may run, which a kustomization in ``directory`` names."""
        if program.is_path:
            return os.path.realpath(f"{directory}/{program.name}" if program.name[0] != "/" else program.name) in map(
                os.path.realpath, filter(_is_absolute, self.programs)
            )
        return program.name in self.programs

    @property
    def are_any(self) -> bool:
        """Whether anything is allowed that may need what the user's environment holds."""
        return bool(self.programs) or self.remote

    def with_programs(self, programs: Iterable[str], directory: str) -> Permissions:
        """Return the same with ``programs`` as well, paths relative to ``directory``."""
        return self.replace(programs=self.programs | {_resolved(program, directory) for program in programs})

    def moved(self, place: str) -> Permissions:
        """Return the same for a copy of this machine's files below ``place``, too."""
        return self.replace(programs=self.programs | {f"{place}{path}" for path in filter(_is_absolute, self.programs)})


def permissions(programs: Iterable[str] = (), *, remote: bool = False, outside: bool = False) -> Permissions:
    """Return the permissions that ``programs`` and the environment name, paths relative to the working directory."""
    named = [*programs, *os.environ.get(ALLOW_EXEC, "").split()]
    return Permissions(remote=remote, outside=outside).with_programs(named, "")


def _resolved(program: str, directory: str) -> str:
    """Return ``program`` with the whole path where it is a file's; a legacy plugin has slashes in its name, too."""
    is_path = "/" in program and not program.startswith(CONTAINER)
    if is_path and (program.startswith(("/", "./", "../")) or os.path.lexists(os.path.join(directory, program))):  # noqa: PTH118 - pathlib costs 5 ms to import
        return os.path.abspath(os.path.join(directory, program))  # noqa: PTH100, PTH118
    return program


def _is_absolute(program: str) -> bool:
    return program.startswith("/")
