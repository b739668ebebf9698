"""The names that statements of a settings file may set."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def touched(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements may set, or whose value they may change."""
    nodes = list(nodes)
    names = stored(nodes)
    for node in (inner for top in nodes for inner in ast.walk(top)):
        if isinstance(node, ast.Call):
            names |= _root(node.func) if isinstance(node.func, ast.Attribute) else set()
            arguments = [*node.args, *(key.value for key in node.keywords)]
            names |= {argument.id for argument in arguments if isinstance(argument, ast.Name)}
    return names


def stored(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements may set themselves, or an item of."""
    names: set[str] = set()
    for node in (inner for top in nodes for inner in ast.walk(top)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names if alias.name != "*"}
        elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names |= _root(node) or _of_namespace(node)
    return names


def _of_namespace(node: ast.Subscript | ast.Attribute) -> set[str]:
    """Return the name that ``globals()["NAME"] = …`` or an attribute of some object sets, which may be this module."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.value, ast.Call):
        return {str(node.slice.value)}
    return set()


def _root(node: ast.AST) -> set[str]:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
