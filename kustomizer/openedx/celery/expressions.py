"""Evaluates expressions of a settings file as far as literals, names, the environment and plain operations go."""

from __future__ import annotations

import ast
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.call import Call
from kustomizer.openedx.celery.calls import called
from kustomizer.openedx.celery.methods import CHANGING
from kustomizer.openedx.celery.operators import COMPARE, LARGEST, UNARY, binary, is_wide
from kustomizer.openedx.celery.os_environ import variable
from kustomizer.openedx.celery.python_values import (
    Defined,
    Environ,
    Function,
    Listing,
    Missing,
    Module,
    Modules,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    keys_doubt,
)
from kustomizer.openedx.celery.skipped import may_have_run
from kustomizer.openedx.celery.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kustomizer.openedx.celery.scope import Scope

_FAULTS = (TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError, OverflowError)


def evaluate(node: ast.expr, scope: Scope) -> Any:
    """Return the value of ``node``, an Opaque where it can't be told."""
    kind = _KINDS.get(type(node))
    try:
        return Opaque("it is computed", node.lineno) if kind is None else kind(node, scope)
    except _FAULTS:
        # Where it were so, the settings wouldn't load.
        return Opaque("it can't be computed", node.lineno)


def _name(node: ast.Name, scope: Scope) -> Any:
    if node.id in library.LOADED and not scope.has(node.id):
        return Module(node.id)
    return scope.get(node.id, node.lineno)


def _dict(node: ast.Dict, scope: Scope) -> Any:
    table = Table()
    for key, value in zip(node.keys, node.values, strict=True):
        item = evaluate(value, scope)
        if key is not None:
            table[_key(evaluate(key, scope), node)] = item
        elif isinstance(item, dict):
            table.update(item)
            table.doubt = table.doubt or getattr(item, "doubt", None)
            table.partial = table.partial or getattr(item, "partial", False)
            table.rest = table.rest or getattr(item, "rest", None)
        else:
            # What stands before it may be overridden, and what stands behind it holds.
            why = item if isinstance(item, Opaque) else Opaque("it is computed", node.lineno)
            for earlier in table:
                table[earlier] = why
            table.partial, table.rest = True, why
    return table


def _key(key: Any, node: ast.AST) -> Any:
    doubt = doubt_in(key)
    if doubt is not None:
        raise ValueError(node)
    return key


