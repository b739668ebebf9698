"""Fits the sections of a comment into a number of characters, and counts what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kustomizer.findings.github import without_commands
from kustomizer.record import Record
from kustomizer.system.wording import joined, plural


class CommentSection(Record):
    """Parts of the comment, each of which is shown whole, in short, or not at all."""

    noun: str
    parts: Sequence[str]
    shorten: Callable[[int, int], str] | None = None
    """Returns a part in a shorter text, for a number of characters that it ought to have."""
    counts: Sequence[int] = ()
    """The number of things in each part, where it isn't one."""
    between: str = "\n\n"
    share: float = 1
    """How much of the room that is left it may take."""

    def count(self, part: int) -> int:
        """Return the number of things in a part."""
        return self.counts[part] if self.counts else 1


def fitting(sections: Sequence[CommentSection], room: int) -> str:
    """Return what fits into ``room`` characters, the first parts first, and the numbers of what doesn't."""
    everything = {section.noun: sum(map(section.count, range(len(section.parts)))) for section in sections}
    room -= len(_omitted(everything))
    text = ""
    omitted = {}
    for section in sections:
        shown, number = _shown(section, int((room - len(text)) * section.share))
        omitted[section.noun] = number
        text += "\n\n" + section.between.join(shown) if shown else ""
    return text + _omitted(omitted)


def _shown(section: CommentSection, room: int) -> tuple[list[str], int]:
    """Return the parts of a section that fit, and how many things don't."""
    shown: list[str] = []
    omitted = 0
    for number, part in enumerate(map(without_commands, section.parts)):
        text = part
        # A long part leaves half of the room to the others.
        if section.shorten and len(part) > room // 2:
            text = without_commands(section.shorten(number, room // 2))
        length = len(section.between if shown else "\n\n") + len(text)
        if length <= room:
            shown.append(text)
            room -= length
        else:
            omitted += section.count(number)
    return shown, omitted


def _omitted(numbers: Mapping[str, int]) -> str:
    counted = [plural(number, noun) for noun, number in numbers.items() if number]
    return f"\n\n**{joined(counted)} omitted**, or this comment would be too long." if counted else ""
