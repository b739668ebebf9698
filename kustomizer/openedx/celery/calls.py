"""Calls in a settings file: those whose effect is known, and what all others may have done."""

from __future__ import annotations

import ast
import contextlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.python_values import (
    Defined,
    Environ,
    Function,
    Listing,
    Module,
    NamedQueue,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    keys_doubt,
    table_like,
    wrapped,
)
from kustomizer.openedx.celery.skipped import run_unseen
from kustomizer.openedx.celery.values import Known, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kustomizer.openedx.celery.scope import Scope

    Evaluate = Callable[[ast.expr, Scope], Any]

_LARGEST = 100_000
_DEEPEST = 20
# A width of four digits, or one that is given as an argument.
_WIDE = re.compile(r"\{[^{}]*:[^{}]*(?:\d{4}|\{)|%(?:\([^)]*\))?[^a-zA-Z%]*(?:\d{4}|\*)")
_TYPES = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "set": set, "str": str, "tuple": tuple}
_KNOWN_TYPES = frozenset({"bool", "float", "int", "str", "tuple", "set", "NoneType", "Table", "Listing"})


def is_wide(text: object) -> bool:
    """Tell whether a format may ask for a text that takes much room."""
    return not isinstance(text, str) or _WIDE.search(text) is not None


def _range(*args: int) -> Any:
    numbers = range(*args)
    return Listing(numbers) if len(numbers) <= _LARGEST else Opaque("it is too long")


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
_NAMESPACES = frozenset({"globals", "locals", "vars"})
_PURE_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        {"capitalize", "casefold", "count", "endswith", "find", "format", "format_map", "isdigit", "join", "lower"}
        | {"lstrip"}
        | {"partition", "removeprefix", "removesuffix", "replace", "rpartition", "rsplit", "rstrip", "split"}
        | {"startswith", "strip", "title", "upper"}
    ),
    Table: frozenset({"copy", "get", "items", "keys", "values"}),
    Listing: frozenset({"copy", "count", "index"}),
    timedelta: frozenset({"total_seconds"}),
    tuple: frozenset({"count", "index"}),
    set: frozenset({"copy", "union", "difference"}),
}
_CHANGING_METHODS: dict[type, frozenset[str]] = {
    Table: frozenset({"clear", "pop", "setdefault", "update"}),
    Listing: frozenset({"append", "clear", "extend", "insert", "pop", "remove"}),
    set: frozenset({"add", "discard", "update"}),
}

CHANGING = frozenset(method for methods in _CHANGING_METHODS.values() for method in methods)
"""Methods that change what they are called on."""


