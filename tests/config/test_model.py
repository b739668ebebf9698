"""The configuration as a site writes it: what it gives each worker, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import kustomizer
from kustomizer.config import broker, flower
from kustomizer.config.load import load, worker_settings
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.worker import Keda, deployment_name, max_replicas
from kustomizer.errors import UserError


def document(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "celery.openedx.io/v1alpha1",
        "kind": "CeleryWorkers",
        "metadata": {"name": "celery-workers", "annotations": {"config.kubernetes.io/function": "exec: {path: x}\n"}},
        "spec": spec,
    }


def lms(**workers: Any) -> CeleryWorkers:
    return load(document(workers={"lms": workers}))


def problems(value: object) -> list[str]:
    with pytest.raises(UserError) as caught:
        load(value)
    assert all(problem.resource is not None for problem in caught.value.problems)
    return [str(problem.replace(resource=None)) for problem in caught.value.problems]


RECOMMENDED = document(workers={"lms": {"high": None, "high_mem": None}, "cms": {"high": {}, "low": {}}})


def test_the_recommended_configuration() -> None:
    config = load(RECOMMENDED)
    assert config.services() == ["lms", "cms"]
    assert config.variants("lms") == ["default", "high", "high_mem"]
    assert config.queues("lms", "default") == ["edx.lms.core.default"]
    assert worker_settings(config, "cms", "low").queues == ["edx.cms.core.low"]
    assert config.spec.unassigned_queues == "Error"
    assert (config.spec.broker, config.spec.flower, config.spec.monitoring) == (None, None, None)


@pytest.mark.parametrize("spec", [None, {}])
def test_an_empty_configuration_splits_nothing(spec: object) -> None:
    assert load({**document(), "spec": spec}).services() == []


def test_everything_that_the_issues_name_is_read() -> None:
    config = load(
        document(
            unassignedQueues="KeepOnDefault",
            minimumVersion="0.1",
            defaults={"podAnnotations": {"a": "b"}, "env": [{"name": "A", "value": "1"}]},
            workers={
                "lms": {
                    "high_mem": {
                        "queues": ["edx.lms.core.high_mem", "reports"],
                        "extraArgs": ["--pool=gevent"],
                        "replicas": 2,
                        "resources": {"requests": {"memory": "1Gi"}},
                        "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                        "concurrency": 100,
                        "visibilityTimeout": 7200,
                        "nodeSelector": {"pool": "big"},
                        "tolerations": [{"key": "big"}],
                        "affinity": {"nodeAffinity": {}},
                        "topologySpreadConstraints": [{"maxSkew": 1}],
                        "priorityClassName": "low",
                        "terminationGracePeriodSeconds": 3600,
                        "podAnnotations": {"c": "d"},
                        "livenessProbe": {"exec": {"command": ["true"]}},
                        "lifecycle": {"preStop": {}},
                        "keda": {
                            "enabled": False,
                            "minReplicas": 1,
                            "maxReplicas": 5,
                            "listLength": 1,
                            "activationListLength": 0,
                            "pollingInterval": 10,
                            "cooldownPeriod": 0,
                            "initialCooldownPeriod": 60,
                            "idleReplicas": 0,
                            "inFlight": "Slots",
                            "replaceHPA": True,
                            "extraTriggers": [{"type": "cron"}],
                            "fallback": {"replicas": 1},
                            "behavior": {"scaleDown": {}},
                        },
                        "podDisruptionBudget": {"maxUnavailable": "50%"},
                        "protectFromEviction": True,
                        "disablePrefetch": True,
                    }
                }
            },
            routing={"lms": {"lms.djangoapps.x": {"queue": "reports"}}, "cms": None},
            settings={"annotations": {"a": "b"}, "modules": {"lms": "lms.envs.tutor.production"}},
            copyTargeting=["NetworkPolicy", "HorizontalPodAutoscaler"],
            broker={
                "address": "redis.example.com:6379",
                "database": 3,
                "username": "edx",
                "keyPrefix": "edx:",
                "existingSecret": {"name": "redis", "passwordKey": "password"},
                "tls": {"enabled": True, "unsafe": False, "ca": {"name": "ca"}, "clientCert": {"name": "cert"}},
                "triggerAuthentication": {"name": "redis", "kind": "ClusterTriggerAuthentication"},
            },
            celery={"rejectOnWorkerLost": True, "softShutdownTimeout": 60, "visibilityTimeout": 3600},
            flower={
                "enabled": True,
                "image": "registry/flower:2.2.0",
                "basicAuth": {"existingSecret": {"name": "flower-users", "key": "auth"}},
                "insecure": False,
                "expose": {"enabled": True, "type": "Ingress", "host": "flower.example.com"},
                "resources": {},
                "env": [{"name": "FLOWER_MAX_TASKS", "value": "100"}],
                "nodeSelector": {"a": "b"},
                "tolerations": [],
                "podAnnotations": {},
                "imagePullSecrets": [{"name": "x"}],
                "serviceMonitor": {"enabled": True, "interval": 30, "labels": {"release": "x"}},
                "dashboard": {"enabled": True, "labels": {"grafana_dashboard": "1"}},
            },
            monitoring={"prometheusRule": {"enabled": True, "labels": {}}},
        )
    )
    worker = worker_settings(config, "lms", "high_mem")
    assert worker.queues == ["edx.lms.core.high_mem", "reports"]
    assert worker.pod_annotations == {"a": "b", "c": "d"}
    assert [entry["name"] for entry in worker.env or []] == ["A", "B"]
    assert worker.keda is not None
    assert (worker.keda.in_flight, worker.keda.replace_hpa) == ("Slots", True)
    assert not worker.keda_enabled
    assert config.spec.broker is not None
    assert config.spec.broker.tls == broker.Tls(
        enabled=True,
        ca=broker.SecretCertificate(name="ca", key="ca.crt"),
        client_cert=broker.ClientCertificate(name="cert"),
    )
    assert config.spec.flower is not None
    assert config.spec.flower.expose.host == "flower.example.com"
    assert config.spec.routing["lms"]["lms.djangoapps.x"].queue == "reports"
    assert config.spec.monitoring is not None
    assert config.spec.monitoring.prometheus_rule.enabled


def test_defaults_of_flower() -> None:
    config = load(document(flower={"basicAuth": {"existingSecret": {"name": "a", "key": "b"}}, "enabled": True}))
    assert config.spec.flower == flower.Flower(
        enabled=True,
        basic_auth=flower.BasicAuth(existing_secret=flower.UserAndPassword(name="a", key="b")),
    )
    assert config.spec.flower.service_monitor.labels == {"release": "prometheus"}


# What holds for one worker


def test_precedence() -> None:
    config = load(
        document(
            defaults={"concurrency": 2, "resources": {"requests": {"cpu": "1"}}, "priorityClassName": "x"},
            workers={"lms": {"high": {"concurrency": 3, "resources": {"requests": {"memory": "1Gi"}}}}},
        )
    )
    builtin = {"concurrency": 1, "terminationGracePeriodSeconds": 600, "resources": {"limits": {"cpu": "2"}}}
    high = worker_settings(config, "lms", "high", builtin=builtin)
    assert high.concurrency == 3
    assert high.termination_grace_period_seconds == 600
    assert high.resources == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}
    assert high.priority_class_name == "x"
    assert worker_settings(config, "lms", "default", builtin=builtin).concurrency == 2


def test_null_takes_back_what_is_inherited() -> None:
    config = load(
        document(
            defaults={"concurrency": 2, "keda": {"enabled": True}, "nodeSelector": {"a": "b", "c": "d"}},
            workers={"lms": {"high": {"concurrency": None, "keda": None, "nodeSelector": {"a": None}, "queues": None}}},
        )
    )
    high = worker_settings(config, "lms", "high", builtin={"terminationGracePeriodSeconds": 600})
    assert (high.concurrency, high.keda, high.node_selector) == (None, None, {"c": "d"})
    assert high.queues == ["edx.lms.core.high"]
    assert worker_settings(config, "lms", "default").keda_enabled


def test_extra_args_are_merged_by_what_they_mean() -> None:
    config = load(
        document(
            defaults={"extraArgs": ["--pool", "gevent", "-Ec4"]},
            workers={"lms": {"high": {"extraArgs": ["--concurrency=8", "-O", "fair"]}}},
        )
    )
    args = ["--pool=gevent", "--task-events", "--concurrency=8", "-Ofair"]
    assert worker_settings(config, "lms", "high").extra_args == args


def test_the_visibility_timeout_of_the_site_is_below_that_of_defaults() -> None:
    workers = {"lms": {"high_mem": {"visibilityTimeout": 7200}}}
    celery, defaults = {"visibilityTimeout": 4000}, {"visibilityTimeout": 5000}
    config = load(document(workers=workers, celery=celery))
    assert worker_settings(config, "lms", "high_mem", builtin={"visibilityTimeout": 1}).visibility_timeout == 7200
    assert worker_settings(config, "lms", "default", builtin={"visibilityTimeout": 1}).visibility_timeout == 4000
    config = load(document(workers=workers, celery=celery, defaults=defaults))
    assert worker_settings(config, "lms", "default").visibility_timeout == 5000


def test_default_workers_have_zero_where_defaults_say_slots() -> None:
    config = load(document(defaults={"keda": {"enabled": True, "inFlight": "Slots"}}, workers={"lms": {"high": {}}}))
    in_flight = [
        keda.in_flight for keda in (worker_settings(config, "lms", v).keda for v in config.variants("lms")) if keda
    ]
    assert in_flight == ["Zero", "Slots"]


def test_another_service_has_none_of_what_needs_our_settings() -> None:
    config = load(
        document(
            defaults={"visibilityTimeout": 7200, "concurrency": 2, "keda": {"enabled": True, "inFlight": "Slots"}},
            celery={"visibilityTimeout": 5000},
            workers={"superset": {"default": {"queues": ["celery"]}, "heavy": {"queues": ["heavy"]}}},
        )
    )
    for variant in config.variants("superset"):
        worker = worker_settings(config, "superset", variant)
        assert (worker.visibility_timeout, worker.concurrency) == (None, 2)
        assert worker.keda is not None
        assert worker.keda.in_flight == "Off"


def test_what_holds_is_checked_with_what_is_built_in() -> None:
    config = lms(high={"keda": {"enabled": True, "minReplicas": 3}})
    with pytest.raises(UserError, match=r"3 is more than spec\.workers\.lms\.high\.keda\.maxReplicas, 2") as caught:
        worker_settings(config, "lms", "high", builtin={"keda": {"maxReplicas": 2}})
    assert str(caught.value.problems[0].resource) == "CeleryWorkers celery-workers"


def test_layers() -> None:
    config = load(document(workers={"lms": {"high": {}, "2x": {}}, "cms": None}))
    assert [path for path, _ in config.layers()] == ["spec.defaults", "spec.workers.lms.high", 'spec.workers.lms["2x"]']


@pytest.mark.parametrize(
    ("service", "variant", "name"),
    [
        ("lms", "default", "lms-worker"),
        ("lms", "high_mem", "lms-worker-high-mem"),
        ("superset", "a-b_c", "superset-worker-a-b-c"),
    ],
)
def test_deployment_names(service: str, variant: str, name: str) -> None:
    assert deployment_name(service, variant) == name


def test_most_replicas() -> None:
    assert (max_replicas(Keda(), "default"), max_replicas(Keda(), "high")) == (10, 30)
    assert max_replicas(Keda(max_replicas=2), "high") == 2


# What is refused


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "has to be a map, not a list"),
        ({**document(), "apiVersion": "v1"}, "apiVersion: has to be celery.openedx.io/v1alpha1, not the string 'v1'"),
        (
            {**document(), "kind": "CeleryWorker"},
            "kind: has to be CeleryWorkers, not the string 'CeleryWorker'. Did you mean CeleryWorkers?",
        ),
        (
            {**document(), "workers": {}},
            "workers: unknown field. Known fields: apiVersion, kind, metadata, spec",
        ),
        ({**document(), "metadata": "x"}, "metadata: has to be a map, not the string 'x'"),
        (
            document(minimumVersion=0.1),
            "spec.minimumVersion: has to be a version such as '0.1', not the number 0.1. Put it in quotes",
        ),
        (
            document(minimumVersion="v1"),
            "spec.minimumVersion: has to be a version such as '0.1', not the string 'v1'. Write numbers with "
            "dots between them, in quotes",
        ),
        (
            document(defaults={"queues": ["a"]}),
            "spec.defaults.queues: isn't allowed here. A queue belongs to one worker: name it under "
            "spec.workers.<service>.<variant>.queues",
        ),
        (
            document(workers={"lms": {"high": {"env": [{"value": "x"}]}}}),
            "spec.workers.lms.high.env[0].name: is missing. Set it to the name of an environment variable",
        ),
        (
            document(flower={"basicAuth": {"existingSecret": {"name": "x"}}}),
            "spec.flower.basicAuth.existingSecret.key: is missing. Set it to a key of a Secret, of letters, "
            "digits, '-', '_' and '.'",
        ),
        (
            document(routing={"lms": {"a.b": {"queue": "a,b"}}}),
            'spec.routing.lms["a.b"].queue: has to be a queue\'s name, without white space or comma, not the '
            "string 'a,b'",
        ),
    ],
)
def test_what_has_no_right_shape(value: object, message: str) -> None:
    assert problems(value) == [message]


def test_a_configuration_for_a_newer_version_says_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kustomizer.config.load.__version__", "0.2.1")
    assert problems(document(minimumVersion="0.10", fromTheFuture=True)) == [
        "spec.minimumVersion: this configuration needs tutor-kustomizer 0.10, and this is 0.2.1. "
        "Install version 0.10 or a newer one"
    ]


@pytest.mark.parametrize("own", ["0.2", "0.2.0", "0.2.1", "0.10", "1.0.dev3", "0.2.0.dev1"])
def test_versions_that_are_new_enough(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kustomizer.config.load.__version__", own)
    load(document(minimumVersion="0.2.0.0"))


@pytest.mark.parametrize("own", ["0.1", "0.1.9", "0", "0.1.dev9"])
def test_versions_that_are_too_old(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kustomizer.config.load.__version__", own)
    assert problems(document(minimumVersion="0.2"))[0].startswith("spec.minimumVersion: this configuration needs")


def test_this_version_is_new_enough() -> None:
    load(document(minimumVersion=kustomizer.__version__))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"workers": {"lms": {"high_mem": {}, "high-mem": {"queues": ["x"]}}}},
            "spec.workers.lms.high-mem: its Deployment would be called lms-worker-high-mem, like that of "
            "spec.workers.lms.high_mem. Rename one of them",
        ),
        (
            {
                "workers": {
                    "a": {"default": {"queues": ["x"]}, "b-worker": {"queues": ["y"]}},
                    "a-worker-b": {"default": {"queues": ["x"]}},
                }
            },
            "spec.workers.a-worker-b.default: its Deployment would be called a-worker-b-worker, like that of "
            "spec.workers.a.b-worker. Rename one of them",
        ),
        (
            {"workers": {"lms": {"x" * 53: {}}}},
            f"spec.workers.lms.{'x' * 53}: its Deployment would be called lms-worker-{'x' * 53}, 64 characters; at "
            "most 63 are possible. Shorten the name",
        ),
        (
            {"workers": {"lms": {"x" * 40: {"keda": {"enabled": True}}}}},
            f"spec.workers.lms.{'x' * 40}: its Deployment would be called lms-worker-{'x' * 40}, 51 characters; at "
            f"most 50 are possible, since KEDA makes a label of lms-worker-{'x' * 40}-scaledobject. Shorten the name",
        ),
        (
            {"workers": {"lms": {"a": {"queues": ["x", "y"]}, "b": {"queues": ["z", "y"]}}}},
            "spec.workers.lms.b.queues[1]: queue y is also that of spec.workers.lms.a.queues[1]. Give it to one "
            "worker: a worker's pods share its queues",
        ),
        (
            {"workers": {"lms": {"a": {"queues": ["x", "x"]}}}},
            "spec.workers.lms.a.queues[1]: queue x is also that of spec.workers.lms.a.queues[0]. Give it to one "
            "worker: a worker's pods share its queues",
        ),
        (
            {"workers": {"lms": {"a": {"queues": ["edx.lms.core.default"]}}}},
            "spec.workers.lms.a.queues[0]: queue edx.lms.core.default is also that of spec.workers.lms.default. "
            "Give it to one worker: a worker's pods share its queues",
        ),
        (
            {"workers": {"lms": {"a": {"queues": []}}}},
            "spec.workers.lms.a.queues: names no queue. List the queues that this worker consumes",
        ),
        (
            {"workers": {"superset": {"heavy": {"queues": ["x"]}}}},
            "spec.workers.superset.default.queues: is missing: superset isn't lms or cms, whose queues are "
            "known. List the queues that this worker consumes",
        ),
        (
            {"workers": {"superset": {"default": {"queues": ["x"], "keda": {"inFlight": "Zero"}}}}},
            "spec.workers.superset.default.keda.inFlight: it needs settings in Open edX's own form, which only "
            "lms and cms read. Remove it: Off is the default here",
        ),
        (
            {"workers": {"superset": {"default": {"queues": ["x"], "visibilityTimeout": 1}}}},
            "spec.workers.superset.default.visibilityTimeout: it needs settings in Open edX's own form, which "
            "only lms and cms read. Remove it, and set it in the settings of superset",
        ),
        (
            {"workers": {"lms": {"default": {"keda": {"inFlight": "Slots"}}}}},
            "spec.workers.lms.default.keda.inFlight: the default workers of lms and cms share Celery's in-flight "
            "key: it can't tell slots apart. Set it to Zero, or give the long tasks a worker of their own",
        ),
        (
            {"routing": {"lms": {"lms.djangoapps.*": {"queue": "a"}}}},
            'spec.routing.lms["lms.djangoapps.*"]: stands for no other names: Open edX compares whole ones. '
            "Name each task",
        ),
        (
            {"routing": {"superset": {}}},
            "spec.routing.superset: it needs settings in Open edX's own form, which only lms and cms read. Remove it",
        ),
        (
            {"settings": {"modules": {"superset": "a.b"}}},
            "spec.settings.modules.superset: it needs settings in Open edX's own form, which only lms and cms "
            "read. Remove it",
        ),
        (
            {"defaults": {"env": [{"name": "A"}, {"name": "B"}, {"name": "A", "value": "1"}]}},
            "spec.defaults.env[2].name: A is set twice, see spec.defaults.env[0]. Keep one of them",
        ),
        (
            {"workers": {"lms": {"a": {"env": [{"name": "A", "value": "1", "valueFrom": {}}]}}}},
            "spec.workers.lms.a.env[0]: has both value and valueFrom. Keep one of them",
        ),
        (
            {"workers": {"lms": {"a": {"keda": {"enabled": True, "minReplicas": 3, "maxReplicas": 2}}}}},
            "spec.workers.lms.a.keda.minReplicas: 3 is more than spec.workers.lms.a.keda.maxReplicas, 2. Raise "
            "maxReplicas, or lower minReplicas",
        ),
        (
            {"workers": {"lms": {"default": {"keda": {"enabled": True, "minReplicas": 12}}}}},
            "spec.workers.lms.default.keda.minReplicas: 12 is more than maxReplicas, by default 10. Raise "
            "maxReplicas, or lower minReplicas",
        ),
        (
            {"workers": {"lms": {"a": {"keda": {"enabled": True, "minReplicas": 2, "idleReplicas": 1}}}}},
            "spec.workers.lms.a.keda.idleReplicas: 1 is a number that KEDA takes and doesn't keep to: it documents 0 "
            "alone. Set idleReplicas: 0, or leave it out and set minReplicas",
        ),
        (
            {"workers": {"lms": {"a": {"keda": {"enabled": True, "idleReplicas": 0}}}}},
            "spec.workers.lms.a.keda.idleReplicas: 0 isn't less than minReplicas, 0. Raise minReplicas, or "
            "remove idleReplicas",
        ),
        (
            {"workers": {"lms": {"a": {"keda": {"enabled": True, "paused": False, "pausedReplicas": 0}}}}},
            "spec.workers.lms.a.keda.pausedReplicas: pauses the worker, and paused is false. Remove one of them, or "
            "set it to null",
        ),
        (
            {
                "defaults": {"keda": {"enabled": True, "annotations": {"autoscaling.keda.sh/paused": "true"}}},
                "workers": {"lms": {"default": {}}},
            },
            'spec.defaults.keda.annotations["autoscaling.keda.sh/paused"]: is set by a field of its own. Set '
            "keda.paused instead",
        ),
        (
            {"defaults": {"keda": {"replaceHPA": "a"}}},
            "spec.defaults.keda.replaceHPA: would have every worker take over a. Name it at the worker that it scales",
        ),
        (
            {"workers": {"lms": {"a": {"keda": {"replaceHPA": "x"}}, "b": {"keda": {"replaceHPA": "x"}}}}},
            "spec.workers.lms.b.keda.replaceHPA: x is also that of spec.workers.lms.a.keda.replaceHPA. Keep the one "
            "that it scales",
        ),
        (
            {"workers": {"lms": {"a": {"strategy": {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}}}}}},
            "spec.workers.lms.a.strategy.rollingUpdate.maxUnavailable: is 0 as maxSurge is: a rollout could replace no "
            "pod, which Kubernetes refuses. Raise one of them",
        ),
        (
            {"scheduler": {"resources": {"requests": {"memory": "200Mi"}, "limits": {"memory": "100Mi"}}}},
            "spec.scheduler.resources.requests.memory: 200Mi is more than limits.memory, 100Mi. Raise the limit, or "
            "lower the request",
        ),
        (
            {"flower": {"resources": {"limits": [1]}}},
            "spec.flower.resources.limits: isn't a mapping. Write what it names: {memory: 512Mi}, say",
        ),
        (
            {"workers": {"lms": {"a": {"strategy": {"rollingUpdate": {"maxUnavailable": "150%"}}}}}},
            "spec.workers.lms.a.strategy.rollingUpdate.maxUnavailable: has to be a whole number of pods or a "
            "percentage such as '50%', not the string '150%'",
        ),
        (
            {"broker": {"prioritySteps": []}},
            "spec.broker.prioritySteps: is empty. Set it to [0] where tasks have no priorities",
        ),
        *(
            (
                {"workers": {"lms": {"a": worker}}, **more},
                f"{field}.terminationGracePeriodSeconds: 700 is more than visibilityTimeout, 650: Redis hands a task "
                "that takes so long to another worker, too, and it is run twice. Set visibilityTimeout to 700 or "
                "more, or lower this one",
            )
            for field, worker, more in (
                ("spec.workers.lms.a", {"terminationGracePeriodSeconds": 700, "visibilityTimeout": 650}, {}),
                ("spec.workers.lms.a", {"terminationGracePeriodSeconds": 700}, {"celery": {"visibilityTimeout": 650}}),
                ("spec.defaults", {"visibilityTimeout": 650}, {"defaults": {"terminationGracePeriodSeconds": 700}}),
            )
        ),
        (
            {
                "defaults": {"resources": {"limits": {"memory": "1Gi"}}},
                "workers": {"lms": {"default": {"resources": {"requests": {"memory": "2G"}}}}},
            },
            "spec.workers.lms.default.resources.requests.memory: 2G is more than limits.memory, 1Gi. Raise the limit, "
            "or lower the request",
        ),
        (
            {"defaults": {"livenessProbe": {"periodSeconds": 5}}, "workers": {"lms": {"a": {}}}},
            "spec.defaults.livenessProbe: says nothing to look at. State one of exec, httpGet, tcpSocket, grpc",
        ),
        (
            {"workers": {"lms": {"a": {"livenessProbe": {"exec": {"command": ["x"]}, "successThreshold": 2}}}}},
            "spec.workers.lms.a.livenessProbe.successThreshold: has to be 1 for a liveness probe. Leave it out",
        ),
        (
            {"workers": {"lms": {"a": {"livenessProbe": {"grpc": {"port": 1}, "timeoutSeconds": -1}}}}},
            "spec.workers.lms.a.livenessProbe.timeoutSeconds: isn't a whole number, 0 or more. Write it without quotes",
        ),
        (
            {
                "workers": {
                    "lms": {"a": {"keda": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}}},
                }
            },
            "spec.workers.lms.a.keda.behavior.scaleDown.stabilizationWindowSeconds: isn't a whole number from 0 to "
            "3600. Set it to 3600 or less",
        ),
        (
            {"workers": {"lms": {"a": {"keda": {"behavior": {"scaledown": {}}}}}}},
            "spec.workers.lms.a.keda.behavior.scaledown: unknown field. Known fields: scaleUp, scaleDown",
        ),
        (
            {
                "workers": {
                    "lms": {
                        "a": {
                            "keda": {
                                "behavior": {
                                    "scaleUp": {
                                        "policies": [
                                            {"type": "Pods", "value": 1, "periodSeconds": 1801},
                                            {"type": "Percent", "value": 10, "periodSeconds": 1800},
                                        ]
                                    }
                                }
                            }
                        }
                    }
                }
            },
            "spec.workers.lms.a.keda.behavior.scaleUp.policies: has a policy whose periodSeconds isn't a whole number "
            "from 1 to 1800. Mend it",
        ),
        (
            {"workers": {"lms": {"a": {"resources": {"limits": {"cpu": "1 core"}}}}}},
            "spec.workers.lms.a.resources.limits.cpu: '1 core' is no amount that Kubernetes knows. Write 500m, 2 or "
            "8Gi, say",
        ),
        (
            {
                "defaults": {"env": [{"name": "CELERY_BROKER_URL", "value": "redis://elsewhere"}]},
                "workers": {"lms": {"default": {"keda": {"enabled": True}}}},
            },
            "spec.defaults.env (CELERY_BROKER_URL): says where Celery's broker is, and KEDA would look where Tutor has "
            "it. Say the same in spec.broker.address (or sentinel), and what else differs from the defaults",
        ),
        (
            {
                "defaults": {"env": [{"name": "LMS_CFG", "value": "/mine.yml"}]},
                "workers": {"lms": {"default": {"keda": {"enabled": True}}}},
            },
            "spec.defaults.env (LMS_CFG): names a file that may say where Celery's broker is, and KEDA would look "
            "where Tutor has it. Say the same in spec.broker.address (or sentinel), and what else differs from the "
            "defaults",
        ),
        (
            {"workers": {"lms": {"a": {"env": [{"name": "CELERY_WORKER_EXCLUDE_QUEUES", "value": "x"}]}}}},
            "spec.workers.lms.a.env (CELERY_WORKER_EXCLUDE_QUEUES): stands for --exclude-queues: a worker consumes its "
            "`queues` and no others. Set `queues` of the worker instead",
        ),
        (
            {"workers": {"lms": {"a": {"env": [{"name": "CELERY_WORKER_PURGE", "valueFrom": {"x": {}}}]}}}},
            "spec.workers.lms.a.env (CELERY_WORKER_PURGE): stands for --purge: every pod that starts would delete the "
            "tasks that wait on its queues. Remove it; `celery purge` empties a queue once",
        ),
        (
            {"workers": {"lms": {"a": {"env": [{"name": "DJANGO_SETTINGS_MODULE", "value": "lms.envs.other"}]}}}},
            "spec.workers.lms.a.env (DJANGO_SETTINGS_MODULE): has the worker load other settings, and those that a "
            "split needs aren't in them. Take it out, or name the module of all workers in spec.settings.modules.lms",
        ),
        (
            {"workers": {"cms": {"a": {"env": [{"name": "SERVICE_VARIANT", "value": "lms"}]}}}},
            "spec.workers.cms.a.env (SERVICE_VARIANT): has the worker load other settings, and those that a split "
            "needs aren't in them. Take it out",
        ),
        (
            {"workers": {"lms": {"a": {"strategy": {"type": "Recreate"}}}}},
            "spec.workers.lms.a.strategy.type: has to be RollingUpdate, not the string 'Recreate'. For Recreate, set "
            "rollingUpdate: {maxSurge: 0, maxUnavailable: 100%}: applied server-side over a Deployment that runs, "
            "Recreate is refused",
        ),
        (
            {"defaults": {"keda": {"enabled": True}}, "workers": {"lms": {"a": {"replicas": 2}}}},
            "spec.workers.lms.a.replicas: conflicts with spec.defaults.keda.enabled: both set the number of "
            "pods. Remove replicas (replicas: null, where it is inherited), or set keda: {enabled: false}",
        ),
        (
            {"defaults": {"replicas": 2}, "workers": {"lms": {"a": {"keda": {"enabled": True}}}}},
            "spec.defaults.replicas: conflicts with spec.workers.lms.a.keda.enabled: both set the number of "
            "pods. Remove replicas (replicas: null, where it is inherited), or set keda: {enabled: false}",
        ),
        (
            {
                "defaults": {"podDisruptionBudget": {"maxUnavailable": 1}},
                "workers": {"lms": {"a": {"podDisruptionBudget": {"minAvailable": "50%"}}}},
            },
            "spec.workers.lms.a.podDisruptionBudget.minAvailable: conflicts with "
            "spec.defaults.podDisruptionBudget.maxUnavailable. Keep one of them; null removes an inherited one",
        ),
        (
            {"defaults": {"concurrency": 4}, "workers": {"lms": {"a": {"extraArgs": ["-c", "4"]}}}},
            "spec.defaults.concurrency: conflicts with --concurrency in spec.workers.lms.a.extraArgs. Keep one of "
            "them; concurrency: null removes an inherited one",
        ),
        (
            {"workers": {"lms": {"a": {"concurrency": 4, "extraArgs": ["--autoscale", "8,2"]}}}},
            "spec.workers.lms.a.concurrency: conflicts with --autoscale in spec.workers.lms.a.extraArgs. Keep one "
            "of them; concurrency: null removes an inherited one",
        ),
        (
            {"broker": {"address": "a:1", "sentinel": {"addresses": ["a:1"], "master": "m"}}},
            "spec.broker.address: conflicts with sentinel, which says where the broker is. Keep one of them",
        ),
        (
            {"broker": {"sentinel": {"addresses": [], "master": "m"}}},
            "spec.broker.sentinel.addresses: is empty. Name at least one Sentinel as host:port",
        ),
        (
            {"broker": {"username": "a", "existingSecret": {"name": "x", "passwordKey": "p", "usernameKey": "u"}}},
            "spec.broker.username: conflicts with existingSecret.usernameKey. Keep one of them",
        ),
        (
            {"broker": {"tls": {"enabled": False, "ca": {"name": "x"}}}},
            "spec.broker.tls.enabled: is false, but other settings of TLS are given. Set it to true, or remove them",
        ),
        (
            {"flower": {"enabled": True}},
            "spec.flower.basicAuth: Flower would be open to everyone in the cluster, with tasks' arguments and "
            "the power to stop workers. Set basicAuth.existingSecret, or OAuth (FLOWER_AUTH and what belongs to "
            "it) in env, or insecure: true if that is what you want",
        ),
        (
            {"flower": {"enabled": True, "insecure": True, "expose": {"enabled": True}}},
            "spec.flower.expose.enabled: Flower would be open to the whole internet, with tasks' arguments and "
            "the power to stop workers. Set basicAuth.existingSecret, or OAuth (FLOWER_AUTH and what belongs to "
            "it) in env",
        ),
        (
            {"flower": {"enabled": True, "insecure": True, "env": [{"name": "FLOWER_BASIC_AUTH", "value": "a:b"}]}},
            "spec.flower.env[0]: FLOWER_BASIC_AUTH isn't set here. Put user:password into a Secret and name it "
            "in basicAuth.existingSecret",
        ),
        (
            {"flower": {"env": [{"name": "A"}, {"name": "A"}]}},
            "spec.flower.env[1].name: A is set twice, see spec.flower.env[0]. Keep one of them",
        ),
    ],
)
def test_what_contradicts_itself(spec: dict[str, Any], message: str) -> None:
    assert problems(document(**spec)) == [message]


@pytest.mark.parametrize(
    "spec",
    [
        {"workers": {"lms": {"x" * 52: {}}}},
        {"workers": {"lms": {"default": {"env": [{"name": "BROKER_URL", "valueFrom": {"secretKeyRef": {}}}]}}}},
        {
            "workers": {
                "lms": {
                    "default": {
                        "keda": {"enabled": True},
                        "env": [{"name": "BROKER_URL", "valueFrom": {"secretKeyRef": {}}}],
                    }
                }
            },
            "broker": {"address": "redis:6379"},
        },
        {
            "workers": {
                "notes": {
                    "default": {
                        "queues": ["q"],
                        "keda": {"enabled": True},
                        "env": [{"name": "BROKER_URL", "valueFrom": {"secretKeyRef": {}}}],
                    }
                }
            }
        },
        {"workers": {"lms": {"a": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}}}}},
        {"workers": {"lms": {"a": {"keda": {"replaceHPA": "x"}}, "b": {"keda": {"replaceHPA": True}}}}},
        {"workers": {"lms": {"x" * 39: {"keda": {"enabled": True}}}}},
        {"workers": {"lms": {"a": {"queues": ["x"]}}, "cms": {"a": {"queues": ["x"]}}}},
        {"workers": {"lms": {"a": {"keda": {"enabled": True, "minReplicas": 2, "maxReplicas": 2, "idleReplicas": 0}}}}},
        {"defaults": {"keda": {"enabled": True}, "replicas": 2}, "workers": {"lms": {"default": {"replicas": None}}}},
        {
            "defaults": {"keda": {"enabled": True}},
            "workers": {"lms": {"a": {"replicas": 2, "keda": {"enabled": False}}}},
        },
        {"workers": {"lms": {"a": {"replicas": 2, "keda": {"minReplicas": 40}}}}},
        {"defaults": {"concurrency": 4}, "workers": {"lms": {"a": {"concurrency": None, "extraArgs": ["-c4"]}}}},
        {"workers": {"superset": {"default": {"queues": ["x"], "keda": {"inFlight": "Off"}}}}},
        {"workers": {"lms": {"default": {"keda": {"inFlight": "Zero"}}}}},
        {"flower": {"enabled": True, "insecure": True}},
        {"flower": {"expose": {"enabled": True}}},
        {"flower": {"enabled": True, "expose": {"enabled": True}, "env": [{"name": "FLOWER_AUTH", "value": ".*@x"}]}},
        {"broker": {"tls": {"enabled": False}}},
        {"broker": None, "flower": None, "monitoring": None, "celery": None, "settings": None, "copyTargeting": None},
    ],
)
def test_what_is_all_right(spec: dict[str, Any]) -> None:
    load(document(**spec))


@pytest.mark.parametrize("auth", [{"name": "FLOWER_AUTH", "value": ""}, {"name": "FLOWER_OAUTH2_KEY", "value": "x"}])
def test_oauth_that_lets_everyone_in_is_none(auth: dict[str, Any]) -> None:
    # Flower asks nobody to log in unless `auth` has a pattern: flower/views/__init__.py, get_current_user.
    assert len(problems(document(flower={"enabled": True, "env": [auth]}))) == 1


@pytest.mark.parametrize("variant", ["High", "_high", "high_", "-a", "a.b", "a b", "", "ü", "x" * 64])
def test_names_that_make_no_deployment(variant: str) -> None:
    assert len(problems(document(workers={"lms": {variant: {}}}))) == 1


def test_a_mistake_in_defaults_is_told_once() -> None:
    keda = {"enabled": True, "minReplicas": 5, "maxReplicas": 3}
    assert problems(document(defaults={"keda": keda}, workers={"lms": {"a": {}, "b": {}}, "cms": {}})) == [
        "spec.defaults.keda.minReplicas: 5 is more than spec.defaults.keda.maxReplicas, 3. "
        "Raise maxReplicas, or lower minReplicas"
    ]


def test_everything_is_told_at_once() -> None:
    workers = {
        "lms": {"high_mem": {"replicas": 1, "keda": {"enabled": True, "idleReplicas": 2}}, "high-mem": {}},
        "superset": {},
    }
    found = problems(document(workers=workers, flower={"enabled": True}))
    assert [message.split(": ")[0] for message in found] == [
        "spec.workers.lms.high-mem",
        "spec.workers.superset.default.queues",
        "spec.flower.basicAuth",
        "spec.workers.lms.high_mem.keda.idleReplicas",
        "spec.workers.lms.high_mem.replicas",
    ]


def test_messages_name_the_object() -> None:
    with pytest.raises(UserError) as caught:
        load(document(workers=1))
    assert str(caught.value) == "CeleryWorkers celery-workers: spec.workers: has to be a map, not the number 1"


def test_what_the_import_costs() -> None:
    # Each of these costs more than reading the whole configuration.
    heavy = ["typing", "dataclasses", "re", "json", "inspect", "ast", "difflib", "importlib.util", "msgspec"]
    rare = ["kustomizer.config.flower", "kustomizer.config.broker", "kustomizer.worker_command.options"]
    code = f"from kustomizer.config.load import load; load({RECOMMENDED!r})"
    names = f"set(sys.modules) & set({heavy + rare!r})"
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(kustomizer.__path__[0])!r} + '/..'); {code}; print({names})",
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_more_pods_besides_than_there_are() -> None:
    workers = {"lms": {"high": {"strategy": {"rollingUpdate": {"maxSurge": "150%"}}}}}
    config = load(
        {
            "apiVersion": kustomizer.API_VERSION,
            "kind": kustomizer.KIND,
            "metadata": {"name": "a"},
            "spec": {"workers": workers},
        }
    )
    strategy = config.spec.workers["lms"]["high"].strategy
    assert strategy is not None
    assert strategy.rolling_update is not None
    assert strategy.rolling_update.max_surge == "150%"
