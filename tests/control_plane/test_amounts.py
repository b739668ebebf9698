"""Amounts that the function and `check` refuse are those that a real API server refuses or warns of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.manifests.amounts import amount, resource_faults
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from tests.control_plane.cluster import Cluster

# An API server takes what has no digit at all for 0, which nobody means: `Gi`, `.`.
_DIGITS = (
    "0 1 00 1. .5 0.5 +.5 500m +500m 1500m 2000m 1u 1n 5e-1 1E3 1e3 1e+3 1k 1K 1M 1E 1Ki 1ki 1mi 1.5Ki 1.1Ki 1.1Gi"
)
_ODD = "0.001k 0.0015k 512 -0 -1 -1m +-1 1GiB 1,5 1.2.3 1e 1e3Mi 1e3.5 1e+-3 1_0 0x10 1Ri ٣ 1e٣"
AMOUNTS: list[Any] = [*_DIGITS.split(), *_ODD.split(), "1 Gi", "", 0.5, 1.5, 2]


NAMES = ("cpu", "memory", "ephemeral-storage", "example.com/gpu", "mem", "memmory", "gpu", "storage", "CPU", "pods")


def said(cluster: Cluster, value: Any, name: str = "memory") -> str:
    """Return what an API server says of a Deployment that asks for so much of a resource: ok, warned, refused."""
    amounts = {"requests": {name: value}, **({"limits": {name: value}} if "/" in name else {})}
    container = {"name": "a", "image": "a", "resources": amounts}
    labels = {"app": "a"}
    tree = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    done = cluster.kubectl("create", "--dry-run=server", "--filename=-", stdin=json.dumps(tree), check=False)
    if done.returncode:
        assert name in done.stderr or "quantit" in done.stderr, done.stderr
        return "refused"
    return "warned" if "fractional byte value" in done.stderr else "ok"


@pytest.fixture
def namespace(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", NAMESPACE, check=False)


@pytest.mark.usefixtures("namespace")
def test_amounts_are_those_of_an_api_server(cluster: Cluster) -> None:
    told = {
        repr(value): (said(cluster, value), [*resource_faults({"requests": {"memory": value}})]) for value in AMOUNTS
    }
    numbers = {repr(value): amount(value) for value in AMOUNTS}
    for value, (answer, faults) in told.items():
        number = numbers[value]
        assert (number is None) == (answer == "refused"), (value, answer)
        # Of 1.1Gi a server warns, too: a part of a byte among many does no harm.
        is_small = number is not None and number < 1024
        assert bool(faults) == (answer == "refused" or (answer == "warned" and is_small)), (value, answer, faults)
    assert {answer for answer, _ in told.values()} == {"ok", "warned", "refused"}


@pytest.mark.usefixtures("namespace")
def test_resources_are_those_of_an_api_server(cluster: Cluster) -> None:
    for name in NAMES:
        faults = [*resource_faults({"limits": {name: 1}})]
        assert bool(faults) == (said(cluster, 1, name) == "refused"), name
