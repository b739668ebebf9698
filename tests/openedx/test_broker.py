"""Where the broker is, read from what Tutor emitted; seen in the triggers, whose reader has nothing else."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, unquote

import pytest
import yaml
from hypothesis import given, strategies as st

from kustomizer.openedx import broker
from tests.keda_site import LMS_VARIANTS, Result, Site, built, config_map, env_file, metadata, site, worked, worker

LMS = "{workers: {lms: {high: {keda: {enabled: true}}, high_mem: {}}}%s}"
BOTH = "{workers: {lms: {high: {keda: {enabled: true}}, high_mem: {}}, cms: {high: {keda: {enabled: true}}, low: {}}}}"
PASSWORD = "p@ss/w:rd#1"
OPTIONS = "CELERY_BROKER_TRANSPORT_OPTIONS"


def lms(broker: str = "", **changes: str | None) -> Result:
    """Return the build of an LMS whose ``lms.env.yml`` has these values."""
    return worked(LMS % (f", broker: {{{broker}}}" if broker else ""), site(lms_env=env_file(**changes)))


def refused(broker: str = "", settings: str = "", **changes: str | None) -> str:
    """Return the one message for an LMS whose ``lms.env.yml`` has these values."""
    given = site(lms_env=env_file(**changes))
    result = built(LMS % (f", broker: {{{broker}}}" if broker else ""), given._replace(settings=settings or "x = 1\n"))
    (message,) = result.errors
    return message


def high(result: Result) -> dict[str, str]:
    return result.metadata("lms-worker-high")


def secret_values(result: Result, name: str = "lms-worker-broker") -> dict[str, str]:
    data = result.get("Secret", name)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_tutors_own_redis() -> None:
    result = lms()
    assert high(result) == {"listName": "edx.lms.core.high", "listLength": "40", "address": "redis.openedx:6379"}
    assert "authenticationRef" not in result.triggers("lms-worker-high")["queued1"]
    assert not result.kinds("Secret") and not result.kinds("TriggerAuthentication")
    assert not result.warnings


@pytest.mark.parametrize(
    ("hostname", "address"),
    [
        ("redis:6379", "redis.openedx:6379"),
        ("redis", "redis.openedx:6379"),
        ("redis:7000", "redis.openedx:7000"),
        ("redis.other:6379", "redis.other:6379"),
        ("cache.example.com:6380", "cache.example.com:6380"),
        ("10.0.0.7:6379", "10.0.0.7:6379"),
        ("[fd00::1]:6379", "[fd00::1]:6379"),
        ("[fd00::1]", "[fd00::1]:6379"),
        ("one:6379;redis://two:6379", "one.openedx:6379"),
    ],
)
def test_hostname(hostname: str, address: str) -> None:
    assert high(lms(CELERY_BROKER_HOSTNAME=f'"{hostname}"'))["address"] == address


@pytest.mark.parametrize(
    "password",
    [
        *("${REDIS_PASSWORD}", "<path:secret/data/redis>", "$REDIS_PASSWORD", "{{ REDIS_PASSWORD }}"),
        *("vault:secret%2Fdata%2Fedx%23REDIS", "op:%2F%2Fvault%2Fredis", "ENC%5BAES256_GCM,data:Zm9v]"),
        "arn:aws:secretsmanager:us-east-1:1:secret:redis",
    ],
)
def test_a_password_that_is_put_in_later(password: str) -> None:
    result = lms(CELERY_BROKER_PASSWORD=f'"{password}"')
    [warning] = [each for each in result.warnings if "put in later" in each]
    assert "spec.broker: the password of lms's broker is put in later, and the Secrets that are made here" in warning
    assert password not in warning
    own = lms("existingSecret: {name: redis, passwordKey: password}", CELERY_BROKER_PASSWORD=f'"{password}"')
    assert not own.warnings


def test_an_address_that_is_put_in_later() -> None:
    result = lms(CELERY_BROKER_HOSTNAME='"${REDIS_HOST}:6379"')
    assert high(result)["address"] == "${REDIS_HOST}:6379"
    [warning] = result.warnings
    assert "the address of lms's broker is put in later. Give it its namespace" in warning


def test_hosts_that_the_pods_alone_know() -> None:
    own = worker("lms", LMS_VARIANTS)
    own["spec"]["template"]["spec"]["hostAliases"] = [{"ip": "10.0.0.9", "hostnames": ["redis", "mysql"]}]
    [warning] = worked(LMS % "", site(lms_worker=own)).warnings
    assert "spec.broker.address: pods of lms-worker have another address for redis.openedx than all else" in warning
    assert not worked(LMS % ", broker: {address: '10.0.0.9:6379'}", site(lms_worker=own)).warnings
    own["spec"]["template"]["spec"]["hostAliases"] = [{"ip": "10.0.0.9", "hostnames": ["mysql"]}, None]
    assert not worked(LMS % "", site(lms_worker=own)).warnings


@pytest.mark.parametrize(
    ("pod", "host", "said"),
    [
        ({"dnsConfig": {"searches": ["infra.svc"]}}, "cache", "look cache up in infra.svc, too (dnsConfig), and the"),
        ({"dnsPolicy": "None"}, "redis", "don't ask the cluster for redis first (dnsPolicy: None)"),
        ({"dnsPolicy": "None"}, "redis.example.com", ""),
        ({"dnsPolicy": "ClusterFirst"}, "redis", ""),
        ({"dnsConfig": {"searches": ["infra.svc"]}}, "redis", ""),
        ({"dnsConfig": {"options": [{"name": "ndots", "value": "2"}]}}, "cache", ""),
        ({"dnsConfig": "odd", "dnsPolicy": 3}, "cache", ""),
    ],
)
def test_pods_that_look_names_up_elsewhere(pod: dict[str, Any], host: str, said: str) -> None:
    own = worker("lms", LMS_VARIANTS)
    own["spec"]["template"]["spec"].update(pod)
    redis = {"apiVersion": "v1", "kind": "Service", "metadata": metadata("redis")}
    file = env_file(CELERY_BROKER_HOSTNAME=f'"{host}:6379"')
    objects = site(lms_worker=own, lms_env=file, cms_env=file, others=[redis])
    warnings = worked(LMS % "", objects).warnings
    assert [f"spec.broker.address: pods of lms-worker {said}" in warning for warning in warnings] == [True] * bool(said)
    assert not worked(LMS % ", broker: {address: 'there:6379'}", objects).warnings


def test_brokers_that_stand_by() -> None:
    text = "BROKER_URL = 'redis://one:6379/0;redis://two:6379/0'\n"
    (warning,) = worked(LMS % "", site(settings=text)).warnings
    assert "names 2 brokers, of which Celery takes the first that answers: KEDA" in warning
    assert "look at one.openedx:6379 alone" in warning
    assert not worked(LMS % ", broker: {address: 'there:6379'}", site(settings=text)).warnings
    (warning,) = lms(CELERY_BROKER_HOSTNAME='"one:6379;redis://two:6379"').warnings
    assert "CELERY_BROKER_HOSTNAME names several servers, of which Celery takes the first that answers" in warning
    sentinels = "BROKER_URL = 'sentinel://a;sentinel://b'\nBROKER_TRANSPORT_OPTIONS['master_name'] = 'm'\n"
    assert not worked(LMS % "", site(settings=sentinels)).warnings


def test_what_puts_variables_into_pods() -> None:
    rule = {"mutate": {"env": [{"name": "CELERY_BROKER_URL", "value": "redis://x"}]}}
    policy = {"apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "p"}, "spec": {"a": [rule]}}
    preset = {"apiVersion": "settings.k8s.io/v1alpha1", "kind": "PodPreset", "metadata": metadata("q"), "spec": rule}
    for other in (policy, preset):
        objects = site(others=[other])
        (warning,) = worked(LMS % "", objects).warnings
        assert "may put CELERY_BROKER_URL into the workers' pods" in warning
        assert not worked(LMS % ", broker: {address: 'there:6379'}", objects).warnings
    assert not worked("{workers: {lms: {high: {}, high_mem: {}}}}", site(others=[policy])).warnings
    harmless = {**policy, "spec": {"a": []}}
    assert not worked(LMS % "", site(others=[harmless])).warnings


def test_a_webhook_that_gives_pods_all_variables_of_a_path() -> None:
    own = worker("lms", LMS_VARIANTS)
    template = own["spec"]["template"]["metadata"]
    template["annotations"] = {"vault.security.banzaicloud.io/vault-env-from-path": "secret/data/edx"}
    (warning,) = worked(LMS % "", site(lms_worker=own)).warnings
    assert "annotations: where the broker is isn't sure: what a webhook puts in (vault-env-from-path)" in warning
    assert not worked(LMS % ", broker: {address: 'there:6379'}", site(lms_worker=own)).warnings


def test_several_servers_with_a_comma_between_them() -> None:
    """kombu 5.6: Port could not be cast to integer value as '6379,two:6379'."""
    assert "CELERY_BROKER_HOSTNAME names several servers with a comma" in refused(
        CELERY_BROKER_HOSTNAME='"one:6379,two:6379"'
    )
    assert high(lms("address: 'one:6379'", CELERY_BROKER_HOSTNAME='"one,two"'))["address"] == "one.openedx:6379"


@pytest.mark.parametrize("hostname", ["localhost:6379", "127.0.0.1", "[::1]:6380"])
def test_a_proxy_in_the_workers_own_pod(hostname: str) -> None:
    message = refused(CELERY_BROKER_HOSTNAME=f'"{hostname}"')
    assert "spec.broker.address: lms-worker's broker is " in message
    assert "in its own pod" in message
    changed = high(lms("address: 'behind:6380', tls: {enabled: true}", CELERY_BROKER_HOSTNAME=f'"{hostname}"'))
    assert (changed["address"], changed["enableTLS"]) == ("behind.openedx:6380", "true")
    # What is stated is meant so.
    stated = high(lms("address: '127.0.0.1:6380'", CELERY_BROKER_HOSTNAME=f'"{hostname}"'))
    assert stated["address"] == "127.0.0.1:6380"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("ssl_cert_reqs=CERT_NONE", "CELERY_BROKER_VHOST lets the workers take any certificate"),
        ("ssl_cert_reqs=required", ""),
        ("socket_timeout=5&ssl_cert_reqs=required&ssl_ca_certs=/ca.pem", "CELERY_BROKER_VHOST names a CA by a path"),
    ],
)
def test_options_behind_the_database(query: str, message: str) -> None:
    """As Celery's documentation has them for rediss; kombu.Connection was asked what it makes of each."""
    result = lms(CELERY_BROKER_VHOST=f'"3?{query}"')
    assert (high(result)["databaseIndex"], high(result)["enableTLS"]) == ("3", "true")
    assert message in "".join(result.warnings)
    assert len(result.warnings) == bool(message)


