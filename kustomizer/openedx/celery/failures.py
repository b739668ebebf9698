"""Statements of a settings file that may fail: in a ``try``, or where a failure is suppressed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from kustomizer.openedx.celery.assignments import is_plain, loaded, store
from kustomizer.openedx.celery.expressions import FAULTS, evaluate, failed
from kustomizer.openedx.celery.jumps import Returned
from kustomizer.openedx.celery.python_values import Missing, Opaque

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.openedx.celery.scope import Scope

_KEY_ERRORS = frozenset({"BaseException", "Exception", "KeyError", "LookupError"})
_OTHER_ERRORS = frozenset(
    {"AttributeError", "ImportError", "IndexError", "ModuleNotFoundError", "NameError", "TypeError", "ValueError"}
)


def tried(statement: ast.stmt, scope: Scope) -> Opaque | None:
    """Carry out a statement that can't fail, and return None; otherwise return what it may fail with.

    All that it has done by then has to be noted.
    """
    with scope.trying():
        return _tried(statement, scope)


def _tried(statement: ast.stmt, scope: Scope) -> Opaque | None:
    before = len(scope.unknown)
    value = evaluate(statement.value, scope) if isinstance(statement, ast.Assign) else None
    for target in statement.targets if isinstance(statement, ast.Delete) else ():
        if is_plain(target):
            evaluate(loaded(target), scope)
    if len(scope.unknown) == before and isinstance(statement, ast.Assign):
        try:
            for target in statement.targets:
                store(scope, target, value, statement.lineno)
        except FAULTS:
            failed(scope, statement)
    elif len(scope.unknown) == before:
        try:
            scope.run([statement])
        except Returned:
            if len(scope.unknown) == before:
                raise
    if len(scope.unknown) == before:
        return None
    is_simple = isinstance(statement, (ast.Assign, ast.Delete, ast.Expr, ast.Return))
    return scope.unknown[before] if is_simple else Opaque("it may fail", statement.lineno)


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
