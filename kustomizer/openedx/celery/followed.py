"""Caches the outcome of settings files, so that each is followed once for all workers that load it.

A site with many queues has as many copies of a worker. Each has a settings file of its own, which begins by running
Tutor's. The outcome of Tutor's file is cached with all that it asked of its container; the next worker whose container
gives the same answers takes a copy. Two builds that are compared have most workers in common, so the outcome of all of
a worker's settings is cached as well, and shared.
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
"""How many outcomes of Tutor's files are kept: a site has few different ones, and a comparison reads two sites."""
_MOST_WHOLE = 2000
"""How many workers' outcomes are kept: enough to compare two builds of a very large site."""


class Asked:
    """A container that records its answers."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.answers: dict[tuple[str, str], Hashable] = {}

    def get(self, name: str) -> Value | None:
        """Return a variable's value, None where it isn't set, and record the answer."""
        value = self._container.get(name)
        self.answers["variable", name] = _told(value)
        return value

    def module(self, name: str) -> MountedFile | Unknown | None:
        """Return a module's file, None where the image's own would be, and record the answer."""
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
    """Return the scope that ``follow`` makes for a container, or made for one like it. It is shared: read it only."""
    cached = _whole.get(key)
    asking = Asked(container)
    if cached is not None and asking.answers_like(cached[0]):
        return cached[1]
    scope = follow(asking)
    scope.forget_container()
    if len(_whole) >= _MOST_WHOLE:
        _whole.clear()
    _whole[key] = (asking.answers, scope)
    return scope


def once(key: Hashable, scope: Scope, follow: Callable[[], None]) -> None:
    """Give ``scope`` the state in which ``follow`` leaves it, from the cache where it has the ``key``."""
    asking = Asked(scope.container)
    for cached in _kept:
        if cached.key == key and asking.answers_like(cached.answers):
            scope.take(cached.state)
            return
    with scope.asking(asking):
        follow()
    _kept.append(_Followed(key, asking.answers, scope.state()))
    del _kept[:-_MOST]


def _told(answer: Any) -> Hashable:
    """Return the part of an answer that a settings file can depend on."""
    if answer is None:
        return None
    if isinstance(answer, MountedFile):
        return (answer.text, answer.source)
    if isinstance(answer, Known):
        return ("known", str(answer.value))
    # Where it stands is said of what may set a name.
    return ("unknown", answer.reason, answer.may_be_unset, answer.source, answer.parts)
