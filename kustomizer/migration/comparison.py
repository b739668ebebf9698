"""Compares what the plugin emitted for Celery with what the configuration makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kustomizer.migration.facts import FlowerFacts, SiteFacts, WorkerFacts
from kustomizer.record import Record

# Options of Tutor's worker that the plugin's copies lack.
_LOST = frozenset({"prefetch-multiplier", "without-gossip", "without-mingle"})


class Deviation(Record):
    """One aspect of an object or task that differs from the plugin's site."""

    of: str
    """The object, or the task."""
    aspect: str
    was: str
    now: str
    why: str = ""
    """Why it has to differ; empty where the operator has to look at it."""


def grouped(differences: Iterable[Deviation]) -> Iterator[str]:
    """Yield a line for each deviation; objects with the same deviation share one."""
    alike: dict[Deviation, list[str]] = {}
    for difference in differences:
        alike.setdefault(difference.replace(of=""), []).append(difference.of)
    for difference, objects in alike.items():
        because = f" ({difference.why})" if difference.why else ""
        change = f"{difference.was or 'none'} -> {difference.now or 'none'}"
        yield f"{', '.join(objects)}: {difference.aspect} {change}{because}".replace(":  ", ": ")


def compare(plugin: SiteFacts, migrated: SiteFacts) -> list[Deviation]:
    """Return where ``migrated`` deviates from the plugin's site."""
    deviations: list[Deviation] = []
    for name in dict.fromkeys([*plugin.workers, *migrated.workers]):
        before, after = plugin.workers.get(name), migrated.workers.get(name)
        if before is None or after is None:
            deviations.append(Deviation(of=name, aspect="Deployment", was=_there(before), now=_there(after)))
        else:
            deviations += _worker(name, before, after)
    for service in plugin.routing:
        before_table, after_table = plugin.routing[service], migrated.routing[service]
        for task in dict.fromkeys([*before_table, *after_table]):
            was, now = before_table.get(task, ""), after_table.get(task, "")
            if was != now:
                deviations.append(Deviation(of=f"{task}, sent by {service}", aspect="queue", was=was, now=now))
    return [*deviations, *_flower(plugin.flower, migrated.flower)]


def _there(fact: object) -> str:
    return "" if fact is None else "there"


def _differing(of: str, *aspects: tuple[str, object, object]) -> Iterator[Deviation]:
    for aspect, was, now in aspects:
        if was != now:
            yield Deviation(of=of, aspect=aspect, was=str(was), now=str(now))


def _worker(name: str, was: WorkerFacts, now: WorkerFacts) -> Iterator[Deviation]:
    if sorted(was.queues) != sorted(now.queues):
        has_more = set(was.queues) < set(now.queues)
        why = "nobody consumed the others" if has_more else ""
        yield Deviation(of=name, aspect="queues", was=", ".join(was.queues), now=", ".join(now.queues), why=why)
    for option in sorted({*was.options, *now.options}):
        before, after = was.options.get(option), now.options.get(option)
        if before != after:
            why = "Tutor's own, which the plugin's copies lose" if before is None and option in _LOST else ""
            yield Deviation(of=name, aspect=f"--{option}", was=_option(before), now=_option(after), why=why)
    if was.hostname.replace("%%h", "%h") != now.hostname:
        yield Deviation(of=name, aspect="--hostname", was=was.hostname, now=now.hostname)
    elif was.hostname != now.hostname:
        yield Deviation(of=name, aspect="--hostname", was="....%%h", now="....%h", why="a stray % in the node's name")
    yield from _differing(name, ("replicas", was.replicas, now.replicas))
    yield from _scaling(name, was, now)


def _option(value: str | None) -> str:
    return "" if value is None else value or "set"


def _scaling(name: str, was: WorkerFacts, now: WorkerFacts) -> Iterator[Deviation]:
    before, after = was.scaling, now.scaling
    scaler = f"{name}-scaledobject"
    if before is None or after is None:
        if before is not after:
            yield Deviation(of=scaler, aspect="ScaledObject", was=_there(before), now=_there(after))
        return
    yield from _differing(
        scaler, ("minimum", before.minimum, after.minimum), ("maximum", before.maximum, after.maximum)
    )
    for queue in dict.fromkeys([*was.list_lengths, *now.list_lengths]):
        length, new_length = was.list_lengths.get(queue), now.list_lengths.get(queue)
        if length != new_length:
            counted = "the worker consumes it, and the plugin didn't count it"
            why = "" if length is not None else counted if queue in was.queues else "nobody consumed it"
            aspect = f"list length of {queue}"
            yield Deviation(of=scaler, aspect=aspect, was=str(length or ""), now=str(new_length or ""), why=why)


def _flower(was: FlowerFacts | None, now: FlowerFacts | None) -> Iterator[Deviation]:
    if was is None or now is None:
        if was is not now:
            yield Deviation(of="flower", aspect="Deployment", was=_there(was), now=_there(now))
        return
    yield from _differing(
        "flower",
        ("image", was.image, now.image),
        ("host", was.host, now.host),
        ("ServiceMonitor", was.monitored, now.monitored),
    )
    if was.clear_text and not now.clear_text:
        was_there, is_there, why = "in the Deployment", "in a Secret", "everyone could read it there"
        yield Deviation(of="flower", aspect="password", was=was_there, now=is_there, why=why)
