"""Pieces of PromQL."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def label_value(text: str) -> str:
    """Return a regular expression that matches exactly ``text``; character classes spare it doubled backslashes."""
    return _SPECIAL.sub(
        lambda match: f"[{match.group()}]" if match.group() not in "\\^" else f"\\{match.group()}", text
    )


def literal(text: str) -> str:
    """Return the matcher, from its operator on, for exactly ``text``."""
    return f"={_quoted(text)}"


def matching(pattern: str) -> str:
    """Return the matcher, from its operator on, for a regular expression."""
    return f"=~{_quoted(pattern)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def selector(metric: str, namespace: str, matchers: Mapping[str, str], *, label: str = "namespace") -> str:
    """Return a selector of ``metric`` within ``namespace``, if there is one."""
    parts = {**({label: literal(namespace)} if namespace else {}), **matchers}
    inside = ",".join(f"{name}{matcher}" for name, matcher in parts.items())
    return f"{metric}{{{inside}}}" if inside else metric


def either_namespace(metric: str, namespace: str, matchers: Mapping[str, str]) -> str:
    """Return the argument of an aggregation: an exporter's series about ``namespace``.

    Where Prometheus doesn't honour the exporter's labels, the label ``namespace`` is the exporter's own, and the one
    that it reports on is ``exported_namespace``.
    """
    own = selector(metric, namespace, matchers)
    if not namespace:
        return own
    return f"{own} or {selector(metric, namespace, matchers, label='exported_namespace')}"
