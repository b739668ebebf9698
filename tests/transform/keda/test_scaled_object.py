"""What scales a worker: its ScaledObject, what it refuses and what it warns of."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.function import run_stream
from tests.keda_site import HEAD, NAMESPACE, Result, Site, built, dumped, env_file, metadata, scaler, site, worked

SPLIT = "{workers: {lms: {default: {%s}, high: {%s}, high_mem: {%s}}}%s}"
ENABLED = "keda: {enabled: true}"


def high(keda: str, more: str = "", given: Site | None = None) -> Result:
    """Return the build in which KEDA scales lms-worker-high with these settings."""
    return worked(SPLIT % ("", f"keda: {{enabled: true, {keda}}}, {more}", "", ""), given)


def refused(keda: str, more: str = "", given: Site | None = None) -> list[str]:
    """Return what is refused about lms-worker-high with these settings."""
    result = built(SPLIT % ("", f"keda: {{enabled: true, {keda}}}, {more}", "", ""), given)
    assert result.errors and not result.output.data
    return result.errors


def scaled_object(result: Result, deployment: str = "lms-worker-high") -> dict[str, Any]:
    spec: dict[str, Any] = result.get("ScaledObject", f"{deployment}-scaledobject")["spec"]
    return spec


def test_what_is_emitted() -> None:
    result = high("")
    found = result.get("ScaledObject", "lms-worker-high-scaledobject")
    assert found == {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {
            **metadata("lms-worker-high"),
            "name": "lms-worker-high-scaledobject",
        },
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "lms-worker-high"},
            "minReplicaCount": 0,
            "maxReplicaCount": 30,
            "advanced": {"restoreToOriginalReplicaCount": True},
            "triggers": [
                {
                    "type": "redis",
                    "name": "queued1",
                    "metadata": {
                        "listName": "edx.lms.core.high",
                        "listLength": "40",
                        "address": "redis.openedx:6379",
                    },
                },
                {
                    "type": "redis",
                    "name": "inflight",
                    "metadata": {
                        "listName": "unacked.lms-worker-high",
                        "listLength": "1000000",
                        "address": "redis.openedx:6379",
                    },
                },
            ],
        },
    }
    assert result.kinds("ScaledObject") == ["lms-worker-high-scaledobject"]
    assert not result.output.problems


def test_replicas_leave_the_deployment_and_come_back() -> None:
    objects = [
        item if item["kind"] != "Deployment" else {**item, "spec": {**item["spec"], "replicas": 3}}
        for item in site().objects
    ]
    scaled = worked(SPLIT % (ENABLED, ENABLED, "", ""), dumped(objects))
    for name, replicas in (("lms-worker", None), ("lms-worker-high", None), ("lms-worker-high-mem", 3)):
        assert scaled.get("Deployment", name)["spec"].get("replicas") == replicas
    assert high("").get("Deployment", "lms-worker-high-mem")["spec"]["replicas"] == 1


def test_every_field_reaches_the_scaled_object() -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 3600}}
    spec = scaled_object(
        high(
            "minReplicas: 2, maxReplicas: 5, listLength: 7, activationListLength: 3, pollingInterval: 10, "
            "cooldownPeriod: 1800, initialCooldownPeriod: 60, idleReplicas: 0, fallback: {failureThreshold: 3, "
            f"replicas: 2}}, behavior: {behavior}, extraTriggers: [{{type: cron, metricType: AverageValue, metadata: "
            "{timezone: UTC, start: 0 6 * * *, end: 0 20 * * *, desiredReplicas: '3'}}]"
        )
    )
    extra = spec["triggers"].pop()
    assert (extra["type"], extra["metadata"]["desiredReplicas"]) == ("cron", "3")
    assert spec["triggers"][0]["metadata"] == {
        "listName": "edx.lms.core.high",
        "listLength": "7",
        "activationListLength": "3",
        "address": "redis.openedx:6379",
    }
    # KEDA 2.15's webhook takes a fallback only where the metric's type is said.
    assert [trigger["metricType"] for trigger in spec["triggers"]] == ["AverageValue"] * 2
    del spec["triggers"], spec["scaleTargetRef"]
    assert spec == {
        "minReplicaCount": 2,
        "maxReplicaCount": 5,
        "pollingInterval": 10,
        "cooldownPeriod": 1800,
        "initialCooldownPeriod": 60,
        "idleReplicaCount": 0,
        "fallback": {"failureThreshold": 3, "replicas": 2},
        "advanced": {
            "restoreToOriginalReplicaCount": True,
            "horizontalPodAutoscalerConfig": {"behavior": behavior},
        },
    }


def test_the_default_workers() -> None:
    keys = "{default: {}, high: {}, %s: {}}"
    spec = f"{{defaults: {{{ENABLED}}}, workers: {{lms: {keys % 'high_mem'}, cms: {keys % 'low'}}}}}"
    result = worked(spec)
    assert len(result.kinds("ScaledObject")) == 6
    for service in ("lms", "cms"):
        assert scaled_object(result, f"{service}-worker")["maxReplicaCount"] == 10
        # Celery's own key, which the two share.
        assert result.metadata(f"{service}-worker", "inflight")["listName"] == "unacked"
    shared = worked(
        spec.replace("enabled: true", "enabled: true, inFlight: Slots").replace("{keda", "{concurrency: 2, keda")
    )
    assert "scalingModifiers" not in scaled_object(shared, "lms-worker")["advanced"]
    assert "scalingModifiers" in scaled_object(shared, "lms-worker-high")["advanced"]


def test_one_trigger_for_each_queue() -> None:
    queues = "queues: [edx.lms.core.high, reports]"
    triggers = high("", queues).triggers("lms-worker-high")
    assert {name: trigger["metadata"]["listName"] for name, trigger in triggers.items()} == {
        "queued1": "edx.lms.core.high",
        "queued2": "reports",
        "inflight": "unacked.lms-worker-high",
    }


def test_in_flight_is_counted_where_the_worker_keeps_it() -> None:
    """The key of the trigger is the one in the worker's own settings."""
    result = high("")
    (config_map,) = (name for name in result.kinds("ConfigMap") if name.startswith("lms-worker-high-celery-settings-"))
    settings = result.get("ConfigMap", config_map)["data"]["production.py"]
    assert f"'unacked_key': '{result.metadata('lms-worker-high', 'inflight')['listName']}'" in settings


