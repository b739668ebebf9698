"""The rules of `advise`: each turns what was measured into changes of the configuration.

Each has a sentence that says how. No rule predicts anything. docs/advise.md lists the sentences.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from kustomizer.advice.concerns import exceeds
from kustomizer.advice.loads import Load
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import DEFAULT, Worker, max_replicas
from kustomizer.openedx.workers import CELERYS_VISIBILITY_TIMEOUT
from kustomizer.overlay.advice import settings_of
from kustomizer.record import Record
from kustomizer.system.wording import plural
from kustomizer.tasks.numbers import amount, duration
from kustomizer.transform.keda.scaled_object import LIST_LENGTH

MOST_AT_A_TIME = 4
_MINUTE = 60
_MOSTLY = 0.5
_TWO_DIGITS = 100
_LEAST_MAXIMUM = 2

ROUTE = (
    "A long task in a queue of short ones goes to the queue of its service where the most long work and no short task "
    "is, or else to that of a new worker."
)
GRACE = "A worker, but for the default one, has as long to finish as its longest run took, or longer."
VISIBILITY = "A worker, but for the default one, has a visibility timeout of twice its longest run, or more."
ONE_AT_A_TIME = "A worker most of whose time goes into long tasks works on one at a time."
AT_A_TIME = "Any other worker works on as many at a time as an ordinary hour kept busy, four at the most, or on more."
LENGTH = (
    "The list length is what a pod works off in a minute, and not below its concurrency; within half and twice of that "
    "it is left."
)
MINIMUM = "The minimum is the pods that an ordinary hour kept busy, rounded up where short tasks are, else down."
MAXIMUM = "The maximum is twice the pods that the busiest hour kept busy, two or more; a higher one is left."
REPLICAS = "Without KEDA there are as many pods as the busiest hour kept busy, or more."
RULES = (ROUTE, GRACE, VISIBILITY, ONE_AT_A_TIME, AT_A_TIME, LENGTH, MINIMUM, MAXIMUM, REPLICAS)


class Change(Record):
    """A field that is better set to another value."""

    field: tuple[str, ...]
    """Its path in the configuration; the rules here say it in the worker."""
    value: Any
    was: str = ""
    """What holds now, empty where that is no setting."""
    measured: str
    rule: str


def changes(config: CeleryWorkers, load: Load) -> Iterator[Change]:
    """Yield what is better changed in a worker with this load."""
    for change in _of_worker(config, load):
        yield change.replace(field=("spec", "workers", load.service, load.variant, *change.field))


def _of_worker(config: CeleryWorkers, load: Load) -> Iterator[Change]:
    settings = settings_of(config, load.service, load.variant)
    if load.service in OPEN_EDX_SERVICES and load.variant != DEFAULT:
        yield from _times(settings, load)
    if not load.is_enough:
        return
    concurrency = _concurrency(settings, load)
    if concurrency is not None:
        yield concurrency
    slots = int(concurrency.value if concurrency is not None else settings.concurrency or 1)
    if settings.keda_enabled:
        yield from _scaling(settings, load, slots)
    else:
        pods = math.ceil(load.busiest / slots)
        if pods > (settings.replicas or 1):
            was = "not stated, Kubernetes' 1" if settings.replicas is None else str(settings.replicas)
            yield Change(field=("replicas",), value=pods, was=was, measured=_busiest(load), rule=REPLICAS)


def _times(settings: Worker, load: Load) -> Iterator[Change]:
    longest = [numbers.longest for numbers in load.numbers if numbers.longest is not None]
    # What the metric doesn't tell apart has no longest run.
    tops = [time.most for time in longest if time.most is not None]
    if not tops or len(tops) < len(longest):
        return
    seconds = math.ceil(max(tops) / _MINUTE) * _MINUTE
    top = next(time for time in longest if time.most == max(tops))
    grace = settings.termination_grace_period_seconds or 0
    measured = f"the longest run took {top}"
    if exceeds(top, grace):
        was = duration(grace)
        yield Change(field=("terminationGracePeriodSeconds",), value=seconds, was=was, measured=measured, rule=GRACE)
    timeout = settings.visibility_timeout or CELERYS_VISIBILITY_TIMEOUT
    if top.most is not None and 2 * top.most > timeout:
        was = duration(timeout) if settings.visibility_timeout else f"not stated, Celery's {duration(timeout)}"
        yield Change(field=("visibilityTimeout",), value=2 * seconds, was=was, measured=measured, rule=VISIBILITY)


def _concurrency(settings: Worker, load: Load) -> Change | None:
    """Return another concurrency, None where the one that is stated fits."""
    now = settings.concurrency
    if load.long_share > _MOSTLY:
        best, rule = 1, ONE_AT_A_TIME
        measured = f"{load.long_share:.0%} of its time went into {load.long[0].name}" + (
            f" and {len(load.long) - 1} more" if len(load.long) > 1 else ""
        )
    else:
        ordinary = min(MOST_AT_A_TIME, max(1, math.ceil(load.ordinary)))
        best, rule, measured = max(ordinary, now or 0), AT_A_TIME, _ordinary(load)
    if best == now:
        return None
    was = "not stated, the node's CPUs" if now is None else str(now)
    return Change(field=("concurrency",), value=best, was=was, measured=measured, rule=rule)


def _scaling(settings: Worker, load: Load, slots: int) -> Iterator[Change]:
    keda = settings.keda
    if keda is None:
        return
    length = slots
    if load.mean:
        a_minute = _MINUTE * slots / load.mean
        # Two digits mean something.
        length = max(slots, int(a_minute) if a_minute < _TWO_DIGITS else int(float(f"{a_minute:.2g}")))
    now = keda.list_length or LIST_LENGTH
    if not now / 2 <= length <= now * 2:
        measured = f"a run took {duration(load.mean)} in the mean, {slots} at a time"
        yield Change(field=("keda", "listLength"), value=length, was=str(now), measured=measured, rule=LENGTH)
    least, now = (math.ceil if load.short else math.floor)(load.ordinary / slots), keda.min_replicas or 0
    if least != now:
        measured = f"{_ordinary(load, slots)}, {plural(len(load.short), 'short task')} there"
        yield Change(field=("keda", "minReplicas"), value=least, was=str(now), measured=measured, rule=MINIMUM)
    most, now = max(_LEAST_MAXIMUM, math.ceil(2 * load.busiest / slots)), max_replicas(keda, load.variant)
    if most > now:
        yield Change(
            field=("keda", "maxReplicas"), value=most, was=str(now), measured=_busiest(load, slots), rule=MAXIMUM
        )


def _ordinary(load: Load, slots: int = 0) -> str:
    pods = f", {slots} in a pod" if slots else ""
    return f"in an ordinary hour {amount(load.ordinary)} ran at a time{pods}"


def _busiest(load: Load, slots: int = 0) -> str:
    pods = f", {slots} in a pod" if slots else ""
    return f"in the busiest hour {amount(load.busiest)} ran at a time{pods}"
