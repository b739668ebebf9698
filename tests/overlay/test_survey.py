"""What `init` finds in a site, beyond what its own tests show."""

from __future__ import annotations

from kustomizer.manifests.protocols import plain_config, read_document
from kustomizer.overlay.survey import survey
from kustomizer.overlay.templates import configuration_text
from tests.rules.small_site import deployment, resource, service, site, worker

CELERY = {"args": ["celery", "--app=cms.celery", "worker"], "env": [{"name": "SERVICE_VARIANT", "value": "cms"}]}


def test_workers_that_stay_as_they_are() -> None:
    sidecar = {"initContainers": [{"name": "celery", "restartPolicy": "Always", **CELERY}]}
    template = {"template": {"spec": {"containers": [{"name": "w", **CELERY}]}}}
    night = resource("CronJob", "night", spec={"jobTemplate": {"spec": template}})
    found = survey(site(worker("lms-worker", "a"), service("cms", pod=sidecar), night).resources)
    lines = [line for line in found.lines() if "runs a worker" in line]
    assert lines == [
        "CronJob night runs a worker and stays as it is: only a Deployment's own container is split",
        "Deployment cms, in a sidecar, runs a worker and stays as it is: only a Deployment's own container is split",
    ]


def test_queues_that_no_worker_is_named_for() -> None:
    """The default worker keeps them, or nobody would take them; of another worker's it needs none."""
    queues = "edx.lms.core.default,edx.lms.core.high,celery,edx.lms.core.Old.x,,other,edx.cms.core.default"
    built = site(
        worker("lms-worker", queues), worker("cms-worker", "edx.cms.core.default"), worker("a-worker", "other")
    )
    found = survey(built.resources)
    [lms] = [service for service in found.services if service.name == "lms"]
    assert lms.variants == ["high"]
    assert lms.kept == ["edx.lms.core.default", "celery", "edx.lms.core.Old.x"]
    text = configuration_text(found)
    spec = plain_config(read_document(text))
    assert spec["spec"]["workers"]["lms"]["default"]["queues"] == lms.kept


def test_a_plain_site_has_no_such_queue() -> None:
    built = site(worker("lms-worker", "edx.lms.core.default,edx.lms.core.high,"))
    assert [service.kept for service in survey(built.resources).services] == [()]
    assert "lms-worker consumes edx.lms.core.default, edx.lms.core.high" in [*survey(built.resources).lines()]


def test_a_worker_that_something_else_starts() -> None:
    found = survey(site(worker("cms-worker", "a"), deployment("lms-worker", {"command": ["supervisord"]})).resources)
    assert "lms-worker is left out of the configuration:" in [*found.lines()]
    assert "it may be started by a script" in found.refused[0].message


def test_a_worker_without_pods() -> None:
    """Copies would have none either; the queues that another worker takes in its place stay with that."""
    lms_queues, cms_queues = (f"edx.{name}.core.default,edx.{name}.core.high" for name in ("lms", "cms"))
    stopped = worker("lms-worker", lms_queues, replicas=0)
    found = survey(site(stopped, worker("cms-worker", f"{cms_queues},{lms_queues}")).resources)
    cms, lms = found.services
    assert (lms.variants, lms.kept) == ((), ())
    why = "Deployment lms-worker in namespace openedx: spec.replicas: gives it 0 pods, and so it would be with its "
    assert f"  stays as it is: {why}copies" in [*found.lines()]
    assert cms.variants == ["high"]
    assert cms.kept == ["edx.cms.core.default", "edx.lms.core.default", "edx.lms.core.high"]
    assert list(plain_config(read_document(configuration_text(found)))["spec"]["workers"]) == ["cms"]


def test_names_of_queues_that_the_workers_do_not_take() -> None:
    """`low` would mean the site's own name for it, which nobody takes."""
    config = resource("ConfigMap", "openedx-config", data={"cms.env.yml": "LOW_PRIORITY_QUEUE: slow\n"})
    queues = "edx.cms.core.default,edx.cms.core.high,edx.cms.core.low, edx.cms.core.blank"
    [cms] = survey(site(config, worker("cms-worker", queues)).resources).services
    assert cms.variants == ["high"]
    assert cms.kept == ["edx.cms.core.default", "edx.cms.core.low"]


def test_concurrency_that_one_service_has() -> None:
    """What Tutor's worker has stays; the other gets the recommended one."""
    queues = "edx.%s.core.default,edx.%s.core.high"
    own = worker("lms-worker", queues % ("lms", "lms"), "--pool=solo")
    text = configuration_text(survey(site(own, worker("cms-worker", queues % ("cms", "cms"))).resources))
    spec = plain_config(read_document(text))["spec"]
    assert "concurrency" not in spec["defaults"]
    assert [item.get("concurrency") for item in spec["workers"]["cms"].values()] == [4, 4]
    assert [item.get("concurrency") for item in spec["workers"]["lms"].values()] == [None, None]


def test_an_autoscaler_is_known_by_what_it_scales() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "lms-worker"}
    scaler = resource("HorizontalPodAutoscaler", "lms-worker-hpa", spec={"scaleTargetRef": target})
    other = resource("HorizontalPodAutoscaler", "lms-worker", spec={"scaleTargetRef": {**target, "name": "lms"}})
    found = survey(site(worker("lms-worker", "a"), scaler, other).resources)
    assert found.autoscalers == ["HorizontalPodAutoscaler lms-worker-hpa"]
