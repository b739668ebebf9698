"""Checks ``extraArgs``: only the worker's own options, each once, with values that Celery accepts.

Celery would refuse anything else when the worker starts, and all one would see is a pod that restarts for ever.
"""

from __future__ import annotations

from kustomizer.errors import Problem
from kustomizer.worker_command.options import RIVALS, SPELLINGS, list_words, read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kustomizer.worker_command.options import Item, Option, Setting


def check_extra_args(args: Sequence[str], field: str) -> list[Problem]:
    """Return the problems of ``args``; ``field`` is the path of the list, and each problem adds an index to it."""
    problems: list[Problem] = []
    first_index: dict[str, int] = {}
    index = 0
    for item in read_all(list_words(args)):
        where = f"{field}[{index}]"
        wrong = _stray(item) or [problem for setting in item.settings for problem in _setting(setting, item)]
        for setting in item.settings if not wrong else ():
            wrong += _repeated(setting, first_index, field)
            first_index[setting.option.name] = index
        problems += [problem.replace(field=where) for problem in wrong]
        index += len(item.words)
    return problems


def _stray(item: Item) -> list[Problem]:
    """Return the problem of words that aren't an option with its value."""
    text, name = item.words[0].text, item.spelling
    first, _, rest = text.partition(" ")
    if rest and first in SPELLINGS and SPELLINGS[first].reserved is None:
        return [_problem(f"{text!r} is one argument", f"Write {_example(first, rest.strip())}")]
    long_name = "-" + text.partition("=")[0]
    if len(text) > 2 and long_name in SPELLINGS and long_name.startswith("--"):  # noqa: PLR2004 - "-c"
        return [_problem(f"{text!r} has one dash, with which Celery reads it as -{text[1]}", f"Write -{text}")]
    if item.trouble == "no flag value":
        return [_problem(f"{name} takes no value, and {text!r} gives it one", f"Write {name}, or leave it out")]
    if item.trouble == "no value":
        return [_problem(f"{name} needs a value", f"Write {_example(name)}")]
    if item.trouble == "positional":
        return [_problem(f"{text!r} is not an option, and the worker takes nothing else", "Remove it")]
    if item.trouble == "unknown":
        return [_problem(f"Celery's worker has no option {name}", _nearest(name))]
    return []


def _setting(setting: Setting, item: Item) -> list[Problem]:
    """Return the problem of an option or its value."""
    option, value = setting.option, setting.value
    spelling = item.spelling if value is not None or len(item.settings) == 1 else option.spellings[-1]
    shown = spelling if spelling == option.name else f"{spelling} ({option.name})"
    if option.reserved is not None:
        why, remedy = option.reserved
        return [_problem(f"{shown} can't be set here: {why}", remedy)]
    if value is None or "$(" in value:  # the kubelet inserts a variable's value there
        return []
    if len(item.words) > 1 and value.partition("=")[0] in SPELLINGS:
        return [_problem(f"{shown} needs a value, and Celery takes {value!r} for it", f"Write {_example(spelling)}")]
    expected = _expected(option, value)
    if expected:
        return [_problem(f"{shown}: {value!r} is not {expected}", f"Write {_example(spelling, value.strip('= '))}")]
    return []


def _expected(option: Option, value: str) -> str:
    """Return what Celery wants instead of ``value``; an empty string if it takes the value."""
    if option.kind == "integer" and not _is(int, value):
        return "a whole number"
    if option.kind == "concurrency" and value.strip().lower() != "auto" and not (_is(int, value) and int(value) >= 0):
        return "a whole number, or auto for Celery 5.7"
    if option.kind == "number" and not _is(float, value):
        return "a number of seconds"
    if option.kind == "autoscale" and not all(_is(int, part) for part in value.split(",", 1)):
        return "MAX,MIN"
    # Celery takes the names of log levels, in capitals here, in upper or lower case; other words only as they are.
    if option.choices and value not in option.choices and value.upper() not in option.choices:
        return f"one of {', '.join(option.choices)}"
    return ""


def _is(kind: Callable[[str], object], value: str) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _repeated(setting: Setting, first_index: dict[str, int], field: str) -> list[Problem]:
    name = setting.option.name
    if name in first_index:
        earlier = f"{field}[{first_index[name]}]"
        return [_problem(f"{name} is already set in {earlier}, and Celery takes the last one", "Remove one of them")]
    rival = RIVALS.get(name)
    if rival in first_index:
        earlier = f"{field}[{first_index[rival]}]"
        message = f"{name} conflicts with {rival} in {earlier}: Celery looks at --autoscale alone"
        return [_problem(message, "Remove one of them")]
    return []


def _nearest(name: str) -> str:
    near = _close(name, SPELLINGS) if name.startswith("--") else ""
    if not near:
        return "Remove it; `celery worker --help` lists the options"
    reserved = SPELLINGS[near].reserved
    return f"Did you mean {near}? {reserved[1]}" if reserved is not None else f"Did you mean {near}?"


def _close(word: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only a mistake needs it

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def _example(spelling: str, value: str = "") -> str:
    """Return the option as it should be written, with ``value`` if Celery takes it, else with an example."""
    option = SPELLINGS[spelling]
    if option.is_flag:
        return option.name
    if option.choices and value not in option.choices:
        value = _close(value.strip("= ").lower(), option.choices) or option.choices[1]
    samples = {"integer": "4", "concurrency": "4", "number": "600", "autoscale": "8,2"}
    return option.write(value if value and not _expected(option, value) else samples.get(option.kind, "VALUE"))


def _problem(message: str, remedy: str) -> Problem:
    return Problem(message=message, remedy=remedy)
