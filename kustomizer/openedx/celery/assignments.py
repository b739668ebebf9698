"""What assignments and deletions in a settings file do to names, to items of what they hold, and to the environment."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, cast

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.app_conf import Configuration, changed
from kustomizer.openedx.celery.expressions import evaluate, passing
from kustomizer.openedx.celery.os_environ import change_variables
from kustomizer.openedx.celery.python_values import (
    HOLDERS,
    Environ,
    Group,
    Listing,
    Module,
    Modules,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    items_of,
    keys_doubt,
    merge,
    table_like,
)
from kustomizer.openedx.celery.skipped import NAMESPACES, escapes, may_have_run, parts_escape
from kustomizer.openedx.celery.syntax import dotted

if TYPE_CHECKING:
    from kustomizer.openedx.celery.scope import Scope


def store(scope: Scope, target: ast.expr, value: Any, line: int) -> None:
    """Give an assignment's target a value."""
    if isinstance(target, ast.Name):
        scope.bind(target.id, value, line)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(scope, target, value, line)
    elif isinstance(target, ast.Subscript):
        _store_item(scope, target, value, line)
    elif isinstance(target, ast.Starred):
        store(scope, target.value, value, line)
    elif isinstance(target, ast.Attribute):
        _store_attribute(scope, target, value, line)


def _unpack(scope: Scope, target: ast.Tuple | ast.List, value: Any, line: int) -> None:
    targets = target.elts
    values: list[Any] | Opaque = items_of(value)
    stars = [index for index, element in enumerate(targets) if isinstance(element, ast.Starred)]
    if isinstance(values, list) and stars and len(values) >= len(targets) - 1:
        end = len(values) - (len(targets) - 1 - stars[0])
        values = [*values[: stars[0]], Listing(values[stars[0] : end]), *values[end:]]
    if isinstance(values, Opaque):
        scope.unknown.append(values)
        values = [values] * len(targets)
    elif len(values) != len(targets):
        raise ValueError(target)
    for element_target, element in zip(targets, values, strict=True):
        store(scope, element_target, element, line)


def _store_item(scope: Scope, target: ast.Subscript, value: Any, line: int) -> None:
    holder, key = evaluate(target.value, scope), evaluate(target.slice, scope)
    if isinstance(holder, Environ):
        if isinstance(key, str):
            scope.set_variable(key, value, line)
        else:
            scope.doubt_variable("", Opaque("a computed variable is set", line))
    elif isinstance(holder, Namespace):
        with scope.at(holder.module):
            if isinstance(key, str):
                scope.bind(key, value, line)
            else:
                scope.doubt_all(Opaque("a computed name is set", line))
    elif isinstance(holder, Table) and doubt_in(key) is None:
        holder[key] = value
        scope.touch(holder, line)
        if holder.doubt is not None:
            # Whoever has it gets the value.
            escapes(scope, value, holder.doubt)
    elif isinstance(holder, Modules):
        with scope.at(key if isinstance(key, str) else scope.module):
            scope.add(scope.module)
            scope.doubt_all(Opaque("it is another module", line))
        escapes(scope, value, Opaque("it is a module", line))
    elif isinstance(holder, (str, int, float, tuple, type(None))):
        raise TypeError(holder)
    else:
        _store_item_of_unknown(scope, holder, key, value, line)


def _store_item_of_unknown(scope: Scope, holder: Any, key: Any, value: Any, line: int) -> None:
    if isinstance(holder, Configuration):
        changed(scope, [key], line)
    why = Opaque("an item of it is set", line)
    scope.unknown.append(why)
    scope.spoil(holder, why)
    escapes(scope, value, why)
    if not isinstance(holder, HOLDERS) and isinstance(key, str):
        # It may be the names of this very module.
        scope.may_be_set_anywhere(key, Opaque(f"an item {key} is set, which may be it", line))


def _store_attribute(scope: Scope, target: ast.Attribute, value: Any, line: int) -> None:
    holder = evaluate(target.value, scope)
    if isinstance(holder, Namespace):
        with scope.at(holder.module):
            scope.bind(target.attr, value, line)
        return
    if isinstance(holder, Configuration):
        changed(scope, [target.attr], line)
        return
    if isinstance(holder, Module) and f"{holder.name}.{target.attr}" in library.NAMED:
        scope.stop(Opaque(f"{holder.name}.{target.attr} is another one", line))
    why = Opaque(f"{dotted(target)} is set, which may be it", line)
    scope.unknown.append(why)
    escapes(scope, value, why)
    if isinstance(holder, Environ) or (isinstance(holder, Module) and (holder.name, target.attr) == ("os", "environ")):
        scope.doubt_variable("", Opaque("the environment is another one", line))
    elif isinstance(holder, Opaque):
        # It may be this very module.
        scope.may_be_set_anywhere(target.attr, why)


