"""Carries out the calls in a settings file whose effect is known, and notes what the others may have done."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.app_conf import Configuration, changed
from kustomizer.openedx.celery.functions import function_called
from kustomizer.openedx.celery.methods import imported, method_called
from kustomizer.openedx.celery.operators import LARGEST
from kustomizer.openedx.celery.python_values import (
    HOLDERS,
    Defined,
    Function,
    Group,
    Listing,
    Module,
    NamedQueue,
    Namespace,
    Opaque,
    Passing,
    Table,
    has_no_order,
    keys_doubt,
    merge,
    own_doubt,
    table_like,
    truth,
)
from kustomizer.openedx.celery.skipped import NAMESPACES, escapes, parts_escape
from kustomizer.openedx.celery.texts import is_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.call import Call

_TYPES = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "set": set, "str": str, "tuple": tuple}
_KNOWN_TYPES = frozenset({"bool", "float", "int", "str", "tuple", "Group", "NoneType", "Table", "Listing"})


def _range(*args: int) -> Any:
    numbers = range(*args)
    return Passing(numbers) if len(numbers) <= LARGEST else Opaque("it is too long")


def _sum(*args: Any, **kwargs: Any) -> Any:
    total = sum(*args, **kwargs)
    # Since Python 3.12 it is more exact.
    return Opaque("each Python adds up fractions in its own way") if isinstance(total, float) else total


# Functions that give a plain value of plain ones.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "OrderedDict": Table,
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "dict": Table,
    "enumerate": lambda *args, **kwargs: Passing(enumerate(*args, **kwargs), args),
    "float": float,
    "frozenset": frozenset,
    "int": int,
    "len": len,
    "list": Listing,
    "max": max,
    "min": min,
    "range": _range,
    "reversed": lambda items: Passing(reversed(items), [items]),
    "round": round,
    "set": Group,
    "sorted": lambda *args, **kwargs: Listing(sorted(*args, **kwargs)),
    "str": str,
    "sum": _sum,
    "tuple": tuple,
    "zip": lambda *args, **kwargs: Passing(zip(*args, **kwargs), args),  # noqa: B905 - as the settings have it
}
# Whatever else is in what they are given is in what they give.
_PASS_ON = frozenset({"enumerate", "len", "list", "reversed", "tuple", "zip"})
# Nothing of what they are given is in what they give.
_OF_SCALARS = frozenset({"abs", "all", "any", "bool", "float", "int", "len", "range", "round", "str"})
# The order of what they are given makes no difference.
_OF_ANY_ORDER = frozenset({"all", "any", "bool", "frozenset", "len", "max", "min", "set", "sorted"})
# They take whatever they are given, and leave it as it is.
_HARMLESS = frozenset(
    {"FeaturesProxy", "print", "isinstance", "issubclass", "hasattr", "type", "id", "repr", "getattr", "crontab"}
    | {"timedelta", "Path", "path", "open"}
)


def called(call: Call) -> Any:
    """Return the value of a call, and carry out what it does to known values."""
    node = call.node.func
    if isinstance(node, ast.Attribute):
        return method_called(call, node)
    function = call.evaluate(node)
    if isinstance(function, Defined):
        return function_called(call, function)
    if isinstance(function, (str, int, float, tuple, *HOLDERS, type(None))):
        raise TypeError(function)
    name = node.id if isinstance(node, ast.Name) else ""
    if isinstance(function, Function):
        module, _, built_in = function.name.rpartition(".")
        return _built_in(call, built_in) if module == "builtins" else imported(call, function)
    # One that has a built-in's name is another one.
    return call.unknown() if not name or hasattr(builtins, name) else _built_in(call, name)


def _built_in(call: Call, name: str) -> Any:
    if name in ("getattr", "isinstance", "setattr", "delattr"):
        return _of_object(call, name)
    if name in NAMESPACES and not (call.scope.is_local and name != "globals"):
        args, _, _ = call.arguments()
        return args[0] if args and isinstance(args[0], Namespace) else _namespace(call)
    if name == "Queue":
        return _queue(call)
    if name in _FUNCTIONS:
        return _plain_value(call, name)
    if name in _HARMLESS:
        call.arguments()
        return call.computed()
    if name in ("exec", "eval"):
        call.scope.doubt_all(Opaque(f"{name}() may set it", call.line))
    return call.unknown()


def _namespace(call: Call) -> Any:
    return call.unknown() if call.node.args else Namespace(call.scope.module)


def _of_object(call: Call, function: str) -> Any:
    """Carry out ``getattr``, ``setattr``, ``delattr`` and ``isinstance``."""
    if function == "isinstance" and len(call.node.args) > 1:
        named = call.node.args[1].elts if isinstance(call.node.args[1], ast.Tuple) else call.node.args[1:]
        types = [_TYPES.get(item.id) if isinstance(item, ast.Name) else None for item in named]
        value = call.evaluate(call.node.args[0])
        if type(value).__name__ in _KNOWN_TYPES and own_doubt(value) is None and None not in types:
            return isinstance(value, tuple(filter(None, types)))
        return call.computed()
    args, _, _ = call.arguments()
    holder, name, *rest = [*args, None, None][: max(2, len(args))]
    if isinstance(holder, Namespace) and isinstance(name, str):
        with call.scope.at(holder.module):
            if function == "getattr":
                return call.scope.get(name, call.line, **({"default": rest[0]} if rest else {}))
            if function == "setattr":
                call.scope.bind(name, rest[0] if rest else None, call.line)
            else:
                call.scope.remove(name)
        return None
    if isinstance(holder, Module) and isinstance(name, str) and function == "getattr":
        return library.member(holder.name, name) or call.computed()
    if function == "getattr":
        escapes(call.scope, args, Opaque("what it has may be changed", call.line))
        return call.computed()
    if isinstance(holder, Configuration):
        changed(call.scope, [name], call.line)
        return None
    why = Opaque(f"{function}() may set it", call.line)
    escapes(call.scope, rest, why)
    if not isinstance(name, str):
        call.scope.doubt_all(why)
    else:
        call.scope.may_be_set_anywhere(name, why)
    return call.computed()


def _plain_value(call: Call, name: str) -> Any:
    call.hand_on()
    args, kwargs, doubt = call.arguments()
    if name in ("dict", "OrderedDict") and (not args or isinstance(args[0], Table)):
        table = table_like(args[0]) if args else Table()
        merge(table, kwargs)
        return table
    if name == "bool" and args:
        return truth(args[0])
    if name == "str" and not all(is_text((argument,)) for argument in args):
        return doubt or Opaque("a text is made of it", call.line)
    if name in _PASS_ON:
        doubt = args.doubt or next((own for argument in args if (own := own_doubt(argument))), None)
    doubt = doubt or next((keys for argument in args if (keys := keys_doubt(argument))), None)
    if doubt is None and name not in _OF_ANY_ORDER and any(map(has_no_order, args)):
        doubt = Opaque("a set's items come in any order", call.line)
    if doubt is not None and name not in _OF_SCALARS:
        # Of several arguments of max() one is what it gives.
        parts_escape(call.scope, [args, *args] if len(args) > 1 else args, doubt)
    return doubt or _FUNCTIONS[name](*args, **kwargs)


def _queue(call: Call) -> Any:
    args, kwargs, _ = call.arguments()
    name = args[0] if args else kwargs.get("name")
    return NamedQueue(name, call.line) if isinstance(name, str) else Opaque("a queue's name is computed", call.line)
