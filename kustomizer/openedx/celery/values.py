"""A value with its source, and its counterpart: a value that can't be known, with the reason."""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from kustomizer.errors import ResourceRef

    Value: TypeAlias = "Known | Unknown"


class Source(Record):
    """Where a value comes from: an object, the path of a field in it, a line of a file there; or somebody's default."""

    resource: ResourceRef | None = None
    field: str = ""
    line: int = 0
    """The line within the text that the field holds; 0 where it holds no text of lines."""
    default: str = ""
    """Whose default it is, where nothing in the build sets it."""

    def __str__(self) -> str:
        if self.default:
            return f"{self.default}'s default"
        place = f"{self.field} line {self.line}" if self.line else self.field
        return ": ".join(filter(None, (str(self.resource or ""), place)))


class Known(Record):
    """What holds for sure."""

    value: Any
    source: Source


class Unknown(Record):
    """What the build doesn't tell."""

    reason: str
    source: Source
    may_be_unset: bool = False
    """Whether it may not be set at all."""
    otherwise: Known | None = None
    """What holds where it isn't set."""


CELERYS = Source(default="Celery")
EDX_PLATFORMS = Source(default="Open edX")
KOMBUS = Source(default="kombu")
