"""The same command lines read by the parser that Celery itself uses: an edit changes one option for it and no other."""

from __future__ import annotations

import importlib
import subprocess
from typing import Any

import click
import pytest
from hypothesis import example, given, strategies as st

from kustomizer.worker_command.command_line import CommandLine
from kustomizer.worker_command.extra_args import check_extra_args
from kustomizer.worker_command.options import OPTIONS, RIVALS, SPELLINGS, Option
from kustomizer.worker_command.worker import find_worker
from tests.celery_args_strategies import before_worker, in_shell, joined, valued, values, worker_args

celery: Any = importlib.import_module("celery")  # it has no type information
ROOT: Any = importlib.import_module("celery.bin.celery").celery
WORKER: Any = importlib.import_module("celery.bin.worker").worker
VERSION = tuple(int(part) for part in celery.__version__.split(".")[:2])

Parsed = tuple[dict[str, str | None], list[str]]


def parsed_by_celery(tokens: list[str]) -> Parsed:
    """Return the raw values of the worker's options, and what else there is, as click's parser gives them."""
    root = click.Context(ROOT, info_name="celery")
    _, rest, _ = ROOT.make_parser(root).parse_args(list(tokens[1:]))
    assert rest[0] == "worker"
    context = click.Context(WORKER, info_name="worker", allow_extra_args=True)
    raw, positional, _ = WORKER.make_parser(context).parse_args(rest[1:])
    names = {param.name: max(param.opts, key=lambda spelling: spelling.startswith("--")) for param in WORKER.params}
    by_option: dict[str, str | None] = {}
    for name, value in raw.items():
        option = SPELLINGS[names[name]]
        by_option[option.name] = None if option.is_flag else value
    return by_option, positional


def tokens_of(line: CommandLine) -> list[str]:
    return [*(line.command or ()), *(line.args or ())]


def ours(line: CommandLine) -> dict[str, str | None]:
    return {option.name: line.option(option.name) for option in OPTIONS if line.has(option.name)}


def installed(option: Option) -> bool:
    return not option.since or tuple(int(part) for part in option.since.split(".")) <= VERSION


SETTABLE = st.sampled_from(
    [option for option in OPTIONS if not option.before_worker and option.name != "--help" and installed(option)]
)
KNOWN = [option for option in OPTIONS if not option.is_flag and not option.before_worker and installed(option)]


def find(tokens: list[str]) -> CommandLine:
    line = find_worker(None, tokens)
    assert line is not None
    assert not line.uneditable
    return line


def celery_takes(tokens: list[str]) -> bool:
    try:
        parsed_by_celery(tokens)
    except click.UsageError:  # an option that a newer Celery brought
        return False
    return True


# ---- the table


@pytest.mark.parametrize(("command", "before_worker"), [(WORKER, False), (ROOT, True)])
def test_the_table_is_celery_s(command: Any, before_worker: bool) -> None:
    theirs = {frozenset(param.opts): "flag" if param.is_flag else type(param.type).__name__ for param in command.params}
    here = {
        frozenset(option.spellings): option
        for option in OPTIONS
        if option.before_worker is before_worker and option.name != "--help" and installed(option)
    }
    assert set(here) == set(theirs)
    kinds = {
        "flag": "flag",
        "IntParamType": "integer",
        "FloatParamType": "number",
        "CommaSeparatedList": "queues",
        "Autoscale": "autoscale",
        "LogLevel": "choice",
        "WorkersPool": "choice",
        "Choice": "choice",
    }
    for spellings, option in here.items():
        kind = ("integer" if VERSION < (5, 7) else "text") if option.kind == "concurrency" else option.kind
        assert kinds.get(theirs[spellings], "text") == kind, option.name


def test_the_choices_are_celery_s() -> None:
    for param in WORKER.params:
        option = SPELLINGS[param.opts[0]]
        if option.choices:
            assert set(param.type.choices) == set(option.choices)


def test_click_knows_no_abbreviations() -> None:
    with pytest.raises(click.NoSuchOption):
        parsed_by_celery(["celery", "worker", "--queue=a"])


# ---- reading and editing


@given(before_worker, worker_args)
def test_reads_what_celery_reads(before: list[str], args: list[str]) -> None:
    tokens = ["celery", *before, "worker", *args]
    if celery_takes(tokens):
        assert ours(find(tokens)) == parsed_by_celery(tokens)[0]


@given(before_worker, worker_args, SETTABLE, values, st.integers(0, 12))
@example(["-A", "lms"], ["-Dn", "a"], SPELLINGS["--detach"], "", 5)
def test_an_edit_changes_that_option_alone(
    before: list[str], args: list[str], option: Option, value: str, split: int
) -> None:
    tokens = ["celery", *before, "worker", *args]
    if not celery_takes(tokens):
        return
    line = find_worker(tokens[:split], tokens[split:])
    assert line is not None
    expected, positional = parsed_by_celery(tokens)
    edited = line.with_option(option.name, None if option.is_flag else value)
    expected.pop(RIVALS.get(option.name, ""), None)
    expected[option.name] = None if option.is_flag else value
    assert parsed_by_celery(tokens_of(edited)) == (expected, positional)
    assert find_worker(edited.command, edited.args) == edited
    assert edited.with_option(option.name, None if option.is_flag else value) == edited

    removed = edited.without_option(option.name)
    del expected[option.name]
    assert parsed_by_celery(tokens_of(removed)) == (expected, positional)
    assert find_worker(removed.command, removed.args) == removed