@pytest.mark.parametrize(
    ("vhost", "index"),
    [('"0"', None), ("0", None), ('""', None), ("null", None), ('"3"', "3"), ("3", "3"), ('"/3"', "3")],
)
def test_database(vhost: str, index: str | None) -> None:
    assert high(lms(CELERY_BROKER_VHOST=vhost)).get("databaseIndex") == index


def test_each_service_has_its_own_database() -> None:
    result = worked(BOTH, site(cms_env=env_file(CELERY_BROKER_VHOST='"1"')))
    assert "databaseIndex" not in result.metadata("lms-worker-high")
    assert result.metadata("cms-worker-high")["databaseIndex"] == "1"


def test_a_database_that_is_no_number() -> None:
    message = refused(CELERY_BROKER_VHOST='"openedx"')
    assert message.startswith(
        'ConfigMap openedx-config in namespace openedx: data["lms.env.yml"]: CELERY_BROKER_VHOST isn\'t the number'
    )
    assert high(lms("database: 3", CELERY_BROKER_VHOST='"openedx"'))["databaseIndex"] == "3"


def test_user() -> None:
    result = lms(CELERY_BROKER_USER='"edx%2Fapp"', CELERY_BROKER_PASSWORD='"x"')
    assert high(result)["username"] == "edx/app"


