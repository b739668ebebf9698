"""What is done with a value, told from what stands around it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Functions that keep nothing of what they are given but what is in it.
_READERS = frozenset(
    {"FeaturesProxy", "all", "any", "bool", "dict", "isinstance", "len", "list", "print", "set", "sorted"}
)
_OF_KEYS = (ast.Compare, ast.UnaryOp, ast.FormattedValue, ast.Expr)


def use_of(node: ast.AST, above: Sequence[ast.AST]) -> tuple[str, str]:
    """Return what is done with what ``node`` gives, and with which item of it.

    Somebody may look at its keys or parts, take or store an item, call a method, or else get it: an empty text.
    """
    around, over = [*reversed(above), None, None][:2]
    is_test = getattr(around, "test", None) is node
    if isinstance(around, (ast.BoolOp, ast.IfExp)) and not is_test:
        return use_of(around, above[:-1])
    if isinstance(around, ast.Attribute) and isinstance(over, ast.Call) and over.func is around:
        return around.attr, text_of(over.args[0]) if over.args else ""
    if isinstance(around, ast.Attribute):
        return "attribute" if isinstance(around.ctx, ast.Load) else "stored", around.attr
    if isinstance(around, ast.Subscript) and around.value is node:
        return "item" if isinstance(around.ctx, ast.Load) else "stored", text_of(around.slice)
    if is_test or isinstance(around, _OF_KEYS):
        return "keys", ""
    taker = getattr(around.func, "id", "") if isinstance(around, ast.Call) else ""
    if taker in _READERS or isinstance(around, ast.Starred) or getattr(around, "iter", None) is node:
        return "keys" if taker == "FeaturesProxy" else "parts" if taker == "dict" else "through", ""
    return "parts" if _is_spread(node, around) else "", ""


def _is_spread(node: ast.AST, around: ast.AST | None) -> bool:
    """Tell whether what is in ``node``'s value, and not itself, becomes part of something new."""
    if isinstance(around, ast.Dict):
        return any(key is None and value is node for key, value in zip(around.keys, around.values, strict=True))
    if isinstance(around, ast.keyword):
        return around.arg is None
    return isinstance(around, ast.BinOp) or (isinstance(around, ast.AugAssign) and around.value is node)


def text_of(node: ast.AST) -> str:
    """Return a text that stands there, an empty one where it is computed."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
