"""Statements of a settings file that may fail: in a ``try``, or where a failure is suppressed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.assignments import loaded, store
from kustomizer.openedx.celery.expressions import evaluate
from kustomizer.openedx.celery.python_values import Missing, Opaque, doubt_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kustomizer.openedx.celery.scope import Scope

_KEY_ERRORS = frozenset({"BaseException", "Exception", "KeyError", "LookupError"})
_OTHER_ERRORS = frozenset(
    {"AttributeError", "ImportError", "IndexError", "ModuleNotFoundError", "TypeError", "ValueError"}
)


def tried(statement: ast.stmt, scope: Scope, follow: Callable[[Iterable[ast.stmt]], None]) -> Opaque | None:
    """Carry out a statement that can't fail, and return None; otherwise what it fails with, or that it may."""
    unsure = Opaque("it may fail", statement.lineno)
    if isinstance(statement, ast.Import):
        known = all(alias.name in library.MODULES for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        names = [library.member(statement.module or "", alias.name) for alias in statement.names]
        known = not statement.level and None not in names
    elif isinstance(statement, ast.Delete) and len(statement.targets) == 1:
        value = evaluate(loaded(statement.targets[0]), scope)
        if isinstance(value, Opaque):
            return value
        known = True
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
        value = evaluate(statement.value, scope)
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if doubt_in(value) is None and all(isinstance(target, (ast.Name, ast.Subscript)) for target in targets):
            for target in targets:
                store(scope, target, value, statement.lineno)
            return None
        return value if isinstance(value, Missing) else unsure
    elif isinstance(statement, ast.Expr):
        value = evaluate(statement.value, scope)
        is_known = not isinstance(value, Opaque) and getattr(value, "doubt", None) is None
        return None if is_known else value if isinstance(value, Missing) else unsure
    else:
        known = isinstance(statement, (ast.Pass, ast.FunctionDef))
    if known:
        follow([statement])
    return None if known else unsure


def handler_of(failure: Opaque, handlers: Sequence[ast.ExceptHandler]) -> ast.ExceptHandler | None:
    """Return what handles a failure, None where that isn't sure."""
    if not isinstance(failure, Missing):
        return None
    for handler in handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = [getattr(kind, "id", None) if kind is not None else "Exception" for kind in kinds]
        if _KEY_ERRORS & {*names}:
            return handler
        if not all(name in _OTHER_ERRORS for name in names):
            return None
    return None
