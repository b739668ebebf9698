"""What differs between two builds: real ones, and small ones made to show one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.diff.compare import comparison
from kustomizer.diff.model import ADD, CHANGE, DESTROY, REPLACE, TextChange, ValueChange, path_text
from kustomizer.diff.prepare import prepare
from kustomizer.errors import UserError
from kustomizer.findings.ignores import Ignore
from kustomizer.manifests.equality import same
from kustomizer.manifests.resource import Resources
from kustomizer.openedx.template_jobs import is_template_job
from tests import sites
from tests.diff.apply import applied
from tests.diff.pairs import generated, of_trees, resources, unchanged_secrets, workload

if TYPE_CHECKING:
    from kustomizer.diff.model import Comparison
    from tests.builds import Builds

PAIRS = ("21 and 22", "22 and full", "22 and split", "full and split")


def real(name: str, builds: Builds) -> tuple[bytes, bytes]:
    first, _, second = name.partition(" and ")
    before = builds.plain(sites.site(first))
    after = builds.through_exec(sites.site(first)) if second == "split" else builds.plain(sites.site(second))
    return before.stdout, after.stdout


@pytest.mark.parametrize("pair", PAIRS)
def test_a_build_does_not_differ_from_itself(pair: str, builds: Builds) -> None:
    for output in real(pair, builds):
        # Texts that differ, so that they are parsed, and nothing else.
        found = comparison(resources(output), resources(output.replace(b"kind: ", b"kind:  ")))
        assert found.is_empty
        assert found.unchanged == len([*resources(output)])


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_said_makes_one_build_into_the_other(pair: str, builds: Builds) -> None:
    for before, after in (real(pair, builds), real(pair, builds)[::-1]):
        sides = prepare(resources(before), resources(after))
        objects = {each.id: each for each in comparison(resources(before), resources(after)).objects}
        assert objects
        for identity in sides.identities():
            old, new = (sides.masks.shown(tree, tree)[0] for tree in sides.trees(identity))
            each = objects.get(identity)
            if each is None:
                found = [side.resources.get(identity) for side in (sides.before, sides.after)]
                # A template Job of Tutor's that one build alone has is named by a rule.
                assert same(old, new) or any(item is not None and is_template_job(item) for item in found)
            elif each.action in (ADD, DESTROY):
                assert same(each.tree, new if old is None else old)
                assert (old is None) is (each.action == ADD)
            else:
                assert same(unchanged_secrets(applied(old, each.changes)), unchanged_secrets(new))


@pytest.mark.parametrize("pair", PAIRS)
def test_there_and_back_is_as_much(pair: str, builds: Builds) -> None:
    before, after = real(pair, builds)
    there, back = comparison(resources(before), resources(after)), comparison(resources(after), resources(before))
    assert there.count(ADD) == back.count(DESTROY)
    assert there.count(DESTROY) == back.count(ADD)
    assert there.unchanged == back.unchanged
    assert paths(there) == paths(back)


@pytest.mark.parametrize("pair", PAIRS)
def test_the_order_of_the_build_means_nothing(pair: str, builds: Builds) -> None:
    before, after = real(pair, builds)
    backwards = [Resources([*resources(each)][::-1]) for each in (before, after)]
    assert comparison(resources(before), resources(after)) == comparison(*backwards)


def paths(found: Comparison) -> dict[str, list[str]]:
    return {
        str(each.id): sorted(path_text(change.path) for change in each.changes)
        for each in found.objects
        if each.changes
    }


def test_an_upgrade_of_tutor(builds: Builds) -> None:
    found = comparison(*map(resources, real("21 and 22", builds)))
    assert found.groups[0].change == ValueChange(
        path=("metadata", "annotations", "app.kubernetes.io/version"), before="21.0.9", after="22.0.3"
    )
    assert len(found.groups[0].objects) == len(found.objects)
    assert {each.id.name: each.proven for each in found.renamings} == {
        "openedx-config": True,
        "openedx-settings-cms": True,
        "openedx-settings-lms": True,
    }
    rolled = {str(each) for each in found.renamings[0].rolls}
    assert rolled >= {f"Deployment openedx/{name}" for name in ("lms", "cms", "lms-worker", "cms-worker")}
    # References that follow their object are no change of what refers to it.
    assert not any("settings-lms" in path for path in paths(found)["Deployment openedx/lms"])
    assert {str(each.id) for each in found.objects if each.action == REPLACE} == {
        f"Job openedx/{name}-job" for name in ("lms", "cms", "mysql")
    }
    config = next(each for each in found.objects if each.id.name == "openedx-config")
    assert [type(change) for change in config.changes[:2]] == [TextChange, TextChange]


def test_a_split_in_words(builds: Builds) -> None:
    found = comparison(*map(resources, real("22 and split", builds)))
    notes = [
        note
        for each in found.objects
        for change in each.changes
        for note in getattr(change, "notes", ())
        if each.id.name == "lms-worker"
    ]
    assert "no longer takes edx.lms.core.high, edx.lms.core.high_mem" in notes
    assert found.count(DESTROY) == 0
    before, after = found.queues
    assert len({row.deployment for row in after}) > len({row.deployment for row in before})


def test_a_version_of_an_api_is_no_other_object() -> None:
    old = {"apiVersion": "autoscaling/v2beta2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}}
    (change,) = comparison(of_trees(old), of_trees({**old, "apiVersion": "autoscaling/v2"})).objects
    assert (change.action, change.api_version) == (CHANGE, ("autoscaling/v2beta2", "autoscaling/v2"))
    other = {**old, "apiVersion": "autoscaling.example.com/v2"}
    assert {each.action for each in comparison(of_trees(old), of_trees(other)).objects} == {ADD, DESTROY}


def test_an_object_that_is_there_twice() -> None:
    item = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
    with pytest.raises(UserError, match="twice"):
        resources(f"{item}---\n{item}")


def test_the_order_of_queues_is_none() -> None:
    def site(queues: str) -> Any:
        return of_trees(workload("lms-worker", args=["celery", "--app=lms.celery", "worker", f"--queues={queues}"]))

    assert comparison(site("a,b,c"), site("c,a,b")).is_empty
    (change,) = comparison(site("a,b"), site("c,b")).objects[0].changes
    assert getattr(change, "notes", ()) == ("no longer takes a", "now takes c")


def test_a_job_is_replaced_where_what_it_mounts_has_another_name() -> None:
    builds_of = []
    for value in ("1", "2"):
        config = generated("settings", {"a": value})
        volume = {"name": "v", "configMap": {"name": config["metadata"]["name"]}}
        builds_of.append(of_trees(config, workload("a", volume, kind="Job"), workload("b", volume)))
    found = comparison(*builds_of)
    assert [(each.action, each.id.kind) for each in found.objects] == [(REPLACE, "Job"), (CHANGE, "ConfigMap")]
    assert [path_text(change.path) for change in found.objects[0].changes] == [
        "spec.template.spec.volumes[v].configMap.name"
    ]
    assert [str(each) for each in found.renamings[0].rolls] == ["Deployment openedx/b", "Job openedx/a"]


def test_the_hash_of_a_secret_is_never_told() -> None:
    builds_of, names = [], []
    for value in ("MQ==", "Mg=="):
        secret = generated("broker", {"password": value}, kind="Secret", type="Opaque")
        names.append(secret["metadata"]["name"].rpartition("-")[2])
        volume = {"name": "v", "secret": {"secretName": secret["metadata"]["name"]}}
        builds_of.append(of_trees(secret, workload("a", volume, kind="Job"), workload("b", volume)))
    found = comparison(*builds_of)
    assert found.renamings[0].proven
    assert [str(each.id) for each in found.objects] == ["Job openedx/a", "Secret openedx/broker"]
    assert not any(name in repr(found) for name in names)
    added = comparison(of_trees(), builds_of[0])
    assert added.count(ADD) == 3
    assert not any(name in repr(added) for name in names)


def test_what_is_the_same_is_not_even_parsed() -> None:
    # A build may hold ten thousand objects of which a hundred differ.
    broken = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec: {\n"
    assert comparison(resources(broken), resources(broken)).unchanged == 1
    with pytest.raises(UserError):
        comparison(resources(broken), resources(broken.replace("spec", "status")))


def test_an_ignored_change_takes_its_renaming_along() -> None:
    builds_of = [of_trees(generated("a", {"key": value}), generated("b", {"key": value})) for value in "12"]
    found = comparison(*builds_of, ignores=[Ignore(reason="known", resource="ConfigMap/a")])
    assert [str(each.id) for each in found.objects] == ["ConfigMap openedx/b"]
    assert [str(each.id) for each in found.renamings] == ["ConfigMap openedx/b"]
    assert [(each.reason, each.changes) for each in found.ignored] == [("known", 1)]


def test_an_entry_that_has_nothing_left_to_match_is_stale() -> None:
    """A rule of `check` may find in both builds what this comparison needn't say; such an entry isn't stale."""
    missing = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "openedx"},
        "spec": {"containers": [{"name": "a", "envFrom": [{"secretRef": {"name": "nobody"}}]}]},
    }
    builds_of = [of_trees(missing, generated("b", {"key": value})) for value in "12"]
    entries = {
        Ignore(reason="", rule="missing-object", resource="Pod/a"): False,
        Ignore(reason="", rule="missing-object", resource="Pod/b"): True,
        Ignore(reason="", rule="scaled-down", resource="Pod/a"): False,
        Ignore(reason="", rule="scaled-down", resource="Pod/b"): True,
        Ignore(reason="", resource="ConfigMap/b"): False,
    }
    found = comparison(*builds_of, ignores=list(entries))
    assert [each.is_stale for each in found.ignored] == list(entries.values())


def test_a_reason_that_quotes_a_password() -> None:
    before, after = (of_trees(generated("a", {"password": value})) for value in ("correct-Horse7", "battery-Staple8"))
    reason = "battery-Staple8 is but a trial"
    found = comparison(before, after, ignores=[Ignore(field="data", reason=reason)])
    assert [(each.reason, each.changes) for each in found.ignored] == [("(secret) is but a trial", 1)]


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a"},
    "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}},
}
DRY_RUN: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"creationTimestamp": None, "name": "a", "labels": {}, "annotations": None},
    "spec": {
        "strategy": {},
        "template": {
            "metadata": {"creationTimestamp": None},
            "spec": {"containers": [{"name": "a", "image": "b", "resources": {}}], "securityContext": {}},
        },
    },
    "status": {},
}


def test_empty_fields_of_kubectls_dry_run_are_no_change() -> None:
    assert comparison(of_trees(DEPLOYMENT), of_trees(DRY_RUN)).is_empty
    assert comparison(of_trees(DRY_RUN), of_trees(DEPLOYMENT)).is_empty


def test_empty_fields_that_mean_something_are_a_change() -> None:
    for volume in ({"name": "a", "emptyDir": {}}, {"name": "a", "status": {}}):
        with_volume = {**DEPLOYMENT, "spec": {"template": {"spec": {"volumes": [volume]}}}}
        without = {**DEPLOYMENT, "spec": {"template": {"spec": {"volumes": [{"name": "a"}]}}}}
        assert not comparison(of_trees(without), of_trees(with_volume)).is_empty
    status = {**DEPLOYMENT, "status": {"replicas": 1}}
    assert not comparison(of_trees(DEPLOYMENT), of_trees(status)).is_empty
