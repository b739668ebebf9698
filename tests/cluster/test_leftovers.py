"""Which of a cluster's objects are ours and no longer wanted, and why some of them stay."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kustomizer.cluster.leftovers import Counted, Leftover, leftovers
from kustomizer.cluster.ours import ours_of
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.writer import emit
from kustomizer.site.model import Site
from tests import growth, sites
from tests.builds import Loader

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMESPACE = "openedx"
GOLDEN = sites.ROOT / "tests" / "golden"
Tree = dict[str, Any]


def golden(case: str, file: str = "expected.yaml") -> list[Tree]:
    return list(yaml.load_all((GOLDEN / case / file).read_text(), Loader))


def live(trees: Iterable[Tree]) -> Resources:
    return Resources(Resource(emit(tree), tree=tree) for tree in trees)


def found(cluster: list[Tree], build: list[Tree]) -> dict[str, Leftover]:
    return {each.name: each for each in leftovers(live(cluster), Site(live(build)), NAMESPACE)}


def names(found: Leftover) -> list[str]:
    return [f"{item.kind} {item.name}" for item in found.objects]


def changed(trees: list[Tree], kind: str, name: str, change: Tree | None) -> list[Tree]:
    """Return ``trees`` with the fields of one replaced, or without it."""
    result = []
    for tree in trees:
        if (tree["kind"], tree["metadata"]["name"]) != (kind, name):
            result.append(tree)
        elif change is not None:
            result.append({**tree, **change})
    return result


HIGH = [
    "ScaledObject lms-worker-high-scaledobject",
    "Deployment lms-worker-high",
    "PodDisruptionBudget lms-worker-high",
    "ConfigMap lms-worker-high-celery-settings-84htg8dg62",
]


SELECTOR = {"matchLabels": {"app.kubernetes.io/instance": "openedx-demo", "app.kubernetes.io/name": "lms-worker-high"}}


def test_what_a_build_has_is_no_leftover() -> None:
    assert found(golden("keda"), golden("keda")) == {}


def test_a_worker_that_the_build_no_longer_has() -> None:
    left = found(golden("keda"), golden("keda", "input.yaml"))
    high = left["lms-worker-high"]
    assert names(high) == HIGH
    assert (list(high.queues), high.key) == (["edx.lms.core.high"], "unacked.lms-worker-high")
    # Tutor's own worker stays, and its settings as long as it names them.
    assert set(left) == {"lms-worker-high"}


def test_a_queue_that_another_worker_takes_by_now_needs_not_be_empty() -> None:
    cluster = golden("keda")
    [tutors] = [tree for tree in golden("keda", "input.yaml") if tree["metadata"]["name"] == "lms-worker"]
    cluster = changed(cluster, "Deployment", "lms-worker", {"spec": tutors["spec"]})
    high = found(cluster, golden("keda", "input.yaml"))["lms-worker-high"]
    assert (list(high.queues), high.key) == ([], "unacked.lms-worker-high")


def test_what_is_left_when_the_deployment_is_gone() -> None:
    """`tutor k8s stop` and `reboot` delete Deployments and ConfigMaps, and leave KEDA's objects and budgets."""
    kinds = ("ScaledObject", "PodDisruptionBudget")
    cluster = [tree for tree in golden("keda") if tree["kind"] in kinds]
    high = found(cluster, golden("keda", "input.yaml"))["lms-worker-high"]
    assert names(high) == [HIGH[0], HIGH[2]]
    assert (list(high.queues), high.key) == (["edx.lms.core.high"], "unacked.lms-worker-high")


def test_an_autoscaler_that_was_turned_off_for_a_worker_that_stays() -> None:
    build = [tree for tree in golden("keda") if tree["kind"] not in ("ScaledObject", "PodDisruptionBudget")]
    high = found(golden("keda"), build)["lms-worker-high"]
    assert names(high) == [HIGH[0], HIGH[2]]
    assert (list(high.queues), high.key) == ([], ""), "its tasks have a worker"


@pytest.mark.parametrize("named", [True, False])
def test_settings_of_before(named: bool) -> None:
    cluster = golden("keda")
    [settings] = [tree for tree in cluster if tree["metadata"]["name"].startswith("lms-worker-high-celery")]
    old = {**settings, "metadata": {**settings["metadata"], "name": "lms-worker-high-celery-settings-2222222222"}}
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "lms-worker-high-1", "namespace": NAMESPACE},
        "spec": {"template": {"volumes": [{"configMap": {"name": old["metadata"]["name"]}}]}},
    }
    left = found([*cluster, old, *([replica_set] if named else [])], cluster)
    assert {name: names(each) for name, each in left.items()} == (
        {} if named else {"lms-worker-high": ["ConfigMap lms-worker-high-celery-settings-2222222222"]}
    )


def test_settings_that_something_else_names_hold_the_rest() -> None:
    [settings] = [tree for tree in golden("keda") if tree["metadata"]["name"].startswith("lms-worker-high-celery")]
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": NAMESPACE},
        "spec": {"volumes": [{"configMap": {"name": settings["metadata"]["name"]}}]},
    }
    high = found([*golden("keda"), job], golden("keda", "input.yaml"))["lms-worker-high"]
    assert high.held == f"CronJob nightly names {settings['metadata']['name']}"
    assert Counted(leftover=high).reasons == [high.held]


