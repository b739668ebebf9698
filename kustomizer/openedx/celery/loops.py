"""Follows the loops of a settings file, round by round."""

from __future__ import annotations

import ast
import contextlib
import functools
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.assignments import store
from kustomizer.openedx.celery.expressions import evaluate
from kustomizer.openedx.celery.python_values import Opaque, doubt_in, keys_doubt
from kustomizer.openedx.celery.skipped import may_have_run
from kustomizer.openedx.celery.touched import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kustomizer.openedx.celery.scope import Scope

    Follow = Callable[[Iterable[ast.stmt]], None]

_MOST_ROUNDS = 1000


class OfLoop(Exception):  # noqa: N818 - statements, and no errors
    """What a statement says to the loop around it."""


class Break(OfLoop):
    """It ends."""


class Continue(OfLoop):
    """It goes on with the next round."""


class Uncertain(OfLoop):
    """Whether it ends isn't known."""


def follow_for(node: ast.For, scope: Scope, follow: Follow) -> None:
    """Follow a ``for``; ``follow`` follows statements."""
    items = evaluate(node.iter, scope)
    known = doubt_in(items) is None and keys_doubt(items) is None
    if known and isinstance(items, (list, tuple, dict)) and len(items) < _MOST_ROUNDS:
        _follow(node, scope, follow, [functools.partial(_next, node, scope, item) for item in list(items)])
        return
    scope.make_opaque(stored([node.target]), Opaque("it is set in a loop", node.lineno))
    _skip(node, scope)


def _next(node: ast.For, scope: Scope, item: Any) -> bool:
    store(scope, node.target, item, node.lineno)
    return True


def follow_while(node: ast.While, scope: Scope, follow: Follow) -> None:
    """Follow a ``while``."""

    def test() -> bool:
        value = evaluate(node.test, scope)
        if doubt_in(value) is not None:
            raise Uncertain
        return bool(value)

    _follow(node, scope, follow, [test] * _MOST_ROUNDS, is_open=True)


def _follow(
    node: ast.For | ast.While,
    scope: Scope,
    follow: Follow,
    rounds: Sequence[Callable[[], bool]],
    *,
    is_open: bool = False,
) -> None:
    """Run a loop's body for each of ``rounds`` that gives true; ``is_open`` says that there would be more."""
    try:
        for start in rounds:
            scope.steps += 1
            if scope.is_long:
                raise Uncertain
            if not start():
                break
            with contextlib.suppress(Continue):
                follow(node.body)
        else:
            if is_open:
                raise Uncertain
    except Break:
        return
    except Uncertain:
        _skip(node, scope)
        return
    follow(node.orelse)


def _skip(node: ast.For | ast.While, scope: Scope) -> None:
    may_have_run(scope, [*node.body, *node.orelse], Opaque("it is set in a loop", node.lineno))


def ends_round(nodes: Iterable[ast.AST]) -> bool:
    """Tell whether there is a ``break`` or ``continue`` of the loop around these statements."""
    for node in nodes:
        if isinstance(node, (ast.Break, ast.Continue)):
            return True
        # What stands in an inner loop's body is of that loop.
        inner = node.orelse if isinstance(node, (ast.For, ast.While)) else ast.iter_child_nodes(node)
        if ends_round(child for child in inner if not isinstance(child, ast.expr)):
            return True
    return False
