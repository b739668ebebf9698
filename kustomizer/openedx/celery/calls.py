"""Calls in a settings file: those whose effect is known, and what all others may have done."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING
from urllib import parse

from kustomizer.openedx.celery.python_values import (
    Environ,
    Function,
    Listing,
    NamedQueue,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    keys_doubt,
    table_like,
    wrapped,
)
from kustomizer.openedx.celery.values import Known

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kustomizer.openedx.celery.scope import Scope

    Evaluate = Callable[[ast.expr, Scope], Any]

_LARGEST = 100_000


def _range(*args: int) -> Any:
    numbers = range(*args)
    return Listing(numbers) if len(numbers) <= _LARGEST else Opaque("it is too long")


# Functions that give a plain value of plain ones.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "bool": bool,
    "dict": Table,
    "float": float,
    "frozenset": set,
    "int": int,
    "len": len,
    "list": Listing,
    "max": max,
    "min": min,
    "range": _range,
    "set": set,
    "sorted": lambda *args: Listing(sorted(*args)),
    "str": str,
    "tuple": tuple,
}
# They take whatever they are given, and leave it as it is.
_HARMLESS = frozenset(
    {"FeaturesProxy", "print", "isinstance", "issubclass", "hasattr", "type", "id", "repr", "getattr", "any", "all"}
    | {"enumerate", "zip", "reversed", "abs", "round", "sum", "timedelta", "crontab", "Path", "path", "open"}
)
_POWERFUL = frozenset({"exec", "eval", "setattr", "delattr", "__import__"})
_MODULES = frozenset({"copy", "json", "logging", "re", "warnings"})
_NAMESPACES = frozenset({"globals", "locals", "vars"})
_PURE_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        {"capitalize", "casefold", "count", "endswith", "find", "format", "isdigit", "join", "lower", "lstrip"}
        | {"partition", "removeprefix", "removesuffix", "replace", "rpartition", "rsplit", "rstrip", "split"}
        | {"startswith", "strip", "title", "upper"}
    ),
    Table: frozenset({"copy", "get", "items", "keys", "values"}),
    Listing: frozenset({"copy", "count", "index"}),
    tuple: frozenset({"count", "index"}),
    set: frozenset({"copy", "union", "difference"}),
}
_CHANGING_METHODS: dict[type, frozenset[str]] = {
    Table: frozenset({"clear", "pop", "setdefault", "update"}),
    Listing: frozenset({"append", "clear", "extend", "insert", "pop", "remove"}),
    set: frozenset({"add", "discard", "update"}),
}


def called(node: ast.Call, scope: Scope, evaluate: Evaluate) -> Any:
    """Return what a call gives, and carry out what it does to known values."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return _method(node, function, scope, evaluate)
    if not isinstance(function, ast.Name):
        return _unknown(node, scope, evaluate)
    name = function.id
    bound = scope.get(name, node.lineno) if scope.has(name) else None
    if isinstance(bound, Function):
        return _imported(node, bound, scope, evaluate)
    if scope.defines(name):
        scope.run_unseen(name, node.lineno)
    elif name in _NAMESPACES and not node.args:
        return Namespace()
    elif name == "Queue":
        return _queue(node, scope, evaluate)
    elif name in _FUNCTIONS:
        return _plain_value(name, node, scope, evaluate)
    elif name in _HARMLESS:
        _arguments(node, scope, evaluate)
        return Opaque("it is computed", node.lineno)
    elif name in _POWERFUL:
        scope.doubt_all(Opaque(f"{name}() may set it", node.lineno))
    return _unknown(node, scope, evaluate)


def _imported(node: ast.Call, function: Function, scope: Scope, evaluate: Evaluate) -> Any:
    if function.name == "getenv":
        return _variable(node, scope, evaluate)
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    return doubt or getattr(parse, function.name)(*args, **kwargs)


def _plain_value(name: str, node: ast.Call, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    if name == "dict" and (not args or isinstance(args[0], Table)):
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
    if isinstance(function.value, ast.Name) and function.value.id == "os" and function.attr == "getenv":
        return _variable(node, scope, evaluate)
    if isinstance(function.value, ast.Name) and function.value.id in _MODULES:
        return _of_module(node, function.value.id, function.attr, scope, evaluate)
    holder = evaluate(function.value, scope)
    if isinstance(holder, Environ):
        if function.attr == "get":
            return _variable(node, scope, evaluate)
        return Opaque("it reads or changes the environment", node.lineno)
    if isinstance(holder, Namespace):
        return _of_namespace(node, function.attr, scope, evaluate)
    methods = ((_PURE_METHODS, _pure), (_CHANGING_METHODS, _changing))
    for table, carry_out in methods:
        if function.attr in table.get(type(holder), ()):
            return carry_out(node, function.attr, holder, scope, evaluate)
    scope.spoil(holder, Opaque(f"{function.attr}() may change it", node.lineno))
    return _unknown(node, scope, evaluate)


def _of_module(node: ast.Call, module: str, function: str, scope: Scope, evaluate: Evaluate) -> Any:
    """Return what a function of Python's own library gives, which leaves its arguments as they are."""
    args, _, _ = _arguments(node, scope, evaluate)
    if module == "copy" and function in ("copy", "deepcopy") and args:
        return args[0] if isinstance(args[0], Opaque) else wrapped(args[0])
    return Opaque("it is computed", node.lineno)


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
    if method not in ("keys", "items", "values", "get", "copy"):
        scope.doubt_all(Opaque("the module's names are changed by a computation", node.lineno))
    return Opaque("it is computed", node.lineno)


def _pure(node: ast.Call, method: str, holder: Any, scope: Scope, evaluate: Evaluate) -> Any:
    args, kwargs, doubt = _arguments(node, scope, evaluate)
    if method == "get" and isinstance(holder, Table):
        if holder.doubt or not args or doubt_in(args[0]):
            return holder.doubt or doubt or Opaque("it is computed", node.lineno)
        if args[0] not in holder and holder.partial:
            return keys_doubt(holder)
        return holder.get(args[0], args[1] if len(args) > 1 else None)
    if method == "copy" and isinstance(holder, Table):
        return table_like(holder)
    doubt = doubt or getattr(holder, "doubt", None) or keys_doubt(holder)
    if doubt is not None:
        return doubt
    result = getattr(holder, method)(*args, **kwargs)
    if method in ("items", "keys", "values", "split", "rsplit"):
        return Listing(result)
    if isinstance(result, str) and len(result) > _LARGEST:
        return Opaque("it is too long", node.lineno)
    return wrapped(result) if isinstance(result, (dict, list)) else result


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
        if isinstance(argument, Namespace):
            scope.doubt_all(Opaque(f"{name}() may set it", node.lineno), maybe=True)
        else:
            scope.spoil(argument, why)
    if any(isinstance(argument, ast.Name) and argument.id == "__name__" for argument in node.args):
        scope.doubt_all(Opaque(f"{name}() may set it", node.lineno), maybe=True)
    return Opaque(f"{name}() gives it", node.lineno)