def _sequence(node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Any:
    items: list[Any] = []
    for element in node.elts:
        if isinstance(element, ast.Starred):
            inner = evaluate(element.value, scope)
            doubt = doubt_in(inner)
            if doubt is not None:
                return doubt
            items += inner
        else:
            items.append(evaluate(element, scope))
    if isinstance(node, ast.List):
        return Listing(items)
    return tuple(items) if isinstance(node, ast.Tuple) else set(items)


def _joined(node: ast.JoinedStr, scope: Scope) -> Any:
    parts = []
    for part in node.values:
        value = _formatted(part, scope) if isinstance(part, ast.FormattedValue) else evaluate(part, scope)
        doubt = doubt_in(value)
        if doubt is not None:
            return doubt
        parts.append(str(value))
    return "".join(parts)


def _formatted(part: ast.FormattedValue, scope: Scope) -> Any:
    value = evaluate(part.value, scope)
    spec = "" if part.format_spec is None else evaluate(part.format_spec, scope)
    doubt = doubt_in(value) or doubt_in(spec)
    if doubt is not None or (not spec and part.conversion in (-1, 115)):
        return doubt if doubt is not None else value
    if is_wide(f"{{:{spec}}}") or not isinstance(value, (str, int, float)):
        return Opaque("it is formatted", part.lineno)
    conversions: dict[int, Callable[[Any], Any]] = {114: repr, 115: str, 97: ascii}
    convert = conversions.get(part.conversion)
    return format(value if convert is None else convert(value), spec)


def _boolean(node: ast.BoolOp, scope: Scope) -> Any:
    value: Any = None
    for index, operand in enumerate(node.values):
        value = evaluate(operand, scope)
        doubt = doubt_in(value) if not isinstance(value, (dict, list)) else getattr(value, "doubt", None)
        if doubt is not None:
            may_have_run(scope, node.values[index + 1 :], doubt)
            return doubt
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


def _unary(node: ast.UnaryOp, scope: Scope) -> Any:
    value = evaluate(node.operand, scope)
    apply = UNARY.get(type(node.op))
    return doubt_in(value) or (apply(value) if apply else Opaque("it is computed", node.lineno))


def _compare(node: ast.Compare, scope: Scope) -> Any:
    left = evaluate(node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = evaluate(comparator, scope)
        if isinstance(right, Environ):
            right = _names_in_environment(left, scope, node)
        doubt = doubt_in(left) or doubt_in(right)
        if isinstance(right, dict) and left not in right:
            doubt = doubt or keys_doubt(right)
        if doubt is not None:
            return doubt
        if not COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _names_in_environment(name: Any, scope: Scope, node: ast.AST) -> Any:
    if not isinstance(name, str):
        return Opaque("it is computed", getattr(node, "lineno", 0))
    value = scope.environment(name)
    if isinstance(value, Unknown) and value.may_be_unset:
        return Opaque(value.reason, getattr(node, "lineno", 0))
    return set() if value is None else {name}


def _conditional(node: ast.IfExp, scope: Scope) -> Any:
    test = evaluate(node.test, scope)
    doubt = doubt_in(test)
    if doubt is not None:
        may_have_run(scope, [node.body, node.orelse], doubt)
        return doubt
    return evaluate(node.body if test else node.orelse, scope)


def _subscript(node: ast.Subscript, scope: Scope) -> Any:
    holder, key = evaluate(node.value, scope), evaluate(node.slice, scope)
    if isinstance(holder, Opaque):
        return holder
    if isinstance(holder, Modules) and ast.unparse(node.slice) == "__name__":
        return Namespace()
    doubt = doubt_in(key)
    if doubt is not None:
        return doubt
    if isinstance(holder, Environ):
        return variable(scope, key, node.lineno, missing=Missing(f"{key} isn't set", node.lineno))
    if isinstance(holder, Namespace):
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
        return value if node.attr == "__dict__" else scope.get(node.attr, node.lineno)
    elif isinstance(value, timedelta) and node.attr in ("days", "seconds"):
        return getattr(value, node.attr)
    if known is not None:
        return known
    return value if isinstance(value, Opaque) else Opaque("it is computed", node.lineno)


def _assigned(node: ast.NamedExpr, scope: Scope) -> Any:
    value = evaluate(node.value, scope)
    scope.bind(node.target.id, value, node.lineno)
    return value


def defined(arguments: ast.arguments, result: ast.expr, scope: Scope) -> Defined | None:
    """Return a function that gives ``result``, None where it takes more than plain parameters, or sets names."""
    if any(isinstance(node, ast.NamedExpr) for node in ast.walk(result)):
        return None
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        return None
    defaults = tuple(evaluate(default, scope) for default in arguments.defaults)
    return Defined(tuple(argument.arg for argument in arguments.args), defaults, result)


def _comprehended(node: ast.DictComp | ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope) -> Any:
    targets = _targets(node.generators[0].target)
    if len(node.generators) != 1 or not targets:
        return Opaque("it is computed", node.lineno)
    if isinstance(node, ast.GeneratorExp) and _has_effects(node.elt):
        # Whoever takes its items decides when that happens, and whether.
        may_have_run(scope, [node.elt], Opaque("it is set in a generator", node.lineno))
        return Opaque("it is computed", node.lineno)
    [generator] = node.generators
    items = evaluate(generator.iter, scope)
    doubt = doubt_in(items) or keys_doubt(items)
    if doubt is not None:
        return doubt
    rows = []
    with contextlib.ExitStack() as kept:
        for target in targets:
            kept.enter_context(scope.without(target))
        for item in _limited(items):
            parts = (item,) if isinstance(generator.target, ast.Name) else tuple(item)
            for target, part in zip(targets, parts, strict=True):
                scope.bind(target, part)
            tests = [evaluate(test, scope) for test in generator.ifs]
            doubt = doubt_in(tests)
            if doubt is not None:
                return doubt
            if all(tests):
                elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
                rows.append([evaluate(element, scope) for element in elements])
    if isinstance(node, ast.DictComp):
        return Table({_key(key, node): value for key, value in rows})
    values = [value for [value] in rows]
    return set(values) if isinstance(node, ast.SetComp) else Listing(values)


def _has_effects(node: ast.expr) -> bool:
    calls = [inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)]
    changes = any(isinstance(function, ast.Attribute) and function.attr in CHANGING for function in calls)
    return changes or any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(node))


def _targets(target: ast.expr) -> list[str]:
    """Return the names that each item is given, none where it is given more than names."""
    elements = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    names = [element.id for element in elements if isinstance(element, ast.Name)]
    return names if len(names) == len(elements) else []


def _limited(items: Any) -> Iterator[Any]:
    for count, item in enumerate(items):
        if count > LARGEST:
            raise ValueError(count)
        yield item


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
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.DictComp: _comprehended,
    ast.ListComp: _comprehended,
    ast.SetComp: _comprehended,
    ast.GeneratorExp: _comprehended,
    ast.Call: lambda node, scope: called(Call(node, scope, evaluate)),
    ast.Slice: _slice,
    ast.NamedExpr: _assigned,
    ast.Lambda: lambda node, scope: defined(node.args, node.body, scope) or Opaque("it is a function", node.lineno),
}
