"""Finds the values of secret names, in a file of any language.

YAML, JSON, Python, SQL, XML, INI, a shell's words, what Redis and MySQL read. Nothing is parsed: a file is often a
template, or one language within another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kustomizer.masking import directives
from kustomizer.masking.brackets import Brackets, Span
from kustomizer.masking.names import is_noun, is_secret, is_secret_below

QUOTE = r"""(?P<escape>\\*)(?P<quote>\"""|'''|["'`])"""

# What every name that is_secret() knows has in it. Searching for it costs a tenth of what looking at all names would.
_STEM = re.compile("pass|pwd|pw|secret|token|key|auth|cred|cookie|jwk|salt|dsn|pepper|otp|psk")
_TO_SMALL = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}
_NAME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_IN_NAME = re.compile(r"[A-Za-z0-9_.-]*")
_LONGEST_NAME = 200
_LONGEST_HEAD = 500
"""So many letters may stand between a line's first and a name: more would be read again for each name of the line."""
_LONGEST = 20_000
"""A secret isn't longer; quotes that don't match would take the rest of the file for one."""

# What Python and others write between a name and its type, and a type: `: dict[str, str]`, `: "str | None"`.
_TYPE = r""":[ \t]*(?:[A-Za-z][\w.\[\]|, ]{0,80}|"[A-Za-z][\w.\[\]|, ]{0,80}"|'[A-Za-z][\w.\[\]|, ]{0,80}')[ \t]*"""
_ANNOTATED = r""":[ \t]*Annotated\[[^\n\]]{0,80}\][ \t]*"""
# NAME: "value" and "NAME": "value" of YAML and JSON, NAME = "value", NAME: str = "value", NAME += "value",
# X["NAME"] = "value" and NAME["key"] = "value" of Python, NAME => 'value', NAME string = "value" of Go, a comparison.
_QUOTED = re.compile(
    r"""(?:\[\\*["'][^"'\n]{1,80}\\*["'](?=\]))?(?:\\*["'`])?\]?[ \t]*"""
    rf"""(?:=>|:=|[+|]=|[!=]={{1,2}}|=~\*?|<<<|(?:{_TYPE}|{_ANNOTATED})=|:(?!{_TYPE[1:]}=)"""
    rf"""|[A-Za-z][\w.]{{0,20}}[ \t]*=|=)\s*(?:[rRbBuUfF]{{1,2}})?{QUOTE}"""
)
# 'a' 'b', 'a' + 'b', and the next line behind a backslash.
_GLUED = re.compile(rf"""["'](?:[ \t]*\+[ \t]*|[ \t]*\\\n[ \t]*|[ \t]+){QUOTE}""")
_MOST_GLUED = 40
# SQL's PASSWORD 'value', and redis.conf's requirepass "value".
_BESIDE = re.compile(rf"[ \t]+{QUOTE}")
# os.environ.get("NAME", "value"), env("NAME", default="value"), setattr(settings, "NAME", "value")
_FALLBACK = re.compile(rf"""\\*["'][ \t]*,\s*(?:default[ \t]*=[ \t]*)?{QUOTE}""")
_BEFORE_FALLBACK = re.compile(
    r"""(?i)(?:env[a-z_.]*|\.get|\.setdefault|\bdefine|\bsetattr)\(\s*(?:[\w.]+[ \t]*,[ \t]*)?\\*["']\Z"""
)
# get("NAME") or "value", process.env.NAME || "value", <a name="NAME" value="…"/>, variable "NAME" { default = "…" }
_ELSE = re.compile(
    r"""(?:\\*["'])?[\])]{0,2}\s*(?:\bor\b|\|\||\?\?)\s*"""
    r"""|\\*["']\s+value\s*=\s*|["']\s*\{[^{}]{0,300}?\bdefault[ \t]*=[ \t]*"""
)
_ELSE_QUOTED = re.compile(rf"(?:{_ELSE.pattern}){QUOTE}")
_LIST = re.compile(
    rf"""(?:(?:\\*["'`])?\]?[ \t]*(?:[+|]?=|=>|(?:{_TYPE}|{_ANNOTATED})=|:)"""
    r"""\s*(?:dict|list|tuple|set|frozenset|OrderedDict|MappingProxyType)?|(?<=\.update)|(?<=\.append)|(?<=\.extend)"""
    r"""|(?<=\.setdefault)|(?<=\.insert))(?P<opening>[\[({])"""
)
_METHODS = (".update", ".append", ".extend", ".setdefault", ".insert")
_OPTION = re.compile(r"=|[ \t]+|[ \t]*\\\n[ \t]*")
_ASSIGNMENT = re.compile(r"""=(?=[^\s=])""")
_WORD = re.compile(r"""[^\s"'`;|&<>)]+""")
# 'a'"'"'b' of a shell.
_QUOTED_WORD = re.compile(r"""(?:'[^']*'|"(?:[^"\\]|\\.)*")(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.){0,40}""", re.DOTALL)
_ELEMENT = re.compile(r"(?:\s[^<>]*)?>(?:<!\[CDATA\[)?([^<\]]*)(?:\]\]>)?</")
_FLOW = re.compile(
    r"""(?:["']?[ \t]*:[ \t]+|["'][ \t]*:)(?=[^\s"'])([^,{}\[\]\n]+)"""
    r"""|\\+["'][ \t]*:[ \t]*(?=[^\s"'\\])([^,{}\[\]\n\\]+)"""
)
# From the line's first letter to the name, and from the name to its value.
_HEAD = re.compile(
    r"""(?:#[ \t]*)?(?:(?:- |(?:export|readonly|declare|local|set|setenv|SetEnv|ENV|ARG)[ \t]+(?:-\w+[ \t]+)*)"""
    r"""[ \t]*)*["']?\$?"""
)
_PLAIN = re.compile(r"""["']?(?P<mark>[ \t]*=[ \t]*|:[ \t]+|[ \t]+)(?=[^\s"'`])(?P<value>[^\n]*)""")
_EMPTY = re.compile(r"""["']?:[ \t]*(?:[!&#][^\n]*)?\n""")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?")
_COMMENT = re.compile(r"\s+#")
_ITEM = re.compile(r"([ \t]*)-[ \t]+([^\n]*)(?:\n|\Z)")
_KEY = re.compile(r"""["']?[A-Za-z_][A-Za-z0-9_.-]*["']?:(?:\s|$)""")
_ENTRY = re.compile(r"""([ \t]+)["']?([A-Za-z0-9_.@-]+)["']?:[ \t]+(\S[^\n]*)(?:\n|\Z)""")
_INDENTED = re.compile(r"([ \t]+)([^\n]*)")


