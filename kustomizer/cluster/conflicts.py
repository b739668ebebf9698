"""Fields that others own and a server-side apply would set: kubectl's words about them read, and said in five lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kustomizer.errors import Problem, ResourceRef, UserError
from kustomizer.masking.messages import without_secrets
from kustomizer.record import Record
from kustomizer.system.wording import plural

_SHOWN = 3
# https://github.com/kubernetes/apimachinery/blob/master/pkg/util/managedfields/internal/conflict.go
# One field stands behind the manager, several on lines of their own; the time of an update has colons, too.
_CONFLICT = re.compile(
    r'conflicts? with "(?P<manager>[^"]+)"[^\n]*?:(?: (?P<one>\.[^\n]+)|(?P<several>(?:\n- [^\n]+)+))'
)


class Conflict(Record):
    """What one manager owns of one object."""

    manager: str
    fields: tuple[str, ...]
    resource: ResourceRef | None = None
    """The object, which kubectl doesn't name."""


class ConflictError(UserError):
    """Fields that others own."""

    def __init__(self, conflicts: Sequence[Conflict], applied: frozenset[tuple[str, str]] = frozenset()) -> None:
        lines = [f"  {_line(conflict)}" for conflict in conflicts[:_SHOWN]]
        if len(conflicts) > _SHOWN:
            lines[-1] = f"  and {len(conflicts) - _SHOWN + 1} more like these"
        super().__init__(
            Problem(
                message="\n".join(["others own fields that the build sets:", *lines]),
                remedy="Leave them out of the overlay; or, where they are to be ours from now on: --force-conflicts",
            )
        )
        self.conflicts = conflicts
        self.applied = applied
        """Kind, in lower case, and name of the objects that aren't in conflict."""

    @property
    def managers(self) -> frozenset[str]:
        """Who owns the fields."""
        return frozenset(conflict.manager for conflict in self.conflicts)


def read_conflicts(words: str) -> list[Conflict]:
    """Return the conflicts of which kubectl speaks in ``words``."""
    return [
        Conflict(
            manager=match["manager"],
            fields=tuple(
                without_secrets(field.removeprefix("- ").strip())
                for field in (match["one"] or match["several"]).strip().split("\n")
            ),
        )
        for match in _CONFLICT.finditer(words)
    ]


def _line(conflict: Conflict) -> str:
    first, *more = conflict.fields
    rest = f" and {plural(len(more), 'more field')}" if more else ""
    about = f"{conflict.resource}: " if conflict.resource else ""
    return f"{about}{conflict.manager} owns {first.removeprefix('.')}{rest}"
