"""The environment while a settings file is followed: the container's, and what statements have done to it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kustomizer.openedx.celery.container import NoContainer
from kustomizer.openedx.celery.python_values import Opaque, Partial
from kustomizer.openedx.celery.values import Known, Parts, Source, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.openedx.celery.container import Container
    from kustomizer.openedx.celery.values import Value


class Variables:
    """The variables of the environment, and the places of the statements that change them."""

    def __init__(self, container: Container) -> None:
        """Begin with those of ``container``."""
        self._container = container
        self._variables: dict[str, Value | None] = {}
        """What statements have done to the environment; the empty name stands for any other."""
        self.place = Source()
        """The file whose statements are followed."""
        self.unknown: list[Opaque] = []
        """All that was evaluated and isn't known: each may have failed."""

    @property
    def container(self) -> Container:
        """Who is asked for variables of the environment and for files."""
        return self._container

    @contextlib.contextmanager
    def asking(self, container: Container) -> Iterator[None]:
        """Ask ``container`` until the block ends."""
        before = self._container
        self._container = container
        try:
            yield
        finally:
            self._container = before

    def forget_container(self) -> None:
        """Keep nothing of the container, and with it of its build, now that all statements have been followed."""
        self._container = NoContainer()

    def environment(self, name: str) -> Value | None:
        """Return a variable of the environment: what statements have made it, or the container's."""
        if name in self._variables:
            return self._variables[name]
        return self._variables.get("") or self._container.get(name)

    def changes(self, name: str) -> bool:
        """Tell whether statements have changed a variable of the environment, or may have."""
        return name in self._variables or "" in self._variables

    def set_variable(self, name: str, value: Any, line: int) -> None:
        """Change a variable of the environment."""
        if isinstance(value, str):
            self._variables[name] = Known(value=value, source=self.place.replace(line=line))
        else:
            why = value if isinstance(value, Opaque) else Opaque("it is set to what is no text", line)
            self.unknown.append(why)
            self.doubt_variable(name, why)

    def unset_variable(self, name: str) -> None:
        """Take a variable out of the environment."""
        self._variables[name] = None

    def doubt_variable(self, name: str, why: Opaque) -> None:
        """Note that a variable of the environment may have been changed; any one without a ``name``."""
        parts = why.parts if isinstance(why, Partial) and name else Parts()
        unknown = Unknown(reason=why.reason, source=self.place.replace(line=why.line), parts=parts)
        if not name:
            self._variables.clear()
        self._variables[name] = unknown
