"""The rows that a site's queues make: read off final resources, whatever a build may hold."""

from __future__ import annotations

import itertools
import json

import pytest

from kustomizer.cluster.verify import minimum
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from kustomizer.site.model import Site
from kustomizer.site.queues import Guard, QueueRow, Scaling, queues_of
from tests import sites
from tests.builds import Builds
from tests.rules.small_site import (
    deployment,
    hpa,
    resource,
    scaled_object,
    service,
    settings,
    site,
    split_site,
    trigger,
    with_settings,
    worker,
)

LATE = "CELERY_ACKS_LATE = True\nBROKER_TRANSPORT_OPTIONS = {'unacked_key': 'mine', 'visibility_timeout': 7200}\n"


def rows(*documents: str) -> dict[str, QueueRow]:
    return {f"{row.queue} {row.deployment}".strip(): row for row in queues_of(site(*documents))}


def test_each_queue_of_each_worker_has_a_row() -> None:
    found = queues_of(site(*split_site(lms_worker_high=worker("lms-worker-high", "edx.lms.core.high,bulk"))))
    assert [(row.service, row.deployment, row.queue) for row in found] == [
        ("cms", "cms-worker", "edx.cms.core.default"),
        ("cms", "cms-worker-high", "edx.cms.core.high"),
        ("cms", "cms-worker-low", "edx.cms.core.low"),
        ("lms", "lms-worker", "edx.lms.core.default"),
        ("lms", "lms-worker-high", "bulk"),
        ("lms", "lms-worker-high", "edx.lms.core.high"),
        ("lms", "lms-worker-high-mem", "edx.lms.core.high_mem"),
    ]


def test_the_order_of_the_resources_does_not_matter() -> None:
    documents = [*split_site(), scaled_object("lms-worker-high", triggers=[trigger("edx.lms.core.high")])]
    assert queues_of(site(*documents)) == queues_of(site(*reversed(documents)))


def test_a_worker_that_names_no_queue_takes_those_of_its_service() -> None:
    assert list(rows(worker("cms-worker"))) == [
        f"edx.cms.core.{name} cms-worker" for name in ("default", "high", "low")
    ]
    assert list(rows(worker("superset-worker"))) == ["superset-worker"]


def test_fixed_pods() -> None:
    found = rows(worker("lms-worker", "a", replicas=3), worker("cms-worker", "b"))
    assert found["a lms-worker"].scaling == Scaling(minimum=3, maximum=3)
    assert str(found["b cms-worker"].scaling) == "1, fixed"


def test_a_list_that_only_ends_in_the_queues_name_is_not_the_queues() -> None:
    reports = trigger("reports-high", name="reports")
    reports["metadata"]["listLength"] = "3"
    found = rows(
        worker("lms-worker", "high,reports-high"), scaled_object("lms-worker", triggers=[reports, trigger("high")])
    )
    assert found["high lms-worker"].scaling.list_length == 40
    assert found["reports-high lms-worker"].scaling.list_length == 3
    alone = rows(worker("lms-worker", "high"), scaled_object("lms-worker", triggers=[reports]))
    assert alone["high lms-worker"].scaling.list_length is None


def test_a_queue_whose_priorities_all_have_lists_of_their_own() -> None:
    triggers = [trigger(f"high\x06\x16{number}") for number in (3, 6)]
    found = rows(worker("lms-worker", "high"), scaled_object("lms-worker", triggers=triggers))
    assert found["high lms-worker"].scaling.list_length == 40


def test_what_keda_does_with_a_worker() -> None:
    slots = {"scalingModifiers": {"formula": "queued1/1 + inflight/2"}}
    in_flight = trigger("unacked", name="inflight")
    triggers = [trigger("prefix-a"), trigger("prefix-unacked", name="inflight")]
    found = rows(
        worker("lms-worker", "a,b", grace=900),
        scaled_object("lms-worker", minReplicaCount=2, triggers=triggers),
        worker("lms-worker-c", "c"),
        scaled_object("lms-worker-c", advanced=slots, triggers=[trigger("c", name="queued1"), in_flight]),
        worker("lms-worker-d", "d"),
        scaled_object("lms-worker-d", maxReplicaCount=7, triggers=[trigger("elsewhere")]),
    )
    assert found["a lms-worker"].scaling == Scaling(
        by="KEDA", name="lms-worker-scaledobject", minimum=2, maximum=100, list_length=40
    )
    assert found["b lms-worker"].scaling.list_length is None
    assert found["d lms-worker-d"].scaling.maximum == 7
    assert [row.guard.counted for row in found.values()] == ["Zero", "Zero", "Slots", "Off"]
    assert found["a lms-worker"].guard.grace_period == 900


@pytest.mark.parametrize(
    ("formula", "counted"),
    [
        ("q0 + q1", "Off"),
        ("q0 + unfinished", "Formula"),
        ("q0 + unfinished/2", "Slots"),
        ("max(q0, unfinished > 0 ? 1/1000000 : 0)", "Zero"),
        ("", "Zero"),
    ],
)
def test_a_formula_of_somebody_elses_is_what_it_does(formula: str, counted: str) -> None:
    triggers = [trigger("a", name="q0"), trigger("b", name="q1"), trigger("unacked", name="unfinished")]
    scaled = scaled_object("lms-worker", advanced={"scalingModifiers": {"formula": formula}}, triggers=triggers)
    assert rows(worker("lms-worker", "a"), scaled)["a lms-worker"].guard.counted == counted


