"""A call in a settings file: its arguments, and what it may have done where it is unknown."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.python_values import (
    Defined,
    Listing,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    items_of,
    merge,
    own_doubt,
)
from kustomizer.openedx.celery.skipped import escapes, parts_escape
from kustomizer.openedx.celery.syntax import dotted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kustomizer.openedx.celery.scope import Scope

    Evaluate = Callable[[ast.expr, Scope], Any]

_LOGGERS = ("getLogger", "get_logger", "get_task_logger")


class Call:
    """A call, and the names that it sees."""

    def __init__(self, node: ast.Call, scope: Scope, evaluate: Evaluate, passing: Evaluate) -> None:
        self.node = node
        self.scope = scope
        self.line = node.lineno
        self._evaluate = evaluate
        self._passing = passing

    def evaluate(self, node: ast.expr) -> Any:
        """Return the value of an expression in it."""
        return self._evaluate(node, self.scope)

    @property
    def name(self) -> str:
        """What is called, as far as it has a name."""
        return f"{dotted(self.node.func)}()"

    def computed(self) -> Opaque:
        """Return what it gives where nobody knows."""
        return Opaque(f"{self.name} gives it", self.line)

    def arguments(self) -> tuple[Listing, Table, Opaque | None]:
        """Return the arguments, and why one of them isn't known."""
        return self._arguments

    @functools.cached_property
    def _arguments(self) -> tuple[Listing, Table, Opaque | None]:
        args, kwargs = Listing(), Table()
        for argument in self.node.args:
            value = self._passing(argument.value if isinstance(argument, ast.Starred) else argument, self.scope)
            items = items_of(value) if isinstance(argument, ast.Starred) else [value]
            args += [items] if isinstance(items, Opaque) else items
            args.doubt = args.doubt or (items if isinstance(items, Opaque) else None)
        for keyword in self.node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            elif isinstance(value, Table) and not kwargs.keys() & value.keys():
                merge(kwargs, value)
            elif own_doubt(value) is None:
                raise TypeError(value)
            else:
                parts_escape(self.scope, [value], self.computed())
                kwargs.doubt = kwargs.doubt or own_doubt(value)
        return args, kwargs, doubt_in(args) or doubt_in(kwargs) or (kwargs.rest if kwargs.partial else None)

    def hand_on(self) -> None:
        """Heed functions of the settings among the arguments, which are called."""
        args, kwargs, _ = self.arguments()
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, Defined):
                escapes(self.scope, argument, Opaque(f"{self.name} may call it", self.line))

    def unknown(self) -> Opaque:
        """Return what a call of something unknown gives: nobody knows, nor what it did to its arguments."""
        args, kwargs, _ = self.arguments()
        for argument in (*args, *kwargs.values()):
            if isinstance(argument, Namespace):
                with self.scope.at(argument.module):
                    self.scope.doubt_all(Opaque(f"{self.name} may set it", self.line), maybe=True)
            else:
                escapes(self.scope, argument, Opaque(f"{self.name} may change it", self.line))
        is_named = any(isinstance(argument, ast.Name) and argument.id == "__name__" for argument in self.node.args)
        if is_named and not self.name.removesuffix("()").endswith(_LOGGERS):
            self.scope.doubt_all(Opaque(f"{self.name} may set it", self.line), maybe=True)
        return self.computed()
