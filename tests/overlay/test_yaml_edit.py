"""Values changed in YAML text: what was asked for is in it, and everything else is, byte for byte."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from kustomizer.errors import UserError
from kustomizer.manifests.full_reader import read_all
from kustomizer.manifests.tree import plain_value
from kustomizer.overlay.yaml_edit import apply, flow, remove_key, set_value, set_values, without
from tests.examples import examples

TEXT = """\
# At the top.
kind: Thing   # its kind
---
kind:   CeleryWorkers
spec:
    # Odd indentation, odd spaces.
    workers:
        lms:
            'high':  {  keda: {enabled: true},  }   # behind
            # About the long ones.
            # Two lines of it.
            high_mem:
                extraArgs:
                - -c
                # in between
                - '3'

                # at the end of it
            empty:
            none: ~
        cms: {low: {}, "high": {concurrency: 1}}
    # Last.
    text: |
        a

    # After it.
"""


def changed(before: str, after: str) -> list[str]:
    """Return the lines that a diff shows."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def plain(text: str) -> Any:
    return [plain_value(tree) for tree in read_all(text)][-1]


MANY: dict[str, Any] = {
    "notes.low": {},
    "lms.high.keda.minReplicas": 2,
    "lms.high.concurrency": 2,
    "lms.high_mem.extraArgs": ["-E"],
    "lms.high_mem.replicas": 1,
    "lms.empty.replicas": 1,
    "cms.high.concurrency": 4,
    "cms.new.concurrency": 4,
}


@pytest.mark.parametrize(
    ("path", "value", "lines"),
    [
        (
            "lms.high.keda.minReplicas",
            2,
            [
                "-             'high':  {  keda: {enabled: true},  }   # behind",
                "+             'high':  {  keda: {enabled: true, minReplicas: 2},  }   # behind",
            ],
        ),
        (
            "lms.high_mem.extraArgs",
            ["-E", "a,b"],
            [
                "-                 - -c",
                "-                 # in between",
                "-                 - '3'",
                "+                 - -E",
                "+                 - 'a,b'",
            ],
        ),
        ("lms.high_mem.replicas", 1, ["+                 replicas: 1"]),
        ("lms.empty.replicas", 1, ["-             empty:", "+             empty: {replicas: 1}"]),
        (
            "lms.none",
            {"keda": {"enabled": True}},
            ["-             none: ~", "+             none:", "+                 keda: {enabled: true}"],
        ),
        (
            "cms.high.concurrency",
            4,
            [
                '-         cms: {low: {}, "high": {concurrency: 1}}',
                '+         cms: {low: {}, "high": {concurrency: 4}}',
            ],
        ),
        ("notes.low", {}, ["+         notes:", "+             low: {}"]),
    ],
)
def test_a_value_is_set(path: str, value: Any, lines: list[str]) -> None:
    keys = ["spec", "workers", *path.split(".")]
    after = set_value(TEXT, "CeleryWorkers", keys, value)
    assert plain(after) == apply(plain(TEXT), keys, value)
    assert sorted(changed(TEXT, after)) == sorted(lines)


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (
            "spec.workers.lms.high_mem",
            [
                "-             # About the long ones.",
                "-             # Two lines of it.",
                "-             high_mem:",
                "-                 extraArgs:",
                "-                 - -c",
                "-                 # in between",
                "-                 - '3'",
            ],
        ),
        ("spec.workers.lms.high.keda.enabled", None),
        ("spec.workers.cms.low", None),
        ("spec.workers.cms.high", None),
        ("spec.text", ["-     # Last.", "-     text: |", "-         a"]),
        ("spec.workers.lms.empty", ["-             empty:"]),
    ],
)
def test_a_key_is_removed(path: str, lines: list[str] | None) -> None:
    after = remove_key(TEXT, "CeleryWorkers", path.split("."))
    assert plain(after) == without(plain(TEXT), path.split("."))
    if lines is not None:
        assert changed(TEXT, after) == lines


