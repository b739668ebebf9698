"""Turns the changes of one object into lines, field by field, and values into words; each line begins with a sign."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from kustomizer.diff.model import (
    CHANGED_HASH,
    HASH,
    AnyChange,
    ArgumentsChange,
    Comparison,
    Hunk,
    ObjectChange,
    ObjectId,
    SharedChange,
    TextChange,
    ValueChange,
    path_text,
)
from kustomizer.manifests.writer import emit
from kustomizer.masking.marks import CHANGED_SECRET, SECRET, Absent
from kustomizer.record import Record
from kustomizer.system.visible import visible, visible_lines
from kustomizer.system.wording import plural

LONGEST = 12
"""Lines of one value that are shown without ``full``."""


class ChangedField(Record):
    """One changed field: its path, and lines that begin with ``-``, ``+``, a blank or ``@@``."""

    path: str
    sign: str
    """``-``, ``+`` or ``~``: whether the whole field is removed, added or changed."""
    brief: str
    """The change in one line, without the path; empty where it doesn't fit."""
    lines: Sequence[str]


class EarlierHunks:
    """The first place of each hunk in a report: Tutor's settings of lms and cms commonly change alike."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, ...], str] = {}

    def place(self, hunk: Hunk, here: str) -> str:
        """Return the place that has these lines already, empty where they are new ``here``."""
        first = self._places.setdefault(tuple(hunk.lines), here)
        return "" if first == here else first


def fields_of(
    item: ObjectChange, *, full: bool, without: Sequence[AnyChange] = (), earlier: EarlierHunks | None = None
) -> list[ChangedField]:
    """Return the changed fields of one object, without the changes in ``without``.

    With ``earlier``, a hunk that the report has already is replaced by a reference to it.
    """
    fields = [
        field_of(change, full=full, earlier=earlier, of=item.id.name)
        for change in item.changes
        if change not in without
    ]
    before, after = item.api_version
    if item.changes and before != after and ("apiVersion",) not in [change.path for change in item.changes]:
        fields.insert(0, field_of(ValueChange(path=("apiVersion",), before=before, after=after), full=full))
    return fields


def field_of(
    change: AnyChange, *, full: bool = False, earlier: EarlierHunks | None = None, of: str = ""
) -> ChangedField:
    """Return one changed field; ``of`` is the object's name."""
    path = visible(path_text(change.path))
    if isinstance(change, ValueChange):
        return _value(path, change, full=full)
    if isinstance(change, TextChange):
        return ChangedField(path=path, sign="~", brief="", lines=_hunks(change, earlier, f"{visible(of)} {path}"))
    if isinstance(change, ArgumentsChange):
        return ChangedField(path=path, sign="~", brief="", lines=_arguments(change, full=full))
    order = ", ".join(visible(str(key).strip("[]")) for key in change.after)
    return ChangedField(path=path, sign="~", brief=f"another order: {order}", lines=[f"  another order: {order}"])


def in_groups(comparison: Comparison) -> Mapping[ObjectId, list[AnyChange]]:
    """Return the changes that are elsewhere in the report, by object: shared ones, and new hashes in names."""
    shared: dict[ObjectId, list[AnyChange]] = {}
    for group in comparison.groups:
        for identity in group.objects:
            shared.setdefault(identity, []).append(group.change)
    names = _renamed(comparison)
    for item in comparison.objects:
        for change in item.changes:
            if _is_renaming(change, names):
                shared.setdefault(item.id, []).append(change)
    return shared


def groups_to_show(comparison: Comparison) -> list[SharedChange]:
    """Return the shared changes without new hashes in names, which the report lists as renamings."""
    names = _renamed(comparison)
    return [group for group in comparison.groups if not _is_renaming(group.change, names)]


def _renamed(comparison: Comparison) -> set[str]:
    return {renaming.id.name for renaming in comparison.renamings}


def _is_renaming(change: AnyChange, names: Container[str]) -> bool:
    """Tell whether only the hash differs in a reference to one of ``names``."""
    if not isinstance(change, ValueChange) or change.path[:1] != ("spec",):
        return False
    return any(
        isinstance(change.before, str)
        and change.before.endswith(f"-{old}")
        and (name := change.before.removesuffix(f"-{old}")) in names
        and change.after == f"{name}-{new}"
        for old, new in ((HASH, CHANGED_HASH), (SECRET, CHANGED_SECRET))
    )


