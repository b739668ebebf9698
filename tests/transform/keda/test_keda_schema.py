"""KEDA's own schema, oldest and newest, over what real sites and the shipped overlays give."""

from __future__ import annotations

import jsonschema
import pytest

from tests import sites
from tests.builds import Builds
from tests.keda_site import KEDA_VERSIONS, check_schema, validator

EVERYTHING = """\
spec:
  broker:
    tls: {enabled: true, ca: {name: redis-ca}, clientCert: {name: redis-client}}
    existingSecret: {name: redis, usernameKey: user, passwordKey: password}
    sentinel: {addresses: ['one:26379', 'two:26379'], master: m, username: u, existingSecret: {name: s, passwordKey: p}}
  defaults:
    concurrency: 2
    keda:
      {enabled: true, minReplicas: 1, maxReplicas: 5, listLength: 7, activationListLength: 3, pollingInterval: 10,
      cooldownPeriod: 1800, initialCooldownPeriod: 60, idleReplicas: 0, replaceHPA: true, inFlight: Slots,
      fallback: {failureThreshold: 3, replicas: 2}, behavior: {scaleDown: {stabilizationWindowSeconds: 3600}}}
  workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}
"""
KINDS = {"ScaledObject", "TriggerAuthentication"}


@pytest.mark.parametrize("name", ["16", "22", "full"])
def test_every_field_is_one_that_each_keda_has(name: str, builds: Builds) -> None:
    """The full site has an HPA for each of Tutor's workers: both are taken over."""
    build = builds.through_exec(sites.site(name), EVERYTHING)
    objects = [item for item in build.documents if item.kind in KINDS]
    assert sorted(item.kind for item in objects) == ["ScaledObject"] * 6 + ["TriggerAuthentication"] * 2
    for item in objects:
        check_schema(item.tree)
    hpas = {item.name for item in build.documents if item.kind == "HorizontalPodAutoscaler"}
    assert not {"lms-worker", "cms-worker"} & hpas
    advanced = [item.tree["spec"]["advanced"] for item in objects if item.kind == "ScaledObject"]
    taken = [
        each["horizontalPodAutoscalerConfig"]["name"]
        for each in advanced
        if "name" in each["horizontalPodAutoscalerConfig"]
    ]
    assert len(taken) == (2 if name == "full" else 0)


@pytest.mark.parametrize("version", KEDA_VERSIONS)
def test_an_unknown_field_is_seen(version: str) -> None:
    scaled = {"spec": {"scaleTargetRef": {"name": "x"}, "triggers": [{"type": "redis", "metadata": {}}]}}
    validator(version, "ScaledObject").validate(scaled)
    wrongs: tuple[dict[str, object], ...] = (
        {"minReplicas": 1},
        {"advanced": {"scalingModifier": {}}},
        {"triggers": [{"type": 1, "metadata": {}}]},
    )
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            validator(version, "ScaledObject").validate({"spec": scaled["spec"] | wrong})


def test_pods_of_a_real_site(builds: Builds) -> None:
    """No Deployment under KEDA states replicas, and the password of a real site's broker is empty: no Secret."""
    build = builds.through_exec(sites.site("22"), EVERYTHING.replace("inFlight: Slots", "inFlight: Zero"))
    targets = {item.tree["spec"]["scaleTargetRef"]["name"] for item in build.documents if item.kind == "ScaledObject"}
    assert len(targets) == 6
    assert not any("replicas" in build.deployments()[name]["spec"] for name in targets)
    assert "Secret" not in {item.kind for item in build.documents}
