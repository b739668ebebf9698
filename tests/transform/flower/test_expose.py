"""Flower from outside of the cluster."""

from __future__ import annotations

import re

import pytest
import yaml

from tests import sites
from tests.builds import Builds, stem
from tests.flower_site import Emitted, config, emit, site_input
from tests.kubernetes_schemas import assert_valid


def exposed(builds: Builds, expose: dict[str, object], site: str = "22", **flower: object) -> Emitted:
    return emit(site_input(builds, sites.site(site)), config({"expose": {"enabled": True, **expose}, **flower}))


def caddyfile(found: Emitted) -> str:
    [text] = [tree["data"]["Caddyfile"] for (_, name), tree in found.objects.items() if stem(name) == "caddy-config"]
    return str(text)


@pytest.mark.parametrize("site", sites.SITES)
def test_caddy_has_a_site_for_flower(site: str, builds: Builds) -> None:
    found = exposed(builds, {}, site)
    [before] = [
        item.tree["data"]["Caddyfile"]
        for item in builds.plain(sites.site(site)).documents
        if stem(item.name) == "caddy-config"
    ]
    text = caddyfile(found)
    assert text.startswith(before.rstrip())
    assert text[len(before.rstrip()) :].strip().splitlines() == [
        "# Flower",
        "flower.lms.example.com{$default_site_port} {",
        "    # Flower asks nobody for a password here.",
        "    @metrics path /metrics /metrics/*",
        "    respond @metrics 404",
        '    import proxy "flower:5555"',
        "}",
    ]
    # The proxy snippet is Tutor's.
    assert "(proxy) {" in text
    assert text.count("{") == text.count("}")


def test_a_host_and_a_prefix_of_the_users_own(builds: Builds) -> None:
    env = [{"name": "FLOWER_URL_PREFIX", "value": "tasks"}]
    text = caddyfile(exposed(builds, {"host": "tasks.example.org"}, env=env))
    assert "\ntasks.example.org{$default_site_port} {\n" in text
    assert "@metrics path /tasks/metrics /tasks/metrics/*" in text


def test_a_second_site_of_that_host_is_refused(builds: Builds) -> None:
    [problem] = exposed(builds, {"host": "studio.lms.example.com"}).problems
    assert "already has a site studio.lms.example.com" in problem.message


def test_the_copy_of_caddys_configuration_rolls_caddy(builds: Builds) -> None:
    """A real build: the hash follows, and Tutor's other ConfigMaps keep theirs."""
    spec = yaml.safe_dump(yaml.safe_load(config({"expose": {"enabled": True}})), sort_keys=False)
    spec = spec[spec.index("spec:") :]
    env = sites.site("22")
    ours, plain = builds.through_exec(env, spec).config_maps(), builds.plain(env).config_maps()
    assert {stem(name) for name in plain.keys() - ours.keys()} == {"caddy-config"}
    [name] = [name for name in ours if stem(name) == "caddy-config"]
    caddy = builds.through_exec(env, spec).deployments()["caddy"]
    assert name in [
        volume["configMap"]["name"] for volume in caddy["spec"]["template"]["spec"]["volumes"] if "configMap" in volume
    ]


def test_ingress(builds: Builds) -> None:
    found = exposed(builds, {"type": "Ingress"})
    ingress = found.objects["Ingress", "flower"]
    assert_valid(ingress)
    [rule] = ingress["spec"]["rules"]
    assert rule["host"] == "flower.lms.example.com"
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "flower", "port": {"name": "metrics"}}
    assert [problem.severity for problem in found.problems if "/metrics" in problem.message] == ["info"]
    assert "flower" not in caddyfile(found)


def test_http_route_closes_metrics(builds: Builds) -> None:
    found = exposed(builds, {"type": "HTTPRoute", "host": "f.example.org"})
    spec = found.objects["HTTPRoute", "flower"]["spec"]
    assert spec["hostnames"] == ["f.example.org"]
    served = {rule["matches"][0]["path"]["value"]: rule.get("backendRefs") for rule in spec["rules"]}
    assert served == {"/metrics": None, "/": [{"name": "flower", "port": 5555}]}
    assert [problem for problem in found.problems if "Gateway" in problem.message]


def test_without_the_lms_host_it_has_to_be_said(builds: Builds) -> None:
    data = re.sub(rb"LMS_BASE", b"LMS_SOMETHING", site_input(builds, sites.site("22")))
    [problem] = emit(data, config({"expose": {"enabled": True}})).problems
    assert problem.field == "spec.flower.expose.host"
    assert emit(data, config({"expose": {"enabled": True, "host": "f.example.org"}})).objects


def test_without_caddy_another_way_has_to_be_said(builds: Builds) -> None:
    data = site_input(builds, sites.site("22")).replace(b"caddy-config", b"other-config")
    [problem] = emit(data, config({"expose": {"enabled": True}})).problems
    assert problem.field == "spec.flower.expose.type"