def manifest(change: ObjectChange) -> list[str]:
    """Return the lines of a whole object that is added or destroyed."""
    sign = "+" if change.action == "add" else "-"
    return [f"{sign} {line}".rstrip() for line in lines(change.tree)]


def _value(path: str, change: ValueChange, *, full: bool) -> ChangedField:
    added, removed = isinstance(change.before, Absent), isinstance(change.after, Absent)
    before = [] if added else [f"- {line}".rstrip() for line in _shortened(change.before, full=full)]
    after = [] if removed else [f"+ {line}".rstrip() for line in _shortened(change.after, full=full)]
    sides = [value for value in (change.before, change.after) if not isinstance(value, Absent)]
    brief = " → ".join(map(one_line, sides)) if all(map(is_one_line, sides)) else ""
    return ChangedField(path=path, sign="+" if added else "-" if removed else "~", brief=brief, lines=[*before, *after])


def _shortened(value: Any, *, full: bool) -> list[str]:
    every = lines(value)
    if full or len(every) <= LONGEST + 1:
        return every
    return [*every[:LONGEST], f"... {len(every) - LONGEST} more lines"]


def _hunks(change: TextChange, earlier: EarlierHunks | None, here: str) -> list[str]:
    lines = []
    for hunk in change.hunks:
        place = earlier.place(hunk, here) if earlier else ""
        lines += [f"{_head(hunk)} as in {place}"] if place else [_head(hunk), *map(_line, hunk.lines)]
    before, after = change.newline_at_end
    if before != after:
        lines.append(f"{'+' if after else '-'} a newline at the end of the text")
    return lines


def _head(hunk: Hunk) -> str:
    before = sum(not line.startswith("+") for line in hunk.lines)
    after = sum(not line.startswith("-") for line in hunk.lines)
    return f"@@ -{hunk.before},{before} +{hunk.after},{after} @@"


def _line(line: str) -> str:
    return (line[:1] + visible(line[1:])).rstrip()


def _arguments(change: ArgumentsChange, *, full: bool) -> list[str]:
    notes = [f"  {visible(note)}" for note in change.notes]
    if notes and not full:
        return notes
    gone = [f"- {visible(argument)}".rstrip() for argument in change.before if argument not in change.after]
    new = [f"+ {visible(argument)}".rstrip() for argument in change.after if argument not in change.before]
    moved = [] if notes or gone or new else [f"  {plural(len(change.after), 'argument')} in another order"]
    return [*notes, *gone, *new, *moved]


_MASKS = (SECRET, CHANGED_SECRET)
_OTHER_TYPES = frozenset({"", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "{}", "[]"})
_BEGIN_NUMBERS = frozenset("0123456789.+-")


def is_one_line(value: Any) -> bool:
    """Tell whether a value fits in a line: a scalar without line breaks, or an empty collection."""
    return not value if isinstance(value, (dict, list)) else not isinstance(value, str) or "\n" not in value


def one_line(value: Any) -> str:
    """Return a value that is_one_line; a string is quoted only where it looks like another type."""
    if isinstance(value, str):
        return f'"{visible(value)}"' if _seems_another(value) else visible(value)
    # Without the newline at the end.
    return emit(value)[:-1]


def lines(value: Any) -> list[str]:
    """Return the lines of any value; a collection is YAML."""
    if is_one_line(value):
        return [one_line(value)]
    if isinstance(value, str):
        return visible_lines(value)
    return [_unquoted(line) for line in visible_lines(emit(value))]


def _seems_another(text: str) -> bool:
    return (
        text.lower() in _OTHER_TYPES
        or text[0] in "\"'{["
        or text[-1] == " "
        or (text[0] in _BEGIN_NUMBERS and text.replace("_", "").isascii() and _is_number(text))
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.lower().startswith(("0x", "0o", "0b", ".inf", "-.inf", ".nan"))
    return True


def _unquoted(line: str) -> str:
    """Return a line of YAML with its masks unquoted, as they are elsewhere in a report."""
    for mask in _MASKS:
        line = line.replace(f"'{mask}'", mask)
    return line
