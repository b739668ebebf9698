"""Finds the values of secret names in spellings without an assignment: a server's directives, a shell's defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kustomizer.masking.brackets import Span

_REACH = 120
"""So many letters in front of a name are looked at."""

# From the line's beginning to the name of a header or a parameter: Caddy's `header_up` and `@matcher header`, nginx's
# `proxy_set_header` and `fastcgi_param`, Apache's `RequestHeader set`, HAProxy's `http-request set-header`.
_DIRECTIVE = re.compile(
    r"(?i)[ \t]*(?:@?[\w-]+[ \t]+){0,2}[\w-]*(?:header|param)s?(?:[_-](?:up|down))?[ \t]+"
    r"(?:(?:set|add|append|merge|edit|always|setifempty)[ \t]+)*[+>?-]?"
)
_VALUE = re.compile(r"[ \t]+([^\s\"'`;{}$][^\s\"'`;]*)")
# ${NAME:-value}, ${NAME:=value}, ${NAME-value} and ${NAME=value} of a shell, {$NAME:value} of Caddy.
_SHELL_DEFAULT = re.compile(r""":?[-=]["']?([^\s$"'}][^"'}\n]*)""")
_CADDY_DEFAULT = re.compile(r":([^\s}][^}\n]*)")
# 'NAME: value', a header in the argument of curl or wget.
_HEADER_ARGUMENT = re.compile(r""":[ \t]*([^\s"'\\]{6,})""")
# nginx compares a variable: `if ($arg_token = value)`, `if ($cookie_key !~ value)`.
_CONDITION = re.compile(r"[ \t]*(?:\}[ \t]*)?(?:else[ \t]*)?if[ \t]*\([ \t]*\$\{?")
_COMPARED = re.compile(r"\}?[ \t]*(?:!?~\*?|!?={1,2})[ \t]*([^\s\"'$()][^\s\"'()]*)")
# A key of YAML on a line of its own, and the value on the next.
_KEY_ALONE = re.compile(r"""(?:.*[ \t])?\?[ \t]+(?:[!&]\S*[ \t]+)*["']?""")
_VALUE_BELOW = re.compile(
    r"""["']?[ \t]*(?:#[^\n]*)?\n(?P<indent>[ \t]*):[ \t]+(?:[!&]\S*[ \t]+)*"""
    r"""(?:[|>][^\n]*((?:\n(?P=indent)[ \t]+[^\n]*)+)|"([^"]+)"|'([^']+)'|([^\s"'|>][^\n]*))"""
)


def values(text: str, line: int, start: int, end: int) -> Iterator[Span]:
    """Yield the span of the value of the name at ``start``, in the line that begins at ``line``."""
    before = text[max(line, start - _REACH) : start]
    if _KEY_ALONE.fullmatch(before) and (match := _VALUE_BELOW.match(text, end)):
        pass
    elif _CONDITION.fullmatch(before):
        match = _COMPARED.match(text, end)
    elif before.endswith("${"):
        match = _SHELL_DEFAULT.match(text, end)
    elif before.endswith("{$"):
        match = _CADDY_DEFAULT.match(text, end)
    elif before.endswith(('"', "'")):
        match = _HEADER_ARGUMENT.match(text, end)
    else:
        match = _VALUE.match(text, end) if _DIRECTIVE.fullmatch(before) else None
    if match:
        yield match.span(match.lastindex or 0)