def values(text: str, *, code: bool) -> Iterator[Span]:
    """Yield the spans of the values of secret names in ``text``; some may overlap.

    In ``code`` a value without quotes isn't a string.
    """
    brackets = Brackets(text)
    line = position = known = covered = 0
    indent = -1
    for start, end in _names(text):
        if (began := text.rfind("\n", position, start) + 1) or indent < 0:
            line = began
            head = text[line:start]
            indent = len(head) - len(head.lstrip(" \t"))
        position = start
        before = text[start - 1] if start else ""
        spans = list(_quoted(text, start, end, code=code)) or list(directives.values(text, line, start, end))
        # The strings of a list or a dictionary: BASIC_AUTH = ("lms", "…").
        if not spans and (match := _LIST.match(text, end)):
            spans = list(brackets.strings(match.end()))
        if not spans and before == "<":
            spans = [match.span(1)] if (match := _ELEMENT.match(text, end)) else []
        if not spans and start >= covered and (not code or before in {"?", "&"}):
            spans = list(_unquoted(text, line, indent, start, end))
            # Whatever a value of several lines holds ends where that ends.
            covered = max([covered, *(last for first, last in spans if "\n" in text[first:last])])
        yield from spans
        # What is within a word that was found before ends where that ends.
        for pattern in (*((_OPTION,) if before == "-" else ()), *(() if code else (_ASSIGNMENT,))):
            if (match := pattern.match(text, end)) and match.end() >= known:
                for span in word(text, match.end()):
                    known = max(known, span[1])
                    yield span


def _names(text: str) -> Iterator[Span]:
    small = text.lower()
    if len(small) != len(text):
        # A letter that is two when it is small.
        small = text.translate(_TO_SMALL)
    last = 0
    for stem in _STEM.finditer(small):
        if stem.start() < last:
            continue
        before = text[max(last, stem.start() - _LONGEST_NAME) : stem.start()]
        start = stem.start() - len(before) + len(before.rstrip(_NAME_LETTERS))
        tail = _IN_NAME.match(text, stem.end(), stem.end() + _LONGEST_NAME)
        end = tail.end() if tail else stem.end()
        last = end
        start += len(text[start:end]) - len(text[start:end].lstrip("-.0123456789"))
        name = text[start:end]
        if is_secret(name) or (name.endswith(_METHODS) and is_secret(name.rpartition(".")[0])):
            yield (start, end)


