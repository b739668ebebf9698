"""Flower as it is emitted for real sites."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kustomizer.transform.broker_access import quote
from tests import sites
from tests.builds import EXEC, HEAD, Builds
from tests.flower_site import BASIC_AUTH, Emitted, config, emit, site_input
from tests.kubernetes_schemas import assert_valid

PASSWORD = "p@ss/w:rd#1"
SECRET = """---
apiVersion: v1
kind: Secret
metadata:
  name: flower-basic-auth
  namespace: openedx
type: Opaque
"""


@pytest.fixture
def site_22(builds: Builds) -> bytes:
    return site_input(builds, sites.site("22"))


@pytest.fixture
def plain(site_22: bytes) -> Emitted:
    return emit(site_22, config({}))


def test_objects_pass_for_tutors_own(plain: Emitted) -> None:
    lms = plain.objects["Deployment", "lms-worker"]
    for kind in ("Deployment", "Service", "Secret"):
        found = plain.objects[kind, "flower"]["metadata"]
        assert found["namespace"] == "openedx"
        assert found["labels"] == {**lms["metadata"]["labels"], "app.kubernetes.io/name": "flower"}
        assert found["annotations"]["app.kubernetes.io/version"] == "22.0.3"
    selector = {**lms["spec"]["selector"]["matchLabels"], "app.kubernetes.io/name": "flower"}
    deployment = plain.objects["Deployment", "flower"]["spec"]
    assert deployment["selector"]["matchLabels"] == selector
    assert plain.objects["Service", "flower"]["spec"]["selector"] == selector
    assert selector.items() <= deployment["template"]["metadata"]["labels"].items()


def test_never_two_at_once_nor_a_strategy_that_server_side_apply_refuses(plain: Emitted) -> None:
    spec = plain.objects["Deployment", "flower"]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    assert plain.pod()["terminationGracePeriodSeconds"] <= 10


def test_is_valid_for_kubernetes(plain: Emitted) -> None:
    for kind in ("Deployment", "Service", "Secret"):
        assert_valid(plain.objects[kind, "flower"])


def test_pod_fits_the_restricted_pod_security_standard(plain: Emitted) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, field by field."""
    pod, container = plain.pod(), plain.container()
    assert len(pod["containers"]) == 1
    assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"}
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] is True
    assert not security.keys() & {"privileged", "procMount", "runAsUser"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 1000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert all("hostPort" not in port for port in container["ports"])
    assert all(not set(volume) - {"name", "configMap", "secret"} for volume in pod.get("volumes", ()))


def test_survives_the_service_of_its_own_name(plain: Emitted) -> None:
    assert plain.pod()["enableServiceLinks"] is False
    assert plain.environment()["FLOWER_PORT"] == "5555"


def test_a_slow_redis_does_not_kill_it(plain: Emitted) -> None:
    probe = plain.container()["livenessProbe"]
    assert probe["timeoutSeconds"] >= 5
    assert probe["failureThreshold"] >= 6


def test_no_clear_text_stays_behind_upstreams_flower(site_22: bytes) -> None:
    """Entries of upstream's names have plain values or are gone: server-side apply refuses value -> valueFrom."""
    found = emit(site_22, config({}))
    entries = {entry["name"]: entry for entry in found.container()["env"]}
    assert "CELERY_BROKER_URL" not in entries
    assert entries["FLOWER_BASIC_AUTH"] == {"name": "FLOWER_BASIC_AUTH", "value": "$(BASIC_AUTH_CREDENTIALS)"}
    assert "valueFrom" not in entries["FLOWER_PORT"]
    reference = {"secretKeyRef": {"name": "flower-basic-auth", "key": "auth"}}
    assert entries["BASIC_AUTH_CREDENTIALS"]["valueFrom"] == reference
    # kubelet resolves $(…) from entries that stand before.
    names = list(entries)
    assert names.index("BASIC_AUTH_CREDENTIALS") < names.index("FLOWER_BASIC_AUTH")
    assert found.container()["envFrom"] == [{"secretRef": {"name": "flower"}}]


def test_broker_url_is_quoted_and_only_in_the_secret(builds: Builds) -> None:
    # Open edX formats its URL without quoting: such a password has to be percent-encoded in Tutor's configuration.
    data = site_input(
        builds,
        sites.site("22"),
        broker={"CELERY_BROKER_PASSWORD": quote(PASSWORD), "CELERY_BROKER_VHOST": "3"},
    )
    found = emit(data, config({}))
    assert found.broker_url() == "redis://:p%40ss%2Fw%3Ard%231@redis.openedx:6379/3"
    added = {key: tree for key, tree in found.objects.items() if "flower" in key[1] and key != ("Secret", "flower")}
    text = repr(added)
    assert PASSWORD not in text
    assert quote(PASSWORD) not in text
    assert base64.b64encode(PASSWORD.encode()).decode() not in text


@pytest.mark.parametrize("text", ["p@ss/w:rd#1", "ä€\x00 %", "plain-._~"])
def test_quotes_as_urllib_does(text: str) -> None:
    from urllib.parse import quote as oracle  # noqa: PLC0415

    assert quote(text) == oracle(text, safe="")


def test_url_alone_is_enough_for_a_plain_redis(plain: Emitted) -> None:
    assert ("ConfigMap", "flower-celery-config") not in plain.objects
    assert "volumes" not in plain.pod()


def settings_of(text: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found: dict[str, Any] = {}
    exec(compile(text, "celeryconfig.py", "exec"), found)  # noqa: S102 - what the pod runs
    return found


def test_tls_is_verified(site_22: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = {"enabled": True, "ca": {"name": "redis-ca", "key": "tls.pem"}, "clientCert": {"name": "redis-client"}}
    found = emit(site_22, config({}, broker={"tls": tls}))
    assert found.broker_url() == "rediss://redis.openedx:6379/0"
    ssl = settings_of(found.celery_config(), {}, monkeypatch)["broker_use_ssl"]
    assert ssl["ssl_cert_reqs"].name == "CERT_REQUIRED"
    assert ssl["ssl_check_hostname"] is True
    mounts = {mount["name"]: mount["mountPath"] for mount in found.container()["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in found.pod()["volumes"]}
    items = [{"key": "tls.pem", "path": "ca.crt"}]
    assert volumes["broker-ca"]["secret"] == {"secretName": "redis-ca", "items": items}
    assert ssl["ssl_ca_certs"] == f"{mounts['broker-ca']}/ca.crt"
    assert ssl["ssl_certfile"] == f"{mounts['broker-client-cert']}/tls.crt"
    assert found.environment()["PYTHONPATH"] == mounts["celery-config"]


def test_tls_is_unverified_only_where_that_is_said(site_22: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    found = emit(site_22, config({}, broker={"tls": {"enabled": True, "unsafe": True}}))
    ssl = settings_of(found.celery_config(), {}, monkeypatch)["broker_use_ssl"]
    assert (ssl["ssl_cert_reqs"].name, ssl["ssl_check_hostname"]) == ("CERT_NONE", False)


def test_sentinel_and_key_prefix(site_22: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"name": "sentinel", "passwordKey": "password"}
    sentinel = {"addresses": ["a:26379", "b.x:26380"], "master": "mymaster", "existingSecret": secret}
    found = emit(site_22, config({}, broker={"sentinel": sentinel, "keyPrefix": "it's:"}))
    assert found.broker_url() == "sentinel://a.openedx:26379/0;sentinel://b.x:26380/0"
    environment = {"BROKER_SENTINEL_PASSWORD": PASSWORD}
    options = settings_of(found.celery_config(), environment, monkeypatch)["broker_transport_options"]
    assert options == {
        "global_keyprefix": "it's:",
        "master_name": "mymaster",
        "fanout_prefix": "/0.",
        "sentinel_kwargs": {"password": PASSWORD},
    }


def test_credentials_that_only_a_secret_knows(site_22: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"name": "redis", "usernameKey": "user", "passwordKey": "password"}
    found = emit(site_22, config({}, broker={"existingSecret": secret, "database": 3}))
    assert ("Secret", "flower") not in found.objects
    assert "envFrom" not in found.container()
    references = {entry["name"]: entry["valueFrom"] for entry in found.container()["env"] if "valueFrom" in entry}
    assert references["BROKER_PASSWORD"] == {"secretKeyRef": {"name": "redis", "key": "password"}}
    environment = {"BROKER_USERNAME": "o/edx", "BROKER_PASSWORD": PASSWORD}
    url = settings_of(found.celery_config(), environment, monkeypatch)["broker_url"]
    assert url == "redis://o%2Fedx:p%40ss%2Fw%3Ard%231@redis.openedx:6379/3"


@pytest.mark.parametrize("host", ["redis.openedx.svc.cluster.local:6379", "Redis.openedx.svc", "redis.openedx.:6379"])
def test_another_name_of_the_broker_is_none(host: str, builds: Builds) -> None:
    data = site_input(builds, sites.site("22"), broker={"CELERY_BROKER_HOSTNAME": host}, services=("cms",))
    assert not [problem for problem in emit(data, config({})).problems if "another broker" in problem.message]


def test_another_broker_for_cms_is_said(builds: Builds) -> None:
    elsewhere = {"CELERY_BROKER_HOSTNAME": "elsewhere:6379"}

    def said(services: tuple[str, ...]) -> list[str]:
        data = site_input(builds, sites.site("22"), broker=elsewhere, services=services)
        return [problem.message for problem in emit(data, config({})).problems if "another broker" in problem.message]

    assert said(("cms",))
    assert said(("lms",))
    assert not said(("lms", "cms"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("admin:pass\n", "white space"),
        ("admin", "user:password"),
        ("admin:", "user:password"),
        ("admin:a,b", "comma"),
    ],
)
def test_unusable_credentials_are_refused(site_22: bytes, value: str, reason: str) -> None:
    data = site_22 + (SECRET + f"data:\n  auth: {base64.b64encode(value.encode()).decode()}\n").encode()
    found = emit(data, config({}))
    (problem,) = found.problems
    assert reason in problem.message
    assert value.strip() not in str(problem)


def test_a_secret_without_the_key_is_refused(site_22: bytes) -> None:
    found = emit(site_22 + (SECRET + "data: {other: eA==}\n").encode(), config({}))
    assert "has no key auth" in str(found.problems[0])


def test_a_secret_of_the_overlays_own(builds: Builds, tmp_path: Path, kustomize: Path) -> None:
    """A file that isn't committed, through secretGenerator: kustomize follows its hash into the Deployment."""

    def build(namespace: str) -> list[dict[str, Any]]:
        (tmp_path / "auth.env").write_text("auth=admin:secret\n")
        (tmp_path / "config.yaml").write_text(HEAD + EXEC + config({}).decode().removeprefix(HEAD))
        resources = Path("..") / ".." / ".." / ".."
        env = sites.site("22").resolve()
        while (tmp_path / resources).resolve() != Path("/"):
            resources = resources / ".."
        generator = "secretGenerator:\n- name: flower-basic-auth\n  envs: [auth.env]\n" + namespace
        (tmp_path / "kustomization.yaml").write_text(
            f"resources: [{resources}{env}]\ntransformers: [config.yaml]\n{generator}"
        )
        return list(yaml.safe_load_all(sites.build(kustomize, tmp_path)))

    objects = {(item["kind"], item["metadata"]["name"]): item for item in build("  namespace: openedx\n")}
    secrets = [name for kind, name in objects if kind == "Secret" and re.fullmatch(r"flower-basic-auth-\w{10}", name)]
    entries = objects["Deployment", "flower"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [entry["valueFrom"]["secretKeyRef"]["name"] for entry in entries if "valueFrom" in entry] == secrets
    with pytest.raises(RuntimeError, match=r"isn't in .*the namespace of the pod"):
        build("")


def test_settings_of_the_users_own(site_22: bytes) -> None:
    flower = {
        "image": "registry.example.com/flower:2.2.0",
        "resources": {"limits": {"cpu": "1"}, "requests": {"memory": "1Gi"}},
        "env": [
            {"name": "FLOWER_MAX_TASKS", "value": "100000"},
            {"name": "FLOWER_READ_ONLY", "value": "true"},
            {"name": "FLOWER_URL_PREFIX", "value": "/flower/"},
        ],
        "podAnnotations": {"example.com/a": "b"},
        "nodeSelector": {"pool": "tools"},
        "imagePullSecrets": [{"name": "pull"}],
        "serviceMonitor": {"enabled": True, "interval": 15, "labels": {"team": "x"}},
    }
    found = emit(site_22, config(flower))
    container = found.container()
    assert container["image"] == "registry.example.com/flower:2.2.0"
    assert container["resources"] == {
        "requests": {"cpu": "50m", "memory": "1Gi"},
        "limits": {"memory": "768Mi", "cpu": "1"},
    }
    assert found.environment()["FLOWER_MAX_TASKS"] == "100000"
    assert [entry["name"] for entry in container["env"]].count("FLOWER_MAX_TASKS") == 1
    assert container["livenessProbe"]["httpGet"]["path"] == "/flower/healthcheck"
    assert container["readinessProbe"]["httpGet"]["path"] == "/flower/healthcheck"
    annotations = found.objects["Deployment", "flower"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["example.com/a"] == "b"
    assert found.pod()["nodeSelector"] == {"pool": "tools"}
    assert found.pod()["imagePullSecrets"] == [{"name": "pull"}]
    monitor = found.objects["ServiceMonitor", "flower"]
    assert monitor["spec"]["endpoints"] == [{"port": "metrics", "path": "/flower/metrics", "interval": "15s"}]
    assert monitor["metadata"]["labels"]["team"] == "x"
    assert "release" not in monitor["metadata"]["labels"]


def test_goes_where_the_worker_goes(site_22: bytes) -> None:
    defaults = {"nodeSelector": {"pool": "edx"}, "tolerations": [{"key": "edx", "operator": "Exists"}]}
    found = emit(site_22, config({}, defaults=defaults))
    assert found.pod()["nodeSelector"] == {"pool": "edx"}
    assert found.pod()["tolerations"] == [{"key": "edx", "operator": "Exists"}]
    assert "tolerations" not in emit(site_22, config({"tolerations": []}, defaults=defaults)).pod()


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "FLOWER_PORT", "value": "80"},
        {"name": "FLOWER_URL_PREFIX", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}},
    ],
)
def test_what_probes_could_not_follow_is_refused(site_22: bytes, entry: dict[str, object]) -> None:
    (problem,) = emit(site_22, config({"env": [entry]})).problems
    assert problem.field == "spec.flower.env[0]"


@pytest.mark.parametrize(("expose", "message"), [(False, "in the cluster"), (True, "the whole internet")])
def test_flower_for_everyone_is_refused(site_22: bytes, expose: bool, message: str) -> None:
    found = emit(site_22, config({"basicAuth": None, "expose": {"enabled": expose}}))
    assert message in str(found.problems[0])
    insecure = emit(site_22, config({"basicAuth": None, "insecure": True, "expose": {"enabled": expose}}))
    assert bool(insecure.objects) is not expose


def test_nothing_is_added_unless_enabled(site_22: bytes) -> None:
    flower = {"enabled": False, "expose": {"enabled": True}, "dashboard": {"enabled": True}}
    assert not [name for _, name in emit(site_22, config(flower)).objects if "flower" in name]


def test_is_a_fixed_point_and_the_same_bytes_every_time(builds: Builds) -> None:
    whole = {
        "expose": {"enabled": True},
        "serviceMonitor": {"enabled": True},
        "dashboard": {"enabled": True},
    }
    settings = config(whole, broker={"keyPrefix": "a"}, monitoring={"prometheusRule": {"enabled": True}})
    data = sites.function_input(sites.kustomize(sites.NEWEST), sites.site("full"), settings.decode())
    from kustomizer.function import run_resource_list  # noqa: PLC0415

    once = run_resource_list(data)
    assert not once.failed, once.problems
    assert run_resource_list(data).data == once.data
    assert run_resource_list(once.data).data == once.data


def test_works_on_every_site(builds: Builds, any_site: Path) -> None:
    whole = {"expose": {"enabled": True}, "serviceMonitor": {"enabled": True}, "dashboard": {"enabled": True}}
    found = emit(site_input(builds, any_site), config(whole, monitoring={"prometheusRule": {"enabled": True}}))
    assert ("Deployment", "flower") in found.objects, found.problems
    assert BASIC_AUTH["existingSecret"]["name"] not in [name for _, name in found.objects]
