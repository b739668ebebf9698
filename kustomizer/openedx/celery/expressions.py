"""Evaluates expressions of a settings file as far as literals, names, the environment and plain operations go."""

from __future__ import annotations

import ast
import builtins
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import app_conf, library
from kustomizer.openedx.celery.call import Call
from kustomizer.openedx.celery.calls import called
from kustomizer.openedx.celery.comparisons import compared
from kustomizer.openedx.celery.comprehensions import comprehended
from kustomizer.openedx.celery.functions import defined
from kustomizer.openedx.celery.operators import binary, unary
from kustomizer.openedx.celery.os_environ import variable
from kustomizer.openedx.celery.python_values import (
    Environ,
    Function,
    Group,
    Listing,
    Missing,
    Module,
    Modules,
    NamedQueue,
    Namespace,
    Opaque,
    Partial,
    Passing,
    Table,
    doubt_in,
    has_attribute,
    items_of,
    keys_doubt,
    merge,
    own_doubt,
    truth,
)
from kustomizer.openedx.celery.skipped import escapes, may_have_run, parts_escape
from kustomizer.openedx.celery.texts import is_text, is_wide, put_together
from kustomizer.openedx.celery.values import Parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.scope import Scope

FAULTS = (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, OverflowError)
"""The exceptions that Python's own operations raise."""


def evaluate(node: ast.expr, scope: Scope) -> Any:
    """Return the value of ``node``, an Opaque where it can't be known."""
    if isinstance(node, ast.Constant):
        return node.value
    value = passing(node, scope)
    if not isinstance(value, Passing):
        return value
    kept = Opaque("what it goes through is kept", node.lineno)
    parts_escape(scope, [value], kept)
    return kept


def passing(node: ast.expr, scope: Scope) -> Any:
    """Return the value of ``node`` for a caller that iterates over it at once: it may be a Passing."""
    kind = _KINDS.get(type(node))
    try:
        value = (
            Opaque(f"`{type(node).__name__.lower()}` isn't followed", node.lineno)
            if kind is None
            else kind(node, scope)
        )
    except FAULTS:
        value = failed(scope, node)
    if isinstance(value, Opaque):
        scope.unknown.append(value)
    return value


def failed(scope: Scope, node: ast.expr | ast.stmt) -> Opaque:
    """Note that ``node`` raises one of the FAULTS."""
    why = Opaque("it can't be computed", node.lineno)
    may_have_run(scope, [node], why)
    scope.fail(why)
    return why


def _name(node: ast.Name, scope: Scope) -> Any:
    if hasattr(builtins, node.id) and not node.id.startswith("__") and not scope.has(node.id):
        return Function(f"builtins.{node.id}")
    return scope.get(node.id, node.lineno)


def _dict(node: ast.Dict, scope: Scope) -> Any:
    table = Table()
    doubt: Opaque | None = None
    for key, value in zip(node.keys, node.values, strict=True):
        item = evaluate(value, scope)
        if key is not None:
            key_value = evaluate(key, scope)
            doubt = doubt or doubt_in(key_value)
            if doubt is None:
                table[key_value] = item
            else:
                escapes(scope, item, doubt)
        elif isinstance(item, dict):
            merge(table, item)
        elif (why := own_doubt(item)) is None:
            raise TypeError(item)
        else:
            unknown_part = Table()
            unknown_part.partial, unknown_part.rest = True, why
            parts_escape(scope, [item], why)
            merge(table, unknown_part)
    if doubt is not None:
        parts_escape(scope, [table], doubt)
    return table if doubt is None else doubt


