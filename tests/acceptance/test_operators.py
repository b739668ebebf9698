"""The function on real sites with the plugins that operators put around Tutor, by themselves and together.

tutor-contrib-drydock has hooks for Argo CD, budgets, registry credentials and New Relic; tutor-contrib-k8s autoscalers
of three kinds, budgets, resources and probes; tutor-contrib-codejail and -k8s-deploy-tasks services and jobs of theirs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.rules.registry import RULES
from kustomizer.site.model import Site
from kustomizer.site.queues import queues_of
from tests import builds as b, sites
from tests.acceptance.test_sites import (
    WORKERS,
    consumed,
    dangling,
    expected_worker,
    ours_of,
    service_and_variant,
    settings_map,
    with_sorted_args,
)
from tests.kubernetes_schemas import assert_valid

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Build, Builds

OPERATORS = ("codejail", "deploy-tasks", "drydock", "k8s", "k8s-keda", "operators")
KINDS = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "VerticalPodAutoscaler")
SHORT = ("hpa", "pdb", "vpa")
COPIED = b.RECOMMENDED.replace("spec: {", f"spec: {{copyTargeting: [{', '.join(KINDS)}], ")
SCALED = b.RECOMMENDED.replace("spec: {", "spec: {defaults: {keda: {enabled: true}}, ")
# Objects for which Tutor's worker stands, and not its copies, per site and service.
WARNED = {
    "drydock": {"PodDisruptionBudget lms-worker-pdb"},
    "k8s": {
        f"{kind} {service}-worker-{short}"
        for service in ("lms", "cms")
        for kind, short in zip(KINDS, SHORT, strict=True)
    },
}
WARNED["operators"] = WARNED["k8s"]
WARNED["k8s-keda"] = {name for name in WARNED["k8s"] if not name.startswith("Horizontal")}


@pytest.fixture(params=OPERATORS)
def env(request: pytest.FixtureRequest) -> Path:
    return sites.site(request.param)


def test_workers_are_exact_copies_and_nothing_else_changes(env: Path, builds: Builds) -> None:
    plain, ours = builds.plain(env), builds.through_exec(env)

    for queue, name in WORKERS.items():
        service, _ = service_and_variant(queue)
        expected = expected_worker(plain.deployments()[f"{service}-worker"], queue, settings_map(ours, name))
        assert with_sorted_args(ours.deployments()[name]) == expected
        assert_valid(ours.deployments()[name])
    assert consumed(ours.deployments()) == Counter(dict.fromkeys(WORKERS, 1))
    after = {item.key: item.text for item in ours.documents}
    changed = {item.key for item in plain.documents if after.get(item.key) != item.text}
    assert changed == {"Deployment openedx/lms-worker", "Deployment openedx/cms-worker"}
    assert not any(dangling(tree, ours) for tree in ours.deployments().values())


def test_only_what_holds_for_the_worker_alone_is_warned_of(env: Path, builds: Builds) -> None:
    lines = ours_of(builds.through_exec(env).stderr)

    assert {" ".join(line.split()[2:4]) for line in lines} == WARNED.get(env.parent.name, set())
    assert all(": warning: " in line and "copyTargeting" in line for line in lines)
    assert len(lines) == len(WARNED.get(env.parent.name, ()))


@pytest.mark.parametrize("name", ["drydock", "k8s", "operators"])
def test_what_targets_the_worker_is_copied(name: str, builds: Builds) -> None:
    ours = builds.through_exec(sites.site(name), COPIED)

    assert ours_of(ours.stderr) == []
    specs = {item.name: item.tree["spec"] for item in ours.documents if item.kind in KINDS}
    copies = 0
    for queue, worker in WORKERS.items():
        service, variant = service_and_variant(queue)
        for short in SHORT if variant != "default" else ():
            original = specs.get(f"{service}-worker-{short}")
            if original is not None:
                assert specs[f"{worker}-{short}"] == renamed(original, f"{service}-worker", worker)
                copies += 1
    assert copies == (2 if name == "drydock" else 12)
    waves = {
        item.name: item.tree["metadata"]["annotations"].get("argocd.argoproj.io/sync-wave")
        for item in ours.documents
        if item.name in WORKERS.values()
    }
    # Argo CD starts the copies when it starts Tutor's own.
    assert set(waves.values()) == ({None} if name == "k8s" else {"100"})


def renamed(node: Any, old: str, new: str) -> Any:
    if isinstance(node, dict):
        return {key: renamed(value, old, new) for key, value in node.items()}
    if isinstance(node, list):
        return [renamed(value, old, new) for value in node]
    return new if node == old else node


def test_an_autoscaler_that_keda_would_stand_beside_is_refused_with_the_field(builds: Builds) -> None:
    for name, field in (("k8s", "keda.replaceHPA: true"), ("k8s-keda", "K8S_LMS_WORKER_KEDA_ENABLE: false")):
        with pytest.raises(AssertionError) as refused:
            builds.through_exec(sites.site(name), SCALED)
        assert field in str(refused.value)
        assert "spec.workers.lms.default.keda.enabled: false" in str(refused.value)
        assert "Traceback" not in str(refused.value)
    taken = builds.through_exec(sites.site("k8s"), SCALED.replace("enabled: true", "enabled: true, replaceHPA: true"))
    names = {item.name for item in taken.documents if item.kind == "HorizontalPodAutoscaler"}
    assert names
    assert not any("worker" in name for name in names)
    # One worker of a site may be the only one that KEDA scales.
    alone = b.RECOMMENDED.replace("high_mem: {}", "high_mem: {keda: {enabled: true}}")
    assert "ScaledObject openedx/lms-worker-high-mem-scaledobject" in b.keys(
        builds.through_exec(sites.site("k8s-keda"), alone).documents
    )


def test_a_request_above_a_limit_of_the_plugins_is_refused(builds: Builds) -> None:
    """tutor-contrib-k8s limits workers to 2Gi."""
    spec = b.RECOMMENDED.replace("high_mem: {}", "high_mem: {resources: {requests: {memory: %s}}}")
    with pytest.raises(AssertionError) as refused:
        builds.through_exec(sites.site("k8s"), spec % "3G")
    assert "spec.workers.lms.high_mem.resources: 3G is more than limits.memory, 2Gi (with those of" in str(
        refused.value
    )
    assert "State both in spec.workers.lms.high_mem.resources" in str(refused.value)
    assert builds.through_exec(sites.site("k8s"), spec % "2G")


def findings(build: Build) -> dict[str, set[str]]:
    site = Site(read_build(build.stdout))
    found = {name: {str(each.resource) for each in rule.check(site)} for name, rule in RULES.items()}
    return {name: objects for name, objects in found.items() if objects and name != "clear-text-password"}


def test_findings(env: Path, builds: Builds) -> None:
    found = findings(builds.through_exec(env))

    theirs = {f"ScaledObject {service}-worker in namespace openedx" for service in ("lms", "cms")}
    expected = {"broker-address": theirs, "counted-queues": theirs} if env.parent.name == "k8s-keda" else {}
    assert found == expected


def test_passwords_of_the_plugins_are_found_and_flags_are_not(builds: Builds) -> None:
    site = Site(read_build(builds.through_exec(sites.site("operators")).stdout))
    said = {each.resource.name: each.message for each in RULES["clear-text-password"].check(site) if each.resource}

    (newrelic,) = (message for name, message in said.items() if name.startswith("newrelic-cm-"))
    assert newrelic.endswith("license_key")
    assert not any("unusable" in message for message in said.values())


def test_a_scaled_object_of_somebody_elses_is_what_it_does(builds: Builds) -> None:
    rows = {row.queue: row for row in queues_of(Site(read_build(builds.through_exec(sites.site("k8s-keda")).stdout)))}

    scaling = rows["edx.lms.core.default"].scaling
    assert (str(scaling), scaling.list_length) == ("KEDA 1-3", 2)
    # Its formula adds up lists, and heeds nothing that runs.
    assert rows["edx.lms.core.default"].guard.counted == "Off"
    assert str(rows["edx.lms.core.high"].scaling) == "1, fixed"
