"""Reads the dictionaries of a Django settings module, without running it.

Values that the module computes aren't seen here: only a running pod knows them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any


class PythonSettings:
    """A settings module's text, parsed."""

    def __init__(self, text: str) -> None:
        try:
            nodes = list(ast.walk(ast.parse(text)))
        except (SyntaxError, ValueError, RecursionError):
            # It may be written for another version of Python: nothing is known of it.
            nodes = []
        statements = [node for node in nodes if isinstance(node, (ast.Assign, ast.Expr))]
        self._statements = sorted(statements, key=lambda node: (node.lineno, node.col_offset))

    def entries(self, name: str) -> dict[str, Any]:
        """Return the entries of the dictionary ``name``: from assignments, calls of ``update`` and single keys."""
        entries: dict[str, Any] = {}
        for statement in self._statements:
            for key, value in _entries(statement, name):
                literal = _literal(value)
                if literal is not None:
                    entries[key] = literal
        return entries


def _entries(statement: ast.Assign | ast.Expr, name: str) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if _is_name(target, name):
                yield from _items(statement.value)
            elif isinstance(target, ast.Subscript) and _is_name(target.value, name):
                key = _literal(target.slice)
                if isinstance(key, str):
                    yield key, statement.value
        return
    call = statement.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "update":
        for argument in call.args if _is_name(call.func.value, name) else ():
            yield from _items(argument)


def _items(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = None if key is None else _literal(key)
            if isinstance(name, str):
                yield name, value
    elif isinstance(node, (ast.List, ast.Tuple)):
        # CELERY_ROUTES may be several tables.
        for element in node.elts:
            yield from _items(element)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None
