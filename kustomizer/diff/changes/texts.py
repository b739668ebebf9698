"""What differs between two texts of several lines, line by line."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise, repeat
from typing import TYPE_CHECKING

from kustomizer.diff.model import Hunk, TextChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kustomizer.diff.model import Path

_CONTEXT = 3
# Where more lines come and go, and none of them is unique on both sides, it is another text.
_MOST_EDITS = 500

Span = tuple[int, int, int, int]
"""Where lines before, and lines after, begin and end."""


def text_change(path: Path, before: str, after: str, shown: Callable[[str, str], tuple[str, str]]) -> TextChange:
    """Return what differs between two texts; ``shown`` makes what is displayed of a line before and one after."""
    older, newer = _lines(before), _lines(after)
    spans = list(_merged(_differing(older, newer)))
    return TextChange(
        path=path,
        hunks=tuple(_hunk(group, older, newer, shown) for group in _groups(spans)),
        newline_at_end=(before.endswith("\n"), after.endswith("\n")),
    )


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _differing(before: Sequence[str], after: Sequence[str]) -> Iterator[Span]:
    """Yield where the two differ, in order: cut at the lines that are unique on both sides, and in between compared."""
    stack = [(0, len(before), 0, len(after))]
    while stack:
        start, end, new_start, new_end = stack.pop()
        while start < end and new_start < new_end and before[start] == after[new_start]:
            start, new_start = start + 1, new_start + 1
        while start < end and new_start < new_end and before[end - 1] == after[new_end - 1]:
            end, new_end = end - 1, new_end - 1
        if start == end or new_start == new_end:
            if start < end or new_start < new_end:
                yield (start, end, new_start, new_end)
            continue
        anchors = _anchors(before, after, (start, end, new_start, new_end))
        if anchors:
            edges = [(start - 1, new_start - 1), *anchors, (end, new_end)]
            parts = [(left[0] + 1, right[0], left[1] + 1, right[1]) for left, right in pairwise(edges)]
            stack += reversed(parts)
        else:
            yield from _compared(before, after, (start, end, new_start, new_end))


def _anchors(before: Sequence[str], after: Sequence[str], span: Span) -> list[tuple[int, int]]:
    """Return the longest run of lines, in order, that stand once on each side."""
    start, end, new_start, new_end = span
    places = _unique(before, start, end)
    new_places = _unique(after, new_start, new_end)
    common = [(place, new_places[line]) for line, place in places.items() if line in new_places]
    ends: list[int] = []
    tails: list[int] = []
    previous: list[int] = []
    for index, (_, new_place) in enumerate(common):
        position = bisect_left(ends, new_place)
        previous.append(tails[position - 1] if position else -1)
        if position == len(ends):
            ends.append(new_place)
            tails.append(index)
        else:
            ends[position], tails[position] = new_place, index
    found = []
    index = tails[-1] if tails else -1
    while index >= 0:
        found.append(common[index])
        index = previous[index]
    return found[::-1]


def _unique(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    places: dict[str, int] = {}
    for place in range(start, end):
        places[lines[place]] = place if lines[place] not in places else -1
    return {line: place for line, place in places.items() if place >= 0}


def _compared(before: Sequence[str], after: Sequence[str], span: Span) -> Iterator[Span]:
    """Yield where two stretches differ in which no line is unique."""
    start, end, new_start, new_end = span
    for first, last, new_first, new_last in _few_edits(before[start:end], after[new_start:new_end]):
        yield (start + first, start + last, new_start + new_first, new_start + new_last)


def _few_edits(older: Sequence[str], newer: Sequence[str]) -> list[Span]:
    """Return where two texts differ, by as few lines as can be; that they differ altogether where those are many.

    E. W. Myers, An O(ND) Difference Algorithm and Its Variations (https://doi.org/10.1007/BF01840446), given up early.
    """
    farthest = {1: 0}
    trace = []
    for edits in range(_MOST_EDITS):
        trace.append(dict(farthest))
        for diagonal in range(-edits, edits + 1, 2):
            is_insertion = diagonal == -edits or (diagonal != edits and farthest[diagonal - 1] < farthest[diagonal + 1])
            x = farthest[diagonal + 1] if is_insertion else farthest[diagonal - 1] + 1
            while x < len(older) and 0 <= x - diagonal < len(newer) and older[x] == newer[x - diagonal]:
                x += 1
            farthest[diagonal] = x
            if x >= len(older) and x - diagonal >= len(newer):
                return _traced(trace, len(older), len(newer))
    return [(0, len(older), 0, len(newer))]


def _traced(trace: Sequence[dict[int, int]], x: int, y: int) -> list[Span]:
    """Return the edits on the way to the end of both texts, each a line that goes or comes."""
    found = []
    for edits in range(len(trace) - 1, 0, -1):
        farthest, diagonal = trace[edits], x - y
        is_insertion = diagonal == -edits or (diagonal != edits and farthest[diagonal - 1] < farthest[diagonal + 1])
        before = diagonal + 1 if is_insertion else diagonal - 1
        x, y = farthest[before], farthest[before] - before
        found.append((x, x, y, y + 1) if is_insertion else (x, x + 1, y, y))
    return found[::-1]


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Yield the spans, those that touch as one."""
    last: Span | None = None
    for span in spans:
        if last is not None and last[1] == span[0] and last[3] == span[2]:
            last = (last[0], span[1], last[2], span[3])
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def _groups(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Yield the spans that share a hunk: their neighbouring lines meet."""
    group: list[Span] = []
    for span in spans:
        if group and span[0] - group[-1][1] > 2 * _CONTEXT:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def _hunk(
    group: Sequence[Span], before: Sequence[str], after: Sequence[str], shown: Callable[[str, str], tuple[str, str]]
) -> Hunk:
    lead = min(_CONTEXT, group[0][0])
    start, new_start = group[0][0] - lead, group[0][2] - lead
    lines: list[str] = []
    place = start
    for first, last, new_first, new_last in group:
        lines += [f" {shown(line, line)[0]}" for line in before[place:first]]
        lines += _block(before[first:last], after[new_first:new_last], shown)
        place = last
    lines += [f" {shown(line, line)[0]}" for line in before[place : place + _CONTEXT]]
    return Hunk(before=start + 1, after=new_start + 1, lines=tuple(lines))


def _block(older: Sequence[str], newer: Sequence[str], shown: Callable[[str, str], tuple[str, str]]) -> Iterator[str]:
    """Yield lines that went and lines that came: what stands for a secret says so where it isn't the one before."""
    for line in older:
        yield f"-{shown(line, line)[0]}"
    # A line stands for the one in its place, where there are as many; else for any of them.
    pairs = zip(older, newer, strict=True) if len(older) == len(newer) else zip(repeat("\n".join(older)), newer)
    for line in newer if not older else ():
        yield f"+{shown(line, line)[0]}"
    for old, line in pairs if older else ():
        yield f"+{shown(old, line)[1]}"
