"""Methods of values that a settings file calls, and functions of Python's own modules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.app_conf import Configuration, changed
from kustomizer.openedx.celery.functions import function_called
from kustomizer.openedx.celery.operators import LARGEST
from kustomizer.openedx.celery.os_environ import of_environment, variable_asked
from kustomizer.openedx.celery.python_values import (
    HOLDERS,
    Defined,
    Environ,
    Function,
    Group,
    Listing,
    Module,
    Namespace,
    Opaque,
    Partial,
    Passing,
    Table,
    copied,
    doubt_in,
    has_attribute,
    has_no_order,
    keys_doubt,
    merge,
    own_doubt,
    shallow,
)
from kustomizer.openedx.celery.skipped import escapes, parts_escape
from kustomizer.openedx.celery.texts import is_text, is_wide, put_together, quoted

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
    Group: frozenset({"copy", "union", "difference"}),
}
_CHANGING_METHODS: dict[type, frozenset[str]] = {
    Table: frozenset({"clear", "pop", "setdefault", "update"}),
    Listing: frozenset({"append", "clear", "extend", "insert", "pop", "remove"}),
    Group: frozenset({"add", "discard", "update"}),
}
_QUOTING = frozenset({"urllib.parse.quote", "urllib.parse.quote_plus"})
# Methods of lists that look for what is equal.
_LOOKING = frozenset({"count", "index", "remove"})


def method_called(call: Call, function: ast.Attribute) -> Any:
    """Return what a method or a module's function gives, and carry out what it does."""
    holder = call.evaluate(function.value)
    if isinstance(holder, Module):
        library_function = library.member(holder.name, function.attr)
        return imported(call, library_function) if isinstance(library_function, Function) else call.unknown()
    if isinstance(holder, Environ):
        return of_environment(call, function.attr)
    if isinstance(holder, Configuration):
        return _of_celerys_conf(call, function.attr)
    if isinstance(holder, Namespace):
        with call.scope.at(holder.module):
            module_value = call.scope.value(function.attr)
        return (
            function_called(call, module_value)
            if isinstance(module_value, Defined)
            else _of_namespace(call, function.attr, holder)
        )
    methods = ((_PURE_METHODS, _pure), (_CHANGING_METHODS, _changing))
    for table, carry_out in methods:
        if function.attr in table.get(type(holder), ()):
            return carry_out(call, function.attr, holder)
    if not has_attribute(holder, function.attr):
        raise AttributeError(function.attr)
    escapes(call.scope, holder, Opaque(f"{function.attr}() may change it", call.line))
    return call.unknown()


def _of_celerys_conf(call: Call, method: str) -> Any:
    args, kwargs, _ = call.arguments()
    if method == "update":
        tables = [kwargs, *args]
        are_known = all(isinstance(table, Table) and keys_doubt(table) is None for table in tables)
        changed(call.scope, [name for table in tables for name in table] if are_known else None, call.line)
    return call.unknown()


def imported(call: Call, function: Function) -> Any:
    """Return what a function of Python's own library gives."""
    if function.name == "os.getenv":
        return variable_asked(call)
    call.hand_on()
    args, kwargs, doubt = call.arguments()
    if function.name in ("copy.copy", "copy.deepcopy") and args:
        return shallow(args[0]) if function.name == "copy.copy" else copied(args[0], {})
    if function.name in _QUOTING and args and isinstance(args[0], Partial) and "%" not in str([*args[1:], kwargs]):
        return quoted(args[0])
    carry_out = library.FUNCTIONS.get(function.name)
    return doubt or (call.computed() if carry_out is None else carry_out(*args, **kwargs))


def _pure(call: Call, method: str, holder: Any) -> Any:
    args, kwargs, doubt = call.arguments()
    if method == "get" and isinstance(holder, Table):
        return _got(call, holder, args, doubt)
    if method == "copy":
        return shallow(holder)
    doubt = doubt or keys_doubt(holder) or _order_doubt(call, holder)
    if method in _LOOKING:
        doubt = doubt or doubt_in(holder)
    makes_text = isinstance(holder, str) and (method == "join" or (method == "format" and not is_wide(holder)))
    if makes_text and doubt is not None and args.doubt is None and not kwargs.partial:
        return put_together(getattr(holder, method), *args, **kwargs)
    if doubt is not None:
        parts_escape(call.scope, [holder], doubt)
        return doubt
    if method in ("format", "format_map") and (is_wide(holder) or not all(map(is_text, (*args, kwargs)))):
        return Opaque("it is formatted", call.line)
    result = getattr(holder, method)(*args, **kwargs)
    if method in ("items", "keys", "values"):
        return Passing(result, [holder])
    if isinstance(result, str) and len(result) > LARGEST:
        return Opaque("it is too long", call.line)
    return Listing(result) if isinstance(result, list) else Group(result) if isinstance(result, set) else result


