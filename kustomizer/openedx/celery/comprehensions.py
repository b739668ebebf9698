"""Comprehensions of a settings file, item by item."""

from __future__ import annotations

import ast
import contextlib
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.operators import LARGEST
from kustomizer.openedx.celery.python_values import (
    Defined,
    Group,
    Listing,
    Opaque,
    Passing,
    Table,
    doubt_in,
    items_of,
    truth,
)
from kustomizer.openedx.celery.skipped import CHANGING, may_have_run
from kustomizer.openedx.celery.syntax import targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kustomizer.openedx.celery.scope import Scope

    Evaluate = Callable[[ast.expr, Scope], Any]
    Comprehension = ast.DictComp | ast.ListComp | ast.SetComp | ast.GeneratorExp


class _UnknownError(Exception):
    def __init__(self, why: Opaque) -> None:
        super().__init__()
        self.why = why


def comprehended(node: Comprehension, scope: Scope, evaluate: Evaluate, passing: Evaluate) -> Any:
    """Return what a comprehension gives."""
    is_lazy = isinstance(node, ast.GeneratorExp)
    if is_lazy and _has_effects(node, scope):
        # Whoever takes its items decides when that happens, and whether.
        why = Opaque("it is set in a generator", node.lineno)
        may_have_run(scope, [node], why)
        return why
    elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
    rows: list[list[Any]] = []
    try:
        with scope.local(targets(node)), scope.trying() if is_lazy else contextlib.nullcontext():
            for _ in _rounds(node.generators, scope, passing):
                rows.append([evaluate(element, scope) for element in elements])
                if len(rows) > LARGEST:
                    raise _UnknownError(Opaque("it is too long", node.lineno))
        if isinstance(node, ast.DictComp):
            return Table({_known(key): value for key, value in rows})
        if is_lazy:
            # What it is of may change before it gives the next item.
            return Passing((value for [value] in rows), [Opaque("a generator", node.lineno)])
        return (
            Group(_known(value) for [value] in rows)
            if isinstance(node, ast.SetComp)
            else Listing(value for [value] in rows)
        )
    except _UnknownError as error:
        may_have_run(scope, [node], error.why)
        return error.why


def _rounds(generators: Sequence[ast.comprehension], scope: Scope, passing: Evaluate) -> Iterator[None]:
    """Give the targets of ``generators`` their items, in each way once."""
    if not generators:
        yield
        return
    items = _or_raise(items_of(passing(generators[0].iter, scope)))
    for item in items:
        _give(generators[0].target, item, scope)
        tests = (_or_raise(truth(passing(test, scope))) for test in generators[0].ifs)
        if all(tests):
            yield from _rounds(generators[1:], scope, passing)
    if not isinstance(generators[0].iter, ast.GeneratorExp) and not items.goes_on(0):
        raise _UnknownError(Opaque("it changes what it goes through", generators[0].iter.lineno))


def _give(target: ast.expr, item: Any, scope: Scope) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, item)
        return
    if not isinstance(target, (ast.Tuple, ast.List)):
        raise _UnknownError(Opaque("its target is no name", target.lineno))
    names = target.elts
    items = _or_raise(items_of(item))
    if len(names) != len(items):
        raise ValueError(target)
    for name, part in zip(names, items, strict=True):
        _give(name, part, scope)


def _or_raise(value: Any) -> Any:
    if isinstance(value, Opaque):
        raise _UnknownError(value.why)
    return value


def _known(key: Any) -> Any:
    doubt = doubt_in(key)
    if doubt is not None:
        raise _UnknownError(doubt)
    return key


def _has_effects(node: ast.expr, scope: Scope) -> bool:
    """Tell whether a generator does more than to give its items."""
    calls = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    changes = any(isinstance(function, ast.Attribute) and function.attr in CHANGING for function in calls)
    own = any(isinstance(function, ast.Name) and isinstance(scope.value(function.id), Defined) for function in calls)
    return changes or own or any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(node))
