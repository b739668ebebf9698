"""Comparisons of a settings file, ``in`` and ``is`` among them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.operators import COMPARE
from kustomizer.openedx.celery.python_values import HOLDERS, Environ, Namespace, Opaque, doubt_in, keys_doubt, own_doubt
from kustomizer.openedx.celery.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.scope import Scope

    Evaluate = Callable[[ast.expr, Scope], Any]


def compared(node: ast.Compare, scope: Scope, evaluate: Evaluate, passing: Evaluate) -> Any:
    """Return what a comparison gives."""
    left = evaluate(node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = passing(comparator, scope) if isinstance(op, (ast.In, ast.NotIn)) else evaluate(comparator, scope)
        if isinstance(right, Environ):
            right = _names_in_environment(left, scope, node)
        if isinstance(right, Namespace) and isinstance(left, str) and isinstance(op, (ast.In, ast.NotIn)):
            with scope.at(right.module):
                is_set = own_doubt(scope.get(left, node.lineno)) is None
                right = {left} if is_set else Opaque(f"whether {left} is set isn't known", node.lineno)
        doubt = _doubt(op, left, right, node)
        if doubt is not None:
            return doubt
        if not COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _doubt(op: ast.cmpop, left: Any, right: Any, node: ast.AST) -> Opaque | None:
    """Return why it isn't known how two values compare, None where it is."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        is_single = any(each is None or isinstance(each, (bool, *HOLDERS)) for each in (left, right))
        doubt = next((each.why for each in (left, right) if isinstance(each, Opaque)), None)
        return doubt or (None if is_single else Opaque("`is` compares what may be the same or not", node.lineno))  # type: ignore[attr-defined]
    doubt = doubt_in(left) or doubt_in(right)
    is_found = isinstance(op, (ast.In, ast.NotIn)) and isinstance(right, dict) and left in right
    return doubt or (None if is_found else keys_doubt(left) or keys_doubt(right))


def _names_in_environment(name: Any, scope: Scope, node: ast.AST) -> Any:
    if not isinstance(name, str):
        return Opaque("a computed variable is looked for", getattr(node, "lineno", 0))
    value = scope.environment(name)
    if isinstance(value, Unknown) and (value.may_be_unset or scope.changes(name)):
        return Opaque(value.reason, getattr(node, "lineno", 0))
    return set() if value is None else {name}