def test_off() -> None:
    result = high("inFlight: Off, minReplicas: 1")
    assert list(result.triggers("lms-worker-high")) == ["queued1"]
    assert not result.warnings


SLOTS = "inFlight: Slots"


@pytest.mark.parametrize(
    ("keda", "more", "formula"),
    [
        ("listLength: 1", "concurrency: 1", "queued1/1 + inflight/1"),
        ("", "concurrency: 8", "queued1/40 + inflight/8"),
        ("", "extraArgs: [-c4]", "queued1/40 + inflight/4"),
        ("", "extraArgs: [--autoscale, '10,3']", "queued1/40 + inflight/10"),
        ("", "extraArgs: [--autoscale=6]", "queued1/40 + inflight/6"),
        ("", "concurrency: 8, extraArgs: [-P, solo]", "queued1/40 + inflight/1"),
        ("", "concurrency: 2, queues: [edx.lms.core.high, b]", "(queued1 + queued2)/40 + inflight/2"),
        ("activationListLength: 0", "concurrency: 2", "queued1/40 + inflight/2"),
        (
            "activationListLength: 5",
            "concurrency: 10, queues: [edx.lms.core.high, b]",
            "(queued1 > 5 || queued2 > 5 || inflight > 0) ? (queued1 + queued2)/40 + inflight/10 : 0",
        ),
    ],
)
def test_slots(keda: str, more: str, formula: str) -> None:
    result = high(f"{SLOTS}, {keda}", more)
    assert scaled_object(result)["advanced"]["scalingModifiers"] == {
        "formula": formula,
        "target": "1",
        "activationTarget": "0",
        "metricType": "AverageValue",
    }
    assert result.metadata("lms-worker-high", "inflight")["listLength"] == "1"


@pytest.mark.parametrize("more", ["", "extraArgs: [--concurrency=0]", "extraArgs: [--pool=gevent]"])
def test_slots_of_an_unknown_number_are_refused(more: str) -> None:
    (message,) = refused(SLOTS, more)
    assert "spec.workers.lms.high.concurrency: inFlight: Slots needs to know how many tasks a pod works on" in message
    assert message.endswith("Set concurrency, or inFlight: Zero")


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        ("{metadata: {}}", "[0].type: is missing"),
        ("{type: cron}", "[0].metadata: is missing"),
        ("{type: cron, metadata: {desiredReplicas: 3}}", "[0].metadata.desiredReplicas: isn't a string"),
        ("{type: cron, name: inflight, metadata: {}}", "[0].name: inflight is another trigger's name, too"),
        ("{type: cron, name: queued1, metadata: {}}", "[0].name: queued1 is another trigger's name, too"),
        ("{type: cron, name: a, metadata: {}}, {type: cron, name: a, metadata: {}}", "[1].name: a is another"),
    ],
)
def test_triggers_that_keda_would_refuse(trigger: str, message: str) -> None:
    assert any(
        error.startswith(f"CeleryWorkers celery-workers: spec.workers.lms.high.keda.extraTriggers{message}")
        for error in refused(f"extraTriggers: [{trigger}]")
    )