def _got(call: Call, table: Table, args: list[Any], doubt: Opaque | None) -> Any:
    if table.doubt or not args or doubt_in(args[0]):
        parts_escape(call.scope, [table, args], call.computed())
        return table.doubt or doubt or call.computed()
    if args[0] not in table and table.partial:
        parts_escape(call.scope, [args], call.computed())
        return keys_doubt(table)
    return table.get(args[0], args[1] if len(args) > 1 else None)


def _changing(call: Call, method: str, holder: Any) -> Any:
    args, kwargs, _ = call.arguments()
    is_whole = method in ("update", "extend")
    if not is_whole and any(isinstance(argument, Passing) for argument in args):
        args = Listing(Opaque("what it goes through is kept", call.line) for _ in args)
    first = args[0] if args else None
    if method in ("append", "insert", "clear"):
        doubt = own_doubt(first) if method == "insert" else args.doubt
    else:
        doubt = args.doubt or kwargs.doubt or (own_doubt(first) if is_whole else doubt_in(first))
        doubt = doubt or (doubt_in(holder) if method in _LOOKING else None)
        doubt = doubt or (_order_doubt(call, holder) if is_whole else None)
    if doubt is not None or (is_whole and len(args) > 1):
        doubt = doubt if isinstance(doubt, Opaque) and doubt.line else Opaque(f"{call.name} may change it", call.line)
        _handed_on(call, doubt, is_whole=is_whole)
        escapes(call.scope, holder, doubt)
        return doubt
    if holder.doubt is not None:
        # Whoever has it gets them.
        _handed_on(call, holder.doubt, is_whole=is_whole)
        return holder.doubt
    call.scope.touch(holder, call.line)
    if isinstance(holder, Table):
        return _table_changed(holder, method, args, kwargs)
    return getattr(holder, method)(*args)


def _order_doubt(call: Call, holder: Any) -> Opaque | None:
    """Return why the order in which ``holder`` is given items isn't known, None where it is or makes no difference."""
    args, _, _ = call.arguments()
    is_free = isinstance(holder, Group) or not any(map(has_no_order, args))
    return None if is_free else Opaque("a set's items come in any order", call.line)


def _handed_on(call: Call, why: Opaque, *, is_whole: bool) -> None:
    """Note that arguments have become part of something unknown: as a ``whole`` only what is in them has."""
    args, kwargs, _ = call.arguments()
    parts_escape(call.scope, args if is_whole else [args], why)
    parts_escape(call.scope, [kwargs], why)


def _table_changed(table: Table, method: str, args: list[Any], kwargs: Table) -> Any:
    if method == "update":
        for other in (*args, kwargs):
            merge(table, other if isinstance(other, dict) else Table(other))
        return None
    if method == "clear":
        table.partial, table.rest = False, None
    elif table.partial and args[0] not in table:
        # Open edX, or whoever else has set items that aren't known, may have set this one.
        unknown = keys_doubt(table)
        if method == "setdefault":
            table[args[0]] = unknown
        return unknown
    return getattr(table, method)(*args)


def _of_namespace(call: Call, method: str, namespace: Namespace) -> Any:
    args, kwargs, _ = call.arguments()
    scope, first = call.scope, args[0] if args else None
    default = args[1] if len(args) > 1 else None
    with scope.at(namespace.module):
        if method == "get" and isinstance(first, str):
            return scope.get(first, call.line, default=default)
        if method == "setdefault" and isinstance(first, str):
            if not scope.has(first):
                scope.bind(first, default, call.line)
            return scope.get(first, call.line)
        if method == "update" and all(
            isinstance(table, Table) and keys_doubt(table) is None for table in (*args, kwargs)
        ):
            for name, value in (pair for table in (*args, kwargs) for pair in table.items()):
                scope.bind(str(name), value, call.line)
            return None
        if method == "pop" and isinstance(first, str):
            value = scope.get(first, call.line, **({"default": default} if len(args) > 1 else {}))
            scope.remove(first)
            return value
        if method not in ("keys", "items", "values", "get", "copy"):
            scope.doubt_all(Opaque("the module's names are changed by a computation", call.line))
    parts_escape(scope, [namespace], call.computed())
    for argument in (*args, *kwargs.values()):
        scope.spoil(argument, call.computed()) if isinstance(argument, HOLDERS) else None
    return call.computed()
