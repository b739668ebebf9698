"""The output of a build."""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resources


class BuildOutput(Record):
    """The resources as printed, the messages of kustomize and the function, and the function's report."""

    data: bytes
    notes: str
    report: bytes = b""

    @property
    def messages(self) -> str:
        """The notes, and a warning for each ConfigMap of ours that a layer behind the function has changed."""
        from kustomizer.kustomize.stale_hashes import stale_settings  # noqa: PLC0415 - it costs 2 ms, kustomize runs first

        stale = [f"{problem.severity}: {problem}\n" for problem in stale_settings(self.data)]
        return "".join([self.notes, *stale])

    @property
    def text(self) -> str:
        """The resources as text."""
        return self.data.decode()

    def resources(self) -> Resources:
        """Return the resources. Raises UserError where one is there twice."""
        from kustomizer.manifests.protocols import read_build  # noqa: PLC0415 - most builds are only printed

        return read_build(self.data)
