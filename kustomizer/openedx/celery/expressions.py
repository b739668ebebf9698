"""Evaluates expressions of a settings file as far as literals, names, the environment and plain operations go."""

from __future__ import annotations

import ast
import builtins
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.call import Call
from kustomizer.openedx.celery.calls import called
from kustomizer.openedx.celery.comprehensions import comprehended
from kustomizer.openedx.celery.functions import defined
from kustomizer.openedx.celery.operators import COMPARE, binary, is_text, is_wide, unary
from kustomizer.openedx.celery.os_environ import variable
from kustomizer.openedx.celery.python_values import (
    HOLDERS,
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
    Passing,
    Table,
    doubt_in,
    items_of,
    keys_doubt,
    merge,
    own_doubt,
    truth,
)
from kustomizer.openedx.celery.skipped import may_have_run
from kustomizer.openedx.celery.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.scope import Scope

_FAULTS = (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, OverflowError)


def evaluate(node: ast.expr, scope: Scope) -> Any:
    """Return the value of ``node``, an Opaque where it can't be told."""
    if isinstance(node, ast.Constant):
        return node.value
    value = passing(node, scope)
    return Opaque("what it goes through is kept", node.lineno) if isinstance(value, Passing) else value


def passing(node: ast.expr, scope: Scope) -> Any:
    """Return the value of ``node`` for one who goes through it at once, if it is of that kind."""
    kind = _KINDS.get(type(node))
    try:
        value = (
            Opaque(f"`{type(node).__name__.lower()}` isn't followed", node.lineno)
            if kind is None
            else kind(node, scope)
        )
    except _FAULTS:
        # Where it were so, the settings wouldn't load.
        value = Opaque("it can't be computed", node.lineno)
        may_have_run(scope, [node], value)
    if isinstance(value, Opaque):
        scope.unknown.append(value)
    return value


def _name(node: ast.Name, scope: Scope) -> Any:
    if hasattr(builtins, node.id) and not node.id.startswith("__") and not scope.has(node.id):
        return Function(f"builtins.{node.id}")
    return scope.get(node.id, node.lineno)


def _dict(node: ast.Dict, scope: Scope) -> Any:
    table = Table()
    for key, value in zip(node.keys, node.values, strict=True):
        item = evaluate(value, scope)
        if key is not None:
            table[_key(evaluate(key, scope), node)] = item
        elif isinstance(item, dict):
            merge(table, item)
        elif own_doubt(item) is None:
            raise TypeError(item)
        else:
            rest = Table()
            rest.partial, rest.rest = True, own_doubt(item)
            merge(table, rest)
    return table


def _key(key: Any, node: ast.AST) -> Any:
    doubt = doubt_in(key)
    if doubt is not None:
        raise ValueError(node)
    return key


def _sequence(node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Any:
    items: list[Any] = []
    doubt: Opaque | None = None
    for element in node.elts:
        value = passing(element.value, scope) if isinstance(element, ast.Starred) else evaluate(element, scope)
        more = items_of(value) if isinstance(element, ast.Starred) else [value]
        doubt = doubt or (more if isinstance(more, Opaque) else None)
        items += more if isinstance(more, list) else []
    if doubt is not None:
        return doubt
    if isinstance(node, ast.List):
        return Listing(items)
    return tuple(items) if isinstance(node, ast.Tuple) else Group(_key(item, node) for item in items)


def _joined(node: ast.JoinedStr, scope: Scope) -> Any:
    parts = [
        _formatted(part, scope) if isinstance(part, ast.FormattedValue) else evaluate(part, scope)
        for part in node.values
    ]
    return next((part for part in parts if isinstance(part, Opaque)), None) or "".join(map(str, parts))


def _formatted(part: ast.FormattedValue, scope: Scope) -> Any:
    value = evaluate(part.value, scope)
    spec = "" if part.format_spec is None else evaluate(part.format_spec, scope)
    doubt = doubt_in(value) or doubt_in(spec)
    if doubt is not None or (not spec and part.conversion in (-1, 115) and is_text((value,))):
        return doubt if doubt is not None else value
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


def _compare(node: ast.Compare, scope: Scope) -> Any:
    left = evaluate(node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = passing(comparator, scope)
        if isinstance(right, Environ):
            right = _names_in_environment(left, scope, node)
        if isinstance(right, Namespace) and isinstance(left, str) and isinstance(op, (ast.In, ast.NotIn)):
            with scope.at(right.module):
                is_set = own_doubt(scope.get(left, node.lineno)) is None
                right = {left} if is_set else Opaque(f"whether {left} is set isn't known", node.lineno)
        doubt = _compared(op, left, right, node)
        if doubt is not None:
            return doubt
        if not COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _compared(op: ast.cmpop, left: Any, right: Any, node: ast.AST) -> Opaque | None:
    """Return why it isn't known how two values compare, None where it is."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        is_single = any(each is None or isinstance(each, (bool, *HOLDERS)) for each in (left, right))
        doubt = next((each for each in (left, right) if isinstance(each, Opaque)), None)
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


def _conditional(node: ast.IfExp, scope: Scope) -> Any:
    test = truth(evaluate(node.test, scope))
    if isinstance(test, Opaque):
        may_have_run(scope, [node.body, node.orelse], test)
        return test
    return evaluate(node.body if test else node.orelse, scope)


def _subscript(node: ast.Subscript, scope: Scope) -> Any:
    holder, key = evaluate(node.value, scope), evaluate(node.slice, scope)
    doubt = holder if isinstance(holder, Opaque) else doubt_in(key)
    if doubt is not None:
        return doubt
    if isinstance(holder, Modules):
        is_followed = isinstance(key, str) and scope.names_of(key) is not None
        return Namespace(key) if is_followed else Opaque(f"{key} is a module", node.lineno)
    if isinstance(holder, Environ):
        return variable(scope, key, node.lineno, missing=Missing(f"{key} isn't set", node.lineno))
    if isinstance(holder, Namespace):
        with scope.at(holder.module):
            return scope.get(str(key), node.lineno)
    if isinstance(key, slice):
        doubt = getattr(holder, "doubt", None)
        return doubt if doubt is not None else Listing(holder[key]) if isinstance(holder, list) else holder[key]
    is_missing = isinstance(holder, dict) and key not in holder
    doubt = keys_doubt(holder) if is_missing else getattr(holder, "doubt", None)
    if doubt is None and is_missing:
        return Missing(f"it has no {key}", node.lineno)
    return doubt if doubt is not None else holder[key]


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
            return value if node.attr == "__dict__" else scope.get(node.attr, node.lineno)
    elif (isinstance(value, timedelta) and node.attr in ("days", "seconds")) or (
        isinstance(value, NamedQueue) and node.attr == "name"
    ):
        return getattr(value, node.attr)
    if known is not None:
        return known
    if isinstance(value, Opaque):
        scope.may_be_had(node.attr, value)
    return value if isinstance(value, Opaque) else Opaque(f"its attribute {node.attr} isn't known", node.lineno)


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
    ast.BinOp: lambda node, scope: binary(
        node.op, evaluate(node.left, scope), evaluate(node.right, scope), node.lineno
    ),
    ast.BoolOp: _boolean,
    ast.UnaryOp: lambda node, scope: unary(node.op, evaluate(node.operand, scope), node.lineno),
    ast.Compare: _compare,
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
