"""Compares two command lines of a Celery worker by their meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kustomizer.diff.model import ArgumentsChange, Path
from kustomizer.manifests.tree import string_list
from kustomizer.worker_command.command_line import CommandLine, split_queues
from kustomizer.worker_command.worker import find_worker

Shown = Callable[[Any, Any], tuple[Any, Any]]

FIELDS = ("command", "args")

_SETS = {
    "--queues": ("now takes", "no longer takes"),
    "--exclude-queues": ("now leaves out", "no longer leaves out"),
}


def order_queues(container: Any) -> None:
    """Sort the queues in the command line of a worker's container: their order means nothing to Celery."""
    line = _worker(container)
    if line is None or line.uneditable:
        return
    for name in _SETS:
        settings = [setting for item in line.items for setting in item.settings if setting.option.name == name]
        value = line.option(name)
        # Where the option is stated several times, the last one counts; all stay visible.
        if len(settings) == 1 and value is not None:
            ordered = ",".join(sorted(split_queues(value)))
            line = line if ordered == value else line.with_option(name, ordered)
    for field, words in (("command", line.command), ("args", line.args)):
        if words is not None:
            container[field] = list(words)


def argument_changes(path: Path, before: Any, after: Any, shown: Shown) -> dict[str, ArgumentsChange]:
    """Return the changes of ``command`` and ``args`` where a container runs a worker before and after.

    ``path`` is the container's. Returns nothing where one of the two fields is added or removed.
    """
    older, newer = _worker(before), _worker(after)
    if older is None or newer is None or any((field in before) != (field in after) for field in FIELDS):
        return {}
    differing = [field for field in FIELDS if before.get(field) != after.get(field)]
    notes = tuple(_notes(older, newer, shown))
    changes = {}
    for field in differing:
        old, new = shown(string_list(before, field), string_list(after, field))
        # The notes about the whole command line stand beside its last field only.
        own_notes = notes if field == differing[-1] else ()
        changes[field] = ArgumentsChange(path=(*path, field), before=tuple(old), after=tuple(new), notes=own_notes)
    return changes


def _worker(container: Any) -> CommandLine | None:
    """Return the command line of a container's worker, None where there is none that can be read."""
    given = [container.get(field) for field in FIELDS] if isinstance(container, dict) else [0]
    if any(
        not (field is None or (isinstance(field, list) and all(isinstance(word, str) for word in field)))
        for field in given
    ):
        return None
    line = find_worker(*given)
    return None if line is None or line.doubt else line


def _notes(before: CommandLine, after: CommandLine, shown: Shown) -> Iterator[str]:
    names = sorted(
        {setting.option.name for line in (before, after) for item in line.items for setting in item.settings}
    )
    count = 0
    for name in names:
        for note in _option_notes(name, before, after, shown):
            count += 1
            yield note
    if _around(before) != _around(after):
        yield "the words around Celery's options differ"
    elif not count:
        yield "means the same to Celery"


def _around(line: CommandLine) -> list[str]:
    """Return the words that aren't options known to us."""
    tokens = [*(line.command or ()), *(line.args or ())]
    head = [*tokens[: line.place], *([line.script.head, line.script.tail] if line.script else ())]
    return [*head, *(word.text for item in line.items if not item.settings for word in item.words)]


def _option_notes(name: str, before: CommandLine, after: CommandLine, shown: Shown) -> Iterator[str]:
    old, new = before.option(name), after.option(name)
    if before.has(name) == after.has(name) and old == new:
        return
    if name in _SETS:
        yield from _set_notes(name, old, new, shown)
    elif not after.has(name):
        yield f"{name}: no longer given" + (f", was {shown(old, old)[0]}" if old is not None else "")
    elif not before.has(name):
        yield f"{name}: now given" if new is None else f"{name}: {shown(new, new)[0]}, wasn't given"
    else:
        was, now = shown(old, new)
        yield f"{name}: {now}, was {was}"


def _set_notes(name: str, before: str | None, after: str | None, shown: Shown) -> Iterator[str]:
    old, new = (split_queues(shown(value, value)[0]) if value is not None else () for value in (before, after))
    came, went = _SETS[name]
    if name == "--queues" and before is None:
        yield f"takes {', '.join(sorted(new))} alone; took what its settings define"
        return
    if name == "--queues" and after is None:
        yield f"takes what its settings define; took {', '.join(sorted(old))} alone"
        return
    lost, gained = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    if lost:
        yield f"{went} {', '.join(lost)}"
    if gained:
        yield f"{came} {', '.join(gained)}"
