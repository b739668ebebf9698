"""The same configuration for tutor-contrib-celery, which is the oracle: its ScaledObjects are ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import sites
from tests.builds import Build, Builds

# What an operator writes for either.
CONFIGURATIONS = {
    "defaults": (
        """
for service, variants in (("lms", ("high", "high_mem")), ("cms", ("high", "low"))):
    workers_config[service]["default"]["enable_keda"] = True
    for variant in variants:
        workers_config[service][variant] = {"enable_keda": True}
""",
        """\
spec:
  defaults: {keda: {enabled: true}}
  workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}
""",
    ),
    "numbers": (
        """
workers_config["lms"]["default"].update(enable_keda=True, min_replicas=2, max_replicas=4, list_length=10)
workers_config["lms"]["high"] = {"enable_keda": True, "min_replicas": 1, "max_replicas": 7, "list_length": 5}
workers_config["lms"]["high_mem"] = {"enable_keda": False}
workers_config["cms"]["high"] = {"enable_keda": True, "list_length": 1}
workers_config["cms"]["low"] = {"enable_keda": True, "max_replicas": 3}
""",
        """\
spec:
  workers:
    lms:
      default: {keda: {enabled: true, minReplicas: 2, maxReplicas: 4, listLength: 10}}
      high: {keda: {enabled: true, minReplicas: 1, maxReplicas: 7, listLength: 5}}
      high_mem: {keda: {enabled: false}}
    cms:
      high: {keda: {enabled: true, listLength: 1}}
      low: {keda: {enabled: true, maxReplicas: 3}}
""",
    ),
}


def scaling(build: Build, *, in_flight: bool) -> dict[str, Any]:
    """Return, by the ScaledObject's name, what both say."""
    found = {}
    for item in build.documents:
        if item.kind != "ScaledObject":
            continue
        spec = item.tree["spec"]
        triggers = [trigger for trigger in spec["triggers"] if in_flight or trigger.get("name") != "inflight"]
        (trigger,) = triggers
        found[item.name] = {
            "namespace": item.tree["metadata"].get("namespace"),
            "target": (spec["scaleTargetRef"].get("kind", "Deployment"), spec["scaleTargetRef"]["name"]),
            "min": spec.get("minReplicaCount", 0),
            "max": spec["maxReplicaCount"],
            "type": trigger["type"],
            "list": trigger["metadata"]["listName"],
            "length": int(trigger["metadata"]["listLength"]),
            "address": trigger["metadata"]["address"],
        }
    return found


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_scaled_objects(name: str, tmp_path: Path, builds: Builds) -> None:
    theirs, ours = CONFIGURATIONS[name]
    oracle = builds.plain(sites.render_oracle(tmp_path, theirs))
    site = sites.site("oracle")
    expected = scaling(oracle, in_flight=True)
    assert len(expected) == (6 if name == "defaults" else 4)
    found = scaling(builds.through_exec(site, ours), in_flight=False)
    for each in expected.values():
        # Theirs is a name that KEDA's namespace knows nothing of unless it has the site's behind it.
        host, _, port = each.pop("address").partition(":")
        assert (host.split(".")[0], port) == ("redis", "6379")
    assert {each.pop("address") for each in found.values()} == {"redis.openedx:6379"}
    assert found == expected
