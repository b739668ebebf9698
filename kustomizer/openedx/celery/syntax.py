"""What statements of a settings file name, whatever the names hold."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_STATEMENTS_OF_NAMES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
_PATTERNS_OF_NAMES = (ast.MatchAs, ast.MatchStar)


@functools.lru_cache(maxsize=64)
def parsed(text: str) -> ast.Module:
    """Return a settings file's statements. Raises SyntaxError or ValueError where it isn't Python.

    Most workers of a site load the same file, and Python takes milliseconds to parse one.
    """
    return ast.parse(text)


def own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield these nodes and all that is in them, but for what is in the functions and classes that they define."""
    left = [*nodes]
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            left.extend(ast.iter_child_nodes(node))


def targets(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> set[str]:
    """Return the names that a comprehension gives its items."""
    named = (inner for generator in node.generators for inner in ast.walk(generator.target))
    return {inner.id for inner in named if isinstance(inner, ast.Name)}


def stored(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements may set."""
    names: set[str] = set()
    of_comprehensions: set[int] = set()
    for node in own(nodes):
        if isinstance(node, ast.comprehension):
            of_comprehensions |= {id(inner) for inner in ast.walk(node.target)}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in of_comprehensions:
            names.add(node.id)
        elif isinstance(node, (*_STATEMENTS_OF_NAMES, *_PATTERNS_OF_NAMES)) and node.name:
            names.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            names.add(node.rest)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names if alias.name != "*"}
    return names


def body_of(node: ast.AST) -> list[ast.AST]:
    """Return what a function runs when it is called, or a class when it is defined."""
    body = getattr(node, "body", [])
    return body if isinstance(body, list) else [body]


def local_names(node: ast.AST) -> set[str]:
    """Return the names that are a function's own: its parameters, and what it sets."""
    nodes = [*body_of(node), *([node.args] if isinstance(node, FUNCTIONS) else [])]
    parameters = {inner.arg for inner in own(nodes) if isinstance(inner, ast.arg)}
    others = {name for inner in own(nodes) if isinstance(inner, (ast.Global, ast.Nonlocal)) for name in inner.names}
    return (parameters | stored(nodes)) - others


def ends_round(nodes: Iterable[ast.AST]) -> bool:
    """Tell whether there is a ``break`` or ``continue`` of the loop around these statements."""
    for node in nodes:
        if isinstance(node, (ast.Break, ast.Continue)):
            return True
        # What stands in an inner loop's body is of that loop.
        inner = node.orelse if isinstance(node, (ast.For, ast.While)) else ast.iter_child_nodes(node)
        if ends_round(child for child in inner if not isinstance(child, ast.expr)):
            return True
    return False


def returns(nodes: Iterable[ast.AST]) -> bool:
    """Tell whether there is a ``return`` of the function around these statements."""
    return any(isinstance(node, ast.Return) for node in own(nodes))


def dotted(node: ast.AST) -> str:
    """Return a name with its dots; of what is computed, the last name: a text in it may be secret."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""
