"""What assignments and deletions in a settings file do to names, to items of what they hold, and to the environment."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.expressions import evaluate
from kustomizer.openedx.celery.os_environ import change_variables
from kustomizer.openedx.celery.python_values import (
    Environ,
    Listing,
    Module,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    keys_doubt,
)

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
    targets, values = target.elts, value
    stars = [index for index, element in enumerate(targets) if isinstance(element, ast.Starred)]
    plain = isinstance(value, (tuple, Listing)) and getattr(value, "doubt", None) is None
    if plain and stars and len(value) >= len(targets) - 1:
        rest = len(targets) - 1 - stars[0]
        end = len(value) - rest
        values = [*value[: stars[0]], Listing(value[stars[0] : end]), *value[end:]]
    known = plain and len(values) == len(targets)
    for index, element_target in enumerate(targets):
        store(scope, element_target, values[index] if known else Opaque("it is computed", line), line)


def _store_item(scope: Scope, target: ast.Subscript, value: Any, line: int) -> None:
    holder, key = evaluate(target.value, scope), evaluate(target.slice, scope)
    if isinstance(holder, Environ):
        if isinstance(key, str):
            scope.set_variable(key, value, line)
        else:
            scope.doubt_variable("", Opaque("a computed variable is set", line))
    elif isinstance(holder, Namespace):
        if isinstance(key, str):
            scope.bind(key, value, line)
        else:
            scope.doubt_all(Opaque("a computed name is set", line))
    elif isinstance(holder, Table) and doubt_in(key) is None:
        holder[key] = value
        scope.touch(holder, line)
    elif isinstance(holder, Opaque) and isinstance(key, str) and key.isupper():
        # It may be the names of this very module.
        scope.make_opaque([key], Opaque(f"an item {key} is set, which may be it", line))
    else:
        scope.spoil(holder, Opaque("an item of it is computed", line))


def _store_attribute(scope: Scope, target: ast.Attribute, value: Any, line: int) -> None:
    holder = evaluate(target.value, scope)
    if isinstance(holder, Namespace):
        scope.bind(target.attr, value, line)
    elif isinstance(holder, Module) and (holder.name, target.attr) == ("os", "environ"):
        scope.doubt_variable("", Opaque("the environment is another one", line))
    elif isinstance(holder, Opaque) and target.attr.isupper():
        # It may be this very module.
        scope.make_opaque([target.attr], Opaque(f"{ast.unparse(target)} is set, which may be it", line))


def augment(scope: Scope, node: ast.AugAssign) -> None:
    """Carry out ``+=`` and its like."""
    old = evaluate(ast.copy_location(loaded(node.target), node), scope)
    if isinstance(old, Environ):
        change_variables(scope, evaluate(node.value, scope), node.lineno)
        return
    if isinstance(old, Namespace):
        _bind_all(scope, evaluate(node.value, scope), node.lineno)
        return
    new = evaluate(ast.copy_location(ast.BinOp(loaded(node.target), node.op, node.value), node), scope)
    if isinstance(old, (Table, Listing)) and isinstance(new, (Table, Listing)) and old.doubt is None:
        # In place: other names that hold it see it, too.
        if isinstance(old, Table):
            old.update(new)
        else:
            old[:] = new
        scope.touch(old, node.lineno)
        return
    if isinstance(new, Opaque):
        scope.spoil(old, new)
    store(scope, node.target, new, node.lineno)


def _bind_all(scope: Scope, values: Any, line: int) -> None:
    if not isinstance(values, Table) or keys_doubt(values) is not None:
        scope.doubt_all(Opaque("computed names are set", line))
        return
    for name, value in values.items():
        scope.bind(str(name), value, line)


def loaded(target: ast.expr) -> ast.expr:
    """Return an assignment's target as an expression that is read."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


def delete(scope: Scope, target: ast.expr, line: int) -> None:
    """Carry out ``del``."""
    if isinstance(target, ast.Name):
        scope.remove(target.id)
    elif isinstance(target, ast.Subscript):
        holder, key = evaluate(target.value, scope), evaluate(target.slice, scope)
        if isinstance(holder, Environ):
            if isinstance(key, str) and key:
                scope.set_variable(key, None, line)
            else:
                scope.doubt_variable("", Opaque("a computed variable is deleted", line))
        elif isinstance(holder, Table) and doubt_in(key) is None:
            holder.pop(key, None)
            scope.touch(holder, line)
        else:
            scope.spoil(holder, Opaque("an item of it is deleted", line))
