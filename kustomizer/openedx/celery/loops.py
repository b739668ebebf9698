"""Follows the loops of a settings file, round by round."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kustomizer.openedx.celery.assignments import store
from kustomizer.openedx.celery.expressions import passing
from kustomizer.openedx.celery.jumps import Break, Continue, EndUnknown
from kustomizer.openedx.celery.python_values import Opaque, items_of
from kustomizer.openedx.celery.skipped import skip

if TYPE_CHECKING:
    import ast

    from kustomizer.openedx.celery.scope import Scope

_MOST_ROUNDS = 1000


def follow_for(scope: Scope, node: ast.For) -> None:
    """Follow a ``for``."""
    items = items_of(passing(node.iter, scope))
    if isinstance(items, Opaque) or len(items) >= _MOST_ROUNDS or not items.goes_on(0):
        reason = items.reason if isinstance(items, Opaque) else "it is long, or through a generator"
        skip(scope, [node], Opaque(f"it is set in a loop: {reason}", node.lineno))
        return
    try:
        for done, item in enumerate(items, 1):
            scope.steps += 1
            if scope.is_long:
                raise EndUnknown
            store(scope, node.target, item, node.lineno)
            with contextlib.suppress(Continue):
                scope.run(node.body)
            if not items.goes_on(done):
                raise EndUnknown
    except Break:
        return
    except EndUnknown:
        skip(scope, [node], Opaque("it is set in a loop whose rounds aren't known", node.lineno))
        return
    scope.run(node.orelse)
