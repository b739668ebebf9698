"""Rules: each is a module, whose name is the rule's id, whose docstring is its page, and whose ``check`` finds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from kustomizer.errors import Problem
from kustomizer.record import Record


class Rule(Record):
    """One rule; its documentation is Markdown, its first line a sentence that says what the rule finds."""

    id: str
    documentation: str
    check: Callable[..., Iterable[Problem]]

    @property
    def title(self) -> str:
        """What the rule finds, in a sentence."""
        return self.documentation.partition("\n")[0]

    @property
    def page(self) -> str:
        """The rule's page of documentation."""
        return f"# {self.id}\n\n{self.documentation}\n"


def rules_in(package: str) -> dict[str, Rule]:
    """Return the rules of ``package`` by id: each of its modules with a ``check`` function is a rule."""
    path = import_module(package).__path__
    modules = [import_module(f"{package}.{found.name}") for found in iter_modules(path)]
    return {
        id_of(module): Rule(id=id_of(module), documentation=inspect.cleandoc(module.__doc__ or ""), check=module.check)
        for module in modules
        if hasattr(module, "check")
    }


def id_of(module: ModuleType) -> str:
    """Return the id of the rule in ``module``."""
    return module.__name__.rpartition(".")[2].replace("_", "-")
