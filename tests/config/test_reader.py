"""The engine that reads values into records, on records made for it."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from kustomizer.config.reader import AsGiven, decode, interpret, yaml_name
from kustomizer.config.values import (
    LARGEST,
    Delay,
    Either,
    JsonMap,
    NonNegative,
    Positive,
    Seconds,
    Text,
    Type,
    Whole,
    join,
)
from kustomizer.errors import UserError
from kustomizer.record import Record


class Leaf(Record):
    name: str
    level: Literal["Error", "Ignore"] = "Error"


Checked: Any = AsGiven(Leaf)
Percent: Any = Either(
    "a number or 'all'", Whole("a number", minimum=0), Text("all", accepts=lambda text: text == "all")
)
Short: Any = Text("a short key", accepts=str.islower, max_length=5, placeholder="short")


class Base(Record):
    _refused: tuple[tuple[str, str], ...] = (("queues", "Name them elsewhere"),)

    flag: bool | None = None
    replace_hpa: bool = False


class Tree(Base):
    count: Positive = 1
    rest: NonNegative | None = None
    visibility_timeout: Seconds = 1
    cooldown: Delay = 0
    number: int = 0
    extra_args: list[str] | None = None
    leaf: Leaf | None = None
    given: list[Checked] | None = None
    branches: dict[str, dict[Short, Leaf]] = {}  # noqa: RUF012
    selector: dict[str, str | None] | None = None
    raw: JsonMap = {}  # noqa: RUF012
    kinds: list[Literal["Service", "PodMonitor"]] = []  # noqa: RUF012
    some: Percent = 0


def problems(value: object, path: str = "spec") -> list[str]:
    with pytest.raises(UserError) as caught:
        decode(Tree, value, path=path)
    return [str(problem) for problem in caught.value.problems]


def test_an_empty_section_has_the_defaults() -> None:
    assert decode(Tree, {}, path="spec") == Tree()
    assert decode(Tree, None, path="spec") == Tree()


def test_every_kind_of_field() -> None:
    tree = decode(
        Tree,
        {
            "flag": True,
            "replaceHPA": True,
            "count": 2,
            "rest": 0,
            "visibilityTimeout": 7200,
            "cooldown": 0,
            "number": -3,
            "extraArgs": ["--pool=gevent"],
            "leaf": {"name": "a", "level": "Ignore"},
            "given": [{"name": "b"}],
            "branches": {"lms": {"high": {"name": "c"}}},
            "selector": {"pool": "x", "zone": None},
            "raw": {"a": [{"b": None}]},
            "kinds": ["Service"],
            "some": "all",
        },
        path="",
    )
    assert tree == Tree(
        flag=True,
        replace_hpa=True,
        count=2,
        rest=0,
        visibility_timeout=7200,
        cooldown=0,
        number=-3,
        extra_args=["--pool=gevent"],
        leaf=Leaf(name="a", level="Ignore"),
        given=[{"name": "b"}],
        branches={"lms": {"high": Leaf(name="c")}},
        selector={"pool": "x", "zone": None},
        raw={"a": [{"b": None}]},
        kinds=["Service"],
        some="all",
    )


def test_what_is_passed_through_is_the_very_value() -> None:
    raw, entry = {"b": 1, "a": 2}, {"name": "x"}
    tree = decode(Tree, {"raw": raw, "given": [entry]}, path="")
    assert tree.raw is raw
    assert tree.given is not None
    assert tree.given[0] is entry


def test_null_is_an_empty_section_map_or_list_unless_the_field_may_be_null() -> None:
    tree = decode(Tree, {"raw": None, "branches": None, "kinds": None, "leaf": None}, path="")
    assert (tree.raw, tree.branches, tree.kinds, tree.leaf) == ({}, {}, [], None)
    assert decode(Tree, {"branches": {"lms": None}}, path="").branches == {"lms": {}}


def test_null_is_no_value() -> None:
    assert problems({"count": None, "replaceHPA": None, "given": [None]}) == [
        "spec.count: has to be a whole number, 1 or more, not null",
        "spec.replaceHPA: has to be true or false, not null",
        "spec.given[0]: has to be a map, not null",
    ]


def test_a_whole_float_is_a_whole_number() -> None:
    # JSON knows one kind of number, and what has been through it may come back as 2.0.
    count = decode(Tree, {"count": 2.0}, path="").count
    assert count == 2
    assert type(count) is int


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"count": 0}, "spec.count: has to be a whole number, 1 or more, not the number 0"),
        ({"count": True}, "spec.count: has to be a whole number, 1 or more, not true"),
        ({"count": float("inf")}, "spec.count: has to be a whole number, 1 or more, not the number inf"),
        ({"count": LARGEST + 1}, "spec.count: can be 2147483647 at the most, not 2147483648"),
        ({"rest": -1}, "spec.rest: has to be a whole number, 0 or more, not the number -1"),
        (
            {"visibilityTimeout": "30s"},
            "spec.visibilityTimeout: has to be whole seconds, 1 or more, not the string '30s'. "
            "Write the number of seconds without a unit",
        ),
        (
            {"visibilityTimeout": 1.5},
            "spec.visibilityTimeout: has to be whole seconds, 1 or more, not the number 1.5. "
            "Write the number of seconds without a unit",
        ),
        ({"flag": "yes"}, "spec.flag: has to be true or false, not the string 'yes'"),
        ({"flag": 1}, "spec.flag: has to be true or false, not the number 1"),
        (
            {"extraArgs": "-c 4"},
            "spec.extraArgs: has to be a list, not the string '-c 4'. "
            "Write each item on a line of its own, after a dash",
        ),
        ({"extraArgs": ["-c", 4]}, "spec.extraArgs[1]: has to be a string, not the number 4. Put it in quotes"),
        ({"selector": {"a": False}}, "spec.selector.a: has to be a string, not false. Put it in quotes"),
        ({"leaf": [1]}, "spec.leaf: has to be a map, not a list"),
        ({"leaf": {}}, "spec.leaf.name: is missing. Set it to a string"),
        (
            {"leaf": {"name": "x", "level": "error"}},
            "spec.leaf.level: has to be Error or Ignore, not the string 'error'. Did you mean Error?",
        ),
        ({"kinds": ["Pod"]}, "spec.kinds[0]: has to be Service or PodMonitor, not the string 'Pod'"),
        ({"some": "any"}, "spec.some: has to be a number or 'all', not the string 'any'"),
        ({"raw": []}, "spec.raw: has to be a map, not a list"),
        ({"given": [{"name": 1}]}, "spec.given[0].name: has to be a string, not the number 1. Put it in quotes"),
        ({"branches": {"l": {"HI": {"name": "x"}}}}, "spec.branches.l.HI: has to be a short key, not the string 'HI'"),
        (
            {"branches": {"l": {"toolong": {"name": "x"}}}},
            "spec.branches.l.toolong: is longer than 5 characters: the string 'toolong'",
        ),
        ({"selector": {1: "x"}}, "spec.selector[1]: has to be a string, not the number 1. Put it in quotes"),
        ("x", "spec: has to be a map, not the string 'x'"),
    ],
)
def test_wrong_values_say_where_what_and_how_to_mend_them(value: object, message: str) -> None:
    assert problems(value) == [message]


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("extraArg", "extraArgs"),
        ("extra_args", "extraArgs"),
        ("replaceHpa", "replaceHPA"),
        ("visibilityTimout", "visibilityTimeout"),
    ],
)
def test_an_unknown_field_is_taken_for_a_slip(field: str, meant: str) -> None:
    assert problems({field: 1}) == [f"spec.{field}: unknown field. Did you mean {meant}?"]


def test_an_unknown_field_like_no_other_lists_those_there_are() -> None:
    assert problems({"leaf": {"name": "a", "xyzzy": 1}}) == [
        "spec.leaf.xyzzy: unknown field. Known fields: name, level"
    ]


def test_a_field_that_is_refused_says_why() -> None:
    assert problems({"queues": []}) == ["spec.queues: isn't allowed here. Name them elsewhere"]


def test_all_problems_are_told_at_once() -> None:
    found = problems({"count": 0, "leaf": {"lvl": 1}, "extraArgs": [1, 2]})
    assert [message.split(":")[0] for message in found] == [
        "spec.count",
        "spec.leaf.lvl",
        "spec.leaf.name",
        "spec.extraArgs[0]",
        "spec.extraArgs[1]",
    ]


def test_a_long_string_is_cut() -> None:
    assert problems({"flag": "x" * 100}) == [f"spec.flag: has to be true or false, not the string '{'x' * 60}…'"]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("high_mem", "spec.high_mem"),
        ("high-mem", "spec.high-mem"),
        ("lms.djangoapps.x", 'spec["lms.djangoapps.x"]'),
        ('a"b', 'spec["a\\"b"]'),
        ("a\nb", 'spec["a\\nb"]'),
        ("", 'spec[""]'),
        ("ü", 'spec["ü"]'),
        (7, "spec[7]"),
    ],
)
def test_paths_quote_keys_that_would_mislead(key: object, path: str) -> None:
    assert join("spec", key) == path


def test_a_path_begins_without_a_dot() -> None:
    assert join("", "spec") == "spec"
    assert problems({"count": 0}, path="") == ["count: has to be a whole number, 1 or more, not the number 0"]


def test_names_in_yaml() -> None:
    names = ("queues", "extra_args", "replace_hpa", "termination_grace_period_seconds")
    assert [yaml_name(name) for name in names] == ["queues", "extraArgs", "replaceHPA", "terminationGracePeriodSeconds"]


def test_an_annotation_of_nothing_is_a_mistake_of_ours() -> None:
    with pytest.raises(AttributeError):
        interpret("Nonsense", Type)
