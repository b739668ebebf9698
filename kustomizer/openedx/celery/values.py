"""A value with its source, and its counterpart: a value that can't be known, with the reason."""

from __future__ import annotations

from kustomizer.errors import ERROR, Problem, ResourceRef
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Value: TypeAlias = "Known | Unknown"


class Source(Record):
    """Where a value comes from: an object, a field of it, and a line of the text there; or whose default it is."""

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

    def problem(self, message: str, remedy: str, *, severity: str = ERROR) -> Problem:
        """Return a problem at this place."""
        field = str(self.replace(resource=None))
        return Problem(message=message, severity=severity, resource=self.resource, field=field, remedy=remedy)


class Unseen(Record):
    """A text that a pod gets from a Secret which the build hasn't got."""

    secret: str
    key: str
    is_quoted: bool = False
    """Whether it is percent-encoded before it is used."""


class Parts(tuple[str | Unseen | None, ...]):
    """The parts of a text that is known in part, in their order; None for one of which nothing is known."""

    __slots__ = ()


class Known(Record):
    """A value that is certain."""

    value: Any
    source: Source

    @property
    def likely(self) -> Known:
        """What holds, as far as the build shows it."""
        return self


class Unknown(Record):
    """A value that the build doesn't tell."""

    reason: str
    source: Source
    may_be_unset: bool = False
    """Whether nothing may set it at all."""
    otherwise: Known | None = None
    """The value if nothing sets it."""
    parts: Parts = Parts()
    """What is known of a text; none where that is nothing."""

    @property
    def likely(self) -> Known | None:
        """What holds, as far as the build shows it."""
        return self.otherwise


MOST_PARTS = 30
"""How many parts an Unknown may have: no broker's URL has more."""
CELERYS = Source(default="Celery")
EDX_PLATFORMS = Source(default="Open edX")
KOMBUS = Source(default="kombu")