def test_line_ends_and_a_missing_one() -> None:
    text = "kind: CeleryWorkers\r\nspec:\r\n  a: 1"
    assert set_value(text, "CeleryWorkers", ["spec", "b"], 2) == text + "\r\n  b: 2\r\n"
    assert set_value("{kind: CeleryWorkers}", "CeleryWorkers", ["b"], {"c": 1}) == "{kind: CeleryWorkers, b: {c: 1}}"


def test_many_are_written_as_one_after_another() -> None:
    values = {("spec", "workers", *path.split(".")): value for path, value in MANY.items()}
    one_by_one = TEXT
    for path, value in values.items():
        one_by_one = set_value(one_by_one, "CeleryWorkers", path, value)
    assert set_values(TEXT, "CeleryWorkers", values) == one_by_one
    assert set_values(TEXT, "CeleryWorkers", {}) == TEXT
    # Two that are added behind a last line without an end.
    two = {("a", "b"): 1, ("c",): 2}
    assert set_values("kind: CeleryWorkers\na: {}", "CeleryWorkers", two) == "kind: CeleryWorkers\na: {b: 1}\nc: 2\n"
    two = {("a", "c"): 2, ("d",): 3}
    text = "kind: CeleryWorkers\na:\n  b: 1"
    assert set_values(text, "CeleryWorkers", two) == f"{text}\n  c: 2\nd: 3\n"


def test_what_is_not_yaml_is_said() -> None:
    with pytest.raises(UserError, match=r"not YAML: .* in line 2"):
        set_value("kind: CeleryWorkers\na: [", "CeleryWorkers", ["a"], 1)


# An empty key is a complex one to PyYAML, which no configuration has.
WORDS = st.sampled_from(["high", "high_mem", "4", "true", "a,b", "-E", "1Gi", "a b", "#x", "null", "é: ü", "{", "*"])
VALUES = st.recursive(
    st.one_of(WORDS, st.just(""), st.booleans(), st.integers(-3, 99)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
)
MAPS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)


@settings(max_examples=examples(60))
@given(MAPS, st.lists(WORDS, min_size=1, max_size=3), VALUES, st.sampled_from([True, False, None]))
def test_any_value_anywhere(data: dict[str, Any], path: list[str], value: Any, style: bool | None) -> None:
    document = {"kind": "CeleryWorkers", "spec": data}
    text = yaml.safe_dump(document, default_flow_style=style, allow_unicode=True, sort_keys=False)
    keys = ["spec", *path]
    assert plain(set_value(text, "CeleryWorkers", keys, value)) == apply(document, keys, value)
    for key in data:
        assert plain(remove_key(text, "CeleryWorkers", ["spec", key])) == without(document, ["spec", key])


@given(
    MAPS,
    st.dictionaries(st.lists(WORDS, min_size=1, max_size=3).map(tuple), VALUES, min_size=2, max_size=5),
    st.sampled_from([True, False, None]),
)
def test_many_values_at_once(data: dict[str, Any], values: dict[tuple[str, ...], Any], style: bool | None) -> None:
    document = {"kind": "CeleryWorkers", "spec": data, "other": {"a": 1}}
    text = yaml.safe_dump(document, default_flow_style=style, allow_unicode=True, sort_keys=False)
    # None begins with another.
    paths = [path for path in values if not any(other != path and path[: len(other)] == other for other in values)]
    expected = document
    for path in paths:
        expected = apply(expected, ("spec", *path), values[path])
    after = set_values(text, "CeleryWorkers", {("spec", *path): values[path] for path in paths})
    assert plain(after) == expected
    assert plain(set_values(text.rstrip("\n"), "CeleryWorkers", {("spec", *p): values[p] for p in paths})) == expected


@given(VALUES)
def test_flow_style_is_read_back(value: Any) -> None:
    assert plain(f"a: {flow(value)}\n") == {"a": value}
