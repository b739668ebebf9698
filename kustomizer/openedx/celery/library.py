"""What a settings file takes from Python's own library: functions of plain values, and constants."""

from __future__ import annotations

import ast
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib import parse

from kustomizer.openedx.celery.python_values import Environ, Function, Member, Module, Modules, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES = frozenset(
    {"ast", "copy", "datetime", "json", "logging", "os", "re", "ssl", "sys", "urllib", "urllib.parse", "warnings"}
)
LOADED = frozenset({"copy", "json", "logging", "os", "re", "warnings"})
"""What Open edX's own settings have imported: a star import of theirs brings it."""
# Modules whose functions leave their arguments as they are.
_HARMLESS = frozenset({"copy", "json", "logging", "re", "warnings"})


def _literal(text: str) -> Any:
    try:
        return wrapped(ast.literal_eval(text))
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(text) from error


def _loaded(s: str, **options: Any) -> Any:
    try:
        return wrapped(json.loads(s, **options))
    except RecursionError as error:
        raise ValueError(s) from error


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{f"urllib.parse.{name}": getattr(parse, name) for name in ("quote", "quote_plus", "unquote", "unquote_plus")},
    "json.loads": _loaded,
    "ast.literal_eval": _literal,
    "datetime.timedelta": timedelta,
}
_VALUES: dict[str, Any] = {
    "os.environ": Environ(),
    "sys.modules": Modules(),
    "ssl.CERT_NONE": Member(0),
    "ssl.CERT_OPTIONAL": Member(1),
    "ssl.CERT_REQUIRED": Member(2),
}
NAMED = frozenset({*FUNCTIONS, "os.getenv", "copy.copy", "copy.deepcopy"})
"""Functions of which it is known what they give."""


def member(module: str, name: str) -> Any:
    """Return what a module has under a name, None where it isn't known."""
    full = f"{module}.{name}"
    if full in MODULES:
        return Module(full)
    return Function(full) if full in NAMED or module in _HARMLESS else _VALUES.get(full)
