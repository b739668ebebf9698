"""Calico's selectors, which are text: `app.kubernetes.io/name in {'lms', 'lms-worker'} && !has(tier)`.

https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors
"""

from __future__ import annotations

import ast
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_TERM = re.compile(
    r"""has\(\s*(?P<has>[\w./-]+)\s*\)
    |(?P<all>(?:all|global)\(\s*\))
    |(?P<key>[\w./-]+)\s*(?P<operator>==|!=|not\s+in\b|in\b|contains\b|starts\s+with\b|ends\s+with\b)
        \s*(?P<values>"[^"]*"|'[^']*'|\{[^}]*\})
    |(?P<and>&&)|(?P<or>\|\|)|(?P<not>!)|(?P<bracket>[()])|(?P<blank>\s+)|(?P<odd>[\s\S])""",
    re.VERBOSE,
)
_TEXT = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_WORDS = {"and": " and ", "or": " or ", "not": " not ", "blank": " "}


def holds(selector: str, labels: Mapping[str, str]) -> bool | None:
    """Tell whether a selector holds for labels, None where it can't be read."""
    parts = []
    for term in _TERM.finditer(selector):
        kind = str(term.lastgroup)
        if kind == "odd":
            return None
        if kind == "bracket":
            parts.append(term.group())
        elif kind in _WORDS:
            parts.append(_WORDS[kind])
        elif term["values"] and not _TEXT.search(term["values"]):
            return None
        elif term["has"]:
            parts.append(str(term["has"] in labels))
        else:
            parts.append(str(bool(term["all"]) or _compared(term, labels)))
    try:
        return _value(ast.parse("".join(parts).strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _compared(term: re.Match[str], labels: Mapping[str, str]) -> bool:
    label = labels.get(term["key"])
    values = [double or single for double, single in _TEXT.findall(term["values"])]
    match term["operator"].split():
        case ["!="] | ["not", "in"]:
            return label not in values
        case ["contains"]:
            return label is not None and values[0] in label
        case ["starts", _]:
            return label is not None and label.startswith(values[0])
        case ["ends", _]:
            return label is not None and label.endswith(values[0])
        case _:
            return label in values


def _value(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        values = [_value(value) for value in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    if isinstance(node, ast.UnaryOp):
        return not _value(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return node.value
    raise ValueError(node)
