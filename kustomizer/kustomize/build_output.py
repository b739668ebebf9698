"""The output of a build."""

from __future__ import annotations

from kustomizer.kustomize.programs import OWN_COMMAND
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.errors import Problem
    from kustomizer.manifests.resource import Resources


class BuildOutput(Record):
    """The resources as printed, the messages of kustomize and the function, and the function's report."""

    data: bytes
    notes: str
    report: bytes = b""
    directories: Sequence[str] = ()
    """The directories that took part in the build, without links in their paths."""

    @property
    def messages(self) -> str:
        """The notes, and a warning for each ConfigMap of ours that a layer behind the function has changed."""
        from kustomizer.kustomize.stale_hashes import stale_settings  # noqa: PLC0415 - it costs 2 ms, kustomize runs first

        stale = [f"{problem.severity}: {problem}\n" for problem in stale_settings(self.data)]
        return "".join([self.notes, *stale])

    @property
    def problems(self) -> Sequence[Problem]:
        """What the function had to say, without secrets."""
        if not self.report:
            return ()
        from kustomizer.kustomize.function_log import problems_of  # noqa: PLC0415 - most builds are only printed
        from kustomizer.masking.messages import problem_without_secrets  # noqa: PLC0415

        return tuple(map(problem_without_secrets, problems_of(self.report)))

    @property
    def other_notes(self) -> str:
        """The notes without those that are the function's problems."""
        notes = self.notes
        for problem in self.problems:
            notes = notes.replace(f"{OWN_COMMAND}: {problem.severity}: {problem}\n", "")
        return notes

    @property
    def text(self) -> str:
        """The resources as text."""
        return self.data.decode()

    def resources(self) -> Resources:
        """Return the resources. Raises UserError where one is there twice."""
        from kustomizer.manifests.protocols import read_build  # noqa: PLC0415 - most builds are only printed

        return read_build(self.data)