@given(worker_args, SETTABLE, values)
def test_other_arguments_are_the_same_strings(args: list[str], option: Option, value: str) -> None:
    tokens = ["celery", "worker", *args]
    if not celery_takes(tokens):
        return
    line = find(tokens)
    others = [
        word.text
        for item in line.items
        if not {setting.option.name for setting in item.settings} & {option.name, RIVALS.get(option.name, "")}
        for word in item.words
    ]
    edited = list(line.with_option(option.name, None if option.is_flag else value).args or ())
    rest = iter(edited)
    assert all(word in rest for word in others), "what wasn't touched comes in the order it had"


@given(worker_args, st.lists(valued(KNOWN), max_size=4).map(joined))
def test_extra_args_have_the_last_word(args: list[str], extra: list[str]) -> None:
    tokens = ["celery", "worker", *args]
    if not celery_takes(tokens):
        return
    expected, positional = parsed_by_celery(tokens)
    for item in find(["celery", "worker", *extra]).items:  # in the order in which they stand
        for setting in item.settings:
            expected.pop(RIVALS.get(setting.option.name, ""), None)
            expected[setting.option.name] = setting.value
    edited = find(tokens).with_extra(extra)
    assert parsed_by_celery(tokens_of(edited)) == (expected, positional)
    assert edited.with_extra(extra) == edited or set(RIVALS) <= set(ours(find(["celery", "worker", *extra])))


def takes_concurrency(param: Any, value: str) -> None:
    """Raise an error where Celery 5.7 refuses the value, which is what the check holds every Celery to."""
    if not value:  # 5.7 alone takes it, for no value at all
        raise ValueError
    if VERSION >= (5, 7):
        param.callback(None, param, value)
    elif value != "auto" and param.type.convert(value, param, None) < 0:
        raise ValueError


def celery_accepts(args: list[str]) -> bool:
    """Whether Celery's own types take the values; what they need of an app is stood in for."""
    raw: Parsed
    try:
        raw = parsed_by_celery(["celery", "worker", *args])
    except click.UsageError:
        return False
    if raw[1]:
        return False
    for param in WORKER.params:
        name = SPELLINGS[param.opts[0]].name
        if name not in raw[0] or SPELLINGS[name].is_flag:
            continue
        kind = click.Choice(param.type.choices) if name == "--pool" else param.type
        try:
            if name == "--concurrency":
                takes_concurrency(param, raw[0][name] or "")
            else:
                kind.convert(raw[0][name], param, None)
        except (click.UsageError, ValueError, AttributeError):  # Autoscale's own messages fail on a list
            return False
    return True


SITE_OPTIONS = [option for option in KNOWN if option.reserved is None]
PLAUSIBLE = st.sampled_from(
    ["4", "-1", "0.5", "8,2", "8,2,1", "a", "", "gevent", "Gevent", "info", "fair", "=4", "1_0", "nan", "auto", "spawn"]
)


@given(st.sampled_from(SITE_OPTIONS), PLAUSIBLE)
def test_a_value_is_refused_when_celery_refuses_it(option: Option, value: str) -> None:
    args = [option.name, value]
    assert (check_extra_args(args, "extraArgs") == []) is celery_accepts(args)


@given(worker_args)
def test_what_passes_the_check_starts(args: list[str]) -> None:
    if not check_extra_args(args, "extraArgs") and celery_takes(["celery", "worker", *args]):
        assert celery_accepts(args)


# ---- shell strings, read by a real shell


def run_in_shell(script: str) -> list[str]:
    show = "celery() { printf '%s\\0' celery \"$@\"; }\n"
    done = subprocess.run(["/bin/sh", "-c", show + script], check=True, capture_output=True)
    return done.stdout.decode().split("\0")[:-1]


@given(st.data(), before_worker, worker_args, SETTABLE.filter(lambda option: option.name != "--beat"), values)
def test_an_edit_in_a_shell_string(
    data: st.DataObject, before: list[str], args: list[str], option: Option, value: str
) -> None:
    tokens = ["celery", *before, "worker", *args]
    if not celery_takes(tokens):
        return
    around = data.draw(st.sampled_from([("", ""), ("true && ", " "), ("set -e\n", " # end\n"), ("", "; true")]))
    script = around[0] + data.draw(in_shell(tokens)) + around[1]
    assert run_in_shell(script) == tokens, "the test's own quoting"
    line = find_worker(["sh", "-c"], [script])
    assert line is not None
    assert ours(line) == parsed_by_celery(tokens)[0]
    assert bool(line.uneditable) is line.has("--beat")
    if line.uneditable:
        return

    new = None if option.is_flag else value
    edited = line.with_option(option.name, new)
    assert edited.args is not None
    assert run_in_shell(edited.args[0]) == list(find(tokens).with_option(option.name, new).args or ())
    assert find_worker(edited.command, edited.args) == edited