def test_triggers_that_keda_would_not_heed() -> None:
    """Beside a formula KEDA hands the HPA the formula's value, and cpu and memory."""
    times = "{timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: '2'}"
    cron = f"{{type: cron, metadata: {times}}}"
    memory = "{type: memory, metricType: Utilization, metadata: {value: '80'}}"
    (message,) = refused(f"{SLOTS}, extraTriggers: [{memory}, {cron}]", "concurrency: 1")
    assert "extraTriggers[1]: is ignored: with inFlight: Slots KEDA heeds its formula and triggers on cpu" in message
    assert high(f"{SLOTS}, extraTriggers: [{memory}]", "concurrency: 1")
    assert high(f"extraTriggers: [{memory}, {cron}]")


@pytest.mark.parametrize("fallback", ["{replicas: 2}", "{failureThreshold: -1, replicas: 2}", "{failureThreshold: 3}"])
def test_a_fallback_that_keda_would_refuse(fallback: str) -> None:
    (message,) = refused(f"fallback: {fallback}")
    assert "spec.workers.lms.high.keda.fallback." in message and "isn't a whole number, 0 or more" in message


def test_a_fallback_that_old_keda_would_refuse() -> None:
    fallback = "fallback: {failureThreshold: 3, replicas: 2}"
    assert not high(fallback).warnings
    result = high(f"{fallback}, extraTriggers: [{{type: memory, metricType: Utilization, metadata: {{value: '80'}}}}]")
    assert "keda.fallback: KEDA 2.15 refuses a fallback with a trigger" in result.warnings[0]


@pytest.mark.parametrize(
    ("keda", "warned"),
    [
        ("inFlight: Off", True),
        ("inFlight: Off, minReplicas: 1", False),
        ("inFlight: Off, minReplicas: 1, idleReplicas: 0", True),
        ("inFlight: Zero", False),
        ("", False),
    ],
)
def test_a_worker_that_goes_to_zero_in_mid_task(keda: str, warned: bool) -> None:
    found = high(keda).warnings
    assert len(found) == warned
    if warned:
        assert "spec.workers.lms.high.keda.inFlight: " in found[0]
        assert "lets KEDA scale lms-worker-high to zero in the middle of a task" in found[0]


def test_hpa_name_fits_a_label() -> None:
    """KEDA's HPA is called after the ScaledObject, and 2.20 refuses a name of more than 63 characters."""
    for length, stated in ((41, False), (42, True), (50, True)):
        variant = "a" * (length - len("lms-worker-"))
        spec = f"{{workers: {{lms: {{{variant}: {{queues: [q], {ENABLED}}}, high: {{}}, high_mem: {{}}}}}}}}"
        advanced = scaled_object(worked(spec), f"lms-worker-{variant}")["advanced"]
        name = f"keda-hpa-lms-worker-{variant}"
        assert len(name) <= 63
        assert advanced.get("horizontalPodAutoscalerConfig") == ({"name": name} if stated else None)


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
def test_two_autoscalers_are_refused(kind: str) -> None:
    given = site(others=[scaler(kind, "other", "lms-worker-high"), scaler(kind, "elsewhere", "lms")])
    (message,) = refused("", given=given)
    assert message.startswith(f"{kind} other in namespace openedx: spec.scaleTargetRef: scales lms-worker-high, which ")
    assert ("keda.replaceHPA: true" in message) == (kind == "HorizontalPodAutoscaler")
    assert "set spec.workers.lms.high.keda.enabled: false" in message


def test_a_kind_that_is_null_is_left_out() -> None:
    other = scaler("ScaledObject", "other", "lms-worker-high")
    other["spec"]["scaleTargetRef"] = {"kind": None, "name": "lms-worker-high"}
    (message,) = refused("", given=site(others=[other]))
    assert message.startswith("ScaledObject other in namespace openedx: spec.scaleTargetRef: scales lms-worker-high")


def test_an_autoscaler_of_another_namespace_is_none() -> None:
    other = scaler("HorizontalPodAutoscaler", "other", "lms-worker-high")
    other["metadata"]["namespace"] = "elsewhere"
    assert high("", given=site(others=[other]))


