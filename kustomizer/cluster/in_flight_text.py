"""Tasks in flight as text for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from kustomizer.cluster.in_flight import Hash, Message, Restored
from kustomizer.system.folding import fold
from kustomizer.system.wording import plural

_ID_WIDTH = 36
_AGE_WIDTH = 9
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def in_flight_text(keys: Sequence[Hash], width: int) -> str:
    """Return a table for each key, in columns that fit ``width``."""
    if not any(key.count for key in keys):
        return "Nothing is in flight."
    return "\n\n".join(_hash(key, width) for key in keys if key.count)


def in_flight_json(keys: Sequence[Hash]) -> str:
    """Return the keys and their messages as JSON."""
    entries = [
        {
            "key": key.key,
            "workers": list(key.workers),
            "count": key.count,
            "unknown": key.unknown,
            "messages": [
                message_tree(message) | {"held": message.held, "worker": message.worker} for message in key.messages
            ],
        }
        for key in keys
    ]
    return json.dumps({"keys": entries}, indent=2)


def message_tree(message: Message) -> dict[str, Any]:
    """Return what is known of a message; its arguments only where they were asked for."""
    known = {
        name: getattr(message, name)
        for name in message._fields
        if name not in ("key", "args", "kwargs", "dropped", "held", "worker")
    }
    asked = {name: getattr(message, name) for name in ("args", "kwargs") if getattr(message, name) is not None}
    return known | asked


def restored_text(restored: Restored, unconsumed: Sequence[str]) -> str:
    """Return what was put back where, a line each."""
    lines = [
        f"{restored.key}: {plural(count, 'task')} put back on {queue}"
        for queue, count in sorted(restored.queues.items())
    ]
    lines += [
        f"No worker of this site consumes {queue}: route or consume it, or they wait for ever" for queue in unconsumed
    ]
    if restored.kept:
        lines.append(f"{restored.key}: {plural(restored.kept, 'task')} left, since no queue is known for them")
    return "\n".join(
        lines or [f"{restored.key}: nothing is in flight. `in-flight list` shows the keys that hold something"]
    )


def message_text(message: Message) -> str:
    """Return a message in one sentence."""
    where = f"in flight under {message.key}" if message.key else f"waiting on {message.queue}"
    taken = f", taken {age(message.age)} ago" if message.age is not None else ""
    again = ", delivered again" if message.redelivered else ""
    return "\n".join([f"{message.task} {message.id}: {where}{taken}{again}", *_arguments(message)])


def age(seconds: int | None) -> str:
    """Return a time in the unit that an operator would give it in."""
    if seconds is None:
        return "not known"
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _hash(key: Hash, width: int) -> str:
    used = ", ".join(key.workers) or "no worker of this site: `in-flight restore` puts them back"
    text = [
        *fold(f"{key.key} ({used}): {plural(key.count, 'task')}", width),
        f"{'id':{_ID_WIDTH}}  {'taken':{_AGE_WIDTH}}  again",
    ]
    for message in key.messages:
        again = "yes" if message.redelivered else ""
        text.append(f"{message.id or '(unreadable)':{_ID_WIDTH}}  {age(message.age):{_AGE_WIDTH}}  {again}".rstrip())
        # On a line of their own: the names of tasks are long, and ids are to be copied.
        eta = f", kept for {_time(message.eta)}" if message.eta else ""
        facts = [f"{message.task} on {message.queue}{eta}", f"in hand: {message.worker or message.held}"]
        for line in [*(facts if message.id else ()), *_arguments(message)]:
            text += fold(line, width, "  ")
    if key.unknown and any(message.held == "unknown" for message in key.messages):
        text += fold(f"in hand: unknown, since {key.unknown}", width)
    if key.count > len(key.messages):
        text.append(f"and {key.count - len(key.messages)} more, see --limit")
    return "\n".join(text)


def _arguments(message: Message) -> list[str]:
    arguments = (("args", message.args), ("kwargs", message.kwargs))
    return [f"{name}: {value}" for name, value in arguments if value is not None]


def _time(eta: str) -> str:
    try:
        return datetime.fromisoformat(eta).astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return eta
