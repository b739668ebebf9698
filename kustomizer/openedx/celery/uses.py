"""Tells how an expression's value is used, from its parent nodes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Functions that read what an argument contains, and don't keep the argument itself.
_READERS = frozenset(
    {"FeaturesProxy", "all", "any", "bool", "dict", "isinstance", "len", "list", "print", "set", "sorted"}
)
_OF_KEYS = (ast.Compare, ast.UnaryOp, ast.FormattedValue, ast.Expr)


def use_of(node: ast.AST, above: Sequence[ast.AST]) -> tuple[str, str]:
    """Return how the value of ``node`` is used, and the key or attribute of it that is used, if one is.

    The use is ``keys``, ``parts``, ``through`` (a loop), ``item``, ``attribute``, ``stored``, or the name of the method
    that is called on the value. It is empty where the value itself is handed on.
    """
    parent, grandparent = [*reversed(above), None, None][:2]
    is_test = getattr(parent, "test", None) is node
    if isinstance(parent, (ast.BoolOp, ast.IfExp)) and not is_test:
        return use_of(parent, above[:-1])
    if isinstance(parent, ast.Attribute) and isinstance(grandparent, ast.Call) and grandparent.func is parent:
        return parent.attr, text_of(grandparent.args[0]) if grandparent.args else ""
    if isinstance(parent, ast.Attribute):
        return "attribute" if isinstance(parent.ctx, ast.Load) else "stored", parent.attr
    if isinstance(parent, ast.Subscript) and parent.value is node:
        return "item" if isinstance(parent.ctx, ast.Load) else "stored", text_of(parent.slice)
    if is_test or isinstance(parent, _OF_KEYS):
        return "keys", ""
    function = getattr(parent.func, "id", "") if isinstance(parent, ast.Call) else ""
    if function in _READERS or isinstance(parent, ast.Starred) or getattr(parent, "iter", None) is node:
        return "keys" if function == "FeaturesProxy" else "parts" if function == "dict" else "through", ""
    return "parts" if _is_spread(node, parent) else "", ""


def _is_spread(node: ast.AST, parent: ast.AST | None) -> bool:
    """Tell whether a new object takes the items of ``node``'s value, and not the value itself."""
    if isinstance(parent, ast.Dict):
        return any(key is None and value is node for key, value in zip(parent.keys, parent.values, strict=True))
    if isinstance(parent, ast.keyword):
        return parent.arg is None
    return isinstance(parent, ast.BinOp) or (isinstance(parent, ast.AugAssign) and parent.value is node)


def text_of(node: ast.AST) -> str:
    """Return the text of a string literal; empty for any other node."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
