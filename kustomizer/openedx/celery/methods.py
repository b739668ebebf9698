"""Methods of values that a settings file calls, and functions of Python's own modules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.operators import LARGEST, is_wide
from kustomizer.openedx.celery.os_environ import of_environment, variable_asked
from kustomizer.openedx.celery.python_values import (
    Environ,
    Function,
    Listing,
    Module,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    keys_doubt,
    table_like,
    wrapped,
)

if TYPE_CHECKING:
    import ast

    from kustomizer.openedx.celery.call import Call

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


def method_called(call: Call, function: ast.Attribute) -> Any:
    """Return what a method or a module's function gives, and carry out what it does."""
    holder = call.evaluate(function.value)
    if isinstance(holder, Module):
        known = library.member(holder.name, function.attr)
        if isinstance(known, Function):
            return imported(call, known)
        if holder.name in library.HARMLESS:
            call.arguments()
            return call.computed()
        return call.unknown()
    if isinstance(holder, Environ):
        return of_environment(call, function.attr)
    if isinstance(holder, Namespace):
        return _of_namespace(call, function.attr)
    methods = ((_PURE_METHODS, _pure), (_CHANGING_METHODS, _changing))
    for table, carry_out in methods:
        if function.attr in table.get(type(holder), ()):
            return carry_out(call, function.attr, holder)
    call.scope.spoil(holder, Opaque(f"{function.attr}() may change it", call.line))
    return call.unknown()


def imported(call: Call, function: Function) -> Any:
    """Return what a function of Python's own library gives."""
    if function.name == "os.getenv":
        return variable_asked(call)
    args, kwargs, doubt = call.arguments()
    if function.name in ("copy.copy", "copy.deepcopy") and args:
        return args[0] if isinstance(args[0], Opaque) else wrapped(args[0])
    return doubt or library.FUNCTIONS[function.name](*args, **kwargs)


def _pure(call: Call, method: str, holder: Any) -> Any:
    args, kwargs, doubt = call.arguments()
    if method == "get" and isinstance(holder, Table):
        return _got(call, holder, args, doubt)
    if method == "copy" and isinstance(holder, Table):
        return table_like(holder)
    doubt = doubt or getattr(holder, "doubt", None) or keys_doubt(holder)
    if doubt is not None:
        return doubt
    if method in ("format", "format_map") and is_wide(holder):
        return Opaque("it is formatted", call.line)
    result = getattr(holder, method)(*args, **kwargs)
    if method in ("items", "keys", "values", "split", "rsplit"):
        return Listing(result)
    if isinstance(result, str) and len(result) > LARGEST:
        return Opaque("it is too long", call.line)
    return wrapped(result) if isinstance(result, (dict, list)) else result


def _got(call: Call, table: Table, args: list[Any], doubt: Opaque | None) -> Any:
    if table.doubt or not args or doubt_in(args[0]):
        return table.doubt or doubt or call.computed()
    if args[0] not in table and table.partial:
        return keys_doubt(table)
    return table.get(args[0], args[1] if len(args) > 1 else None)


def _changing(call: Call, method: str, holder: Any) -> Any:
    args, kwargs, _ = call.arguments()
    first = args[0] if args else None
    whole = method in ("update", "extend")
    doubt = (first if isinstance(first, Opaque) else getattr(first, "doubt", None)) if whole else doubt_in(first)
    if method in ("append", "insert", "setdefault"):
        doubt = doubt_in(first) if method != "append" else None
    if doubt is not None:
        call.scope.spoil(holder, doubt)
        return doubt
    if whole and getattr(first, "partial", False) and isinstance(holder, Table):
        holder.partial = True
    call.scope.touch(holder, call.line)
    return getattr(holder, method)(*args, **kwargs)


def _of_namespace(call: Call, method: str) -> Any:
    args, kwargs, _ = call.arguments()
    if method == "get" and args and isinstance(args[0], str):
        default = args[1] if len(args) > 1 else None
        return call.scope.get(args[0], call.line, default=default)
    if method in ("update", "setdefault"):
        entries = [(args[0], args[1] if len(args) > 1 else None)] if method == "setdefault" and args else []
        tables = args if method == "update" else []
        if all(isinstance(table, Table) and table.doubt is None for table in tables):
            entries += [pair for table in tables for pair in table.items()] + list(kwargs.items())
            for name, value in entries:
                if method == "update" or not call.scope.has(str(name)):
                    call.scope.bind(str(name), value, call.line)
            return None
    if method == "pop" and args and isinstance(args[0], str):
        value = call.scope.get(args[0], call.line, default=args[1] if len(args) > 1 else None)
        call.scope.remove(args[0])
        return value
    if method not in ("keys", "items", "values", "get", "copy"):
        call.scope.doubt_all(Opaque("the module's names are changed by a computation", call.line))
    return call.computed()
