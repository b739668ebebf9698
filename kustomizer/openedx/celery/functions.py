"""Functions that a settings file defines: a call of one is followed like the file's own statements."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.jumps import Jump, Returned, SettingsFailed
from kustomizer.openedx.celery.python_values import Defined, Opaque
from kustomizer.openedx.celery.skipped import escapes
from kustomizer.openedx.celery.syntax import body_of, local_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.call import Call
    from kustomizer.openedx.celery.scope import Scope

_DEEPEST = 20
_NOT_FOLLOWED = (ast.Yield, ast.YieldFrom, ast.Await, ast.Nonlocal)


def defined(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, evaluate: Callable[[ast.expr, Scope], Any]
) -> Defined:
    """Return a function that is defined here."""
    arguments = node.args
    is_plain = not (
        arguments.vararg
        or arguments.kwarg
        or isinstance(node, ast.AsyncFunctionDef)
        or getattr(node, "decorator_list", None)
        # It sees names of the function around it.
        or scope.is_local
        or any(isinstance(inner, _NOT_FOLLOWED) for inner in ast.walk(node))
    )
    names = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    with_defaults = [*zip(reversed(names), reversed(arguments.defaults), strict=False)]
    keyword_only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    with_defaults += [(parameter.arg, default) for parameter, default in keyword_only if default]
    defaults = {name: evaluate(default, scope) for name, default in with_defaults}
    return Defined(node, scope.module, scope.place, defaults, is_plain=is_plain)


def function_called(call: Call, function: Defined) -> Any:
    """Return what a function or class of the settings gives, and carry out what it does."""
    scope, node = call.scope, function.node
    parameters = _given(call, function) if function.is_plain and not isinstance(node, ast.ClassDef) else None
    if parameters is None or scope.calls >= _DEEPEST or scope.is_long:
        return _unfollowed(call, function)
    body = body_of(node) if not isinstance(node, ast.Lambda) else [ast.copy_location(ast.Return(node.body), node.body)]
    scope.calls += 1
    scope.steps += 1
    try:
        with scope.at(function.module, function.place, scope.frame(local_names(node), parameters)):
            scope.run(body)  # type: ignore[arg-type]
    except Returned as returned:
        return returned.value
    except SettingsFailed:
        raise
    except Jump:
        return _unfollowed(call, function)
    finally:
        scope.calls -= 1
    return None


def _given(call: Call, function: Defined) -> dict[str, Any] | None:
    """Return what each parameter is given, None where that isn't plain."""
    arguments = function.node.args  # type: ignore[union-attr]
    names = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
    args, kwargs, _ = call.arguments()
    values = function.defaults | dict(zip(names, args, strict=False)) | kwargs
    all_names = {*names, *(parameter.arg for parameter in arguments.kwonlyargs)}
    is_generator = any(isinstance(argument, ast.GeneratorExp) for argument in call.node.args)
    is_known = args.doubt is None and kwargs.doubt is None and not kwargs.partial
    by_place = {*names[: len(args)], *(parameter.arg for parameter in arguments.posonlyargs)}
    fits = len(args) <= len(names) and values.keys() == all_names and not by_place & kwargs.keys()
    return values if is_known and not is_generator and fits else None


def _unfollowed(call: Call, function: Defined) -> Opaque:
    """Note a call that isn't followed, or not to its end."""
    escapes(call.scope, function, Opaque(f"{call.name} may set it", call.line), maybe=False)
    return call.unknown()
