"""A built site: the same objects are the same site, in whatever order they were printed, and however many they are."""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

import pytest

from kustomizer.openedx.celery.values import Unknown
from kustomizer.rules.registry import RULES, findings_of
from kustomizer.site.queues import queues_of
from tests import growth
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kustomizer.errors import Problem
    from kustomizer.site.model import Site


AROUND = (
    deployment("redis", {"image": "redis"}),
    resource("Service", "redis", spec={"selector": {"app.kubernetes.io/name": "redis"}}),
    resource(
        "NetworkPolicy",
        "redis",
        api_version="networking.k8s.io/v1",
        spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]},
    ),
    resource("ResourceQuota", "quota", spec={"hard": {"pods": 1, "requests.cpu": 1}}),
)
"""Objects that rules hold against every worker or its scaler."""


def vpa(target: str) -> str:
    """Return a VerticalPodAutoscaler of another Deployment than ``target``."""
    return resource("VerticalPodAutoscaler", target, spec={"targetRef": {"kind": "Deployment", "name": f"{target}-b"}})


def many(count: int) -> list[str]:
    """Return a site of ``count`` workers, each with a queue, a key and a scaler of its own, and something wrong."""
    names = [f"lms-worker-q{number}" for number in range(count)]
    workers = [worker(name, f"{name}-queue", pod={"imagePullSecrets": [{"name": f"{name}-pull"}]}) for name in names]
    lists = [
        [trigger(f"{name}-queue"), trigger(f"{other}-queue")] for name, other in zip(names, names[::-1], strict=True)
    ]
    scalers = [scaled_object(name, triggers=triggers) for name, triggers in zip(names, lists, strict=True)]
    secrets = [resource("Secret", f"{name}-other") for name in names]
    of_workers = [of_one for name in names for of_one in (hpa(name), vpa(name))]
    return [service("lms"), *workers, *scalers, *secrets, *of_workers, *AROUND]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_objects_changes_no_finding(seed: int) -> None:
    documents = [
        *split_site(lms_worker_high=worker("lms-worker-high", "edx.lms.core.default")),
        worker("lms-worker-a", "edx.lms.core.default,edx.lms.core.high"),
        with_settings("cms-worker-b", "edx.cms.core.low"),
        settings("EXPLICIT_QUEUES = {'some.task': {'queue': 'nobodys'}}"),
        scaled_object("lms-worker", triggers=[trigger("edx.lms.core.default")]),
    ]
    shuffled = list(documents)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - no secret
    assert shuffled != documents
    assert findings_of(site(*shuffled)) == findings_of(site(*documents)) != []
    assert [item.resource.name for item in site(*shuffled).workers] == [
        item.resource.name for item in site(*documents).workers
    ]


def test_of_two_consumers_the_one_that_is_named_does_not_depend_on_the_order() -> None:
    first, second = worker("lms-worker-a", "shared"), worker("lms-worker-b", "shared")
    findings = [finding for finding in findings_of(site(second, first)) if finding.rule == "two-consumers"]
    assert (
        findings == [finding for finding in findings_of(site(first, second)) if finding.rule == "two-consumers"] != []
    )


def judge(rule: Callable[[Site], Iterable[Problem]], built: Site) -> None:
    list(rule(built))


def test_the_work_grows_with_the_number_of_workers_and_not_with_its_square() -> None:
    few, lots = site(*many(25)), site(*many(200))
    for rule in RULES.values():
        # A rule that finds nothing has few calls to count.
        small, large = (growth.calls(functools.partial(judge, rule.check, one)) for one in (few, lots))
        assert large < 12 * max(small, 500), rule.id
    assert growth.calls(lambda: queues_of(lots)) < 12 * growth.calls(lambda: queues_of(few))


def test_a_command_that_cannot_be_read_has_no_defaults() -> None:
    script = "celery -A lms.celery beat & exec celery --app=lms.celery worker --queues=a --concurrency=2"
    [found] = site(deployment("lms-worker", {"command": ["sh", "-c", script], "args": []})).workers
    assert found.celery is not None
    for value in (found.celery.queues, found.celery.concurrency, found.celery.prefetch_multiplier):
        assert isinstance(value, Unknown)
        assert str(value.source).endswith("containers[0].command")
    assert isinstance(found.celery.scheduler, Unknown)
    assert isinstance(found.celery.broker, Unknown)
