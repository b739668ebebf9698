"""Calls in a settings file: those whose effect is known, and what all others may have done."""

from __future__ import annotations

import ast
import contextlib
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.methods import imported, method_called
from kustomizer.openedx.celery.operators import LARGEST
from kustomizer.openedx.celery.python_values import (
    Defined,
    Function,
    Listing,
    Module,
    NamedQueue,
    Namespace,
    Opaque,
    Table,
    keys_doubt,
    table_like,
)
from kustomizer.openedx.celery.skipped import NAMESPACES, run_unseen

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.call import Call

_DEEPEST = 20
_TYPES = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "set": set, "str": str, "tuple": tuple}
_KNOWN_TYPES = frozenset({"bool", "float", "int", "str", "tuple", "set", "NoneType", "Table", "Listing"})


def _range(*args: int) -> Any:
    numbers = range(*args)
    return Listing(numbers) if len(numbers) <= LARGEST else Opaque("it is too long")


# Functions that give a plain value of plain ones.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "OrderedDict": Table,
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "dict": Table,
    "enumerate": lambda *args: Listing(enumerate(*args)),
    "float": float,
    "frozenset": set,
    "int": int,
    "len": len,
    "list": Listing,
    "max": max,
    "min": min,
    "range": _range,
    "reversed": lambda items: Listing(reversed(items)),
    "round": round,
    "set": set,
    "sorted": lambda *args, **kwargs: Listing(sorted(*args, **kwargs)),
    "str": str,
    "sum": sum,
    "tuple": tuple,
    "zip": lambda *args: Listing(zip(*args)),  # noqa: B905 - as the settings have it
}
# They take whatever they are given, and leave it as it is.
_HARMLESS = frozenset(
    {"FeaturesProxy", "print", "isinstance", "issubclass", "hasattr", "type", "id", "repr", "getattr", "crontab"}
    | {"timedelta", "Path", "path", "open"}
)
_POWERFUL = frozenset({"exec", "eval", "setattr", "delattr", "__import__"})


def called(call: Call) -> Any:
    """Return what a call gives, and carry out what it does to known values."""
    function = call.node.func
    if isinstance(function, ast.Attribute):
        return method_called(call, function)
    if not isinstance(function, ast.Name):
        return call.unknown()
    return _named(call, function.id)


def _named(call: Call, name: str) -> Any:
    bound = call.scope.get(name, call.line) if call.scope.has(name) else None
    if isinstance(bound, Function):
        return imported(call, bound)
    if isinstance(bound, Defined):
        return _expression_of(call, bound)
    if call.scope.defines(name):
        run_unseen(call.scope, name, call.line)
        return call.unknown()
    return _built_in(call, name)


def _built_in(call: Call, name: str) -> Any:
    if name in ("getattr", "isinstance", "setattr"):
        return _of_object(call, name)
    if name in NAMESPACES and (not call.node.args or isinstance(call.evaluate(call.node.args[0]), Namespace)):
        return Namespace()
    if name == "Queue":
        return _queue(call)
    if name in _FUNCTIONS:
        return _plain_value(call, name)
    if name in _HARMLESS:
        call.arguments()
        return call.computed()
    if name in _POWERFUL:
        call.scope.doubt_all(Opaque(f"{name}() may set it", call.line))
    return call.unknown()


def _expression_of(call: Call, function: Defined) -> Any:
    """Return what a function of the file gives whose only statement is an expression."""
    args, kwargs, _ = call.arguments()
    given = dict(zip(function.parameters, args, strict=False)) | kwargs
    first = len(function.parameters) - len(function.defaults)
    given = dict(zip(function.parameters[first:], function.defaults, strict=True)) | given
    if (
        given.keys() != set(function.parameters)
        or len(args) > len(function.parameters)
        or call.scope.calls >= _DEEPEST
        or call.scope.is_long
    ):
        return call.unknown()
    with contextlib.ExitStack() as kept, call.scope.calling():
        for name, value in given.items():
            kept.enter_context(call.scope.without(name))
            call.scope.bind(name, value, call.line)
        return call.evaluate(function.result)


def _of_object(call: Call, function: str) -> Any:
    """Carry out ``getattr``, ``setattr`` and ``isinstance``."""
    if function == "isinstance" and len(call.node.args) > 1:
        named = call.node.args[1].elts if isinstance(call.node.args[1], ast.Tuple) else call.node.args[1:]
        types = [_TYPES.get(item.id) if isinstance(item, ast.Name) else None for item in named]
        value = call.evaluate(call.node.args[0])
        if not isinstance(value, NamedQueue) and type(value).__name__ in _KNOWN_TYPES and None not in types:
            return isinstance(value, tuple(filter(None, types)))
        return call.computed()
    args, _, _ = call.arguments()
    holder, name, *rest = [*args, None, None][: max(2, len(args))]
    if isinstance(holder, Namespace) and isinstance(name, str):
        if function == "getattr":
            return call.scope.get(name, call.line, default=rest[0] if rest else None)
        call.scope.bind(name, rest[0] if rest else None, call.line)
        return None
    if isinstance(holder, Module) and isinstance(name, str) and function == "getattr":
        return library.member(holder.name, name) or call.computed()
    if function == "setattr":
        call.scope.doubt_all(Opaque("setattr() may set it", call.line))
        return call.unknown()
    return call.computed()


def _plain_value(call: Call, name: str) -> Any:
    args, kwargs, doubt = call.arguments()
    if name in ("dict", "OrderedDict") and (not args or isinstance(args[0], Table)):
        table = table_like(args[0]) if args else Table()
        table.update(kwargs)
        if any(keyword.arg is None for keyword in call.node.keywords) and doubt is not None:
            table.doubt = doubt
        return table
    doubt = doubt or next((keys for argument in args if (keys := keys_doubt(argument))), None)
    return doubt or _FUNCTIONS[name](*args, **kwargs)


def _queue(call: Call) -> Any:
    name_nodes = call.node.args[:1] or [keyword.value for keyword in call.node.keywords if keyword.arg == "name"]
    name = call.evaluate(name_nodes[0]) if name_nodes else None
    return NamedQueue(name) if isinstance(name, str) else Opaque("a queue's name is computed", call.line)
