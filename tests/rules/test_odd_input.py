"""Whatever a build holds where a rule looks, it says what it finds or nothing."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from kustomizer.errors import UserError
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from kustomizer.rules.registry import findings_of
from kustomizer.site.model import Site
from tests.examples import sample
from tests.rules.small_site import deployment, resource, scaled_object, trigger, with_settings

ODD: list[Any] = [None, "", "x", 3, True, [], {}, ["x"], [None], [{}], {"a": 1}]
VOLUMES = [
    {"secret": {"secretName": "a"}},
    {"projected": {"sources": [{"configMap": {"name": "openedx-settings-lms"}}, {"configMap": {"name": "b"}}]}},
]
OBJECTS = [
    with_settings("lms-worker", "edx.lms.core.default"),
    deployment(
        "flower",
        {"image": "flower:2", "args": ["celery", "flower"], "envFrom": [{"secretRef": {"name": "a"}}]},
        pod={"volumes": VOLUMES, "imagePullSecrets": [{"name": "a"}]},
    ),
    deployment("lms", {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]}),
    scaled_object("lms-worker", triggers=[trigger("a", authenticationRef={"name": "a"})]),
    resource("TriggerAuthentication", "a", spec={"secretTargetRef": [{"name": "a"}]}),
    resource("ConfigMap", "openedx-settings-lms", data={"production.py": "EXPLICIT_QUEUES = {'a': 'b'}"}),
    resource("Service", "flower", spec={"type": "NodePort", "selector": {"app.kubernetes.io/name": "flower"}}),
    resource("Ingress", "flower", spec={"rules": [{"http": {"paths": [{"backend": {"service": {"name": "a"}}}]}}]}),
    resource(
        "LimitRange",
        "range",
        spec={
            "limits": [
                {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "10m"}, "default": {"memory": "1Gi"}},
                {"type": "Pod", "max": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": 4}},
            ]
        },
    ),
    resource("ResourceQuota", "quota", spec={"hard": {"pods": 1, "limits.cpu": "1"}, "scopes": ["NotTerminating"]}),
    resource("Service", "redis", spec={"selector": {"app.kubernetes.io/name": "redis"}}),
    deployment("redis", {"image": "redis", "resources": {"limits": {"cpu": "1"}}}),
    resource(
        "NetworkPolicy",
        "redis",
        api_version="networking.k8s.io/v1",
        spec={
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "redis"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}]}],
        },
    ),
    resource(
        "HorizontalPodAutoscaler",
        "lms-worker",
        api_version="autoscaling/v2",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "lms-worker"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}],
        },
    ),
    resource("PodDisruptionBudget", "a", spec={"selector": {"matchLabels": {"app.kubernetes.io/name": "lms-worker"}}}),
]


def paths(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each value below ``node``."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


@pytest.mark.parametrize("index", range(len(OBJECTS)))
def test_any_value_may_be_another(index: int) -> None:
    tree = json.loads(OBJECTS[index])
    others = OBJECTS[:index] + OBJECTS[index + 1 :]
    read = [path for path in paths(tree) if path[0] not in {"apiVersion", "kind", "metadata"}]
    # The number of odd values has no factor in common with the sample's step, so that each of them is in it.
    for path, odd in sample(itertools.product(read, ODD)):
        changed = copy.deepcopy(tree)
        node = changed
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = odd
        text = "---\n".join([*others, json.dumps(changed) + "\n"])
        with contextlib.suppress(UserError):
            findings_of(Site(Resources(read_stream(text.encode(), b"{}").resources)))