def test_a_scaled_object_of_the_same_name_is_refused() -> None:
    """tutor-contrib-celery's."""
    given = site(others=[scaler("ScaledObject", "lms-worker-high-scaledobject", "lms-worker-high")])
    (message,) = refused("", given=given)
    assert "it isn't the ScaledObject that spec.workers.lms.high.keda asks for" in message
    assert "tutor-contrib-celery: enable_keda: False" in message


def test_taking_an_hpa_over() -> None:
    given = site(others=[scaler("HorizontalPodAutoscaler", "lms-worker-hpa", "lms-worker")])
    spec = SPLIT % ("keda: {enabled: true, replaceHPA: true}", "", "", "")
    result = worked(spec, given)
    found = result.get("ScaledObject", "lms-worker-scaledobject")
    assert found["metadata"]["annotations"] == {
        "app.kubernetes.io/version": "22.0.3",
        "scaledobject.keda.sh/transfer-hpa-ownership": "true",
    }
    assert found["spec"]["advanced"]["horizontalPodAutoscalerConfig"] == {"name": "lms-worker-hpa"}
    assert not result.kinds("HorizontalPodAutoscaler")
    (message,) = (text for text in result.warnings if "leaves the build" in text)
    assert "leaves the build: lms-worker-scaledobject takes over the live one" in message
    assert "There is nothing to delete in the cluster" in message
    assert not worked(spec).warnings

    two = site(others=[*given.others, scaler("HorizontalPodAutoscaler", "second", "lms-worker")])
    (message,) = built(spec, two).errors
    assert message.startswith("HorizontalPodAutoscaler second in namespace openedx")
    assert "Take it out of the build: spec.workers.lms.default.keda.replaceHPA takes lms-worker-hpa over" in message


def test_taking_over_an_hpa_by_its_name() -> None:
    """It is in the cluster, and may be in the build."""
    spec = SPLIT % ("keda: {enabled: true, replaceHPA: old-hpa}", "", "", "")
    for others in ([], [scaler("HorizontalPodAutoscaler", "old-hpa", "lms-worker")]):
        result = worked(spec, site(others=others))
        found = result.get("ScaledObject", "lms-worker-scaledobject")
        assert found["metadata"]["annotations"]["scaledobject.keda.sh/transfer-hpa-ownership"] == "true"
        assert found["spec"]["advanced"]["horizontalPodAutoscalerConfig"] == {"name": "old-hpa"}
        assert not result.kinds("HorizontalPodAutoscaler")
        assert sum("leaves the build" in text for text in result.warnings) == len(others)
    other = site(others=[scaler("HorizontalPodAutoscaler", "new-hpa", "lms-worker")])
    assert "HorizontalPodAutoscaler new-hpa" in built(spec, other).errors[0]


def test_a_name_that_is_another_workloads_hpa() -> None:
    spec = SPLIT % ("keda: {enabled: true, replaceHPA: lms-hpa}", "", "", "")
    (message,) = built(spec, site(others=[scaler("HorizontalPodAutoscaler", "lms-hpa", "lms")])).errors
    assert "spec.workers.lms.default.keda.replaceHPA: HorizontalPodAutoscaler lms-hpa" in message
    assert "scales Deployment lms, not lms-worker" in message


@pytest.mark.parametrize("enabled", [True, False])
def test_an_hpa_copied_for_a_copy(enabled: bool) -> None:
    """Never beside KEDA; and where it is copied the copy states no replicas, which would fight with it."""
    given = site(others=[scaler("HorizontalPodAutoscaler", "lms-worker", "lms-worker")])
    spec = SPLIT % ("", f"keda: {{enabled: {str(enabled).lower()}}}", "", ", copyTargeting: [HorizontalPodAutoscaler]")
    result = worked(spec, given)
    assert ("lms-worker-high" in result.kinds("HorizontalPodAutoscaler")) != enabled
    assert "lms-worker-high-mem" in result.kinds("HorizontalPodAutoscaler")
    for name in ("lms-worker-high", "lms-worker-high-mem"):
        assert "replicas" not in result.get("Deployment", name)["spec"]


@pytest.mark.parametrize("kind", ["HorizontalPodAutoscaler", "ScaledObject"])
def test_a_copy_that_others_scale_states_no_replicas(kind: str) -> None:
    given = site(others=[scaler(kind, "other", "lms-worker-high")])
    del given.others[0]["spec"]["scaleTargetRef"]["apiVersion"]
    result = built(SPLIT % ("", "", "", ""), given)
    assert "replicas" not in result.get("Deployment", "lms-worker-high")["spec"]
    assert result.get("Deployment", "lms-worker-high-mem")["spec"]["replicas"] == 1