@pytest.mark.parametrize(
    ("written", "known_to_redis"),
    [(PASSWORD, PASSWORD), (quote(PASSWORD, safe=""), PASSWORD), ("100%", "100%"), ("a+b", "a+b")],
)
def test_password(written: str, known_to_redis: str) -> None:
    result = lms(CELERY_BROKER_PASSWORD=f'"{written}"')
    assert secret_values(result) == {"password": known_to_redis}
    trigger = result.triggers("lms-worker-high")["queued1"]
    assert trigger["authenticationRef"] == {"name": "lms-worker-broker"}
    assert result.get("TriggerAuthentication", "lms-worker-broker")["spec"] == {
        "secretTargetRef": [{"parameter": "password", "name": "lms-worker-broker", "key": "password"}]
    }
    assert bool(result.warnings) == (written == PASSWORD)


@pytest.mark.parametrize("written", [PASSWORD, quote(PASSWORD, safe="")])
def test_the_password_is_nowhere_else(written: str) -> None:
    lms_env, cms_env = (env_file(CELERY_BROKER_PASSWORD=f'"{written}"') for _ in range(2))
    given = site(lms_env=lms_env, cms_env=cms_env)
    result = worked(BOTH, given)
    own = {(item["kind"], item["metadata"]["name"]) for item in given.objects}
    forms = (PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(PASSWORD.encode()).decode(), "p@ss", "w:rd")
    for item in result.items:
        if item["kind"] != "Secret" and (item["kind"], item["metadata"]["name"]) not in own:
            assert not any(form in yaml.safe_dump(item) for form in forms), item["metadata"]["name"]
    assert result.output.data.count(base64.b64encode(PASSWORD.encode())) == 2
    assert not any(form in str(result.output.problems) for form in forms)


