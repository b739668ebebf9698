"""Which generated object has become which, what is certain of it, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from kustomizer.diff.compare import comparison
from kustomizer.diff.model import ADD, CHANGE, DESTROY, ValueChange
from kustomizer.diff.prepare import pair
from kustomizer.site.model import Site
from tests.diff.pairs import generated, of_trees, shuffled, workload


def pairs(before: list[Any], after: list[Any]) -> dict[str, tuple[str, str]]:
    sides = pair(Site(of_trees(*before)), Site(of_trees(*after)))[:2]
    names = [{str(key): each.name for key, each in side.resources.items()} for side in sides]
    return {key: (names[0].get(key, ""), names[1].get(key, "")) for key in sorted({*names[0], *names[1]})}


def name(tree: dict[str, Any]) -> str:
    return str(tree["metadata"]["name"])


def named(tree: dict[str, Any], new: str) -> dict[str, Any]:
    return {**tree, "metadata": {**tree["metadata"], "name": new}}


A1, A2, A3 = (generated("a", {"key": value, "other": "same"}) for value in "123")
S1, S2, S3 = (generated("s", {"key": value}, kind="Secret", type="Opaque") for value in ("MQ==", "Mg==", "Mw=="))


def test_a_changed_config_map_is_the_same_object() -> None:
    assert pairs([A1], [A2]) == {"ConfigMap openedx/a": (name(A1), name(A2))}
    (renaming,) = comparison(of_trees(A1), of_trees(A2)).renamings
    assert (renaming.before, renaming.after, renaming.proven) == ("a", "a", True)


def test_a_name_that_its_data_does_not_prove_is_a_guess() -> None:
    other = named(A2, "a-2456789bcd")
    assert pairs([A1], [other]) == {"ConfigMap openedx/a": (name(A1), name(other))}
    assert [each.proven for each in comparison(of_trees(A1), of_trees(other)).renamings] == [False]


def test_what_is_on_both_sides_is_not_taken_for_what_changed() -> None:
    found = pairs([A1], [A1, A2])
    assert found == {"ConfigMap openedx/a": (name(A1), name(A1)), "ConfigMap openedx/a (2)": ("", name(A2))}
    assert pairs([A1, A2], [A2, A3]) == {
        "ConfigMap openedx/a": (name(A1), name(A3)),
        "ConfigMap openedx/a (2)": (name(A2), name(A2)),
    }


def test_of_several_the_most_alike_are_paired_and_nothing_is_certain() -> None:
    one, two = generated("a", {"x": "1", "y": "1"}), generated("a", {"p": "1", "q": "1"})
    three, four = generated("a", {"x": "2", "y": "1"}), generated("a", {"p": "1", "q": "2"})
    assert set(pairs([one, two], [three, four]).values()) == {(name(one), name(three)), (name(two), name(four))}
    found = comparison(of_trees(one, two), of_trees(three, four))
    assert [each.proven for each in found.renamings] == [False, False]
    assert [each.action for each in found.objects] == [CHANGE, CHANGE]


def test_namespaces_and_kinds_are_apart() -> None:
    elsewhere = {**A2, "metadata": {"name": name(A2), "namespace": "other"}}
    assert {each.action for each in comparison(of_trees(A1), of_trees(elsewhere)).objects} == {ADD, DESTROY}
    assert {each.action for each in comparison(of_trees(A1), of_trees(S1)).objects} == {ADD, DESTROY}


def test_secrets_are_told_apart_without_their_hashes() -> None:
    found = comparison(of_trees(S1), of_trees(S1, S2, S3))
    assert [str(each.id) for each in found.objects] == ["Secret openedx/s (2)", "Secret openedx/s (3)"]
    assert not any(name(each)[2:] in repr(found) for each in (S1, S2, S3))


@pytest.mark.parametrize(("one", "two", "mark"), [(A1, A2, "hash"), (S1, S2, "secret")])
def test_another_one_of_the_same_stem_is_another_one(one: dict[str, Any], two: dict[str, Any], mark: str) -> None:
    stem = name(one)[0]
    jobs = [
        of_trees(one, two, workload("job", kind="Job", env=[{"name": "X", "value": name(each)}])) for each in (one, two)
    ]
    (found,) = comparison(*jobs).objects
    (change,) = found.changes
    assert isinstance(change, ValueChange)
    assert {change.before, change.after} == {f"{stem}-({mark})", f"{stem} (2)-({mark})"}


def test_no_hash_of_a_config_map_is_shown_since_it_tells_the_password_in_it() -> None:
    old, new = (generated("a", {"requirepass": value}) for value in ("hunter2", "hunter3"))
    for before, after in (([old], [new]), ([old], [old, new]), ([], [old]), ([old], [named(new, "a-2456789bcd")])):
        users = [
            workload("job", {"name": "v", "configMap": {"name": name(each[-1])}}, kind="Job")
            for each in (before, after)
            if each
        ]
        found = comparison(of_trees(*before, *users[: len(before)]), of_trees(*after, users[-1]))
        assert found.objects
        assert not any(name(each)[2:] in repr(found) for each in (old, new))


def test_files_keep_the_names_that_are_in_them_but_for_their_hashes() -> None:
    builds_of = [
        of_trees(config, secret, generated("files", {"a": f"{name(config)}, {name(secret)}"}))
        for config, secret in ((A1, S1), (A2, S2))
    ]
    found = comparison(*builds_of)
    (change,) = next(each.changes for each in found.objects if each.id.name == "files")
    assert change == ValueChange(
        path=("data", "a"), before="a-(hash), s-(secret)", after="a-(hash, changed), s-(secret, changed)"
    )


def test_a_hash_that_is_switched_off_is_a_change_of_the_name() -> None:
    plain = named(A1, "a")
    volume = [{"name": "v", "configMap": {"name": each}} for each in (name(A1), "a")]
    found = comparison(of_trees(A1, workload("w", volume[0])), of_trees(plain, workload("w", volume[1])))
    assert [str(each.id) for each in found.objects] == ["ConfigMap openedx/a"]
    assert found.objects[0].changes == (ValueChange(path=("metadata", "name"), before="a-(hash)", after="a"),)
    assert [str(each) for each in found.renamings[0].rolls] == ["Deployment openedx/w"]
    assert not found.renamings[0].proven
    secret = comparison(of_trees(S1), of_trees(named(S1, "s")))
    assert len(secret.objects) == 1
    assert name(S1)[2:] not in repr(secret)


def test_a_name_that_only_looks_generated_stays() -> None:
    before, after = (named(each, "a-2456789bcd") for each in (A1, A2))
    found = comparison(of_trees(before), of_trees(after))
    assert [str(each.id) for each in found.objects] == ["ConfigMap openedx/a-2456789bcd"]
    assert found.renamings == ()


def test_an_immutable_config_map_that_is_generated_is_not_replaced() -> None:
    before, after = ({**each, "immutable": True} for each in (A1, A2))
    assert [each.action for each in comparison(of_trees(before), of_trees(after)).objects] == [CHANGE]


def test_what_rolls_is_whatever_runs_pods_that_hold_the_name() -> None:
    def build(config: dict[str, Any], secret: dict[str, Any]) -> list[Any]:
        both = {"configMap": {"name": name(config)}}, {"secret": {"name": name(secret)}}
        return [
            config,
            secret,
            workload("volume", {"name": "v", "configMap": {"name": name(config)}}),
            workload("projected", {"name": "v", "projected": {"sources": [*both]}}, kind="StatefulSet"),
            workload("daily", {"name": "v", "secret": {"secretName": name(secret)}}, kind="CronJob"),
            workload("env-from", envFrom=[{"configMapRef": {"name": name(config)}}], kind="DaemonSet"),
            workload("env", env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": name(secret), "key": "key"}}}]),
            workload("csi", {"name": "v", "csi": {"driver": "a", "nodePublishSecretRef": {"name": name(secret)}}}),
            workload("neither"),
        ]

    found = comparison(of_trees(*build(A1, S1)), of_trees(*build(A2, S2), workload("new", {"name": name(A2)})))
    rolls = {each.id.kind: [f"{item.kind} {item.name}" for item in each.rolls] for each in found.renamings}
    assert rolls == {
        "ConfigMap": ["DaemonSet env-from", "Deployment volume", "StatefulSet projected"],
        "Secret": ["Deployment csi", "Deployment env", "StatefulSet projected", "CronJob daily"],
    }
    assert [str(each.id) for each in found.objects] == [
        "ConfigMap openedx/a",
        "Secret openedx/s",
        "Deployment openedx/new",
    ]


ALL = [A1, A2, A3, S1, S2, S3, named(A1, "a"), workload("w", {"name": "v", "configMap": {"name": name(A1)}})]
CHOICES = st.lists(st.integers(0, len(ALL) - 1), unique=True)


@given(CHOICES, CHOICES, st.randoms(use_true_random=False))
def test_the_order_of_objects_means_nothing(before: list[int], after: list[int], random: Any) -> None:
    found = comparison(shuffled(ALL, before), shuffled(ALL, after))
    random.shuffle(before)
    random.shuffle(after)
    assert comparison(shuffled(ALL, before), shuffled(ALL, after)) == found


@given(CHOICES, CHOICES)
def test_every_object_is_paired_once(before: list[int], after: list[int]) -> None:
    builds = shuffled(ALL, before), shuffled(ALL, after)
    old, new, _renamed = pair(*map(Site, builds))
    for build, side in zip(builds, (old, new), strict=True):
        assert sorted(map(id, build)) == sorted(map(id, side.resources.values()))
    old_back, new_back, _renamed = pair(*map(Site, builds[::-1]))
    assert len(old.resources.keys() & new.resources.keys()) == len(
        old_back.resources.keys() & new_back.resources.keys()
    )


def alike(before: dict[str, Any], after: dict[str, Any]) -> int:
    common = before["data"].keys() & after["data"].keys()
    return sum(1 + (before["data"][key] == after["data"][key]) for key in common)


DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("123"), max_size=4)
FAMILIES = st.lists(DATA.map(lambda data: generated("f", data)), max_size=6, unique_by=name)


@given(FAMILIES, FAMILIES)
def test_of_all_the_two_that_have_most_in_common_are_paired_first(before: list[Any], after: list[Any]) -> None:
    older, newer = ({name(tree): tree for tree in trees} for trees in (before, after))
    expected = {(each, each) for each in older.keys() & newer.keys()}
    older, newer = ({key: tree for key, tree in side.items() if (key, key) not in expected} for side in (older, newer))
    while older and newer:
        _, old, new = min((-alike(older[old], newer[new]), old, new) for old in older for new in newer)
        expected.add((old, new))
        del older[old], newer[new]
    expected |= {(old, "") for old in older} | {("", new) for new in newer}
    assert set(pairs(before, after).values()) == expected


def test_so_many_of_one_stem_are_other_objects() -> None:
    before, after = ([generated("f", {"a": f"{number} {side}"}) for number in range(101)] for side in (0, 1))
    assert {bool(old and new) for old, new in pairs(before, after).values()} == {False}
    assert {bool(old and new) for old, new in pairs(before[:100], after[:100]).values()} == {True}