def test_a_worker_without_our_settings_cannot_be_counted() -> None:
    given = site(mounts_settings=False)
    for keda in ("", "inFlight: Zero"):
        (message,) = refused(keda, given=given)
        assert "spec.workers.lms.high.keda.inFlight: needs settings" in message
        assert "or set it to Off" in message
    assert high("inFlight: Off, minReplicas: 1", given=given)


OTHER_APPLICATION = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": metadata("superset-worker"),
    "spec": {
        "selector": {"matchLabels": {"app.kubernetes.io/name": "superset-worker"}},
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/name": "superset-worker"}},
            "spec": {"containers": [{"name": "worker", "args": ["celery", "--app=superset", "worker", "-O", "fair"]}]},
        },
    },
}


def test_another_application() -> None:
    given = site(others=[OTHER_APPLICATION])
    spec = f"{{workers: {{superset: {{default: {{queues: [celery], {ENABLED}}}}}}}%s}}"
    assert "the build doesn't say which broker superset uses" in built(spec % "", given).errors[0]
    result = worked(spec % ", broker: {address: 'redis:6379', database: 4}", given)
    assert list(result.triggers("superset-worker")) == ["queued1"]
    assert result.metadata("superset-worker")["databaseIndex"] == "4"
    (message,) = result.warnings
    assert message.endswith("Set minReplicas: 1")


def test_disabled_is_nothing() -> None:
    """A broker that can't be read is no matter then."""
    given = site(lms_env=env_file(CELERY_BROKER_VHOST="openedx"))
    result = worked(SPLIT % ("", "keda: {maxReplicas: 3}", "", ""), given)
    assert not result.kinds("ScaledObject") and not result.output.problems


def test_what_is_refused_for_one_worker_does_not_hide_another() -> None:
    spec = SPLIT % (ENABLED, f"keda: {{enabled: true, {SLOTS}}}", f"keda: {{enabled: true, {SLOTS}}}", "")
    assert [error.split(": ")[1] for error in built(spec).errors] == [
        "spec.workers.lms.high.concurrency",
        "spec.workers.lms.high_mem.concurrency",
    ]


ALL = (
    f"{{defaults: {{concurrency: 2, {ENABLED}}}, "
    "workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}}"
)
SECRET = env_file(CELERY_BROKER_PASSWORD='"p%40ss"', CELERY_BROKER_VHOST='"3"')
HPAS = [scaler("HorizontalPodAutoscaler", f"{service}-hpa", f"{service}-worker") for service in ("lms", "cms")]


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        (ALL, site()),
        (ALL.replace("enabled: true", "enabled: true, inFlight: Slots"), site()),
        (ALL.replace("enabled: true", "enabled: true, replaceHPA: true"), site(others=HPAS)),
        (ALL, site(lms_env=SECRET, cms_env=SECRET)),
        (SPLIT % ("", ENABLED, "", ", copyTargeting: [HorizontalPodAutoscaler]"), site(others=HPAS)),
    ],
)
def test_a_second_run_changes_nothing(spec: str, given: Site) -> None:
    first = worked(spec, given)
    second = worked(spec, first.output.data)
    assert second.output.data == first.output.data
    assert worked(spec, given).output.data == first.output.data


def test_everything_belongs_to_the_site() -> None:
    result = worked(ALL, site(lms_env=SECRET, cms_env=SECRET))
    for kind in ("ScaledObject", "TriggerAuthentication", "Secret"):
        for name in result.kinds(kind):
            found = result.get(kind, name)["metadata"]
            assert found["namespace"] == NAMESPACE
            assert found["annotations"] == {"app.kubernetes.io/version": "22.0.3"}
            assert found["labels"].keys() == metadata("x")["labels"].keys()
            assert found["labels"]["app.kubernetes.io/instance"] == "openedx-demo"


def test_a_site_without_a_namespace() -> None:
    objects = site().objects
    for item in objects:
        del item["metadata"]["namespace"]
    result = Result(run_stream(dumped(objects), f"{HEAD}{ALL}\n".encode()))
    assert result.metadata("lms-worker-high")["address"] == "redis:6379"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("concurrency: 4, keda: {enabled: true, listLength: 2}", "is less than the 4 tasks"),
        ("concurrency: 2, keda: {enabled: true, listLength: 2}", ""),
        ("concurrency: 64, keda: {enabled: true}", ""),
        ("keda: {enabled: true, minReplicas: 2, idleReplicas: 0}", ""),
    ],
)
def test_pairs_that_are_legal_and_not_meant(settings: str, said: str) -> None:
    warnings = worked(SPLIT % ("", settings, "", "")).warnings
    assert (len(warnings), said in "".join(warnings)) == (1 if said else 0, True)