@pytest.mark.parametrize(
    "line",
    [
        f'"{PASSWORD}',
        f"!!python/name:{PASSWORD}",
        f"{{{PASSWORD}",
        f"*{PASSWORD}",
        f"[{PASSWORD}]",
        f"{{a: {PASSWORD}}}",
    ],
)
def test_a_broken_file_is_refused_without_its_password(line: str) -> None:
    message = refused(CELERY_BROKER_PASSWORD=line)
    assert 'openedx-config in namespace openedx: data["lms.env.yml"]' in message
    assert "p@ss" not in message


@pytest.mark.parametrize("value", ["0123", "1e5", "true", "12"])
def test_a_password_that_is_no_string_is_refused(value: str) -> None:
    """Open edX reads 0123 as eighty-three, and true as True."""
    assert "CELERY_BROKER_PASSWORD isn't a string. Put it in quotes" in refused(CELERY_BROKER_PASSWORD=value)


def test_no_hostname() -> None:
    message = refused(CELERY_BROKER_HOSTNAME=None)
    assert "there is no CELERY_BROKER_HOSTNAME in lms.env.yml of a ConfigMap openedx-config" in message
    assert message.endswith("Set spec.broker.address to the broker's host:port")
    assert high(lms("address: 'valkey:6379'", CELERY_BROKER_HOSTNAME=None))["address"] == "valkey.openedx:6379"


def test_no_file_at_all() -> None:
    assert "doesn't say which broker lms uses" in built(LMS % "", site(lms_env=None)).errors[0]
    result = worked(LMS % ", broker: {address: 'cache.example.com:6379', database: 2}", site(lms_env=None))
    assert high(result) == {
        "listName": "edx.lms.core.high",
        "listLength": "40",
        "address": "cache.example.com:6379",
        "databaseIndex": "2",
    }


@pytest.mark.parametrize("transport", ["amqp", "rediscluster", "sqs"])
def test_another_transport_is_refused(transport: str) -> None:
    message = refused(CELERY_BROKER_TRANSPORT=f'"{transport}"')
    assert f"CELERY_BROKER_TRANSPORT is {transport}: only Redis tells how many tasks wait" in message
    assert (
        "sentinel (Celery has no transport for a Redis Cluster), or leave keda, flower and restoreOrphans out"
        in message
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"CELERY_BROKER_TRANSPORT": '"rediss"'},
        {"BROKER_USE_SSL": "{ssl_cert_reqs: required}"},
        {"BROKER_USE_SSL": "{ssl_cert_reqs: none}"},
        {"CELERY_BROKER_USE_SSL": "{ssl_cert_reqs: required}"},
        {"BROKER_USE_SSL": "true"},
    ],
)
def test_tls(changes: dict[str, str]) -> None:
    metadata = high(lms(**changes))
    assert metadata["enableTLS"] == "true"
    assert "unsafeSsl" not in metadata


