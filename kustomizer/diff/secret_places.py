"""Finds where in a text a secret stands: by the name in front of it, or since it looks like nothing else.

The text is a file of a ConfigMap, a script, an argument: YAML, JSON, Python, SQL, XML, INI, a shell's words, what
Caddy, nginx, Redis and MySQL read. It isn't parsed: a file is often a template, or two languages in one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from kustomizer.diff.secret_names import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    Span: TypeAlias = "tuple[int, int]"

CODE = (".py", ".js", ".jsx", ".ts", ".tsx", ".sql", ".lua", ".rb", ".go", ".html", ".css", ".svg", ".md")
"""Files in which a value without quotes isn't a string."""

_NAME = r"(?<![A-Za-z0-9_.-])([A-Za-z_][A-Za-z0-9_.-]*)"
_QUOTE = r"""(\\*)(\"""|'''|["'`])"""
# NAME: "value" and "NAME": "value" of YAML and JSON, NAME = "value" and X["NAME"] = "value" of Python, NAME => 'value'.
_QUOTED = re.compile(rf"""{_NAME}(?:\\*["'`])?\]?[ \t]*(?:=>|:=|[:=])\s*\(?\s*(?:[rRbBuUfF]{{1,2}})?{_QUOTE}""")
# SQL's PASSWORD 'value', and redis.conf's requirepass "value".
_BESIDE = re.compile(rf"""{_NAME}[ \t]+{_QUOTE}""")
_SQL = re.compile(rf"(?i)\bIDENTIFIED\b[^\n;]{{0,60}}?\b(?:BY|AS)(?:[ \t]+PASSWORD)?[ \t]+{_QUOTE}")
# os.environ.get("NAME", "value")
_FALLBACK = re.compile(rf"""(?i:env[a-z_.]*)\(\s*["']{_NAME}\\*["'][ \t]*,\s*{_QUOTE}""")
_LIST = re.compile(rf"""{_NAME}\\*["'`]?\]?[ \t]*[:=]\s*([\[({{])""")
_USERS = re.compile(r"""(?<![A-Za-z0-9])(?:[A-Z_]*USERS)["']?\]?[ \t]*[:=]\s*([\[({])""")
_STRING = re.compile(r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'""")
_PLAIN = re.compile(
    rf"""^([ \t]*)(?:- |export[ \t]+|set[ \t]+)*["']?{_NAME}["']?(?:[ \t]*=[ \t]*|:[ \t]+|[ \t]+)"""
    r"""(?=[^\s"'])([^\n]*)""",
    re.MULTILINE,
)
_FLOW = re.compile(rf"""[{{,]\s*{_NAME}[ \t]*:[ \t]+([^\s"',{{}}\[\]]+)""")
_EMPTY = re.compile(rf"""^([ \t]*)(?:- )*["']?{_NAME}["']?:[ \t]*(?:[!&][^\n]*)?\n""", re.MULTILINE)
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?")
_ITEM = re.compile(r"([ \t]*)-[ \t]+([^\n]*)(?:\n|\Z)")
_OPTION = re.compile(rf"""(?<![A-Za-z0-9_-])--?([A-Za-z][A-Za-z0-9_.-]*)(?:=|[ \t]+|[ \t]*\\\n[ \t]*){_QUOTE}?""")
_ELEMENT = re.compile(r"<([A-Za-z_][A-Za-z0-9_.-]*)(?:\s[^<>]*)?>([^<]*)</")
_SHELL_ASSIGNMENT = re.compile(rf"""{_NAME}=(?=[^\s"'`=])""")
_WORD = re.compile(r"""[^\s"'`;|&<>)]+""")
_MYSQL = re.compile(r"""\bmysql[a-z_-]*\b[^\n;|]*?[ \t]-p(?=[^\s])""")
_REDIS_CLI = re.compile(r"""\bredis-cli\b[^\n;|]*?[ \t]-a[ \t]+""")
_CURL = re.compile(r"""\b(?:curl|wget)\b[^\n;|]*?[ \t](?:-u|--user)[ \t=]+["']?[^\s:"']*:""")
# SQL's table engines: MySQL('host', 'database', 'table', 'user', 'password').
_ENGINE = re.compile(r"""(?i)\b(?:mysql|postgresql|mongodb)\(\s*(?:'[^']*'\s*,\s*){4}'([^']*)'""")
_ACL = re.compile(r"""(?m)^[ \t]*user[ \t]+\S+[^\n]*""")
_ACL_PASSWORD = re.compile(r"""(?<=\s)[>#](\S+)""")
_URL = re.compile(r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*:\\?/\\?/[^\s/:@"'<>]*:([^\s/"'<>]+)@""")
_USER_URL = re.compile(r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9_.~%-]{16,})@""")
_QUERY = re.compile(r"""[?&;]([A-Za-z_][A-Za-z0-9_.-]*)=([^\s&"'<>#;]+)""")
_SHAPES = (
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|.*)", re.S
    ),
    # The private numbers of a JSON Web Key.
    re.compile(r"""\\*["'](?:d|p|q|dp|dq|qi|k)\\*["']\s*:\s*\\*["']([A-Za-z0-9_+/=-]{16,})"""),
    # Hashes of passwords: bcrypt, crypt(3), Apache's, Django's.
    re.compile(r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{20,}"),
    re.compile(r"\$(?:1|5|6|y|gy|apr1|argon2[a-z]*|scrypt)\$[^\s\"':]{8,}"),
    re.compile(r"\b(?:pbkdf2|bcrypt|argon2|scrypt)_?[a-z0-9_]*\$[^\s\"']{8,}"),
    re.compile(r"\{S?SHA[0-9]*\}[A-Za-z0-9+/=]{8,}"),
    re.compile(
        r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk_live_|rk_live_|sk-|npm_|pypi-|dckr_pat_)[A-Za-z0-9_-]{16,}"
    ),
    re.compile(r"hooks\.slack\.com/services/([A-Za-z0-9/_-]+)"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(r"\bBasic\s+([A-Za-z0-9+/_-]{4,}={1,2}|(?=[A-Za-z0-9+/_-]*[0-9+/])[A-Za-z0-9+/_-]{8,})"),
    re.compile(r"\b[Bb]earer\s+((?=[A-Za-z0-9+/=._~-]*[0-9])[A-Za-z0-9+/=._~-]{8,})"),
)
# What stands for a value that is put in later. A dollar and letters alone may well be a password.
_PLACEHOLDER = re.compile(
    r"""\$\{[A-Za-z_][A-Za-z0-9_.]*\}|\$\([A-Za-z_][A-Za-z0-9_.]*\)|%\([A-Za-z_][A-Za-z0-9_]*\)s|\{[A-Za-z_.]+\}|\*+"""
    r"""|\{\{[^{}]*\}\}|\$\{\{[^{}]*\}\}|[xX]{3,}|<[A-Za-z _-]+>"""
)
_SWITCHES = frozenset({"", "none", "null", "true", "false", "on", "off", "yes", "no", "0", "1", "~"})
_CLOSING = {"[": "]", "(": ")", "{": "}"}
_LONGEST = 20_000
"""A secret isn't longer; quotes that don't match would take the rest of the file for one."""


def is_value(text: str) -> bool:
    """Tell whether ``text`` may be a secret, and not nothing, a switch or a placeholder."""
    text = text.strip()
    return text.lower() not in _SWITCHES and _PLACEHOLDER.fullmatch(text) is None


def in_text(text: str, *, code: bool = False) -> list[Span]:
    """Return where secrets stand in ``text``, in order, none overlapping another.

    In ``code`` what has no quotes is no string.
    """
    found = [span for span in _spans(text, code=code) if is_value(text[span[0] : span[1]])]
    return merged(found)


def merged(spans: list[Span]) -> list[Span]:
    """Return ``spans`` in order, those that overlap or touch as one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        elif end > start:
            result.append((start, end))
    return result


def _spans(text: str, *, code: bool) -> Iterator[Span]:
    yield from _shaped(text)
    yield from _named(text)
    yield from _listed(text)
    if not code:
        yield from _unquoted(text)
        yield from _assigned(text)
    yield from _on_command_lines(text)


def _shaped(text: str) -> Iterator[Span]:
    for pattern in _SHAPES:
        for match in pattern.finditer(text):
            yield match.span(pattern.groups)
    if "://" in text or "/\\/" in text:
        for pattern in (_URL, _USER_URL):
            for match in pattern.finditer(text):
                yield match.span(1)
        for match in _QUERY.finditer(text):
            if is_secret(match.group(1)):
                yield match.span(2)
    for match in _ENGINE.finditer(text):
        yield match.span(1)
    for line in _ACL.finditer(text):
        for match in _ACL_PASSWORD.finditer(text, line.start(), line.end()):
            yield match.span(1)


def _named(text: str) -> Iterator[Span]:
    for pattern in (_QUOTED, _BESIDE, _FALLBACK):
        for match in pattern.finditer(text):
            if is_secret(match.group(1)):
                yield _string(text, match.end(), match.group(2), match.group(3))
    for match in _SQL.finditer(text):
        yield _string(text, match.end(), match.group(1), match.group(2))
    for match in _ELEMENT.finditer(text):
        if is_secret(match.group(1)):
            yield match.span(2)


def _string(text: str, start: int, escape: str, quote: str) -> Span:
    """Return what stands from ``start`` to the quote that ends the string; to the line's end where none does."""
    if escape:
        closing = re.compile(rf"(?<!\\){re.escape(escape)}{quote}")
    elif len(quote) > 1:
        closing = re.compile(re.escape(quote))
    else:
        # YAML and SQL double a single quote, others put a backslash before it.
        body = rf"(?:[^\\{quote}]|\\.|{quote}{quote})*" if quote == "'" else rf"(?:[^\\{quote}]|\\.)*"
        match = re.compile(body, re.S).match(text, start)
        end = match.end() if match else start
        if text.startswith(quote, end) and end - start <= _LONGEST:
            return (start, end)
        closing = re.compile(quote)
    found = closing.search(text, start, start + _LONGEST)
    if found:
        return (start, found.start())
    line = text.find("\n", start)
    return (start, line if line >= 0 else len(text))


def _listed(text: str) -> Iterator[Span]:
    """Find the strings of a list or a dictionary whose name says what is in it: BASIC_AUTH = ("lms", "…")."""
    for pattern in (_LIST, _USERS):
        for match in pattern.finditer(text):
            if pattern is _LIST and not is_secret(match.group(1)):
                continue
            closing = text.find(_CLOSING[match.group(match.lastindex or 0)], match.end(), match.end() + 2_000)
            for string in _STRING.finditer(text, match.end(), max(closing, match.end())):
                after = text[string.end() : string.end() + 3].lstrip()
                if not after.startswith(":"):
                    yield string.span(1 if string.group(1) is not None else 2)


def _unquoted(text: str) -> Iterator[Span]:
    for match in _PLAIN.finditer(text):
        if is_secret(match.group(2)):
            yield from _plain_value(text, match)
    for match in _FLOW.finditer(text):
        if is_secret(match.group(1)):
            yield match.span(2)
    for match in _EMPTY.finditer(text):
        if is_secret(match.group(2)):
            yield from _below(text, match.end(), len(match.group(1)))


def _plain_value(text: str, match: re.Match[str]) -> Iterator[Span]:
    start, end = match.span(3)
    value = match.group(3)
    if value[:1] in "[{(":
        return
    indent = len(match.group(1))
    if _BLOCK.fullmatch(value):
        yield (end + 1, _end_of_deeper_lines(text, end, indent))
        return
    comment = re.search(r"\s+#", value)
    if comment:
        end = start + comment.start()
    else:
        end = _end_of_deeper_lines(text, end, indent) if ":" in text[match.end(2) : start] else end
    yield (start, start + len(text[start:end].rstrip()))


def _end_of_deeper_lines(text: str, end: int, indent: int) -> int:
    """Return where the lines that stand further in than ``indent`` end, from the line break at ``end`` on."""
    deeper = re.compile(rf"\n(?:[ \t]{{{indent + 1},}}[^\n]*|[ \t]*(?=\n))")
    while found := deeper.match(text, end):
        end = found.end()
    return end


def _below(text: str, position: int, indent: int) -> Iterator[Span]:
    """Find what stands below a name: the items of a list, or a scalar on a line of its own."""
    items = 0
    while (item := _ITEM.match(text, position)) and len(item.group(1)) >= indent:
        value = item.group(2).rstrip()
        if not re.match(r"[A-Za-z_][\w.-]*:(?:\s|$)", value):
            yield (item.start(2), item.start(2) + len(value))
        position, items = item.end(), items + 1
    line = re.compile(r"([ \t]+)([^\n]*)").match(text, position) if not items else None
    if line and len(line.group(1)) > indent and not re.match(r"""["']?[A-Za-z_][\w.-]*["']?:(?:\s|$)""", line.group(2)):
        yield (line.start(2), _end_of_deeper_lines(text, line.end(), indent))


def _on_command_lines(text: str) -> Iterator[Span]:
    for match in _OPTION.finditer(text):
        if is_secret(match.group(1)):
            if match.group(3):
                yield _string(text, match.end(), match.group(2), match.group(3))
            elif word := _WORD.match(text, match.end()):
                yield word.span()
    for pattern in (_MYSQL, _REDIS_CLI, _CURL):
        for match in pattern.finditer(text):
            quote = text[match.end() : match.end() + 1]
            if quote in ('"', "'"):
                yield _string(text, match.end() + 1, "", quote)
            elif word := _WORD.match(text, match.end()):
                yield word.span()


def _assigned(text: str) -> Iterator[Span]:
    for match in _SHELL_ASSIGNMENT.finditer(text):
        word = _WORD.match(text, match.end())
        if word and is_secret(match.group(1)):
            yield word.span()
