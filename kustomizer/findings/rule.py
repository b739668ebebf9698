"""A rule's id and its documentation, which is the docstring of its module."""

from __future__ import annotations

import inspect
from types import ModuleType

from kustomizer.record import Record


class DocumentedRule(Record):
    """A rule's id and its documentation: Markdown, its first line a sentence that says what the rule finds."""

    id: str
    documentation: str

    @property
    def title(self) -> str:
        """What the rule finds, in a sentence."""
        return self.documentation.partition("\n")[0]

    @property
    def page(self) -> str:
        """The rule's page of documentation."""
        return f"# {self.id}\n\n{self.documentation}\n"


def documentation_of(module: ModuleType) -> str:
    """Return the documentation of a rule's module."""
    return inspect.cleandoc(module.__doc__ or "")
