"""What a statement says that doesn't go on with the next one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.openedx.celery.python_values import Opaque


class Jump(Exception):  # noqa: N818 - statements, and no errors
    """The next statement isn't the one below."""


class Break(Jump):
    """The loop ends."""


class Continue(Jump):
    """The loop goes on with the next round."""


class Uncertain(Jump):
    """Whether the loop ends isn't known."""


class Returned(Jump):
    """The function gives ``value``."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Stopped(Jump):
    """From here on nothing is known: the settings fail, and nothing handles that."""

    def __init__(self, why: Opaque) -> None:
        super().__init__()
        self.why = why


class Left(Jump):
    """The function may have ended here, or has failed."""