def test_a_paused_worker() -> None:
    text = scaled_object("lms-worker", triggers=[trigger("a")])
    annotated = text.replace('"namespace"', '"annotations": {"autoscaling.keda.sh/paused": "%s"}, "namespace"', 1)
    for value, scaling in (("true", "KEDA 0-100, paused"), ("false", "KEDA 0-100"), ("", "KEDA 0-100, paused")):
        assert str(rows(worker("lms-worker", "a"), annotated % value)["a lms-worker"].scaling) == scaling


def test_an_hpa() -> None:
    scaling = rows(worker("lms-worker", "a"), hpa("lms-worker"))["a lms-worker"].scaling
    assert scaling == Scaling(by="HPA", name="lms-worker", minimum=1, maximum=1)


def test_an_autoscaler_of_another_namespace_is_not_meant() -> None:
    found = rows(worker("lms-worker", "a"), scaled_object("lms-worker", namespace="other"))
    assert found["a lms-worker"].scaling.by == ""


def test_what_guards_running_tasks() -> None:
    found = rows(with_settings("lms-worker", "a", grace=None), settings(LATE), worker("cms-worker", "b", grace=60))
    assert found["a lms-worker"].guard == Guard(late=True, unacked_key="mine", visibility_timeout=7200)
    assert found["b cms-worker"].guard.late is False
    assert str(found["b cms-worker"].guard) == "no guard"


def test_of_another_application_no_settings_are_known() -> None:
    guard = rows(worker("superset-worker"))["superset-worker"].guard
    assert guard == Guard(grace_period=600)
    assert str(guard) == "600s"


def test_routed_tasks_and_who_takes_them() -> None:
    routes = "EXPLICIT_QUEUES = {'z': {'queue': 'a'}, 'b.c': {'queue': 'a'}, 'lost': {'queue': 'edx.cms.core.gone'}}\n"
    found = rows(with_settings("lms-worker", "a"), settings(routes))
    assert found["a lms-worker"].tasks == ("b.c", "z")
    assert found["edx.cms.core.gone"] == QueueRow(
        namespace="openedx", service="cms", queue="edx.cms.core.gone", tasks=("lost",)
    )


def test_a_queue_that_open_edx_sends_to_and_nobody_consumes() -> None:
    found = rows(service("cms"), worker("cms-worker", "edx.cms.core.default"))
    assert [row.deployment for row in found.values()] == ["cms-worker", "", ""]


def test_odd_objects_are_passed_over() -> None:
    odd = [
        resource("ScaledObject", "a", spec={"scaleTargetRef": {"name": "lms-worker"}, "triggers": "none"}),
        resource("ScaledObject", "b", spec=None),
        deployment("lms-worker-odd", {"args": "celery"}, replicas="many"),
        resource("ConfigMap", "c", data={"a.py": "EXPLICIT_QUEUES = {1: 2}"}),
    ]
    found = rows(worker("lms-worker", "a", replicas="${REPLICAS}"), *odd)
    assert [(row.queue, row.scaling.by, row.scaling.maximum) for row in found.values()] == [("a", "KEDA", 100)]


def test_the_full_site(builds: Builds) -> None:
    built = builds.through_exec(sites.site("full")).stdout
    found = queues_of(Site(Resources(read_stream(built, b"{}").resources)))
    split = [row for row in found if row.service in {"lms", "cms"}]
    assert len(split) == 6
    assert all(row.guard.late and row.deployment for row in split)
    # Ours; the two default workers share Celery's own.
    keys = [list(group) for _, group in itertools.groupby(sorted(row.guard.unacked_key for row in split))]
    assert [len(group) for group in keys] == [2, 1, 1, 1, 1]


def test_a_worker_on_each_node() -> None:
    own = json.loads(worker("lms-worker", "a"))
    [row] = queues_of(site(json.dumps({**own, "kind": "DaemonSet"})))
    assert str(row.scaling) == "one per node"


def test_a_worker_that_comes_again_and_again() -> None:
    args = ["celery", "--app=lms.celery", "worker", "--queues=night"]
    template = {"template": {"spec": {"containers": [{"name": "w", "args": args}]}}}
    cron = resource("CronJob", "night", spec={"jobTemplate": {"spec": {"parallelism": 2, **template}}})
    job = resource("ScaledJob", "lms-worker-often", spec={"jobTargetRef": template, "maxReplicaCount": 5})
    assert [(row.deployment, str(row.scaling)) for row in queues_of(site(cron, job))] == [
        ("lms-worker-often", "ScaledJob 0-5"),
        ("night", "CronJob 0-2"),
    ]
    [worker_of_cron] = site(cron).workers
    assert worker_of_cron.field == "spec.jobTemplate.spec.template.spec.containers[0]"
    assert minimum(site(cron), worker_of_cron) == 0