@pytest.mark.parametrize("value", ["false", "{}", "null"])
def test_no_tls(value: str) -> None:
    result = lms(BROKER_USE_SSL=value)
    assert "enableTLS" not in high(result)
    assert not result.warnings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"BROKER_USE_SSL": "{ssl_cert_reqs: required}"}, None),
        ({"BROKER_USE_SSL": "{ssl_cert_reqs: none}"}, "lets the workers take any certificate"),
        ({"CELERY_BROKER_TRANSPORT": "rediss"}, "lets the workers take any certificate"),
        ({"BROKER_USE_SSL": "true"}, "the workers talk plain text"),
        ({"BROKER_USE_SSL": "{ssl_ca_certs: /ca.pem}"}, "names a CA by a path in the worker's pod"),
        ({"BROKER_USE_SSL": "{ssl_certfile: /c, ssl_keyfile: /k}"}, "names a client certificate by a path"),
    ],
)
def test_what_tls_means_to_the_workers(changes: dict[str, str], message: str | None) -> None:
    found = lms(**changes).warnings
    assert len(found) == bool(message)
    assert not message or message in found[0]
    given = "tls: {enabled: true, ca: {name: ca}, clientCert: {name: cert}}"
    assert message is None or "plain text" in message or not lms(given, **changes).warnings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("BROKER_USE_SSL = {'ssl_cert_reqs': 'required'}", None),
        ("BROKER_URL = 'rediss://a.b?ssl_cert_reqs=none'", "the broker's URL lets the workers take any certificate"),
        ("BROKER_URL = 'rediss://a.b'", "the broker's URL lets the workers take any certificate"),
        ("import ssl\nBROKER_USE_SSL = {'ssl_cert_reqs': ssl.CERT_NONE}", "BROKER_USE_SSL lets the workers take any"),
        ("BROKER_USE_SSL = True", "BROKER_USE_SSL is true, which Celery's Redis transport ignores"),
        ("BROKER_USE_SSL = {'ssl_ca_certs': '/ca.pem'}", "BROKER_USE_SSL names a CA by a path"),
        ("BROKER_USE_SSL = {'ssl_certfile': '/c', 'ssl_keyfile': '/k'}", "names a client certificate by a path"),
    ],
)
def test_what_tls_of_python_settings_means_to_the_workers(settings: str, message: str | None) -> None:
    text = f"from lms.envs.production import *\n{settings}\n"
    found = worked(LMS % "", site(settings=text)).warnings
    assert len(found) == bool(message)
    assert not message or message in found[0]
    given = ", broker: {tls: {enabled: true, ca: {name: ca}, clientCert: {name: cert}}}"
    assert message is None or "is true" in message or not worked(LMS % given, site(settings=text)).warnings


def test_tls_as_the_configuration_says() -> None:
    result = lms("tls: {enabled: true, ca: {name: redis-ca, key: ca.pem}, clientCert: {name: redis-client}}")
    assert high(result)["enableTLS"] == "true"
    assert result.get("TriggerAuthentication", "lms-worker-broker")["spec"]["secretTargetRef"] == [
        {"parameter": "ca", "name": "redis-ca", "key": "ca.pem"},
        {"parameter": "cert", "name": "redis-client", "key": "tls.crt"},
        {"parameter": "key", "name": "redis-client", "key": "tls.key"},
    ]
    assert not result.kinds("Secret")
    assert high(lms("tls: {enabled: true, unsafe: true}"))["unsafeSsl"] == "true"
    assert "enableTLS" not in high(lms("tls: {enabled: false}", CELERY_BROKER_TRANSPORT="rediss"))


def test_a_ca_for_plain_text() -> None:
    result = lms("tls: {ca: {name: redis-ca}}")
    assert "spec.broker.tls: says how to talk TLS, but ConfigMap openedx-config" in result.warnings[0]
    assert not result.kinds("TriggerAuthentication")


@pytest.mark.parametrize(
    ("options", "prefix"),
    [
        ('{"global_keyprefix": "edx:"}', "edx:"),
        ("{global_keyprefix: edx_, visibility_timeout: 7200}", "edx_"),
        ("\n  global_keyprefix: 'edx:'", "edx:"),
        ("\n  # with a comment\n\n  global_keyprefix: 'edx:'", "edx:"),
        ("\n# at the margin\n  global_keyprefix: 'edx:'", "edx:"),
        ("{\n  global_keyprefix: 'edx:'\n}", "edx:"),
        ("{global_keyprefix:\n    'edx:'}", "edx:"),
        ("&options\n  global_keyprefix: 'edx:'\nOTHER: *options", "edx:"),
        ("{}", ""),
        ("null", ""),
        ("{global_keyprefix: null}", ""),
    ],
)
def test_key_prefix(options: str, prefix: str) -> None:
    result = lms(CELERY_BROKER_TRANSPORT_OPTIONS=options)
    assert high(result)["listName"] == f"{prefix}edx.lms.core.high"
    assert result.metadata("lms-worker-high", "inflight")["listName"] == f"{prefix}unacked.lms-worker-high"


