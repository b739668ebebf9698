"""Finds known secret values anywhere in a text, in any of their forms."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from kustomizer.masking.brackets import Span

SHORTEST = 8
"""What is shorter stands in many a word by chance. Tutor's shortest passwords are as long."""
_MANY = 400
"""Up to so many strings, Python's search for each is faster than a look at each letter of the text."""
_NONE: Mapping[int, frozenset[str]] = {}
_CERTAIN = 12
_LINE = 60
_CLASSES = ("[a-z]", "[A-Z]", "[0-9]", r"[^A-Za-z0-9\s_.:/@-]")
# Hosts, paths, addresses, versions: where these stand elsewhere, they mean themselves.
_PUBLIC = re.compile(
    r"[/~.][^\s]*|[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?|[a-z][a-z0-9+.-]*://[^@]*"
    r"|v?[0-9.]+|[a-z0-9-]+:[0-9]+|\{[A-Za-z_.]+\}|[A-Z][A-Z_]+|[a-z]+(?:[-_][a-z]+)+"
)
_BASE64_LETTERS = "A-Za-z0-9+/_-"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_RUN = re.compile(rf"[{_BASE64_LETTERS}]*={{0,2}}")
_WRAPPED = re.compile(rf"[{_BASE64_LETTERS}]{{40,}}(?:\\?\r?\n[ \t]*[{_BASE64_LETTERS}]+={{0,2}})+")
_PIECE = re.compile(r"[A-Za-z0-9+/=_~.$!*-]{16,}")
_SPACE = re.compile(r"\s")


def is_distinctive(value: str, names: str) -> bool:
    """Tell whether ``value`` may be looked for everywhere, and not only where its place says that it is secret.

    ``names`` are those of objects and the like, in small letters. To mask a word that readers expect there would both
    spoil what they read and tell them the password.
    """
    if len(value) < SHORTEST or _PUBLIC.fullmatch(value) or value.lower() in names:
        return False
    classes = sum(re.search(pattern, value) is not None for pattern in _CLASSES)
    return classes > 1 or (len(value) >= _CERTAIN and not value.isdigit())


def looks_random(value: str) -> bool:
    """Tell whether ``value`` is a password by its look alone: no word, no number, no path, no variable of a shell."""
    if len(value) < SHORTEST or value[0] == "$" or "/" in value or _SPACE.search(value) or _PUBLIC.fullmatch(value):
        return False
    return sum(re.search(pattern, value) is not None for pattern in _CLASSES) > 2  # noqa: PLR2004 - of four


def readings(text: str) -> set[str]:
    """Return the possible meanings of ``text`` from a file: as it is, and with its language's escapes undone."""
    forms = {text, text.strip(), text.strip().rstrip(",;"), text.replace("''", "'")}
    if "%" in text:
        forms |= {unquote(text), unquote_plus(text)}
    if "\\" in text:
        forms.add(re.sub(r"\\\r?\n[ \t]*", "", text))
        for form in (text, text.replace('\\"', '"').replace("\\\\", "\\")):
            try:
                forms.add(json.loads(f'"{form}"'))
            except ValueError:
                forms.add(re.sub(r"\\(.)", r"\1", form))
    if "\n" in text:
        forms |= {" ".join(text.split()), "".join(text.split())}
        # A line of words may be any file's; one word may be a key's.
        forms |= {line.strip() for line in text.split("\n") if len(line.split()) == 1}
    decoded = decode(text)
    if decoded is not None:
        forms.add(decoded)
        # Basic authentication's user:password.
        forms.add(decoded.partition(":")[2])
    return forms


def pieces(text: str) -> set[str]:
    """Return what looks like a key in a secret text of several lines: long, of letters and figures."""
    candidates = _PIECE.findall(text) if "\n" in text else []
    return {piece for piece in candidates if re.search("[0-9]", piece) and re.search("[A-Za-z]", piece)}


def decode(text: str) -> str | None:
    """Return what ``text`` is in base64, None where that isn't text."""
    data = _decoded("".join(text.split()))
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None


def _decoded(text: str) -> bytes | None:
    letters = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


