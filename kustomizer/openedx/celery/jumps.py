"""Exceptions for statements that don't continue with the next one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.openedx.celery.python_values import Opaque


class Jump(Exception):  # noqa: N818 - statements, and no errors
    """The next statement isn't the one below: the parent of all these."""


class Break(Jump):
    """The loop ends."""


class Continue(Jump):
    """The loop goes on with the next round."""


class EndUnknown(Jump):
    """The loop may have ended here, or not."""


class Returned(Jump):
    """The function returns ``value``."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class SettingsFailed(Jump):
    """The settings fail here, and no handler catches it: nothing is known of what would come after."""

    def __init__(self, why: Opaque) -> None:
        super().__init__()
        self.why = why


class Left(Jump):
    """The function may have returned here, or has failed."""