@pytest.mark.parametrize(
    "text",
    [
        '"CELERY_BROKER_HOSTNAME": "redis:6379"\n"CELERY_BROKER_TRANSPORT_OPTIONS": {"global_keyprefix": "x"}\n',
        '{"CELERY_BROKER_HOSTNAME": "redis:6379", "CELERY_BROKER_TRANSPORT_OPTIONS": {"global_keyprefix": "x"}}\n',
        "{CELERY_BROKER_HOSTNAME: 'redis:6379',\nCELERY_BROKER_TRANSPORT_OPTIONS: {global_keyprefix: x}}\n",
        "base: &base {CELERY_BROKER_TRANSPORT_OPTIONS: {global_keyprefix: x}}\nCELERY_BROKER_HOSTNAME: 'redis:6379'\n"
        "? CELERY_BROKER_TRANSPORT_OPTIONS\n: global_keyprefix: x\n",
        "CELERY_BROKER_HOSTNAME: 'redis:6379'\r\nCELERY_BROKER_TRANSPORT_OPTIONS:\r\n  global_keyprefix: x\r\n",
        "CELERY_BROKER_HOSTNAME: a:1\nCELERY_BROKER_TRANSPORT_OPTIONS: {}\nCELERY_BROKER_HOSTNAME: redis:6379\n"
        "CELERY_BROKER_TRANSPORT_OPTIONS: {global_keyprefix: x}\n",
        "  CELERY_BROKER_HOSTNAME: redis:6379\n  CELERY_BROKER_TRANSPORT_OPTIONS: {global_keyprefix: x}\n",
        "---\nCELERY_BROKER_HOSTNAME: redis:6379\nCELERY_BROKER_TRANSPORT_OPTIONS: {global_keyprefix: x}\n---\n",
    ],
)
def test_any_form_of_the_file(text: str) -> None:
    metadata = high(worked(LMS % "", site(lms_env=text)))
    assert (metadata["address"], metadata["listName"]) == ("redis.openedx:6379", "xedx.lms.core.high")


@pytest.mark.parametrize("name", ["global_keyprefix", "master_name"])
def test_a_prefix_that_is_no_string_is_refused(name: str) -> None:
    message = refused(CELERY_BROKER_TRANSPORT="sentinel", CELERY_BROKER_TRANSPORT_OPTIONS=f"{{{name}: 5}}")
    assert f"CELERY_BROKER_TRANSPORT_OPTIONS.{name} isn't a string. Put it in quotes" in message


def test_an_in_flight_key_of_the_sites_own() -> None:
    """The default workers have it from Open edX; copies have theirs from us."""
    spec = "{workers: {lms: {default: {keda: {enabled: true}}, high: {keda: {enabled: true}}, high_mem: {}}}}"
    given = site(lms_env=env_file(CELERY_BROKER_TRANSPORT_OPTIONS="{unacked_key: mine, global_keyprefix: 'edx:'}"))
    result = worked(spec, given)
    assert result.metadata("lms-worker", "inflight")["listName"] == "edx:mine"
    assert result.metadata("lms-worker-high", "inflight")["listName"] == "edx:unacked.lms-worker-high"


def test_sentinel() -> None:
    result = lms(
        CELERY_BROKER_TRANSPORT="sentinel",
        CELERY_BROKER_HOSTNAME='"host1:26379;sentinel://host2.example.com:26380;sentinel://:secret@host3"',
        CELERY_BROKER_VHOST='"3"',
        CELERY_BROKER_TRANSPORT_OPTIONS="{master_name: mymaster, sentinel_kwargs: {password: of the sentinels}}",
    )
    trigger = result.triggers("lms-worker-high")["queued1"]
    assert trigger["type"] == "redis-sentinel"
    assert trigger["metadata"] == {
        "listName": "edx.lms.core.high",
        "listLength": "40",
        "addresses": "host1.openedx:26379,host2.example.com:26380,host3.openedx:26379",
        "sentinelMaster": "mymaster",
    }
    assert secret_values(result) == {"sentinelPassword": "of the sentinels"}


def _with_an_env_file_of_the_pods_own(change: str) -> Site:
    lms_worker = worker("lms", LMS_VARIANTS)
    pod = lms_worker["spec"]["template"]["spec"]
    container = pod["containers"][0]
    if change == "emptyDir":
        mount = {"name": "config", "mountPath": "/openedx/config"}
        pod["volumes"].append({"name": "config", "emptyDir": {}})
        container["volumeMounts"].append(mount)
        pod["initContainers"] = [{"name": "envsubst", "image": "a", "volumeMounts": [mount]}]
    else:
        container["env"] = [{"name": "LMS_CFG", "value": "/vault/secrets/lms.env.yml"}]
    return site(lms_worker=lms_worker)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("emptyDir", "volume config (emptyDir) holds files that only the pod itself writes"),
        ("variable", "nothing of the build is mounted at /vault/secrets/lms.env.yml"),
    ],
)
def test_an_env_file_that_is_written_in_the_pod(change: str, reason: str) -> None:
    """An init container, or Vault's agent, writes it: Tutor's own ConfigMap is not what Open edX reads."""
    given = _with_an_env_file_of_the_pods_own(change)
    [message] = built(LMS % "", given).errors
    assert reason in message
    assert message.startswith("Deployment lms-worker in namespace openedx: spec.template.spec.")
    said = ", broker: {address: 'cache:6379', tls: {enabled: false}, keyPrefix: ''}"
    assert high(worked(LMS % said, given)) == {
        "listName": "edx.lms.core.high",
        "listLength": "40",
        "address": "cache.openedx:6379",
    }


