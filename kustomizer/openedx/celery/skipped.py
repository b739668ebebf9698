"""What statements have done that may have run or not: the names, variables and values that they touch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from kustomizer.openedx.celery.python_values import Opaque
from kustomizer.openedx.celery.touched import stored, touched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kustomizer.openedx.celery.scope import Scope

_CHANGES = frozenset({"clear", "pop", "popitem", "setdefault", "update"})
_COMPUTED = frozenset({"exec", "setattr"})
NAMESPACES = frozenset({"globals", "locals", "vars"})


def may_have_run(scope: Scope, nodes: Sequence[ast.AST], why: Opaque) -> None:
    """Note in ``scope`` all that these statements may have set."""
    note_calls(scope, nodes)
    own = stored(nodes)
    # A call changes no text and no number, whoever is handed it.
    scope.make_opaque({name for name in touched(nodes) if name in own or not scope.holds_plain(name)}, why)


def note_calls(scope: Scope, nodes: Iterable[ast.AST]) -> None:
    """Heed variables, star imports, functions of the file and computed names in statements that may not run."""
    for node in (inner for top in nodes for inner in ast.walk(top)):
        line = getattr(node, "lineno", 0)
        for name in _variables(scope, node):
            scope.doubt_variable(name, Opaque("it may be set in the environment", line))
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            scope.doubt_all(Opaque(f"{node.module} may set it", line), maybe=True)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if scope.defines(node.func.id):
                run_unseen(scope, node.func.id, line, maybe=True)
            elif node.func.id in _COMPUTED | NAMESPACES:
                scope.doubt_all(Opaque("a computed name may be set", line), maybe=True)


def run_unseen(scope: Scope, name: str, line: int, *, maybe: bool = False) -> None:
    """Note that a function of this file was called."""
    function, why = scope.function(name), Opaque(f"{name}() may set it", line)
    inner = list(ast.walk(function))
    named = {outer for node in inner if isinstance(node, ast.Global) for outer in node.names}
    stored = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    scope.make_opaque(named | (touched(function.body) - stored), why)
    for node in inner:
        for variable in _variables(scope, node):
            scope.doubt_variable(variable, why)
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if called in _COMPUTED or (called in NAMESPACES and not _is_named(node, inner)):
            scope.doubt_all(why, maybe=maybe)


def _is_named(call: ast.AST, nodes: Sequence[ast.AST]) -> bool:
    """Tell whether a namespace is only used for names that stand there."""
    users = [node for node in nodes if isinstance(node, ast.Subscript) and node.value is call]
    readers = [node for node in nodes if isinstance(node, ast.Attribute) and node.value is call and node.attr == "get"]
    return bool(readers) or any(isinstance(user.slice, ast.Constant) for user in users)


def _variables(scope: Scope, node: ast.AST) -> Iterator[str]:
    """Yield the variables of the environment that a statement changes, an empty name for any."""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, (ast.Store, ast.Del))
        and _is_environ(scope, node.value)
    ):
        yield str(node.slice.value) if isinstance(node.slice, ast.Constant) else ""
    elif isinstance(node, ast.AugAssign) and _is_environ(scope, node.target):
        yield ""
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES:
        first = node.args[0] if node.args and node.func.attr in ("pop", "setdefault") else None
        name = str(first.value) if isinstance(first, ast.Constant) else ""
        yield from [name] if _is_environ(scope, node.func.value) else []


def _is_environ(scope: Scope, node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "environ"
    return isinstance(node, ast.Name) and scope.holds_environment(node.id)
