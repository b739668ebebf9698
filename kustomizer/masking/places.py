"""Finds the secrets in a text: by the name in front of them, or by their shape."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from kustomizer.masking import assignments, shapes
from kustomizer.masking.assignments import QUOTE
from kustomizer.masking.brackets import Brackets, Span
from kustomizer.masking.detection import SWITCHES
from kustomizer.masking.names import is_secret
from kustomizer.masking.values import looks_random

CODE = (".py", ".js", ".jsx", ".ts", ".tsx", ".sql", ".lua", ".rb", ".go", ".html", ".css", ".svg", ".md")
"""Files in which a value without quotes isn't a string."""

# An environment variable in a file: {"name": "X_TOKEN", "value": "…"}, and the same in YAML.
_VARIABLE = re.compile(
    r"""(?:(?<=[{,\s])|^)\\*["']?(?:name|key)\\*["']?:\s*\\*["']?(?P<name>[\w.-]+)\\*["']?,?\s*"""
    r"""\\*["']?value\\*["']?:[ \t]*(?:(?P<escape>\\*)(?P<quote>["'])|(?P<plain>[^\s"'][^\n,}]*))"""
)
_IDENTIFIED = re.compile(rf"(?i)\bIDENTIFIED\b[^\n;]{{0,60}}?\b(?:BY|AS)(?:[ \t]+PASSWORD)?[ \t]+{QUOTE}")
# MySQL's and MariaDB's statement, and Django's users.
_SET = re.compile(rf"(?i)\bSET[ \t]+PASSWORD\b[^\n;=]{{0,200}}=[ \t]*(?:PASSWORD\()?{QUOTE}")
_CALLED = re.compile(rf"\bset_password\(\s*(?:[rRbBuUfF]{{1,2}})?{QUOTE}")
_USERS = re.compile(
    r"""(?:USERS["']?\]?[ \t]*[:=]\s*[\[({]|(?<![A-Za-z])(?:AUTH|auth)["']?[ \t]*=[ \t]*(?:[\w.]*BasicAuth)?\()"""
)
_ACCESS_LIST = re.compile(r"(?m)^[ \t]*user[ \t]+[^\n]*")
_ACCESS = re.compile(r"(?<=\s)[>#](\S+)")
_COMMANDS = (
    ("mysql", re.compile(r"mysql[a-z_-]*\b[^\n;|]{0,500}?[ \t]-p(?=\S)")),
    ("redis-cli", re.compile(r"redis-cli\b[^\n;|]{0,500}?[ \t]-a[ \t]+")),
    ("mc", re.compile(r"\bmc[ \t]+(?:alias[ \t]+set|config[ \t]+host[ \t]+add)(?:[ \t]+\S+){3}[ \t]+")),
    ("sshpass", re.compile(r"sshpass[ \t]+-p[ \t]*")),
    ("curl", re.compile(r"""curl\b[^\n;|]{0,500}?[ \t](?:-u|--user)[ \t=]+["']?[^\s:"']*:""")),
)
# Most programs take a password so, and as many a port or a directory.
_PERHAPS = "-p"
_PERHAPS_GIVEN = re.compile(r"""(?<=\s)-p[ \t]+(?=\S)""")
# What stands for a value that is put in later. A dollar and letters alone may well be a password.
_PLACEHOLDER = re.compile(
    r"""\$\{[A-Za-z_][A-Za-z0-9_.]*\}|\$\([A-Za-z_][A-Za-z0-9_.]*\)|%\([A-Za-z_][A-Za-z0-9_]*\)s|\{[A-Za-z_.]+\}|\*+"""
    r"""|\{\{[^{}]*\}\}|\$\{\{[^{}]*\}\}|[xX]{3,}|<[A-Za-z _-]+>|%[sdr]"""
    r"""|\{[A-Za-z_$][\w.$-]*\}|\$[a-z]+(?:_[a-z0-9]+)+|\$\{[A-Za-z_]\w*:?[?+][^{}]*\}"""
    r"""|\$\{[A-Za-z_]\w*:?[-=](?:\$\{?\w+\}?)?\}"""
)
# Options of a command's that are followed by a password; MySQL's is glued to it.
_OPTIONS = {"redis-cli": "-a", "sshpass": "-p", "mongosh": "-p", "mongo": "-p", "mongodump": "-p", "mongorestore": "-p"}
_MYSQL = re.compile("(?:mysql|mariadb)[a-z_-]*")
_DIRECTIVES = frozenset({"requirepass", "masterauth"})


