"""Tutor's settings, followed once for all workers whose own settings files run them.

A site with many queues has as many copies of a worker, each with a settings file of its own that begins by running the
same one of Tutor's. What that one leaves is kept, with all that it asked of its container; the next worker whose
container gives the same answers takes a copy of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kustomizer.openedx.celery.mounts import MountedFile
from kustomizer.openedx.celery.values import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from kustomizer.openedx.celery.mounts import Mounts
    from kustomizer.openedx.celery.scope import Names, Scope, Variables
    from kustomizer.openedx.celery.values import Unknown, Value

_MOST = 16
"""How many are kept: a site has few different ones, and a comparison reads two sites."""


class Asked:
    """A container that notes what it is asked, and what it answered."""

    def __init__(self, environment: Variables, mounts: Mounts | Asked) -> None:
        self._environment = environment
        self._mounts = mounts
        self.answers: dict[tuple[str, str], Hashable] = {}

    def get(self, name: str) -> Value | None:
        """Return a variable's value, None where it isn't set."""
        value = self._environment.get(name)
        self.answers["variable", name] = _told(value)
        return value

    def module(self, name: str) -> MountedFile | Unknown | None:
        """Return the file of a Python module."""
        file = self._mounts.module(name)
        self.answers["module", name] = _told(file)
        return file

    def answers_like(self, answers: dict[tuple[str, str], Hashable]) -> bool:
        """Tell whether this container would give the same ``answers``."""
        return all(
            answer == _told(self._environment.get(name) if kind == "variable" else self._mounts.module(name))
            for (kind, name), answer in answers.items()
        )


class _Followed(NamedTuple):
    key: Hashable
    answers: dict[tuple[str, str], Hashable]
    names: Names


_kept: list[_Followed] = []


def once(key: Hashable, scope: Scope, mounts: Mounts | Asked, follow: Callable[[Asked], None]) -> None:
    """Bring ``scope`` to where ``follow``, with what ``mounts`` holds, leaves a scope of the same ``key``."""
    asked = Asked(scope.variables, mounts)
    for kept in _kept:
        if kept.key == key and asked.answers_like(kept.answers):
            scope.take(kept.names)
            return
    with scope.asking(asked):
        follow(asked)
    _kept.append(_Followed(key, asked.answers, scope.names()))
    del _kept[:-_MOST]


def _told(answer: Any) -> Hashable:
    """Return what of an answer a settings file can make use of."""
    if answer is None:
        return None
    if isinstance(answer, MountedFile):
        return (answer.text, answer.source)
    if isinstance(answer, Known):
        return ("known", str(answer.value))
    return ("unknown", answer.reason, answer.may_be_unset)
