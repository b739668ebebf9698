"""Texts that settings put together, also of what isn't known: a broker's URL with a password of a Secret's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.python_values import Member, Opaque, Partial, doubt_in, own_doubt, parts_of
from kustomizer.openedx.celery.values import MOST_PARTS, Parts, Unseen

if TYPE_CHECKING:
    from collections.abc import Callable

# A width of four digits, or one that is given as an argument.
_WIDE = re.compile(r"\{[^{}]*:[^{}]*(?:\d{4}|\{)|%(?:\([^)]*\))?[^a-zA-Z%]*(?:\d{4}|\*)")
# No variable of the environment has this character.
_MARK = re.compile("\0(\\d+)\0")
_NEXT = 1000


def put_together(make: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Return the text that ``make`` gives for values of which some, or some items of lists and tuples, are a Partial.

    Where one is an Opaque of another kind it is that; where no text comes out, an Opaque.
    """
    doubt = next((each for value in (*values, *named.values()) if (each := _other_doubt(value))), None)
    if doubt is not None:
        return doubt
    partials: list[Partial] = []
    # A width or a cut shows where two texts differ that have other marks.
    made = []
    for more in (0, _NEXT):
        partials.clear()
        marked = [_marked(value, partials, more) for value in values]
        marked_named = {name: _marked(value, partials, more) for name, value in named.items()}
        made.append(make(*marked, **marked_named))
    if not partials:
        return made[0]
    first = partials[0]
    pieces, others = ([] if not isinstance(text, str) else _MARK.split(text) for text in made)
    # Texts and marks take turns; a mark that stays the same is the site's own text.
    is_sure = pieces and pieces[::2] == others[::2] and all(map(is_text, (*marked, marked_named)))
    if not is_sure or [int(mark) + _NEXT for mark in pieces[1::2]] != [*map(int, others[1::2])]:
        return Opaque(first.reason, first.line)
    parts: list[Any] = []
    for index, piece in enumerate(pieces):
        parts += partials[int(piece)].parts if index % 2 else filter(None, [piece])
    if len(parts) > MOST_PARTS:
        return Opaque(first.reason, first.line)
    return Partial(first.reason, first.line, Parts(parts))


def _other_doubt(value: Any) -> Opaque | None:
    """Return why a value isn't known, None where it is known in part."""
    is_many = isinstance(value, (list, tuple))
    own = own_doubt(value) if is_many else None
    items = value if is_many else (value,)
    return own or next((doubt for item in items if not isinstance(item, Partial) and (doubt := doubt_in(item))), None)


def quoted(value: Partial) -> Partial:
    """Return a text, percent-encoded."""
    # A text beside it may get other characters.
    only = value.parts[0] if len(value.parts) == 1 else None
    part = only.replace(is_quoted=True) if isinstance(only, Unseen) and not only.is_quoted else None
    return Partial(value.reason, value.line, Parts([part]))


def _marked(value: Any, partials: list[Partial], more: int) -> Any:
    if isinstance(value, Partial):
        partials.append(value)
        return f"\0{more + len(partials) - 1}\0"
    return tuple(_marked(item, partials, more) for item in value) if isinstance(value, (list, tuple)) else value


def is_wide(text: object) -> bool:
    """Tell whether a format may ask for a text that takes much room."""
    return not isinstance(text, str) or _WIDE.search(text) is not None


def is_text(value: object) -> bool:
    """Tell whether a value, or each one in it, becomes the text that it would become in the settings."""
    scalars = parts_of(value) if isinstance(value, (tuple, dict)) else (value,)
    return all(part is None or (isinstance(part, (str, int, float)) and type(part) is not Member) for part in scalars)
