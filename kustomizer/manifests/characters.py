"""Tells which characters YAML takes unescaped.

A regular expression tells it exactly, but to import ``re`` and compile one costs as much as everything else that the
function does. :meth:`str.isprintable` is enough for nearly every text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

# Without the characters that YAML doesn't allow, the line breaks that kustomize's reader knows and Python's str.split
# doesn't, and the byte order mark.
_LETTERS = "\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def has_odd_character(text: str) -> bool:
    """Tell whether a character of ``text`` needs a full parser. Tabs and newlines don't."""
    return not text.isprintable() and _compiled(f"[^\t\n -~{_LETTERS}]").search(text) is not None


def is_line(text: str) -> bool:
    """Tell whether ``text`` can be written on a line of YAML as it is."""
    return text.isprintable() or _compiled(f"[ -~{_LETTERS}]*").fullmatch(text) is not None


def escaped(text: str) -> str:
    """Return ``text`` as it is written between double quotes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return plain if plain.isprintable() else _compiled(f"[^ !#-\\[\\]-~{_LETTERS}]").sub(_escape, text)


def _compiled(pattern: str) -> re.Pattern[str]:
    import re  # noqa: PLC0415 - see above

    return re.compile(pattern)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _SHORT_ESCAPES.get(char) or (f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}")  # noqa: PLR2004
