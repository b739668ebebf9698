"""Flower against that of tutor-contrib-celery: whoever has it sees an update in place."""

from __future__ import annotations

from typing import Any

import pytest

from tests import sites
from tests.builds import Build, Builds, stem
from tests.flower_site import Emitted, config, emit, site_input

SETTINGS = {
    "CELERY_FLOWER": "true",
    "CELERY_FLOWER_EXPOSE_SERVICE": "true",
    "CELERY_FLOWER_SERVICE_MONITOR": "true",
}


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory, builds: Builds) -> Build:
    env = sites.render_oracle(tmp_path_factory.mktemp("oracle"), "pass", SETTINGS)
    return builds.plain(env)


@pytest.fixture
def ours(builds: Builds) -> Emitted:
    flower = {"expose": {"enabled": True}, "serviceMonitor": {"enabled": True, "interval": 30}}
    return emit(site_input(builds, sites.site("oracle")), config(flower))


def theirs(oracle: Build, kind: str) -> dict[str, Any]:
    [found] = [item.tree for item in oracle.documents if (item.kind, item.name) == (kind, "flower")]
    return found


@pytest.mark.parametrize("kind", ["Deployment", "Service", "ServiceMonitor"])
def test_names_and_labels(kind: str, oracle: Build, ours: Emitted) -> None:
    expected, found = theirs(oracle, kind), ours.objects[kind, "flower"]
    assert found["apiVersion"] == expected["apiVersion"]
    assert found["metadata"] == expected["metadata"]


def test_deployment(oracle: Build, ours: Emitted) -> None:
    expected, found = theirs(oracle, "Deployment")["spec"], ours.objects["Deployment", "flower"]["spec"]
    # A selector that differs can't be applied at all.
    assert found["selector"] == expected["selector"]
    assert found["template"]["metadata"] == expected["template"]["metadata"]
    [container], [upstream] = found["template"]["spec"]["containers"], expected["template"]["spec"]["containers"]
    for field in ("name", "image", "ports"):
        assert container[field] == upstream[field]
    # What server-side apply refuses: an entry of their name that turns from value to valueFrom.
    names = {entry["name"] for entry in upstream["env"]}
    assert not [entry for entry in container["env"] if entry["name"] in names and "valueFrom" in entry]
    assert container["envFrom"]


def test_service(oracle: Build, ours: Emitted) -> None:
    assert ours.objects["Service", "flower"]["spec"] == theirs(oracle, "Service")["spec"]


def test_service_monitor(oracle: Build, ours: Emitted) -> None:
    """Without honorLabels: Flower has no label of a target's, and another process on its port is not to set any."""
    expected = theirs(oracle, "ServiceMonitor")["spec"]
    assert expected["endpoints"][0].pop("honorLabels") is True
    assert ours.objects["ServiceMonitor", "flower"]["spec"] == expected


def test_host(oracle: Build, ours: Emitted) -> None:
    [theirs_text] = [item.tree["data"]["Caddyfile"] for item in oracle.documents if stem(item.name) == "caddy-config"]
    [text] = [tree["data"]["Caddyfile"] for (_, name), tree in ours.objects.items() if stem(name) == "caddy-config"]
    for line in ("flower.lms.example.com{$default_site_port} {", 'import proxy "flower:5555"'):
        assert line in theirs_text
        assert line in text


def test_broker_is_the_same_but_for_its_namespace(oracle: Build, ours: Emitted) -> None:
    [container] = theirs(oracle, "Deployment")["spec"]["template"]["spec"]["containers"]
    [url] = [entry["value"] for entry in container["env"] if entry["name"] == "CELERY_BROKER_URL"]
    assert url == "redis://:@redis:6379/0"
    assert ours.broker_url() == "redis://redis.openedx:6379/0"


def test_beside_upstreams_flower_the_build_is_refused(oracle: Build) -> None:
    found = emit(oracle.stdout, config({}))
    assert "Deployment flower" in str(found.problems[0])