class Finder:
    """Strings of SHORTEST letters or more, found in a text in a time that doesn't grow with how many they are."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = sorted({string for string in strings if len(string) >= SHORTEST})
        self._by_head: dict[str, dict[int, set[str]]] = {}
        for string in self._strings if len(self._strings) > _MANY else ():
            by_length = self._by_head.setdefault(string[:SHORTEST], {})
            by_length.setdefault(len(string), set()).add(string)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of the strings in ``text``; they may overlap."""
        if self._by_head:
            for start in range(len(text) - SHORTEST + 1):
                for length, strings in self._by_head.get(text[start : start + SHORTEST], _NONE).items():
                    if text[start : start + length] in strings:
                        yield (start, start + length)
            return
        for string in self._strings:
            start = text.find(string)
            while start >= 0:
                yield (start, start + len(string))
                start = text.find(string, start + len(string))


class SecretValues:
    """Secret values, to be found in texts."""

    def __init__(self, values: Iterable[str]) -> None:
        distinct = set(values)
        forms = {form for value in distinct for form in _forms(value) if len(form) >= SHORTEST}
        data = [value.encode("utf-8", "surrogatepass") for value in distinct]
        self._data = Finder(value.decode("latin-1") for value in data)
        self._forms = Finder(forms)
        self._cores = Finder(core for value in data for core in _cores(value))
        self._folded = Finder(squeezed for form in forms if (squeezed := _squeeze(form)) != form or len(form) > _LINE)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the spans of values, each with the rest of the word that it is a part of; they may overlap."""
        for forms, widen in ((self._forms, _whole_word), (self._cores, _whole_run)):
            known = (0, 0)
            for start, end in forms.spans(text):
                if start < known[0] or end > known[1]:
                    known = widen(text, start, end)
                    yield known
        if "\n" in text:
            yield from self._over_lines(text)

    def _over_lines(self, text: str) -> Iterator[Span]:
        for match in _WRAPPED.finditer(text):
            data = _decoded("".join(match.group().replace("\\", "").split()))
            if data and any(self._data.spans(data.decode("latin-1"))):
                yield match.span()
        spans = list(self._folded.spans(_squeeze(text)))
        kept = [index for index, letter in enumerate(text) if not letter.isspace() and letter != "\\"] if spans else []
        for start, end in spans:
            yield (kept[start], kept[end - 1] + 1)


def _squeeze(text: str) -> str:
    return "".join(text.split()).replace("\\", "")


def _whole_word(text: str, start: int, end: int) -> Span:
    while start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    return (start, end)


def _whole_run(text: str, start: int, end: int) -> Span:
    before = text[max(0, start - 4096) : start]
    after = _RUN.match(text, end)
    return (start - len(before) + len(before.rstrip(_LETTERS)), after.end() if after else end)


def _forms(value: str) -> set[str]:
    """Return ``value`` as files, URLs, shells and other languages write it."""
    in_json = json.dumps(value)[1:-1]
    unescaped = json.dumps(value, ensure_ascii=False)[1:-1]
    forms = {value, in_json, unescaped, in_json.replace("/", "\\/"), unescaped.replace("/", "\\/")}
    forms |= {json.dumps(form)[1:-1] for form in (in_json, unescaped)}
    forms |= {repr(value)[1:-1], value.replace("'", "\\'"), value.replace("'", "''"), value.replace('"', '""')}
    forms |= {value.replace("'", "'\"'\"'"), value.replace("'", "'\\''"), re.sub(r"([^A-Za-z0-9_\n])", r"\\\1", value)}
    forms |= {re.sub(r"([$`\"\\!])", r"\\\1", value), value.replace("%", "%%"), value.replace("$", "$$")}
    forms |= {
        html.escape(value, quote=False),
        html.escape(value),
        html.escape(value).replace("&#x27;", "&#39;"),
        html.escape(value).replace("&#x27;", "&apos;"),
    }
    try:
        percent = {quote(value, safe=""), quote(value), quote_plus(value), quote(value, safe="~()*!.'")}
    except UnicodeEncodeError:
        percent = set()
    forms |= percent | {re.sub("%[0-9A-F]{2}", lambda match: match.group().lower(), form) for form in percent}
    data = value.encode("utf-8", "surrogatepass")
    return forms | {data.hex(), data.hex().upper()}


def _cores(data: bytes) -> Iterator[str]:
    """Yield the letters that base64 has for ``data``, for each position that it may have in the encoded text."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + data).decode()
        core = whole[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")