def augment(scope: Scope, node: ast.AugAssign) -> None:
    """Carry out ``+=`` and its like."""
    if not is_plain(node.target):
        why = Opaque("what is changed is computed", node.lineno)
        scope.unknown.append(why)
        may_have_run(scope, [node], why)
        return
    old = evaluate(ast.copy_location(loaded(node.target), node), scope)
    if isinstance(old, Environ):
        change_variables(scope, evaluate(node.value, scope), node.lineno)
        return
    if isinstance(old, Namespace):
        with scope.at(old.module):
            _bind_all(scope, evaluate(node.value, scope), node.lineno)
        return
    if isinstance(old, (Listing, Table)) and isinstance(node.op, ast.Add if isinstance(old, Listing) else ast.BitOr):
        new = _with_more(old, passing(node.value, scope), scope)
    else:
        new = evaluate(ast.copy_location(ast.BinOp(loaded(node.target), node.op, node.value), node), scope)
    if isinstance(old, HOLDERS) and type(new) is type(old) and old.doubt is None:
        # In place: other names that hold it see it, too.
        old.clear()
        if isinstance(old, Table):
            merge(old, cast(Table, new))
        elif isinstance(old, Group):
            old.update(new)
        else:
            old.extend(new)
        scope.touch(old, node.lineno)
        return
    if isinstance(new, Opaque):
        scope.unknown.append(new)
        scope.spoil(old, new)
    store(scope, node.target, new, node.lineno)


def _with_more(old: Listing | Table, more: Any, scope: Scope) -> Listing | Table | Opaque:
    """Return what ``old`` holds together with items of any kind."""
    pairs = more if isinstance(more, Table) else doubt_in(more) or more
    items: Any = items_of(more) if isinstance(old, Listing) else pairs
    doubt = old.doubt or (items if isinstance(items, Opaque) else None)
    if doubt is not None:
        parts_escape(scope, [more], doubt)
        return doubt
    if isinstance(old, Listing):
        return Listing([*old, *items])
    table = table_like(old)
    merge(table, items if isinstance(items, Table) else Table(items))
    return table


def _bind_all(scope: Scope, values: Any, line: int) -> None:
    if not isinstance(values, Table) or keys_doubt(values) is not None:
        scope.doubt_all(Opaque("computed names are set", line))
        return
    for name, value in values.items():
        scope.bind(str(name), value, line)


def is_plain(target: ast.expr) -> bool:
    """Tell whether a target may be evaluated twice: nothing is called for it that may do something."""
    calls = [inner for inner in ast.walk(target) if isinstance(inner, (ast.Call, ast.NamedExpr))]
    return all(isinstance(call, ast.Call) and dotted(call.func) in NAMESPACES for call in calls)


def loaded(target: ast.expr) -> ast.expr:
    """Return an assignment's target as an expression that is read."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


def delete(scope: Scope, target: ast.expr, line: int) -> None:
    """Carry out ``del``."""
    if not is_plain(target):
        why = Opaque("what is deleted is computed", line)
        scope.unknown.append(why)
        may_have_run(scope, [target], why)
        return
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            delete(scope, element, line)
        return
    # Where there is no such thing it fails.
    evaluate(loaded(target), scope)
    if isinstance(target, ast.Name):
        scope.remove(target.id)
    elif isinstance(target, (ast.Subscript, ast.Attribute)):
        holder = evaluate(target.value, scope)
        key = evaluate(target.slice, scope) if isinstance(target, ast.Subscript) else target.attr
        _delete_item(scope, holder, key, line)


def _delete_item(scope: Scope, holder: Any, key: Any, line: int) -> None:
    if isinstance(holder, Environ):
        if isinstance(key, str) and key:
            scope.unset_variable(key)
        else:
            scope.doubt_variable("", Opaque("a computed variable is deleted", line))
    elif isinstance(holder, Namespace):
        with scope.at(holder.module):
            if isinstance(key, str):
                scope.remove(key)
            else:
                scope.doubt_all(Opaque("a computed name is deleted", line))
    elif isinstance(holder, Table) and doubt_in(key) is None:
        holder.pop(key, None)
        scope.touch(holder, line)
    else:
        why = Opaque("an item of it is deleted", line)
        scope.unknown.append(why)
        scope.spoil(holder, why)
        if isinstance(holder, Opaque) and isinstance(key, str):
            scope.may_be_set_anywhere(key, why)
