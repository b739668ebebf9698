"""A call in a settings file: its arguments, and what it may have done where it is unknown."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.python_values import Environ, Namespace, Opaque, Table, doubt_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.scope import Scope


class Call:
    """A call, and the names that it sees."""

    def __init__(self, node: ast.Call, scope: Scope, evaluate: Callable[[ast.expr, Scope], Any]) -> None:
        self.node = node
        self.scope = scope
        self.line = node.lineno
        self._evaluate = evaluate

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression in it."""
        return self._evaluate(node, self.scope)

    def computed(self) -> Opaque:
        """Return what it gives where nobody knows."""
        return Opaque("it is computed", self.line)

    def arguments(self) -> tuple[list[Any], dict[str, Any], Opaque | None]:
        """Return the arguments, and why one of them isn't known."""
        args: list[Any] = []
        for argument in self.node.args:
            value = self.evaluate(argument.value if isinstance(argument, ast.Starred) else argument)
            if isinstance(argument, ast.Starred):
                if doubt_in(value):
                    return [], {}, doubt_in(value)
                args += value
            else:
                args.append(value)
        kwargs: dict[str, Any] = {}
        for keyword in self.node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            elif isinstance(value, Table) and value.doubt is None:
                kwargs |= {str(key): item for key, item in value.items()}
            else:
                return args, kwargs, doubt_in(value) or self.computed()
        return args, kwargs, next((doubt for value in (*args, *kwargs.values()) if (doubt := doubt_in(value))), None)

    def unknown(self) -> Opaque:
        """Return what a call of something unknown gives: nobody knows, nor what it did to its arguments."""
        name = ast.unparse(self.node.func)
        may_set = Opaque(f"{name}() may set it", self.line)
        args, kwargs, _ = self.arguments()
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, Environ):
                self.scope.doubt_variable("", may_set)
            elif isinstance(argument, Namespace):
                self.scope.doubt_all(may_set, maybe=True)
            else:
                self.scope.spoil(argument, Opaque(f"{name}() may change it", self.line))
        if any(isinstance(argument, ast.Name) and argument.id == "__name__" for argument in self.node.args):
            self.scope.doubt_all(may_set, maybe=True)
        return Opaque(f"{name}() gives it", self.line)
