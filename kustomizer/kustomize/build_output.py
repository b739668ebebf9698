"""What a build printed."""

from __future__ import annotations

from kustomizer.record import Record


class BuiltSite(Record):
    """The resources, what the function and kustomize had to say, and the function's report where one was asked for."""

    data: bytes
    notes: str
    report: bytes = b""

    @property
    def text(self) -> str:
        """The resources as text."""
        return self.data.decode()
