"""Python's operators on the values of a settings file, as long as the result is small."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.python_values import (
    Group,
    Listing,
    Opaque,
    Partial,
    Table,
    doubt_in,
    merge,
    own_doubt,
    table_like,
    truth,
)
from kustomizer.openedx.celery.texts import is_text, is_wide, put_together

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 100_000
"""How long a text or a list may get."""
_LARGEST_POWER = 64
_LARGEST_NUMBER = 10**30
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: lambda left, right: left is right,
    ast.IsNot: lambda left, right: left is not right,
}


def binary(op: ast.operator, left: Any, right: Any, line: int) -> Any:
    """Return what an operator gives."""
    if isinstance(op, ast.BitOr) and isinstance(left, Table) and isinstance(right, Table):
        table = table_like(left)
        merge(table, right)
        return table
    # What is in two lists stays as it is.
    is_list = isinstance(op, ast.Add) and isinstance(left, list)
    doubt = own_doubt(left) or own_doubt(right) if is_list else doubt_in(left) or doubt_in(right)
    apply = _BINARY.get(type(op))
    if doubt is not None and apply is not None and _makes_text(op, left, right):
        return put_together(apply, left, right)
    if doubt is not None or apply is None or not _is_small(op, left, right):
        return doubt or Opaque(f"the operator {type(op).__name__} isn't followed", line)
    result = apply(left, right)
    if isinstance(result, (str, list, tuple)) and len(result) > LARGEST:
        return Opaque("it is too long", line)
    return Listing(result) if isinstance(result, list) else Group(result) if isinstance(result, set) else result


def unary(op: ast.unaryop, value: Any, line: int) -> Any:
    """Return what an operator before a value gives."""
    if isinstance(op, ast.Not):
        is_true = truth(value)
        return is_true if isinstance(is_true, Opaque) else not is_true
    if isinstance(value, (int, float)) and isinstance(op, (ast.USub, ast.UAdd)):
        return -value if isinstance(op, ast.USub) else value
    return own_doubt(value) or Opaque(f"the operator {type(op).__name__} isn't followed", line)


def _is_small(op: ast.operator, left: Any, right: Any) -> bool:
    """Tell whether the result of an operation takes neither long nor much room."""
    if isinstance(op, ast.Mult):
        if isinstance(left, str) or isinstance(right, str):
            text, count = (left, right) if isinstance(left, str) else (right, left)
            return type(count) is int and len(text) * count <= LARGEST
        return all(isinstance(operand, float) or _is_number(operand) for operand in (left, right))
    if isinstance(op, (ast.Pow, ast.LShift)):
        numbers = all(isinstance(operand, (int, float)) for operand in (left, right))
        return numbers and abs(left) <= LARGEST and 0 <= right <= _LARGEST_POWER
    return not (isinstance(op, ast.Mod) and isinstance(left, str) and (is_wide(left) or not is_text(right)))


def _makes_text(op: ast.operator, left: Any, right: Any) -> bool:
    if isinstance(op, ast.Mod):
        return isinstance(left, str) and not is_wide(left)
    return isinstance(op, ast.Add) and all(isinstance(each, (str, Partial)) for each in (left, right))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and abs(value) <= _LARGEST_NUMBER