OTHERS: list[Tree] = [
    # tutor-contrib-celery's: the same names, no settings of ours, triggers without names.
    {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"volumes": []}}}},
    {"apiVersion": "v1", "kind": "ConfigMap", "data": {"production.py": "A = 1"}},
    {"apiVersion": "v1", "kind": "Secret", "data": {"password": "", "more": ""}},
    {"apiVersion": "v1", "kind": "Secret", "data": {}},
]


@pytest.mark.parametrize("tree", OTHERS)
@pytest.mark.parametrize("name", ["lms-worker-high", "lms-worker-high-celery-settings-2222222222", "lms-worker-broker"])
def test_others_have_such_names_too(tree: Tree, name: str) -> None:
    labels = {"app.kubernetes.io/name": name.removesuffix("-broker")}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    assert ours_of(live([{**tree, "metadata": metadata}])) == {}


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("ScaledObject", "lms-worker-high-scaledobject", {"metadata": {"name": "of-mine", "namespace": NAMESPACE}}),
        (
            "ScaledObject",
            "lms-worker-high-scaledobject",
            {"spec": {"scaleTargetRef": {"name": "lms-worker-high"}, "triggers": [{"type": "redis"}]}},
        ),
        ("PodDisruptionBudget", "lms-worker-high", {"spec": {"selector": {"matchLabels": {"a": "b"}}}}),
        (
            "PodDisruptionBudget",
            "lms-worker-high",
            {"metadata": {"name": "lms-worker-high", "namespace": NAMESPACE, "labels": {}}},
        ),
        ("Deployment", "lms-worker-high", {"spec": {"selector": SELECTOR, "template": {"spec": {"volumes": []}}}}),
    ],
)
def test_what_isnt_as_we_emit_it_is_left(kind: str, name: str, change: Tree) -> None:
    cluster = changed(golden("keda"), kind, name, change)
    left = names(found(cluster, golden("keda", "input.yaml"))["lms-worker-high"])
    assert left == [each for each in HIGH if each != f"{kind} {name}"]


def test_credentials_go_once_no_scaled_object_refers_to_them() -> None:
    metadata = {"name": "lms-worker-broker", "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": "lms-worker"}}
    access = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "TriggerAuthentication",
        "metadata": metadata,
        "spec": {"secretTargetRef": [{"parameter": "password", "name": "lms-worker-broker", "key": "password"}]},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": "cGFzc3dvcmQ="}}
    others = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "of-mine", "namespace": NAMESPACE},
        "spec": {"triggers": [{"type": "redis", "authenticationRef": {"name": "lms-worker-broker"}}]},
    }
    left = found([access, secret, others], [])["lms-worker-broker"]
    assert names(left) == ["TriggerAuthentication lms-worker-broker", "Secret lms-worker-broker"]
    assert left.held == "ScaledObject of-mine refers to it"
    assert found([access, secret], [])["lms-worker-broker"].held == ""


def test_the_work_grows_with_the_number_of_leftovers_and_not_with_its_square() -> None:
    ours = [tree for tree in golden("keda") if "lms-worker-high" in tree["metadata"]["name"]]

    def cluster(count: int) -> Resources:
        texts = [json.dumps(ours).replace("lms-worker-high", f"lms-worker-q{number}") for number in range(count)]
        return live([*golden("keda", "input.yaml"), *(tree for text in texts for tree in json.loads(text))])

    build = Site(live(golden("keda", "input.yaml")))
    few, lots = cluster(10), cluster(80)
    assert len(leftovers(lots, build, NAMESPACE)) == 80
    small, large = (growth.calls(functools.partial(leftovers, some, build, NAMESPACE)) for some in (few, lots))
    assert large < 12 * small


def test_reasons() -> None:
    left = Leftover(name="a", objects=[], queues=["q"], key="unacked.a")
    assert Counted(leftover=left, counts={"q": 0, "unacked.a": 0}).reasons == []
    assert Counted(leftover=left, counts={"q": 1, "unacked.a": 2}).reasons == [
        "1 task on q, which no worker of the site consumes",
        "2 tasks in flight under unacked.a",
    ]
    assert Counted(leftover=left, unknown="no pod").reasons == ["its tasks can't be counted: no pod"]


def test_the_program_that_restores_orphans_goes_with_its_rights() -> None:
    on = golden("restore-orphans")
    off = [tree for tree in on if tree["metadata"]["name"] != "celery-restore-orphans"]
    [left] = found(on, off).values()
    assert names(left) == [
        f"{kind} celery-restore-orphans"
        for kind in ("Deployment", "Secret", "ConfigMap", "ServiceAccount", "RoleBinding", "Role")
    ]
    assert not left.queues
    assert not left.key
    # One of the same name that is somebody else's.
    others = changed(off, "", "", None) + [
        {**tree, "metadata": {"name": "celery-restore-orphans", "namespace": NAMESPACE}}
        for tree in on
        if tree not in off
    ]
    assert found(others, off) == {}
