"""How layers of settings become one."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from kustomizer.config.layers import merge_by_name, merge_layers, merge_maps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def by_first_word(args: list[str]) -> Iterator[tuple[str, Sequence[str]]]:
    for arg in args:
        yield arg.partition("=")[0], [arg]


def merged(*layers: dict[str, Any]) -> dict[str, object]:
    return merge_layers(layers, option_key=by_first_word)


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        ({"replicas": 2}, {}, {"replicas": 2}),
        ({"replicas": 2}, {"replicas": 3}, {"replicas": 3}),
        ({"replicas": 2}, {"replicas": None}, {}),
        ({}, {"replicas": None}, {}),
        (
            {"resources": {"requests": {"cpu": 1}}},
            {"resources": {"requests": {"memory": "1Gi"}}},
            {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}},
        ),
        ({"resources": {"limits": {"cpu": 1}}}, {"resources": {"limits": None}}, {"resources": {}}),
        ({"resources": {"limits": {"cpu": 1}}}, {"resources": None}, {}),
        ({}, {"resources": {"limits": {"cpu": None, "memory": 1}}}, {"resources": {"limits": {"memory": 1}}}),
        ({"nodeSelector": {"a": "1", "b": "2"}}, {"nodeSelector": {"a": None}}, {"nodeSelector": {"b": "2"}}),
        ({"podAnnotations": {"a": "1"}}, {"podAnnotations": {"b": "2"}}, {"podAnnotations": {"a": "1", "b": "2"}}),
        (
            {"podDisruptionBudget": {"minAvailable": 1}},
            {"podDisruptionBudget": {"minAvailable": None, "maxUnavailable": 1}},
            {"podDisruptionBudget": {"maxUnavailable": 1}},
        ),
        (
            {"keda": {"enabled": True, "fallback": {"replicas": 1}}},
            {"keda": {"fallback": {"failureThreshold": 3}}},
            {"keda": {"enabled": True, "fallback": {"replicas": 1, "failureThreshold": 3}}},
        ),
        (
            {"keda": {"extraTriggers": [{"type": "cron"}]}},
            {"keda": {"extraTriggers": [{"type": "cpu"}]}},
            {"keda": {"extraTriggers": [{"type": "cpu"}]}},
        ),
        ({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}, {"tolerations": [{"key": "b"}]}),
        ({"queues": ["a"]}, {"queues": ["b"]}, {"queues": ["b"]}),
        ({"affinity": {"nodeAffinity": {}}}, {"affinity": {"podAffinity": {}}}, {"affinity": {"podAffinity": {}}}),
        ({"livenessProbe": {"exec": {}}}, {"livenessProbe": {"httpGet": {}}}, {"livenessProbe": {"httpGet": {}}}),
        ({"affinity": {"a": None}}, {}, {"affinity": {"a": None}}),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "C", "value": "3"}, {"name": "A", "valueFrom": {"x": 1}}]},
            {"env": [{"name": "A", "valueFrom": {"x": 1}}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]},
        ),
        ({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": None}]}, {"env": []}),
        ({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A"}]}, {"env": [{"name": "A"}]}),
        (
            {"extraArgs": ["--pool=solo", "-E"]},
            {"extraArgs": ["--pool=gevent"]},
            {"extraArgs": ["-E", "--pool=gevent"]},
        ),
        ({"extraArgs": ["-E"]}, {"extraArgs": []}, {"extraArgs": ["-E"]}),
        ({"extraArgs": ["-E"]}, {"extraArgs": None}, {}),
    ],
)
def test_two_layers(below: dict[str, Any], above: dict[str, Any], result: dict[str, Any]) -> None:
    assert merged(below, above) == result


def test_options_are_told_apart_by_what_the_caller_says() -> None:
    def meaning(args: list[str]) -> Iterator[tuple[str, Sequence[str]]]:
        for option, value in zip(args[::2], args[1::2], strict=True):
            yield option.lstrip("-")[0], [option, value]

    layers: list[dict[str, object]] = [
        {"extraArgs": ["--concurrency", "2", "-l", "info"]},
        {"extraArgs": ["-c", "4"]},
    ]
    assert merge_layers(layers, option_key=meaning) == {"extraArgs": ["-l", "info", "-c", "4"]}


def test_what_is_taken_back_can_be_set_again() -> None:
    assert merged({"replicas": 1}, {"replicas": None}, {"replicas": 3}) == {"replicas": 3}
    assert merged({"keda": {"enabled": True}}, {"keda": None}, {"keda": {"listLength": 1}}) == {
        "keda": {"listLength": 1}
    }


def test_nothing_merged_with_nothing() -> None:
    assert merge_maps(None, None) is None
    assert merge_by_name(None, None) is None


def test_a_map_or_list_that_is_not_there() -> None:
    assert merge_maps({"a": 1}, None) == {"a": 1}
    assert merge_maps(None, {"a": 1, "b": None}) == {"a": 1}
    assert merge_by_name([{"name": "A"}], None) == [{"name": "A"}]
    assert merge_by_name(None, [{"name": "A"}]) == [{"name": "A"}]


WORDS = st.sampled_from("abc")
MAPS = st.recursive(
    st.dictionaries(WORDS, st.none() | st.integers(0, 2), max_size=3),
    lambda inner: st.dictionaries(WORDS, st.none() | st.integers(0, 2) | inner, max_size=3),
    max_leaves=6,
)
LAYERS = st.fixed_dictionaries(
    {},
    optional={
        "replicas": st.none() | st.integers(0, 2),
        "resources": st.none() | MAPS,
        "keda": st.none() | MAPS,
        "affinity": st.none() | MAPS,
        "tolerations": st.none() | st.lists(MAPS, max_size=2),
        "env": st.none()
        | st.lists(
            st.fixed_dictionaries({"name": WORDS}, optional={"value": st.none() | WORDS}),
            max_size=3,
            unique_by=lambda entry: str(entry["name"]),
        ),
        "extraArgs": st.none() | st.lists(st.sampled_from(["-a=1", "-a=2", "-b"]), max_size=3),
    },
)


def nulls(value: object) -> bool:
    return value is None or (isinstance(value, dict) and any(nulls(item) for item in value.values()))


@given(st.lists(LAYERS, max_size=3))
def test_layers_stay_as_they_were(layers: list[dict[str, Any]]) -> None:
    before = deepcopy(layers)
    merged(*layers)
    assert layers == before


@given(st.lists(LAYERS, max_size=3))
def test_no_null_is_left_in_what_is_merged_by_key(layers: list[dict[str, Any]]) -> None:
    result = merged(*layers)
    assert not any(nulls(value) for field, value in result.items() if field != "affinity")
    assert None not in result.values()


@given(LAYERS, LAYERS)
def test_a_layer_given_twice_counts_once(below: dict[str, Any], above: dict[str, Any]) -> None:
    assert merged(below, above, above) == merged(below, above)


@given(LAYERS, LAYERS, LAYERS)
def test_merging_in_steps_is_merging_at_once(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    assert merged(merged(first, second), third) == merged(first, second, third)
