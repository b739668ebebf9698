"""Whether a value fits a pattern of a settings file's ``match``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.expressions import evaluate
from kustomizer.openedx.celery.python_values import doubt_in

if TYPE_CHECKING:
    from kustomizer.openedx.celery.scope import Scope


def fits(choice: ast.match_case, subject: Any, scope: Scope, line: int) -> bool | None:
    """Tell whether ``subject``, which is known, is of a ``case``; None where that isn't known."""
    is_fit = _fits(choice.pattern, subject, scope, line)
    if is_fit and choice.guard is not None:
        guard = evaluate(choice.guard, scope)
        return None if doubt_in(guard) is not None else bool(guard)
    return is_fit


def _fits(pattern: ast.pattern, subject: Any, scope: Scope, line: int) -> bool | None:
    if isinstance(pattern, ast.MatchValue):
        value = evaluate(pattern.value, scope)
        return None if doubt_in(value) is not None else bool(value == subject)
    if isinstance(pattern, ast.MatchSingleton):
        return subject is pattern.value
    if isinstance(pattern, ast.MatchOr):
        # The first that fits counts, where none before it may.
        fit = (_fits(alternative, subject, scope, line) for alternative in pattern.patterns)
        return next((is_fit for is_fit in fit if is_fit is not False), False)
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        if pattern.name is not None:
            scope.bind(pattern.name, subject, line)
        return True
    return None