def test_sentinels_database_is_that_of_the_first_url() -> None:
    """So kombu has it: `/3` behind the last of several URLs is nobody's."""
    changes = {"CELERY_BROKER_TRANSPORT": "sentinel", OPTIONS: "{master_name: m}", "CELERY_BROKER_VHOST": '"3"'}
    assert high(lms(CELERY_BROKER_HOSTNAME='"one:26379"', **changes))["databaseIndex"] == "3"
    assert high(lms(CELERY_BROKER_HOSTNAME='"one:26379/2;sentinel://two:26379"', **changes))["databaseIndex"] == "2"


def test_sentinel_as_the_configuration_says() -> None:
    given = "sentinel: {addresses: ['one:26379', 'two.x:26379'], master: m, username: u, existingSecret: %s}"
    result = lms(given % "{name: sentinels, passwordKey: p}", CELERY_BROKER_PASSWORD='"x"')
    metadata = high(result)
    assert (metadata["addresses"], metadata["sentinelMaster"]) == ("one.openedx:26379,two.x:26379", "m")
    assert metadata["sentinelUsername"] == "u"
    references = result.get("TriggerAuthentication", "lms-worker-broker")["spec"]["secretTargetRef"]
    assert {"parameter": "sentinelPassword", "name": "sentinels", "key": "p"} in references
    assert secret_values(result) == {"password": "x"}


def test_sentinels_own_password_in_python_settings() -> None:
    options = "{'master_name': 'm', 'sentinel_kwargs': {'username': 'u', 'password': 'of the sentinels'}}"
    settings = f"BROKER_URL = 'sentinel://one:26379'\nBROKER_TRANSPORT_OPTIONS = {options}\n"
    result = worked(LMS % "", site(settings=f"from lms.envs.production import *\n{settings}"))
    assert secret_values(result) == {"sentinelPassword": "of the sentinels"}
    assert high(result)["sentinelUsername"] == "u"


def test_sentinel_without_a_master() -> None:
    assert "CELERY_BROKER_TRANSPORT_OPTIONS has no master_name" in refused(CELERY_BROKER_TRANSPORT="sentinel")


def test_what_the_configuration_says_wins() -> None:
    said = "address: 'valkey:6380', database: 5, username: keda, keyPrefix: 'edx:'"
    result = lms(
        said,
        CELERY_BROKER_USER='"edx"',
        CELERY_BROKER_VHOST='"1"',
        CELERY_BROKER_TRANSPORT_OPTIONS="{global_keyprefix: a}",
    )
    assert high(result) == {
        "listName": "edx:edx.lms.core.high",
        "listLength": "40",
        "address": "valkey.openedx:6380",
        "databaseIndex": "5",
        "username": "keda",
    }
    assert high(lms("database: 0", CELERY_BROKER_VHOST='"1"')).get("databaseIndex") is None


def test_a_secret_of_others() -> None:
    said = "existingSecret: {name: redis, usernameKey: user, passwordKey: pass}"
    result = lms(said, CELERY_BROKER_USER='"edx"', CELERY_BROKER_PASSWORD='"x"')
    assert not result.kinds("Secret")
    assert "username" not in high(result)
    assert result.get("TriggerAuthentication", "lms-worker-broker")["spec"]["secretTargetRef"] == [
        {"parameter": "username", "name": "redis", "key": "user"},
        {"parameter": "password", "name": "redis", "key": "pass"},
    ]


@pytest.mark.parametrize("kind", ["TriggerAuthentication", "ClusterTriggerAuthentication"])
def test_a_trigger_authentication_of_others(kind: str) -> None:
    result = lms(f"triggerAuthentication: {{name: redis, kind: {kind}}}", CELERY_BROKER_PASSWORD='"x"')
    assert not result.kinds("Secret") and not result.kinds("TriggerAuthentication")
    reference = result.triggers("lms-worker-high")["queued1"]["authenticationRef"]
    assert reference == {"name": "redis"} | ({} if kind == "TriggerAuthentication" else {"kind": kind})