def called(node: ast.Call, scope: Scope, evaluate: Evaluate) -> Any:
    """Return what a call gives, and carry out what it does to known values."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return _method(node, function, scope, evaluate)
    if not isinstance(function, ast.Name):
        return _unknown(node, scope, evaluate)
    return _named(node, function.id, scope, evaluate)


def _named(node: ast.Call, name: str, scope: Scope, evaluate: Evaluate) -> Any:
    bound = scope.get(name, node.lineno) if scope.has(name) else None
    if isinstance(bound, Function):
        return _imported(node, bound, scope, evaluate)
    if isinstance(bound, Defined):
        return _expression_of(node, bound, scope, evaluate)
    if scope.defines(name):
        run_unseen(scope, name, node.lineno)
        return _unknown(node, scope, evaluate)
    return _built_in(node, name, scope, evaluate)


def _built_in(node: ast.Call, name: str, scope: Scope, evaluate: Evaluate) -> Any:
    if name in ("getattr", "isinstance", "setattr"):
        return _of_object(node, name, scope, evaluate)
    if name in _NAMESPACES and (not node.args or isinstance(evaluate(node.args[0], scope), Namespace)):
        return Namespace()
    if name == "Queue":
        return _queue(node, scope, evaluate)
    if name in _FUNCTIONS:
        return _plain_value(name, node, scope, evaluate)
    if name in _HARMLESS:
        _arguments(node, scope, evaluate)
        return Opaque("it is computed", node.lineno)
    if name in _POWERFUL:
        scope.doubt_all(Opaque(f"{name}() may set it", node.lineno))
    return _unknown(node, scope, evaluate)


def _imported(node: ast.Call, function: Function, scope: Scope, evaluate: Evaluate) -> Any:
    if function.name == "os.getenv":
        return _variable(node, scope, evaluate)
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    if function.name in ("copy.copy", "copy.deepcopy") and args:
        return args[0] if isinstance(args[0], Opaque) else wrapped(args[0])
    return doubt or library.FUNCTIONS[function.name](*args, **kwargs)


def _expression_of(node: ast.Call, function: Defined, scope: Scope, evaluate: Evaluate) -> Any:
    """Return what a function of the file gives whose only statement is an expression."""
    args, kwargs, _ = _arguments(node, scope, evaluate)
    given = dict(zip(function.parameters, args, strict=False)) | kwargs
    first = len(function.parameters) - len(function.defaults)
    given = dict(zip(function.parameters[first:], function.defaults, strict=True)) | given
    if (
        given.keys() != set(function.parameters)
        or len(args) > len(function.parameters)
        or scope.calls >= _DEEPEST
        or scope.is_long
    ):
        return _unknown(node, scope, evaluate)
    with contextlib.ExitStack() as kept, scope.calling():
        for name, value in given.items():
            kept.enter_context(scope.without(name))
            scope.bind(name, value, node.lineno)
        return evaluate(function.result, scope)


def _of_object(node: ast.Call, function: str, scope: Scope, evaluate: Evaluate) -> Any:
    """Carry out ``getattr``, ``setattr`` and ``isinstance``."""
    if function == "isinstance" and len(node.args) > 1:
        named = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else node.args[1:]
        types = [_TYPES.get(item.id) if isinstance(item, ast.Name) else None for item in named]
        value = evaluate(node.args[0], scope)
        if not isinstance(value, NamedQueue) and type(value).__name__ in _KNOWN_TYPES and None not in types:
            return isinstance(value, tuple(filter(None, types)))
        return Opaque("it is computed", node.lineno)
    args, _, _ = _arguments(node, scope, evaluate)
    holder, name, *rest = [*args, None, None][: max(2, len(args))]
    if isinstance(holder, Namespace) and isinstance(name, str):
        if function == "getattr":
            return scope.get(name, node.lineno, default=rest[0] if rest else None)
        scope.bind(name, rest[0] if rest else None, node.lineno)
        return None
    if isinstance(holder, Module) and isinstance(name, str) and function == "getattr":
        return library.member(holder.name, name) or Opaque("it is computed", node.lineno)
    if function == "setattr":
        scope.doubt_all(Opaque("setattr() may set it", node.lineno))
        return _unknown(node, scope, evaluate)
    return Opaque("it is computed", node.lineno)


def _plain_value(name: str, node: ast.Call, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    if name in ("dict", "OrderedDict") and (not args or isinstance(args[0], Table)):
        table = table_like(args[0]) if args else Table()
        table.update(kwargs)
        if any(keyword.arg is None for keyword in node.keywords) and doubt is not None:
            table.doubt = doubt
        return table
    doubt = doubt or next((keys for argument in args if (keys := keys_doubt(argument))), None)
    return doubt or _FUNCTIONS[name](*args, **kwargs)


def _queue(node: ast.Call, scope: Scope, evaluate: Evaluate) -> Any:
    name_nodes = node.args[:1] or [keyword.value for keyword in node.keywords if keyword.arg == "name"]
    name = evaluate(name_nodes[0], scope) if name_nodes else None
    return NamedQueue(name) if isinstance(name, str) else Opaque("a queue's name is computed", node.lineno)


def _method(node: ast.Call, function: ast.Attribute, scope: Scope, evaluate: Evaluate) -> Any:
    holder = evaluate(function.value, scope)
    if isinstance(holder, Module):
        known = library.member(holder.name, function.attr)
        if isinstance(known, Function):
            return _imported(node, known, scope, evaluate)
        if holder.name in library.HARMLESS:
            _arguments(node, scope, evaluate)
            return Opaque("it is computed", node.lineno)
        return _unknown(node, scope, evaluate)
    if isinstance(holder, Environ):
        return _of_environment(node, function.attr, scope, evaluate)
    if isinstance(holder, Namespace):
        return _of_namespace(node, function.attr, scope, evaluate)
    methods = ((_PURE_METHODS, _pure), (_CHANGING_METHODS, _changing))
    for table, carry_out in methods:
        if function.attr in table.get(type(holder), ()):
            return carry_out(node, function.attr, holder, scope, evaluate)
    scope.spoil(holder, Opaque(f"{function.attr}() may change it", node.lineno))
    return _unknown(node, scope, evaluate)


def _of_environment(node: ast.Call, method: str, scope: Scope, evaluate: Evaluate) -> Any:
    if method == "get":
        return _variable(node, scope, evaluate)
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    why = doubt or Opaque("it reads or changes the environment", node.lineno)
    if method == "update":
        change_variables(scope, args[0] if args else kwargs, node.lineno)
    elif method in ("setdefault", "pop") and args and isinstance(args[0], str):
        present = scope.environment(args[0])
        if isinstance(present, Unknown):
            scope.doubt_variable(args[0], why)
        elif method == "pop":
            scope.set_variable(args[0], None, node.lineno)
            return str(present.value) if present is not None else args[1] if len(args) > 1 else why
        elif present is None:
            scope.set_variable(args[0], args[1] if len(args) > 1 else why, node.lineno)
        else:
            return str(present.value)
    elif method not in ("copy", "items", "keys", "values"):
        scope.doubt_variable("", why)
    return why


def change_variables(scope: Scope, values: Any, line: int) -> None:
    """Carry out what an ``update`` of the environment does."""
    if not isinstance(values, dict) or keys_doubt(values) is not None or doubt_in([*values]) is not None:
        scope.doubt_variable("", Opaque("it may be set in the environment", line))
        return
    for name, value in values.items():
        scope.set_variable(str(name), value, line)


def _variable(node: ast.Call, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    if not args or doubt_in(args[0]):
        return doubt or Opaque("it reads the environment", node.lineno)
    value = scope.environment(str(args[0]))
    if value is None:
        defaults = [*args[1:], *kwargs.values()]
        return defaults[0] if defaults else None
    if isinstance(value, Known):
        return str(value.value)
    return Opaque(f"{args[0]} of the environment is read, and {value.reason}", node.lineno)


def _of_namespace(node: ast.Call, method: str, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, _ = _arguments(node, scope, evaluate)
    if method == "get" and args and isinstance(args[0], str):
        default = args[1] if len(args) > 1 else None
        return scope.get(args[0], node.lineno, default=default)
    if method in ("update", "setdefault"):
        entries = [(args[0], args[1] if len(args) > 1 else None)] if method == "setdefault" and args else []
        tables = args if method == "update" else []
        if all(isinstance(table, Table) and table.doubt is None for table in tables):
            entries += [pair for table in tables for pair in table.items()] + list(kwargs.items())
            for name, value in entries:
                if method == "update" or not scope.has(str(name)):
                    scope.bind(str(name), value, node.lineno)
            return None
    if method == "pop" and args and isinstance(args[0], str):
        value = scope.get(args[0], node.lineno, default=args[1] if len(args) > 1 else None)
        scope.remove(args[0])
        return value
    if method not in ("keys", "items", "values", "get", "copy"):
        scope.doubt_all(Opaque("the module's names are changed by a computation", node.lineno))
    return Opaque("it is computed", node.lineno)


def _pure(node: ast.Call, method: str, holder: Any, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    if method == "get" and isinstance(holder, Table):
        return _got(node, holder, args, doubt)
    if method == "copy" and isinstance(holder, Table):
        return table_like(holder)
    doubt = doubt or getattr(holder, "doubt", None) or keys_doubt(holder)
    if doubt is not None:
        return doubt
    if method in ("format", "format_map") and is_wide(holder):
        return Opaque("it is formatted", node.lineno)
    result = getattr(holder, method)(*args, **kwargs)
    if method in ("items", "keys", "values", "split", "rsplit"):
        return Listing(result)
    if isinstance(result, str) and len(result) > _LARGEST:
        return Opaque("it is too long", node.lineno)
    return wrapped(result) if isinstance(result, (dict, list)) else result


def _got(node: ast.Call, table: Table, args: list[Any], doubt: Opaque | None) -> Any:
    if table.doubt or not args or doubt_in(args[0]):
        return table.doubt or doubt or Opaque("it is computed", node.lineno)
    if args[0] not in table and table.partial:
        return keys_doubt(table)
    return table.get(args[0], args[1] if len(args) > 1 else None)


def _changing(node: ast.Call, method: str, holder: Any, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, _ = _arguments(node, scope, evaluate)
    first = args[0] if args else None
    whole = method in ("update", "extend")
    doubt = (first if isinstance(first, Opaque) else getattr(first, "doubt", None)) if whole else doubt_in(first)
    if method in ("append", "insert", "setdefault"):
        doubt = doubt_in(first) if method != "append" else None
    if doubt is not None:
        scope.spoil(holder, doubt)
        return doubt
    if whole and getattr(first, "partial", False) and isinstance(holder, Table):
        holder.partial = True
    scope.touch(holder, node.lineno)
    return getattr(holder, method)(*args, **kwargs)


def _arguments(node: ast.Call, scope: Scope, evaluate: Evaluate) -> tuple[list[Any], dict[str, Any], Opaque | None]:
    """Return the arguments, and why one of them isn't known."""
    args: list[Any] = []
    for argument in node.args:
        value = evaluate(argument.value if isinstance(argument, ast.Starred) else argument, scope)
        if isinstance(argument, ast.Starred):
            if doubt_in(value):
                return [], {}, doubt_in(value)
            args += value
        else:
            args.append(value)
    kwargs: dict[str, Any] = {}
    for keyword in node.keywords:
        value = evaluate(keyword.value, scope)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
        elif isinstance(value, Table) and value.doubt is None:
            kwargs |= {str(key): item for key, item in value.items()}
        else:
            return args, kwargs, doubt_in(value) or Opaque("it is computed", node.lineno)
    return args, kwargs, next((doubt for value in (*args, *kwargs.values()) if (doubt := doubt_in(value))), None)


def _unknown(node: ast.Call, scope: Scope, evaluate: Evaluate) -> Opaque:
    """Return what a call of something unknown gives: nobody knows, nor what it did to its arguments."""
    name = ast.unparse(node.func)
    why = Opaque(f"{name}() may change it", node.lineno)
    args, kwargs, _ = _arguments(node, scope, evaluate)
    for argument in (*args, *kwargs.values()):
        if isinstance(argument, Environ):
            scope.doubt_variable("", Opaque(f"{name}() may set it", node.lineno))
        elif isinstance(argument, Namespace):
            scope.doubt_all(Opaque(f"{name}() may set it", node.lineno), maybe=True)
        else:
            scope.spoil(argument, why)
    if any(isinstance(argument, ast.Name) and argument.id == "__name__" for argument in node.args):
        scope.doubt_all(Opaque(f"{name}() may set it", node.lineno), maybe=True)
    return Opaque(f"{name}() gives it", node.lineno)
