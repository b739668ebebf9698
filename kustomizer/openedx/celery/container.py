"""The container that loads settings, as the settings see it: variables and modules."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from kustomizer.openedx.celery.mounts import MountedFile
    from kustomizer.openedx.celery.values import Unknown, Value

    class Container(Protocol):
        """A container's environment and files."""

        def get(self, name: str) -> Value | None:
            """Return a variable's value, None where it isn't set."""

        def module(self, name: str) -> MountedFile | Unknown | None:
            """Return the file of a Python module, None where the image's own would be."""


class NoContainer:
    """A container without variables and mounted modules."""

    def get(self, _name: str) -> None:
        """Return None."""

    module = get
