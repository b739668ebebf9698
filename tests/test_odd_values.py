"""Odd values in every field of every object that the function reads: it refuses them by name, and never falls over.

Each draw leaves one field out, or replaces it by null, a wrong type, or something empty. Most go to the function in
this process, as a stream like kustomize's; a few go through kustomize, whose own reading changes some on the way (an
empty list becomes null).
"""

from __future__ import annotations

import copy
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kustomizer.function import run_stream
from kustomizer.manifests.writer import emit
from tests import builds as b, sites
from tests.examples import sample
from tests.golden_cases import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ODD: tuple[Any, ...] = ("", "odd", "a,b=c", 0, -1, 2.5, True, [], {}, [None], [0], ["odd"], [{}], {"odd": None})
ODD_VALUES_OF_A_FIELD = 1
"""Besides null, which people write most, and no field."""
ABSENT: Any = object()
CONFIG = """\
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata: {name: celery-workers}
spec:
  copyTargeting:
    [HorizontalPodAutoscaler, VerticalPodAutoscaler, PodDisruptionBudget, NetworkPolicy, Service, PodMonitor]
  defaults: {strategy: {rollingUpdate: {maxSurge: 1}}, podDisruptionBudget: {maxUnavailable: 1}}
  workers:
    lms:
      high: {concurrency: 2, keda: {enabled: true, inFlight: Slots}}
    cms:
      high: {env: [{name: A, value: b}], resources: {limits: {memory: 1Gi}}, podAnnotations: {a: b}}
  routing: {lms: {a.task: {queue: edx.lms.core.high}}}
  unassignedQueues: KeepOnDefault
  scheduler: {enabled: true}
  celery: {restoreOrphans: {enabled: true}}
  flower: {enabled: true, insecure: true}
  monitoring: {prometheusRule: {enabled: true}}
"""
MORE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: variables
  namespace: openedx
data:
  url: redis://:pass@redis:6379/0
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: media
  namespace: openedx
spec:
  accessModes: [ReadWriteOnce]
---
apiVersion: vpcresources.k8s.aws/v1beta1
kind: SecurityGroupPolicy
metadata:
  name: worker
  namespace: openedx
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: lms-worker
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: somebody-elses
  namespace: openedx
spec:
  scaleTargetRef:
    name: cms-worker
  triggers:
  - type: redis
    metadata:
      listName: edx.cms.core.default
"""


def site() -> list[dict[str, Any]]:
    """Return objects of every kind that the function reads, the worker with what few have."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    texts = [MORE, *((GOLDEN / name / "input.yaml").read_text() for name in ("copy-targeting", "routing"))]
    for text in texts:
        for tree in yaml.load_all(text, yaml.CSafeLoader):
            found.setdefault((tree["kind"], tree["metadata"]["name"]), tree)
    pod = found["Deployment", "lms-worker"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    reference = {"configMapKeyRef": {"name": "variables", "key": "url"}}
    container["envFrom"] = [{"prefix": "A_", "configMapRef": {"name": "variables"}}]
    container["ports"] = [{"containerPort": 80, "hostPort": 8080}]
    pod["initContainers"] = [{"name": "wait", "image": "busybox", "command": ["true"]}]
    pod["volumes"] = [*pod.get("volumes", ()), {"name": "media", "persistentVolumeClaim": {"claimName": "media"}}]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "openedx-config", "namespace": "openedx"}}
    for service in ("lms", "cms"):
        (worker, *_) = found["Deployment", f"{service}-worker"]["spec"]["template"]["spec"]["containers"]
        worker.setdefault("volumeMounts", []).append({"name": "config", "mountPath": "/openedx/config"})
        worker.setdefault("env", []).append({"name": "CELERY_BROKER_URL", "valueFrom": reference})
        volumes = found["Deployment", f"{service}-worker"]["spec"]["template"]["spec"].setdefault("volumes", [])
        volumes.append({"name": "config", "configMap": {"name": "openedx-config"}})
    env = "CELERY_BROKER_TRANSPORT: redis\nCELERY_BROKER_HOSTNAME: redis:6379\nCELERY_BROKER_VHOST: '0'\n"
    found["ConfigMap", "openedx-config"] = {**config, "data": {"lms.env.yml": env, "cms.env.yml": env}}
    beat = {"name": "beat", "image": "openedx", "command": ["celery", "--app=lms.celery", "beat"]}
    pod["containers"].append(beat)
    return list(found.values())


def fields(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each field and list item."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from fields(value, (*path, key))


def replaced(tree: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    tree = copy.deepcopy(tree)
    parent: Any = tree
    for key in path[:-1]:
        parent = parent[key]
    if value is ABSENT:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return tree


def draws() -> Iterator[tuple[int, tuple[Any, ...], Any]]:
    """Yield the object, the field, and the odd value of each draw: always the same ones."""
    draw = random.Random(15)  # noqa: S311 - no secret
    for number, tree in enumerate(site()):
        for path in fields(tree):
            for value in (None, ABSENT, *draw.sample(ODD, ODD_VALUES_OF_A_FIELD)):
                yield number, path, value


def test_the_site_itself_is_built() -> None:
    output = run_stream("---\n".join(map(emit, site())).encode(), CONFIG.encode())

    assert not output.failed, [str(problem) for problem in output.problems]
    kinds = {tree["kind"] for tree in yaml.safe_load_all(output.data)}
    assert {"ScaledObject", "PrometheusRule", "PodDisruptionBudget", "VerticalPodAutoscaler"} <= kinds


def test_no_odd_value_ends_in_a_traceback() -> None:
    trees = site()
    texts = [emit(tree) for tree in trees]
    count = refused = 0
    for number, path, value in sample(draws()):
        odd = [*texts[:number], emit(replaced(trees[number], path, value)), *texts[number + 1 :]]
        where = (trees[number]["kind"], trees[number]["metadata"]["name"], path, "absent" if value is ABSENT else value)
        try:
            output = run_stream("---\n".join(odd).encode(), CONFIG.encode())
        except Exception as error:
            raise AssertionError(where) from error
        count += 1
        refused += output.failed
        for problem in output.problems if output.failed else ():
            assert problem.resource is not None, (where, str(problem))
            assert problem.field or problem.remedy, (where, str(problem))
    assert count > refused > 0


@pytest.mark.parametrize("number", range(8))
def test_kustomize_hands_over_odd_values_of_its_own(number: int, tmp_path: Path) -> None:
    """Several at once, in objects that kustomize itself takes."""
    kustomize = sites.kustomize(sites.NEWEST)
    draw = random.Random(number)  # noqa: S311 - no secret
    trees = site()
    choices = [each for each in draws() if each[1][0] in ("spec", "data") and len(each[1]) > 1]
    for which, path, value in draw.sample(choices, 4):
        try:
            trees[which] = replaced(trees[which], path, value)
        except (KeyError, IndexError, TypeError):
            continue  # another draw took its place
    (tmp_path / "site.yaml").write_text("---\n".join(map(emit, trees)))
    (tmp_path / "config.yaml").write_text(
        CONFIG.replace("{name: celery-workers}\n", "\n  name: celery-workers\n" + b.EXEC)
    )
    (tmp_path / "kustomization.yaml").write_text("resources: [site.yaml]\ntransformers: [config.yaml]\n")
    done = subprocess.run(
        [kustomize, *sites.BUILD, tmp_path],
        env=b.environment(tmp_path),
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or "tutor-celery-workers: error: " in done.stderr, done.stderr
