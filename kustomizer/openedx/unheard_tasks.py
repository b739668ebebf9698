"""Settings by which tasks never get to a worker: run by who sends them, or meant for a queue that Celery refuses."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.openedx.celery.values import Known, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.celery.values import Value
    from kustomizer.openedx.celery.view import CeleryView

EAGER, MISSING = "CELERY_ALWAYS_EAGER", "CELERY_CREATE_MISSING_QUEUES"


def eager(resources: Resources, celery: CeleryView) -> Iterator[Problem]:
    """Yield a warning where a service runs its tasks itself, or may."""
    does = f"{celery.service} runs its tasks in its own processes"
    remedy = f"Take {EAGER} out, or leave {celery.service} out of spec.workers"
    value = celery.runs_eagerly
    if value.likely is None:
        if _is_named(resources, EAGER):
            message = f"whether {does}, and its workers get none, isn't known: {value.reason}"
            yield _problem(celery, value, message, f"Set {EAGER} to True or False, in plain words, or take it out")
    elif value.likely.value:
        # Any value but an empty one counts, as the text "false".
        yield _problem(celery, value.likely, f"{EAGER} is set: {does}, and its workers get none", remedy)


def undefined(resources: Resources, celery: CeleryView, queues: Iterable[str]) -> tuple[list[str], Unknown | None]:
    """Return which of ``queues`` Celery refuses to name, and why that isn't known, None where it is."""
    creates = celery.creates_queues
    if creates.likely is None:
        return [], creates if isinstance(creates, Unknown) and _is_named(resources, MISSING) else None
    if creates.likely.value:
        return [], None
    defined = celery.defined_queues
    if isinstance(defined, Unknown) and defined.otherwise is None:
        return [], defined
    known = defined.value if isinstance(defined, Known) else defined.otherwise.value  # type: ignore[union-attr]
    there = {*known}
    return [queue for queue in queues if queue not in there], None


def refusal(celery: CeleryView, queues: Iterable[str]) -> tuple[str, str]:
    """Return what is wrong with a name that Celery refuses, and what to do."""
    names = ", ".join(queues)
    source = celery.creates_queues.source
    message = f"CELERY_QUEUES hasn't got {names}, and Celery makes no others: {MISSING} is off ({source})"
    return message, f"Name queues of CELERY_QUEUES, add {names} to it, or take {MISSING} out"


def doubt(celery: CeleryView, value: Unknown) -> Problem:
    """Return the warning that it isn't known whether Celery refuses queues."""
    message = f"whether Celery starts with queues that CELERY_QUEUES hasn't got isn't known: {value.reason}"
    return _problem(celery, value, message, f"State {MISSING} and CELERY_QUEUES in plain words")


def _is_named(resources: Resources, name: str) -> bool:
    """Tell whether a settings file names it: what could set any setting is hardly ever this one."""
    key = (_is_named, name)
    if key not in resources.memo:
        found = (item for item in resources.of_kind("ConfigMap", "Secret") if item.mentions(name))
        resources.memo[key] = any(name in str(item.tree) for item in found)
    return bool(resources.memo[key])


def _problem(celery: CeleryView, value: Value, message: str, remedy: str) -> Problem:
    source = value.source if value.source.resource is not None else celery.settings.container
    return source.problem(message, remedy, severity=WARNING)