def is_value(text: str) -> bool:
    """Tell whether ``text`` may be a secret: it isn't empty, a switch or a placeholder."""
    text = text.strip()
    return text.lower() not in SWITCHES and _PLACEHOLDER.fullmatch(text) is None


def in_text(text: str, *, code: bool = False) -> list[Span]:
    """Return the spans of secrets in ``text``, in order and without overlaps.

    ``text`` is a file of a ConfigMap, a script, an argument; in ``code`` what has no quotes is no string.
    """
    spans = [*shapes.values(text), *assignments.values(text, code=code), *_in_statements(text), *_in_commands(text)]
    return merged([span for span in spans if is_value(text[span[0] : span[1]])])


# Workers have most of their words in common.
_in_word = functools.lru_cache(maxsize=2000)(in_text)


def in_words(words: Sequence[str]) -> Iterator[list[Span]]:
    """Yield the spans of secrets in each word of a command line."""
    takes_next, perhaps, option, is_mysql = False, False, "", False
    for word in words:
        program = word.rpartition("/")[2]
        option, is_mysql = _OPTIONS.get(program, option), is_mysql or _MYSQL.fullmatch(program) is not None
        name, equals, value = word.lstrip("-").partition("=")
        if (takes_next and is_value(word)) or (perhaps and looks_random(word)):
            yield [(0, len(word))]
        elif is_mysql and word.startswith("-p") and is_value(word[2:]):
            yield [(2, len(word))]
        elif equals and " " not in name and is_secret(name) and is_value(value):
            yield [(len(word) - len(value), len(word))]
        else:
            yield _in_word(word)
        takes_next = (word.startswith("-") and not equals and is_secret(name)) or word in _DIRECTIVES
        takes_next = takes_next or (word == option != "")
        perhaps = word == _PERHAPS


def name_of_value(mapping: dict[str, Any], name: str) -> str:
    """Return the name of a mapping's ``value``: as in ``{name: TOKEN, value: …}``, or the mapping's."""
    beside = mapping.get("name", mapping.get("key"))
    return beside if isinstance(beside, str) else name or "value"


def merged(spans: list[Span]) -> list[Span]:
    """Return ``spans`` in order, those that overlap or touch as one."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        elif end > start:
            result.append((start, end))
    return result


def _in_statements(text: str) -> Iterator[Span]:
    for match in _IDENTIFIED.finditer(text) if "DENTIFIED" in text.upper() else ():
        yield assignments.string(text, match)
    for match in _VARIABLE.finditer(text) if "value" in text else ():
        if is_secret(match["name"]):
            yield match.span("plain") if match["plain"] else assignments.string(text, match)
    brackets = Brackets(text)
    for match in _USERS.finditer(text):
        yield from brackets.strings(match.end())
    for line in _ACCESS_LIST.finditer(text) if ">" in text else ():
        for match in _ACCESS.finditer(text, line.start(), line.end()):
            yield match.span(1)
    for match in _CALLED.finditer(text) if "set_password(" in text else ():
        yield assignments.string(text, match)
    for match in _SET.finditer(text) if "password" in text.lower() else ():
        yield assignments.string(text, match)


def _in_commands(text: str) -> Iterator[Span]:
    for command, pattern in _COMMANDS:
        for match in pattern.finditer(text) if command in text else ():
            yield from assignments.word(text, match.end())
    for match in _PERHAPS_GIVEN.finditer(text) if f"{_PERHAPS} " in text else ():
        for start, end in assignments.word(text, match.end()):
            if looks_random(text[start:end]):
                yield (start, end)
