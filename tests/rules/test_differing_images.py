"""differing-images: one code base, one image."""

from __future__ import annotations

from tests.rules.small_site import deployment, finder, problems, service, split_site, worker

found = finder("differing-images")


def test_one_image() -> None:
    assert found(*split_site(), deployment("redis", {"image": "redis:7"})) == []


def test_a_worker_with_another_image() -> None:
    old = worker("lms-worker-high", "edx.lms.core.high", container={"image": "openedx:21"})
    (problem,) = problems("differing-images", *split_site(lms_worker_high=old))
    assert problem.severity == "warning"
    assert problem.resource is not None
    assert problem.resource.name == "lms-worker-high"
    assert problem.message.startswith("runs openedx:21, and lms runs openedx:22")


def test_a_sidecars_image_is_its_own() -> None:
    env = [{"name": "DJANGO_SETTINGS_MODULE", "value": "lms.envs.tutor.production"}]
    containers = [{"name": "proxy", "image": "proxy:1"}, {"name": "lms", "image": "openedx:22", "env": env}]
    assert found(deployment("lms", {}, pod={"containers": containers}), worker("lms-worker")) == []


def test_another_namespace_is_another_site() -> None:
    other = deployment("lms", {"image": "openedx:21"}, namespace="other")
    assert found(service("lms"), other) == []


def test_a_worker_in_a_sidecar_runs_the_same_code() -> None:
    env = [{"name": "DJANGO_SETTINGS_MODULE", "value": "lms.envs.tutor.production"}]
    sidecar = {"name": "celery", "image": "openedx:21", "env": env, "restartPolicy": "Always"}
    lms = deployment("lms", {"image": "openedx:22", "env": env}, pod={"initContainers": [sidecar]})
    (problem,) = problems("differing-images", lms)
    assert problem.field == "spec.template.spec.initContainers[0].image"
