"""Settings that were followed once, for all workers that load the same ones.

A site with many queues has as many copies of a worker, each with a settings file of its own that begins by running the
same one of Tutor's. What that one leaves is kept, with all that it asked of its container; the next worker whose
container gives the same answers takes a copy of it. Two builds that are compared have most workers in common: what all
of a worker's settings leave is kept as well, and shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kustomizer.openedx.celery.mounts import MountedFile
from kustomizer.openedx.celery.values import Known

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from kustomizer.openedx.celery.container import Container
    from kustomizer.openedx.celery.scope import Scope
    from kustomizer.openedx.celery.values import Unknown, Value

_MOST = 16
"""How many are kept: a site has few different ones, and a comparison reads two sites."""
_MOST_WHOLE = 2000
"""How many workers' settings are kept: for a comparison those of a site as large as they come."""


class Asked:
    """A container that notes what it is asked, and what it answered."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.answers: dict[tuple[str, str], Hashable] = {}

    def get(self, name: str) -> Value | None:
        """Return a variable's value, None where it isn't set."""
        value = self._container.get(name)
        self.answers["variable", name] = _told(value)
        return value

    def module(self, name: str) -> MountedFile | Unknown | None:
        """Return the file of a Python module."""
        file = self._container.module(name)
        self.answers["module", name] = _told(file)
        return file

    def answers_like(self, answers: dict[tuple[str, str], Hashable]) -> bool:
        """Tell whether this container would give the same ``answers``."""
        return all(
            answer == _told(self._container.get(name) if kind == "variable" else self._container.module(name))
            for (kind, name), answer in answers.items()
        )


class _Followed(NamedTuple):
    key: Hashable
    answers: dict[tuple[str, str], Hashable]
    state: Any


_kept: list[_Followed] = []
_whole: dict[Hashable, tuple[dict[tuple[str, str], Hashable], Scope]] = {}


def shared(key: Hashable, container: Container, follow: Callable[[Asked], Scope]) -> Scope:
    """Return what ``follow`` makes of a container's answers, or has made of the same ones: nobody may change it."""
    known = _whole.get(key)
    asked = Asked(container)
    if known is not None and asked.answers_like(known[0]):
        return known[1]
    scope = follow(asked)
    scope.forget_container()
    if len(_whole) >= _MOST_WHOLE:
        _whole.clear()
    _whole[key] = (asked.answers, scope)
    return scope


def once(key: Hashable, scope: Scope, follow: Callable[[], None]) -> None:
    """Bring ``scope`` to where ``follow`` leaves a scope of the same ``key``."""
    asked = Asked(scope.container)
    for kept in _kept:
        if kept.key == key and asked.answers_like(kept.answers):
            scope.take(kept.state)
            return
    with scope.asking(asked):
        follow()
    _kept.append(_Followed(key, asked.answers, scope.state()))
    del _kept[:-_MOST]


def _told(answer: Any) -> Hashable:
    """Return what of an answer a settings file can make use of."""
    if answer is None:
        return None
    if isinstance(answer, MountedFile):
        return (answer.text, answer.source)
    if isinstance(answer, Known):
        return ("known", str(answer.value))
    # Where it stands is said of what may set a name.
    return ("unknown", answer.reason, answer.may_be_unset, answer.source)