def string(text: str, opening: re.Match[str]) -> Span:
    """Return the span of the string that ``opening`` (of QUOTE) begins; unclosed, it ends with the line."""
    start, escape, quote = opening.end(), opening["escape"], opening["quote"]
    if escape:
        closing = re.compile(rf"(?<!\\){re.escape(escape)}{quote}")
    elif len(quote) > 1:
        closing = re.compile(quote)
    else:
        # YAML and SQL double a single quote, others put a backslash before it.
        doubled = "|''" if quote == "'" else ""
        body = re.compile(rf"(?:[^\\{quote}]|\\.{doubled})*", re.DOTALL).match(text, start, start + _LONGEST)
        if body and text.startswith(quote, body.end()):
            return (start, body.end())
        closing = re.compile(quote)
    end_quote = closing.search(text, start, start + _LONGEST)
    if end_quote:
        return (start, end_quote.start())
    line = text.find("\n", start)
    return (start, line if line >= 0 else len(text))


def word(text: str, start: int) -> Iterator[Span]:
    """Yield the span of the shell word at ``start``; quoted pieces that are glued together are one word."""
    if match := _QUOTED_WORD.match(text, start):
        yield (match.start() + 1, match.end() - 1)
    elif match := _WORD.match(text, start):
        yield match.span()
    elif opening := re.compile(QUOTE).match(text, start):
        yield string(text, opening)


def _quoted(text: str, start: int, end: int, *, code: bool) -> Iterator[Span]:
    for pattern in (_QUOTED, _BESIDE, _ELSE_QUOTED):
        match = pattern.match(text, end)
        for _ in range(_MOST_GLUED):
            if match is None:
                break
            span = string(text, match)
            yield span
            match = _GLUED.match(text, span[1]) if code else None
    match = _FALLBACK.match(text, end)
    if match and _BEFORE_FALLBACK.search(text, max(0, start - 40), start):
        yield string(text, match)


def _unquoted(text: str, line: int, indent: int, start: int, end: int) -> Iterator[Span]:
    """Find the value without quotes of the name at ``start``, in the line that begins at ``line``."""
    first = line + indent
    if start - first <= _LONGEST_HEAD and _HEAD.fullmatch(text, first, start):
        if (match := _PLAIN.match(text, end)) and not (match["mark"].isspace() and is_noun(text[start:end])):
            yield from _plain_value(text, match, indent)
        elif match := _EMPTY.match(text, end):
            in_item = text[first : first + 1] == "-"
            yield from _below(text, match.end(), start - line if in_item else indent)
            yield from _entries(text, text[start:end], match.end(), indent)
    else:
        before = text[max(line, start - _LONGEST_NAME) : start].rstrip(" \t\"'\\")
        if before.endswith(("{", ",")) and (match := _FLOW.match(text, end)):
            yield match.span(match.lastindex or 0)


def _plain_value(text: str, match: re.Match[str], indent: int) -> Iterator[Span]:
    start, end = match.span("value")
    value = match["value"]
    if value[:1] in {"[", "{", "("}:
        return
    if _BLOCK.fullmatch(value):
        yield (end + 1, _end_of_deeper_lines(text, end, indent))
        return
    if ":" in match["mark"]:
        comment = _COMMENT.search(value)
        end = start + comment.start() if comment else _end_of_deeper_lines(text, end, indent)
    yield (start, start + len(text[start:end].rstrip()))


def _end_of_deeper_lines(text: str, end: int, indent: int) -> int:
    """Return the end of the lines, from the line break at ``end`` on, that are indented by more than ``indent``."""
    deeper = re.compile(rf"(?:\n(?:[ \t]{{{indent + 1},}}[^\n]*|[ \t]*(?=\n)))*").match(text, end)
    return deeper.end() if deeper else end


def _entries(text: str, collection: str, position: int, indent: int) -> Iterator[Span]:
    """Find the values below ``passwords:`` or ``credentials:``."""
    while (entry := _ENTRY.match(text, position)) and len(entry.group(1)) > indent:
        if is_secret_below(collection, entry.group(2)):
            yield (entry.start(3), entry.start(3) + len(entry.group(3).rstrip()))
        position = entry.end()


def _below(text: str, position: int, indent: int) -> Iterator[Span]:
    """Find the value below a name: the items of a list, or a scalar on a line of its own."""
    items = 0
    while (item := _ITEM.match(text, position)) and len(item.group(1)) >= indent:
        value = item.group(2).rstrip()
        if not _KEY.match(value):
            yield (item.start(2), item.start(2) + len(value))
        position, items = item.end(), items + 1
    line = _INDENTED.match(text, position) if not items else None
    if line and len(line.group(1)) > indent and not _KEY.match(line.group(2)):
        yield (line.start(2), _end_of_deeper_lines(text, line.end(), indent))