@pytest.mark.parametrize(
    "settings",
    [
        "BROKER_URL = socket.gethostname()",
        "BROKER_URL, x = 1, 2",
        "BROKER_URL = 'openedx'",
        "BROKER_TRANSPORT_OPTIONS.update(dict(global_keyprefix=prefix()))",
        "BROKER_USE_SSL = ssl_options()",
        "import base64\nBROKER_URL = base64.b64decode(x)",
        "from .secrets import BROKER_URL",
        "if hostname() == 'a':\n    BROKER_URL = 'redis://b'",
        "BROKER_URL = (\nnot Python",
    ],
)
def test_settings_that_only_a_running_pod_knows(settings: str) -> None:
    message = refused(settings=f"x = 1\n{settings}\n")
    assert message.startswith('ConfigMap openedx-settings-lms in namespace openedx: data["production.py"]')
    assert "Set spec.broker." in message
    for prefix in ("x", "''"):
        said = f", broker: {{address: 'redis:6379', keyPrefix: {prefix}, tls: {{enabled: false}}}}"
        result = worked(LMS % said, site(settings=f"x = 1\n{settings}\n"))
        assert high(result)["listName"] == f"{prefix.strip(chr(39))}edx.lms.core.high"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("BROKER_URL = 'redis://elsewhere/3'", {"address": "elsewhere.openedx:6379", "databaseIndex": "3"}),
        (
            "BROKER_URL: str = 'rediss://cache.example.com:1?ssl_cert_reqs=required'",
            {"address": "cache.example.com:1", "enableTLS": "true"},
        ),
        ("BROKER_URL = f'redis://{ENV_TOKENS[\"SITE_NAME\"]}'", {"address": "lms.example.com:6379"}),
        ("BROKER_TRANSPORT_OPTIONS = {}", {}),
        ("BROKER_TRANSPORT_OPTIONS.update({'global_keyprefix': 'x'})", {"listName": "xedx.lms.core.high"}),
        ("BROKER_TRANSPORT_OPTIONS |= {'global_keyprefix': 'y'}", {"listName": "yedx.lms.core.high"}),
        ("BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 3600", {}),
        ("BROKER_USE_SSL = {'ssl_cert_reqs': 'required'}", {"enableTLS": "true"}),
        ("globals()['BROKER_URL'] = 'redis://a.b'", {"address": "a.b:6379"}),
        ("globals().update(BROKER_URL='redis://a.b')", {"address": "a.b:6379"}),
        ("import os\nBROKER_URL = os.environ.get('NOT_SET', 'redis://c.d')", {"address": "c.d:6379"}),
        ("BROKER_HEARTBEAT = 60.0", {}),
        ("import os\nBROKER_POOL_LIMIT = int(os.environ.get('BROKER_POOL_LIMIT', 10))", {}),
        ("import os\nEVENT_BUS_KAFKA_BROKER_URL = os.environ['EVENT_BUS_KAFKA_BROKER_URL']", {}),
        ("# BROKER_URL = 'redis://elsewhere'", {}),
        ('"""\nBROKER_URL = 1\n"""', {}),
        ("message = 'BROKER_URL = 1'", {}),
        ("print(BROKER_URL)", {}),
        ("prefix = BROKER_TRANSPORT_OPTIONS.get('global_keyprefix') or BROKER_TRANSPORT_OPTIONS.get('x')", {}),
        ("CELERY_BROKER_URL = 'ignored'", {}),
        ("BROKER_CONNECTION_TIMEOUT = 1", {}),
    ],
)
def test_settings_that_say_it_in_words(settings: str, expected: dict[str, str]) -> None:
    tutors = {"listName": "edx.lms.core.high", "listLength": "40", "address": "redis.openedx:6379"}
    given = site(settings=f"from lms.envs.production import *\n{settings}\n")
    result = worked(LMS % "", given)
    assert high(result) == tutors | expected
    assert not result.warnings


@given(st.text())
def test_unquote(text: str) -> None:
    """As kombu does it."""
    for each in (text, quote(text, safe=""), f"%{text}", text.replace(" ", "%")):
        assert broker.unquote(each) == unquote(each)


def test_a_file_beside_it_is_not_taken_for_it() -> None:
    other: dict[str, Any] = config_map("openedx-config-of-mine", {"lms.env.yml": "CELERY_BROKER_HOSTNAME: x:1\n"})
    assert high(worked(LMS % "", site(others=[other])))["address"] == "redis.openedx:6379"