def _sequence(node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Any:
    items: list[Any] = []
    doubt: Opaque | None = None
    for element in node.elts:
        value = passing(element.value, scope) if isinstance(element, ast.Starred) else evaluate(element, scope)
        more = items_of(value) if isinstance(element, ast.Starred) else [value]
        doubt = doubt or (more if isinstance(more, Opaque) else None)
        items += more if isinstance(more, list) else []
    if isinstance(node, ast.Set):
        doubt = doubt or doubt_in(items)
    if doubt is not None:
        parts_escape(scope, [items], doubt)
        return doubt
    if isinstance(node, ast.List):
        return Listing(items)
    return tuple(items) if isinstance(node, ast.Tuple) else Group(items)


def _joined(node: ast.JoinedStr, scope: Scope) -> Any:
    parts = [
        _formatted(part, scope) if isinstance(part, ast.FormattedValue) else evaluate(part, scope)
        for part in node.values
    ]
    # Whatever it is, it becomes a text here.
    parts = [Partial(part.reason, part.line, Parts([None])) if type(part) is Opaque else part for part in parts]
    return put_together(lambda *texts: "".join(map(str, texts)), *parts)


def _formatted(part: ast.FormattedValue, scope: Scope) -> Any:
    value = evaluate(part.value, scope)
    spec = "" if part.format_spec is None else evaluate(part.format_spec, scope)
    doubt = doubt_in(value) or doubt_in(spec)
    if (
        not spec
        and part.conversion in (-1, 115)
        and (isinstance(value, Partial) or (doubt is None and is_text((value,))))
    ):
        return value
    if doubt is not None:
        return doubt
    if is_wide(f"{{:{spec}}}") or not is_text(value):
        return Opaque("it is formatted", part.lineno)
    conversions: dict[int, Callable[[Any], Any]] = {114: repr, 115: str, 97: ascii}
    convert = conversions.get(part.conversion)
    return format(value if convert is None else convert(value), spec)


def _boolean(node: ast.BoolOp, scope: Scope) -> Any:
    value: Any = None
    for index, operand in enumerate(node.values):
        value = evaluate(operand, scope)
        is_true = truth(value)
        if isinstance(is_true, Opaque):
            may_have_run(scope, node.values[index + 1 :], is_true)
            return is_true
        if is_true is isinstance(node.op, ast.Or):
            return value
    return value


def _conditional(node: ast.IfExp, scope: Scope) -> Any:
    test = truth(evaluate(node.test, scope))
    if isinstance(test, Opaque):
        may_have_run(scope, [node.body, node.orelse], test)
        return test
    return evaluate(node.body if test else node.orelse, scope)


def _operation(node: ast.BinOp, scope: Scope) -> Any:
    left, right = evaluate(node.left, scope), evaluate(node.right, scope)
    result = binary(node.op, left, right, node.lineno)
    if isinstance(result, Opaque):
        parts_escape(scope, (left, right), result)
    return result


def _subscript(node: ast.Subscript, scope: Scope) -> Any:
    holder, key = evaluate(node.value, scope), evaluate(node.slice, scope)
    doubt = holder.why if isinstance(holder, Opaque) else doubt_in(key)
    if doubt is not None:
        parts_escape(scope, [holder], doubt)
        return doubt
    if isinstance(holder, Modules):
        is_followed = isinstance(key, str) and scope.names_of(key) is not None
        return Namespace(key) if is_followed else Opaque(f"{key} is a module", node.lineno)
    if isinstance(holder, Environ):
        # Of what isn't set in the build the image may say more.
        return variable(scope, key, node.lineno, missing=Missing(f"{key} isn't set", node.lineno))
    if isinstance(holder, Namespace):
        with scope.at(holder.module):
            return scope.get(str(key), node.lineno)
    if isinstance(key, slice):
        doubt = getattr(holder, "doubt", None)
        return doubt if doubt is not None else Listing(holder[key]) if isinstance(holder, list) else holder[key]
    is_missing = isinstance(holder, dict) and key not in holder
    doubt = keys_doubt(holder) if is_missing else own_doubt(holder)
    if doubt is None and is_missing:
        return _missing(f"it has no {key}", scope, node)
    return doubt if doubt is not None else holder[key]


def _missing(reason: str, scope: Scope, node: ast.AST) -> Missing:
    missing = Missing(reason, getattr(node, "lineno", 0))
    scope.fail(missing)
    return missing


def _slice(node: ast.Slice, scope: Scope) -> Any:
    parts = [None if part is None else evaluate(part, scope) for part in (node.lower, node.upper, node.step)]
    return doubt_in(parts) or slice(*parts)


def _attribute(node: ast.Attribute, scope: Scope) -> Any:
    value = evaluate(node.value, scope)
    known: Any = None
    if isinstance(value, Module):
        known = library.member(value.name, node.attr)
    elif isinstance(value, Environ) and node.attr == "get":
        known = Function("os.getenv")
    elif isinstance(value, Namespace):
        with scope.at(value.module):
            if scope.has(node.attr) or not hasattr(dict, node.attr):
                return scope.get(node.attr, node.lineno)
        known = value if node.attr == "__dict__" else None
    elif (isinstance(value, timedelta) and node.attr in ("days", "seconds")) or (
        isinstance(value, NamedQueue) and node.attr == "name"
    ):
        return getattr(value, node.attr)
    if known is not None:
        return known
    if isinstance(value, Opaque):
        scope.may_be_had(node.attr, value)
        return app_conf.attribute(scope, value, node.attr, node.lineno) or value.why
    if not has_attribute(value, node.attr):
        raise AttributeError(node.attr)
    # It may be a method that changes it.
    unknown = Opaque(f"its attribute {node.attr} isn't known", node.lineno)
    escapes(scope, value, unknown)
    return unknown


def _assigned(node: ast.NamedExpr, scope: Scope) -> Any:
    value = evaluate(node.value, scope)
    scope.bind(node.target.id, value, node.lineno)
    return value


def _comprehended(node: Any, scope: Scope) -> Any:
    return comprehended(node, scope, evaluate, passing)


_KINDS: dict[type, Callable[[Any, Scope], Any]] = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: _name,
    ast.Dict: _dict,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.JoinedStr: _joined,
    ast.BinOp: _operation,
    ast.BoolOp: _boolean,
    ast.UnaryOp: lambda node, scope: unary(node.op, evaluate(node.operand, scope), node.lineno),
    ast.Compare: lambda node, scope: compared(node, scope, evaluate, passing),
    ast.IfExp: _conditional,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.DictComp: _comprehended,
    ast.ListComp: _comprehended,
    ast.SetComp: _comprehended,
    ast.GeneratorExp: _comprehended,
    ast.Call: lambda node, scope: called(Call(node, scope, evaluate, passing)),
    ast.Slice: _slice,
    ast.NamedExpr: _assigned,
    ast.Lambda: lambda node, scope: defined(node, scope, evaluate),
}
