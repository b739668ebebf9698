"""A split of sites that set something of Celery's themselves: what it gives is what their Celery does."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.protocols import read_build
from kustomizer.rules.registry import findings_of
from kustomizer.site.model import Site
from kustomizer.site.value_sources import value_sources
from tests.keda_site import LMS_VARIANTS, Result, built, config_map, env_file, metadata, site, worked, worker

OPTIONS = "CELERY_BROKER_TRANSPORT_OPTIONS"
SPLIT = "{workers: {lms: {high: {%s}, high_mem: {}}}%s}"
KEDA = "keda: {enabled: true}"


def lms(*options: str, env: list[dict[str, Any]] | None = None, queues: bool = True, **changes: Any) -> bytes:
    """Return a site whose LMS worker has these options and variables; the rest is what `site` takes."""
    return site(lms_worker=lms_worker(*options, env=env, queues=queues), **changes).stream


def lms_worker(*options: str, env: list[dict[str, Any]] | None = None, queues: bool = True) -> dict[str, Any]:
    own = worker("lms", LMS_VARIANTS)
    own["spec"]["template"]["spec"]["containers"][0]["env"] = env or []
    args = own["spec"]["template"]["spec"]["containers"][0]["args"]
    args[:] = [word for word in args if queues or not word.startswith("--queues")] + list(options)
    return own


def settings(result: Result, name: str) -> str:
    [found] = [each for each in result.kinds("ConfigMap") if stem_of(each) == f"{name}-celery-settings"]
    text: str = result.get("ConfigMap", found)["data"]["production.py"]
    return text


def queues(result: Result, name: str) -> str:
    [container] = result.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
    [found] = [word.partition("=")[2] for word in container["args"] if word.startswith("--queues=")]
    return str(found)


ADDED = [
    env_file(CELERY_QUEUES="[edx.lms.core.default, edx.lms.core.high, edx.lms.core.high_mem, one.more]"),
    env_file(CELERY_QUEUES="\n- edx.lms.core.default\n- one.more"),
]


@pytest.mark.parametrize(
    "given",
    [
        *(lms("--exclude-queues=edx.cms.core.default", queues=False, lms_env=text) for text in ADDED),
        lms("-X", "edx.cms.core.default", queues=False, settings="CELERY_QUEUES['one.more'] = {}\n"),
        lms("-X", "edx.cms.core.default", queues=False, settings="CELERY_QUEUES |= dict([('one.more', {})])\n"),
        lms(queues=False, env=[{"name": "CELERY_WORKER_QUEUES", "value": "edx.lms.core.default,one.more"}]),
        lms(queues=False, env=[{"name": "Q", "value": "one.more"}, {"name": "CELERY_WORKER_QUEUES", "value": "$(Q)"}]),
    ],
)
def test_a_queue_that_only_the_settings_name_is_no_orphan(given: bytes) -> None:
    [message] = built(SPLIT % ("", ""), given).errors
    assert "after the split no worker would consume one.more" in message
    kept = worked(SPLIT % ("", ", unassignedQueues: KeepOnDefault"), given)
    assert queues(kept, "lms-worker") == "edx.lms.core.default,one.more"


def test_queues_that_only_a_running_pod_knows() -> None:
    given = lms(queues=False, settings="CELERY_QUEUES = queues()\n")
    [message] = built(SPLIT % ("", ""), given).errors
    assert "which queues lms-worker takes isn't known: queues() gives it" in message
    assert 'ConfigMap openedx-settings-lms in namespace openedx: data["production.py"] line 1' in message


RENAMED = env_file(
    DEFAULT_PRIORITY_QUEUE="edx.lms.campus.default",
    HIGH_PRIORITY_QUEUE="edx.lms.campus.high",
    HIGH_MEM_QUEUE="edx.lms.campus.high_mem",
)


@pytest.mark.parametrize(
    "change",
    [
        {"lms_env": RENAMED},
        {
            "settings": "DEFAULT_PRIORITY_QUEUE = 'edx.lms.campus.default'\n"
            "HIGH_PRIORITY_QUEUE = DEFAULT_PRIORITY_QUEUE.replace('default', 'high')\n"
            "HIGH_MEM_QUEUE = f'{HIGH_PRIORITY_QUEUE}_mem'\n"
        },
    ],
)
def test_variants_mean_the_sites_own_names(change: dict[str, Any]) -> None:
    names = [f"edx.lms.campus.{name}" for name in ("default", "high", "high_mem")]
    result = worked(SPLIT % (KEDA, ""), lms(f"--queues={','.join(names)}", **change))
    assert [queues(result, name) for name in ("lms-worker", "lms-worker-high", "lms-worker-high-mem")] == names
    assert result.metadata("lms-worker-high")["listName"] == "edx.lms.campus.high"
    assert not result.warnings


def test_a_name_that_is_computed_has_to_be_stated() -> None:
    given = lms(settings="import socket\nHIGH_PRIORITY_QUEUE = socket.gethostname()\n")
    [message] = built(SPLIT % ("", ""), given).errors
    assert "what the site calls its queue edx.lms.core.high isn't known" in message
    assert "Set spec.workers.lms.high.queues" in message
    assert worked(SPLIT % ("queues: [edx.lms.core.high]", ""), given)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 7200),
        ({"lms_env": env_file(**{OPTIONS: "{visibility_timeout: 14400}"})}, 14400),
        ({"lms_env": env_file(**{OPTIONS: "{visibility_timeout: 1800}"})}, 7200),
        ({"settings": "BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': 4 * 60 * 60}\n"}, 14400),
        ({"settings": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = float(9000)\n"}, 9000),
        ({"settings": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = hours(5)\n"}, None),
        ({"settings": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 1e400\n"}, None),
        ({"lms_env": env_file(**{OPTIONS: "{visibility_timeout: .inf}"})}, None),
    ],
)
def test_the_longer_visibility_timeout_counts(change: dict[str, Any], expected: int | None) -> None:
    result = worked(SPLIT % ("", ""), lms(**change))
    stated = f"'visibility_timeout': {expected}" in settings(result, "lms-worker-high-mem")
    assert stated == (expected is not None)
    if expected is None:
        assert "visibility_timeout" not in settings(result, "lms-worker-high-mem")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"lms_env": env_file(**{OPTIONS: "{visibility_timeout: '14400'}"})}, "'14400'"),
        (
            {
                "settings": "from datetime import timedelta as _t\n"
                "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = _t(hours=4)\n"
            },
            "datetime.timedelta",
        ),
    ],
)
def test_a_visibility_timeout_that_celery_cannot_count_with(change: dict[str, Any], shown: str) -> None:
    result = worked(SPLIT % ("", ""), lms(**change))
    [warning] = [str(problem) for problem in result.output.problems]
    assert f"visibility_timeout is {shown}" in warning
    assert "lms-worker, lms-worker-high, lms-worker-high-mem had in hand is never handed out again" in warning
    assert "visibility_timeout" not in settings(result, "lms-worker-high-mem")
    stated = worked(SPLIT % ("", ", celery: {visibilityTimeout: 14400}"), lms(**change))
    assert not [problem for problem in stated.output.problems if "no number" in str(problem)]


@pytest.mark.parametrize(
    ("seconds", "expected", "warned"),
    [("0", 0, True), ("1800.5", 1800, True), ("true", 1, True), ("3600.0", 3600, False), (".inf", None, False)],
)
def test_any_number_is_a_time(seconds: str, expected: int | None, *, warned: bool) -> None:
    given = lms(lms_env=env_file(**{OPTIONS: f"{{visibility_timeout: {seconds}}}"}))
    result = worked(SPLIT % ("terminationGracePeriodSeconds: 2000", ""), given)
    text = "pods of lms-worker-high get 2000 s to finish a task, which Redis delivers again"
    assert warned == any(text in str(problem) for problem in result.output.problems)
    site = Site(read_build(result.output.data))
    [worker] = site.workers_of("Deployment", "lms-worker-high", "openedx")
    assert site.visibility_timeout(worker) == expected


def variable(name: str, text: str) -> dict[str, str]:
    return {"name": name, "value": text}


def of_secret(name: str) -> dict[str, Any]:
    return {"name": "CELERY_BROKER_URL", "valueFrom": {"secretKeyRef": {"name": name, "key": "url"}}}


SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "managed", "namespace": "openedx"},
    "stringData": {"url": "rediss://user:pa%40ss@cache.example.com:6380/3?ssl_cert_reqs=required"},
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lms(env=[variable("CELERY_BROKER_URL", "redis://managed:6379/3")]), "managed.openedx:6379 3"),
        (lms(env=[variable("BROKER_URL", "redis://managed")]), "managed.openedx:6379 None"),
        (lms(env=[variable("CELERY_BROKER", "redis://a.b:1/2")]), "a.b:1 2"),
        (lms(env=[variable("CELERY_BROKER_URL", "redis://[fd00::5]:6380/2")]), "[fd00::5]:6380 2"),
        (lms(env=[of_secret("managed")], others=[SECRET]), "cache.example.com:6380 3"),
        (
            lms(
                env=[variable("URL", "redis://e.f:2")],
                settings="import os\nBROKER_URL = os.environ['URL'] + '/4'\n",
            ),
            "e.f:2 4",
        ),
    ],
)
def test_keda_watches_the_broker_that_celery_uses(given: bytes, expected: str) -> None:
    result = worked(SPLIT % (KEDA, ""), given)
    metadata = result.metadata("lms-worker-high")
    assert f"{metadata['address']} {metadata.get('databaseIndex')}" == expected
    assert not result.warnings


def test_a_password_of_a_variable_is_in_a_secret_alone() -> None:
    result = worked(SPLIT % (KEDA, ""), lms(env=[of_secret("managed")], others=[SECRET]))
    assert result.metadata("lms-worker-high")["username"] == "user"
    assert result.get("Secret", "lms-worker-broker")["data"]
    for item in result.items:
        assert item["kind"] == "Secret" or "pa@ss" not in yaml.safe_dump(item)


def test_a_broker_that_only_the_cluster_knows_is_asked_for() -> None:
    given = lms(env=[of_secret("not-in-the-build")])
    [message] = built(SPLIT % (KEDA, ""), given).errors
    assert "where the broker is isn't known: Secret not-in-the-build isn't in the build" in message
    assert "containers[0].env[0].valueFrom.secretKeyRef" in message
    stated = ", broker: {address: 'cache.example.com:6380', keyPrefix: x%s}"
    result = worked(SPLIT % (KEDA, stated % ""), given)
    assert result.metadata("lms-worker-high")["address"] == "cache.example.com:6380"
    [warning] = result.warnings
    assert "what the broker's URL says isn't known (Secret not-in-the-build isn't in the build)" in warning
    assert "database 0, no TLS and no credentials are taken. State spec.broker.database and tls.enabled" in warning
    assert not worked(SPLIT % (KEDA, stated % ", database: 2, tls: {enabled: true}"), given).warnings


@pytest.mark.parametrize(
    "given",
    [
        lms(env=[of_secret("not-in-the-build")]),
        lms(
            env=[of_secret("not-in-the-build") | {"name": "RABBIT_URL"}],
            settings="import os\nBROKER_URL = os.environ.get('RABBIT_URL', 'amqp://guest@rabbit:5672//')\n",
        ),
    ],
)
def test_a_transport_that_only_the_cluster_knows(given: bytes) -> None:
    """Late acknowledgement is right for a Redis, and nothing says that it is one."""
    [warning] = worked(SPLIT % ("", ""), given).warnings
    assert "spec.celery.lateAcknowledgement: what lms-worker's broker is isn't known" in warning
    assert "Secret not-in-the-build isn't in the build" in warning
    for stated in ("celery: {lateAcknowledgement: true}", "celery: {lateAcknowledgement: false}"):
        assert not worked(SPLIT % ("", f", {stated}"), given).warnings


def secret_variable(name: str, key: str = "password") -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "vault", "key": key}}}


def of_settings(expression: str, *more: dict[str, Any]) -> bytes:
    text = f"import os\nfrom urllib.parse import quote\nBROKER_URL = {expression}\n"
    return lms(env=[secret_variable("RPW"), *more], settings=text)


def in_variables(url: str, *more: dict[str, Any]) -> bytes:
    return lms(env=[secret_variable("RPW"), *more, variable("CELERY_BROKER_URL", url)])


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        (in_variables("redis://:$(RPW)@cache.example.com:6380/3"), "the broker's password is password of Secret vault"),
        (of_settings("f\"redis://:{os.environ['RPW']}@cache.example.com:6380/3\""), "Celery decodes %xx in it"),
        (of_settings("'redis://:' + os.getenv('RPW', 'x') + '@cache.example.com:6380/3'"), "Celery decodes %xx in it"),
        (of_settings("'redis://:%s@%s:6380/3' % (os.environ['RPW'], 'cache.example.com')"), "Celery decodes"),
        (of_settings("'redis://:{}@{h}:6380/3'.format(os.environ['RPW'], h='cache.example.com')"), "Celery decodes"),
        (of_settings("'@'.join(['redis://:' + os.environ['RPW'], 'cache.example.com:6380/3'])"), "Celery decodes"),
        (of_settings("f\"redis://:{quote(os.environ['RPW'])}@cache.example.com:6380/3\""), ""),
        (of_settings("os.environ['URL']", variable("URL", "redis://:$(RPW)@cache.example.com:6380/3")), "Celery decod"),
    ],
)
def test_a_password_that_only_the_cluster_knows(given: bytes, warned: str) -> None:
    """The rest of the URL is known, and KEDA takes the password from where the worker has it."""
    result = worked(SPLIT % (KEDA, ""), given)
    metadata = result.metadata("lms-worker-high")
    assert (metadata["address"], metadata["databaseIndex"]) == ("cache.example.com:6380", "3")
    [trigger_authentication] = [item for item in result.items if item["kind"] == "TriggerAuthentication"]
    assert trigger_authentication["spec"]["secretTargetRef"] == [
        {"parameter": "password", "name": "vault", "key": "password"}
    ]
    assert [warned in warning for warning in result.warnings] == [True] * bool(warned)
    assert not worked(
        SPLIT % (KEDA, ", broker: {existingSecret: {name: vault, passwordKey: password}}"), given
    ).warnings
    assert not worked(SPLIT % ("", ""), given).warnings


def test_a_user_and_a_password_of_a_whole_secret() -> None:
    own = lms_worker(env=[variable("CELERY_BROKER_URL", "redis://$(R_USER):$(R_PW)@c.d:1/2")])
    container = own["spec"]["template"]["spec"]["containers"][0]
    container["envFrom"] = [{"prefix": "R_", "secretRef": {"name": "vault"}}]
    result = worked(SPLIT % (KEDA, ""), site(lms_worker=own))
    [trigger_authentication] = [item for item in result.items if item["kind"] == "TriggerAuthentication"]
    assert trigger_authentication["spec"]["secretTargetRef"] == [
        {"parameter": "username", "name": "vault", "key": "USER"},
        {"parameter": "password", "name": "vault", "key": "PW"},
    ]
    # Of two, either may have it.
    container["envFrom"].append({"prefix": "R", "secretRef": {"name": "other"}})
    result = worked(SPLIT % (KEDA, ""), site(lms_worker=own))
    assert not result.kinds("TriggerAuthentication")
    assert ["isn't known, and KEDA, Flower and restoreOrphans give none" in each for each in result.warnings] == [
        True
    ] * 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (in_variables("redis://:$(RPW)@$(HOST)/3", secret_variable("HOST", "host")), "where the broker is isn't known"),
        (
            in_variables("redis://:$(RPW)@c.d/$(DB)", secret_variable("DB", "db")),
            "the database isn't known. Set spec.br",
        ),
        (in_variables("$(URL)", secret_variable("URL", "url")), "where the broker is isn't known"),
        (of_settings("'redis://:{:>99}@c.d:6380/3'.format(os.environ['RPW'])"), "where the broker is isn't known"),
        (of_settings("'redis://:%.3s@c.d:6380/3' % os.environ['RPW']"), "where the broker is isn't known"),
        (of_settings("f\"redis://:{os.environ['RPW']}@{certifi.host()}/3\""), "where the broker is isn't known"),
        (of_settings("f\"redis://:{os.environ['RPW']}@c.d/\\0{7}\\0\""), "where the broker is isn't known"),
        (of_settings("f\"amqp://:{os.environ['RPW']}@rabbit//\""), "the broker's transport is amqp"),
    ],
)
def test_a_url_of_which_too_little_is_known(given: bytes, said: str) -> None:
    [error] = built(SPLIT % (KEDA, ""), given).errors
    assert said in error


@pytest.mark.parametrize(
    "expression",
    [
        "quote(quote(os.environ['RPW']))",
        "os.environ['RPW'][:8]",
        "json.loads(os.environ['RPW'])['a']",
        "certifi.where()",
    ],
)
def test_what_is_made_of_a_secret_is_another_text(expression: str) -> None:
    text = f"import os\nfrom urllib.parse import quote\np = {expression}\nBROKER_URL = f'redis://:{{p}}@c.d/3'\n"
    given = lms(env=[secret_variable("RPW")], settings=text)
    result = worked(SPLIT % (KEDA, ""), given)
    assert not result.kinds("TriggerAuthentication")
    assert result.metadata("lms-worker-high")["address"] == "c.d:6379"
    [warning] = result.warnings
    assert "the broker's password isn't known" in warning


@pytest.mark.parametrize(
    ("password", "expected", "warned"),
    [
        ("os.environ['RPW']", {"name": "vault", "key": "password"}, False),
        ("f\"x{os.environ['RPW']}\"", None, True),
        ("os.environ['RPW'][:8]", None, True),
    ],
)
def test_sentinels_with_a_password_that_only_the_cluster_knows(
    password: str, expected: dict[str, str] | None, *, warned: bool
) -> None:
    options = f"{{'master_name': 'm', 'sentinel_kwargs': {{'password': {password}}}}}"
    settings_text = f"import os\nBROKER_URL = 'sentinel://a.b;sentinel://c.d'\nBROKER_TRANSPORT_OPTIONS = {options}\n"
    given = lms(env=[secret_variable("RPW")], settings=settings_text)
    result = worked(SPLIT % (KEDA, ""), given)
    made = [item["spec"]["secretTargetRef"] for item in result.items if item["kind"] == "TriggerAuthentication"]
    assert made == ([[{"parameter": "sentinelPassword", **expected}]] if expected else [])
    assert ["the Sentinels' password isn't known" in each for each in result.warnings] == [True] * warned
    stated = ", broker: {sentinel: {addresses: ['a.b:26379'], master: m, existingSecret: {name: s, passwordKey: p}}}"
    assert not worked(SPLIT % (KEDA, stated), given).warnings


@pytest.mark.parametrize("url", ["amqp://u:p@r//", "sqs://"])
def test_an_address_makes_no_redis_of_another_broker(url: str) -> None:
    given = lms(settings=f"BROKER_URL = {url!r}\n")
    for keda in ("", KEDA):
        [error] = built(SPLIT % (keda, ", broker: {address: 'r:6379'}"), given).errors
        assert f"broker is {url.partition(':')[0]}" in error or "the broker's transport is" in error


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("database: 7", "spec.broker.database: KEDA, Flower and restoreOrphans look with database 7, and lms has"),
        ("keyPrefix: 'z:'", "spec.broker.keyPrefix: KEDA, Flower and restoreOrphans look with the key prefix z:, and"),
        ("tls: {enabled: true}", "spec.broker.tls.enabled: KEDA, Flower and restoreOrphans talk TLS to the broker,"),
        ("database: 0, keyPrefix: '', tls: {enabled: false}", ""),
    ],
)
def test_fields_that_say_otherwise_than_the_workers(stated: str, said: str) -> None:
    for given in (lms(), lms(env=[variable("CELERY_BROKER_URL", "redis://c.d:1/0")])):
        result = worked(SPLIT % (KEDA, f", broker: {{{stated}}}"), given)
        assert [said in each for each in result.warnings] == [True] * bool(said)


def test_fields_of_what_is_not_known_contradict_nothing() -> None:
    text = "import certifi\nBROKER_URL = f'redis://c.d/{certifi.a()}'\nBROKER_USE_SSL = certifi.b()\n"
    text += "BROKER_TRANSPORT_OPTIONS = {'global_keyprefix': certifi.c()}\n"
    stated = ", broker: {database: 4, keyPrefix: 'a:', tls: {enabled: true, unsafe: true}}"
    result = worked(SPLIT % (KEDA, stated), lms(settings=text))
    assert not result.warnings
    metadata = result.metadata("lms-worker-high")
    assert (metadata["databaseIndex"], metadata["listName"]) == ("4", "a:edx.lms.core.high")
    odd = lms(lms_env=env_file(CELERY_BROKER_VHOST="'x'"))
    assert not [each for each in worked(SPLIT % (KEDA, ", broker: {database: 4}"), odd).warnings if "no task" in each]


def test_priority_steps_that_leave_lists_out() -> None:
    given = lms(settings="CELERY_DEFAULT_PRIORITY = 3\n")
    [error] = built(SPLIT % (KEDA, ", broker: {prioritySteps: [0]}"), given).errors
    assert "spec.broker.prioritySteps: lms-worker takes tasks from edx.lms.core.high\\x06\\x163, too" in error
    assert worked(SPLIT % (KEDA, ", broker: {prioritySteps: [0, 3, 6, 9]}"), given)


def test_triggers_beside_a_formula() -> None:
    cron = "{timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: '2'}"
    keda = f"keda: {{enabled: true, extraTriggers: [{{type: cron, metadata: {cron}}}]}}"
    [error] = built(SPLIT % (keda, ""), lms(settings="CELERY_DEFAULT_PRIORITY = 3\n")).errors
    assert "extraTriggers[0]: is ignored: a formula adds up the lists of priorities" in error
    assert worked(SPLIT % (keda, ""), lms())


@pytest.mark.parametrize(
    "metadata",
    [
        "{start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: '2'}",
        "{timezone: UTC, start: 0 8 * * *, end: 0 8 * * *, desiredReplicas: '2'}",
        "{timezone: UTC, start: 0 8 * * *, end: 0 9 * * *}",
    ],
)
def test_a_cron_that_keda_can_not_build(metadata: str) -> None:
    """The whole ScaledObject would scale nothing (scalers_builder.go)."""
    keda = f"keda: {{enabled: true, extraTriggers: [{{type: cron, metadata: {metadata}}}]}}"
    [error] = built(SPLIT % (keda, ""), lms()).errors
    assert "keda.extraTriggers[0].metadata: " in error
    assert "KEDA would scale nothing of this worker. State timezone, start, end" in error


@pytest.mark.parametrize("value", ["<path:kv/data/edx#url | base64encode>", "${REDIS_URL_B64}", "!!!", "abc"])
def test_a_secret_that_something_fills_in_later(value: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n", "namespace": "openedx"}}
    secret["data"] = {"CELERY_BROKER_URL": value}
    by_key = {"name": "CELERY_BROKER_URL", "valueFrom": {"secretKeyRef": {"name": "n", "key": "CELERY_BROKER_URL"}}}
    whole = lms_worker()
    whole["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "n"}}]
    for own in (whole, lms_worker(env=[by_key])):
        [error] = built(SPLIT % (KEDA, ""), site(lms_worker=own, others=[secret])).errors
        assert "where the broker is isn't known: what Secret n has under CELERY_BROKER_URL isn't base64" in error


def test_what_is_not_set() -> None:
    """A kubelet leaves an optional key out that isn't there; null is absent."""
    optional = {"configMapKeyRef": {"name": "brk", "key": "nope", "optional": True}}
    cases: list[tuple[list[Any], dict[str, Any]]] = [
        ([{"name": "CELERY_BROKER_URL", "valueFrom": optional}], {}),
        ([], {"CELERY_BROKER_URL": None}),
    ]
    for env, data in cases:
        own = lms_worker(env=env)
        own["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "brk"}}]
        result = worked(SPLIT % (KEDA, ""), site(lms_worker=own, others=[config_map("brk", data)]))
        assert not result.warnings
        assert result.metadata("lms-worker-high")["address"] == "redis.openedx:6379"


def test_a_user_that_the_configuration_names() -> None:
    given = in_variables("redis://$(RU):$(RPW)@c.d/3", secret_variable("RU", "user"))
    result = worked(SPLIT % (KEDA, ", broker: {username: bob}"), given)
    [trigger_authentication] = [item for item in result.items if item["kind"] == "TriggerAuthentication"]
    assert trigger_authentication["spec"]["secretTargetRef"] == [
        {"parameter": "password", "name": "vault", "key": "password"}
    ]
    assert result.metadata("lms-worker-high")["username"] == "bob"
    assert not [each for each in result.warnings if "username" in each]


def test_a_place_that_may_hold_credentials() -> None:
    given = in_variables("redis://$(HOST)/3", secret_variable("HOST", "host"))
    [warning] = worked(SPLIT % (KEDA, ", broker: {address: 'c.d:1'}"), given).warnings
    assert "the broker's password isn't known" in warning


def test_a_variable_that_the_kubelet_leaves_as_it_is() -> None:
    """It stands behind the one that names it."""
    own = lms(env=[variable("CELERY_BROKER_URL", "redis://:$(RPW)@c.d/3"), secret_variable("RPW")])
    [warning] = worked(SPLIT % (KEDA, ""), own).warnings
    assert "the password of lms's broker has $(RPW) in it: no variable of this name stands before it" in warning
    assert worked(SPLIT % (KEDA, ", broker: {existingSecret: {name: s, passwordKey: p}}"), own).warnings == []


def test_a_transport_that_something_puts_in_later() -> None:
    [warning] = worked(SPLIT % ("", ""), lms(env=[variable("CELERY_BROKER_URL", "${SCHEME}://c.d/3")])).warnings
    assert "what lms-worker's broker is isn't known (something puts in its transport later" in warning


def test_a_user_and_a_password_in_one_variable() -> None:
    result = worked(SPLIT % (KEDA, ""), in_variables("redis://$(RPW)@c.d/3"))
    assert not result.kinds("TriggerAuthentication")
    assert ["isn't known, and KEDA, Flower and restoreOrphans give none" in each for each in result.warnings] == [
        True
    ] * 2


def test_the_rest_of_a_url_whose_host_only_the_cluster_knows() -> None:
    given = in_variables("rediss://:$(RPW)@$(HOST)/3", secret_variable("HOST", "host"))
    result = worked(SPLIT % (KEDA, ", broker: {address: 'c.d:1', tls: {unsafe: true}}"), given)
    metadata = result.metadata("lms-worker-high")
    assert (metadata["address"], metadata["databaseIndex"], metadata["enableTLS"]) == ("c.d:1", "3", "true")
    [warning] = result.warnings
    assert "the broker's password is password of Secret vault" in warning


@pytest.mark.parametrize("credentials", [":prefix-$(RPW)", "$(RPW)$(RPW)"])
def test_a_password_that_is_known_in_part(credentials: str) -> None:
    result = worked(SPLIT % (KEDA, ""), in_variables(f"redis://{credentials}@c.d/3"))
    assert not result.kinds("TriggerAuthentication")
    [warning] = [each for each in result.warnings if "broker's password" in each]
    assert "the broker's password isn't known, and KEDA, Flower and restoreOrphans give none" in warning


def test_an_environment_that_may_hold_a_broker_is_warned_of() -> None:
    own = lms_worker()
    own["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": "of-the-cluster"}}]
    given = site(lms_worker=own)
    result = worked(SPLIT % (KEDA, ""), given)
    assert result.metadata("lms-worker-high")["address"] == "redis.openedx:6379"
    [warning] = result.warnings
    assert "where the broker is isn't sure: Secret of-the-cluster, which isn't in the build, may set it" in warning
    assert not worked(SPLIT % ("", ""), given).warnings


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["chamber", "exec", "prod", "--"], "chamber, which starts Celery, may set it"),
        (["/usr/local/bin/entrypoint.sh"], "/usr/local/bin/entrypoint.sh, which starts Celery, may set it"),
        (["sh", "-c", '. /vault/secrets/env; exec "$@"', "--"], "a file that a shell script reads may set it"),
        (["sh", "-c", "chamber exec prod -- $@", "--"], "chamber, which starts Celery, may set it"),
        (["sh", "-c", 'eval "$(vault-env)"; exec "$@"', "--"], "a shell script's eval may set it"),
        (["sh", "-c", 'export `cat /env` && exec "$@"', "--"], "a shell script's export may set it"),
        (["tini", "--", "chamber", "exec", "prod", "--"], "chamber, which starts Celery, may set it"),
        (["chpst", "-e", "/env"], "the directory of chpst's -e may set it"),
        (["uv", "run", "--env-file=/vault/env"], "the file of --env-file may set it"),
        (["gosu", "app", "env", "-u", "CELERY_BROKER_URL"], "an option of env may set it, or take it out"),
        (["tini", "--"], ""),
        (["sh", "-c", 'exec "$0" "$@"'], ""),
        (["sh", "-c", 'exec chamber exec prod -- "$0" "$@"'], "chamber, which starts Celery, may set it"),
        (["uv", "run", "--no-sync"], ""),
        (["poetry", "run"], ""),
        (["pipenv", "run"], "pipenv, which starts Celery, may set it"),
        (["gosu", "app", "env", "A=b", "nice", "-n", "5"], ""),
        (["/usr/bin/python3.11", "-m"], ""),
        (["ddtrace-run"], ""),
        (["/linkerd-await", "--shutdown", "--"], ""),
    ],
)
def test_what_starts_celery_may_set_the_broker(command: list[str], said: str) -> None:
    own = lms_worker()
    own["spec"]["template"]["spec"]["containers"][0]["command"] = command
    given = site(lms_worker=own)
    result = worked(SPLIT % (KEDA, ""), given)
    assert result.metadata("lms-worker-high")["address"] == "redis.openedx:6379"
    assert len(result.warnings) == bool(said)
    assert all(f"containers[0].command: where the broker is isn't sure: {said}" in each for each in result.warnings)
    own["spec"]["template"]["spec"]["containers"][0]["command"] = ["env", "CELERY_BROKER_URL=redis://other:1/2"]
    assert worked(SPLIT % (KEDA, ""), given).metadata("lms-worker-high")["address"] == "other.openedx:1"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{'ssl_cert_reqs': 'required', 'ssl_ca_certs': certifi.where()}", "BROKER_USE_SSL names a CA by a path"),
        ("dict(ssl_certfile=certifi.where())", "BROKER_USE_SSL names a client certificate by a path"),
    ],
)
def test_tls_with_a_file_that_is_not_known(options: str, said: str) -> None:
    result = worked(SPLIT % (KEDA, ""), lms(settings=f"import certifi\nBROKER_USE_SSL = {options}\n"))
    assert result.metadata("lms-worker-high")["enableTLS"] == "true"
    (warning,) = result.warnings
    assert said in warning


@pytest.mark.parametrize(
    "options", ["{'ssl_cert_reqs': certifi.reqs()}", "{certifi.where(): 'x'}", "certifi.options()"]
)
def test_tls_that_is_not_known(options: str) -> None:
    (error,) = built(SPLIT % (KEDA, ""), lms(settings=f"import certifi\nBROKER_USE_SSL = {options}\n")).errors
    assert "whether the broker speaks TLS isn't known" in error
    url = f"import certifi\nBROKER_URL = 'rediss://a.b:6379/0'\nBROKER_USE_SSL = {options}\n"
    assert worked(SPLIT % (KEDA, ""), lms(settings=url)).metadata("lms-worker-high")["enableTLS"] == "true"


def test_a_secret_that_is_encrypted() -> None:
    """As SOPS leaves it, for Flux to decrypt."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata("managed"), "data": {"url": "ENC[AES,data:Z]"}}
    given = lms(env=[of_secret("managed")], others=[secret])
    (error,) = built(SPLIT % (KEDA, ""), given).errors
    assert "what Secret managed has under url isn't base64, and may be encrypted" in error


def test_a_script_that_reads_the_broker() -> None:
    own = lms_worker()
    container = own["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["sh", "-c", 'read CELERY_BROKER_URL </run/url; export CELERY_BROKER_URL; exec "$@"', "--"]
    (error,) = built(SPLIT % (KEDA, ""), site(lms_worker=own)).errors
    assert "containers[0].command: where the broker is isn't known: a shell script reads it" in error


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("chamber exec prod -- ", "chamber, which starts Celery, may set it"),
        ("cd /openedx; exec /opt/run.sh ", "/opt/run.sh, which starts Celery, may set it"),
        ("export HOME=/x && exec doppler run -- ", "doppler, which starts Celery, may set it"),
        ("exec tini -- vault-env ", "vault-env, which starts Celery, may set it"),
        ("eval $MORE; exec ", "a shell script's eval may set it"),
        ("umask 022; exec nice -n 5 ", ""),
        ("exec ", ""),
        ("HOME=/x exec ", ""),
    ],
)
def test_what_starts_celery_in_a_script_may_set_the_broker(before: str, said: str) -> None:
    own = lms_worker()
    container = own["spec"]["template"]["spec"]["containers"][0]
    container["command"] = ["bash", "-c", before + " ".join(container.pop("args"))]
    result = worked(SPLIT % (KEDA, ""), site(lms_worker=own))
    assert result.metadata("lms-worker-high")["address"] == "redis.openedx:6379"
    assert [f"containers[0].command: where the broker is isn't sure: {said}" in each for each in result.warnings] == (
        [True] * bool(said)
    )


ROUNDED = ["", "\x06\x163", "\x06\x166", "\x06\x169"]
"""The ends of the lists on which kombu puts tasks that have a priority."""
STEPS = env_file(**{OPTIONS: "{priority_steps: [0, 1, 2], sep: ':'}"})


def counted(result: Result) -> list[str]:
    """Return the lists of which KEDA asks for the length, for the worker of high."""
    triggers = result.triggers("lms-worker-high")
    return [trigger["metadata"]["listName"] for name, trigger in triggers.items() if name.startswith("queued")]


@pytest.mark.parametrize(
    ("change", "lists"),
    [
        ({"lms_env": STEPS}, ["", ":1", ":2"]),
        ({"settings": "CELERY_DEFAULT_PRIORITY = 5\n"}, ROUNDED),
        ({"settings": "CELERY_TASK_DEFAULT_PRIORITY = 5\n"}, [""]),
        ({"settings": "EXPLICIT_QUEUES['a.b'] = {'queue': 'edx.lms.core.high', 'priority': 9}\n"}, ROUNDED),
        ({"settings": "EXPLICIT_QUEUES['a.b'] = {'queue': 'edx.lms.core.high', 'priority': 0}\n"}, [""]),
        ({"settings": "CELERY_ANNOTATIONS = ({'a.b': dict(priority=3)},)\n"}, ROUNDED),
        ({"settings": "CELERY_ANNOTATIONS = {'a.b': {'rate_limit': '1/s'}}\n"}, [""]),
        ({"settings": "BROKER_TRANSPORT_OPTIONS['priority_steps'] = [5, 6]\n"}, ["\x06\x165", "\x06\x166"]),
        ({"settings": "BROKER_TRANSPORT_OPTIONS['priority_steps'] = list(range(3))\n"}, ["", "\x06\x161", "\x06\x162"]),
    ],
)
def test_every_list_of_a_queue_is_counted(change: dict[str, Any], lists: list[str]) -> None:
    result = worked(SPLIT % (KEDA, ""), lms(**change))
    assert counted(result) == [f"edx.lms.core.high{end}" for end in lists]
    advanced = result.get("ScaledObject", "lms-worker-high-scaledobject")["spec"]["advanced"]
    if len(lists) == 1:
        assert "scalingModifiers" not in advanced
    else:
        total = " + ".join(f"queued{number}" for number in range(1, len(lists) + 1))
        formula = advanced["scalingModifiers"]["formula"]
        assert formula == f"max(({total})/40, inflight > 0 ? 1/1000000 : 0)"


def test_the_other_service_sends_with_its_own_priority() -> None:
    """A task that lms sends to a queue of cms has the priority that lms gives it."""
    spec = "{workers: {cms: {high: {keda: {enabled: true}}, low: {}}}}"

    def counted(given: bytes) -> list[str]:
        triggers = worked(spec, given).triggers("cms-worker-high")
        return [trigger["metadata"]["listName"] for name, trigger in triggers.items() if name.startswith("queued")]

    high = "edx.cms.core.high"
    by_lms = counted(lms(settings="CELERY_DEFAULT_PRIORITY = 3\n"))
    assert by_lms == [high, f"{high}\x06\x163", f"{high}\x06\x166", f"{high}\x06\x169"]
    # The worker of cms doesn't look on lists that only lms knows.
    assert counted(lms(lms_env=STEPS)) == [high]
    assert counted(lms()) == [high]


def test_priorities_of_the_other_service_that_matter_to_no_list() -> None:
    """Where a worker's own lists are known, and are more than one, nobody sends to others."""
    computed = "import priorities\nBROKER_TRANSPORT_OPTIONS['priority_steps'] = priorities.steps()\n"
    spec = "{workers: {cms: {high: {keda: {enabled: true}}, low: {}}}}"
    assert worked(spec, site(settings=computed, cms_env=STEPS)).triggers("cms-worker-high")


def test_priorities_and_slots() -> None:
    slots = "keda: {enabled: true, inFlight: Slots, activationListLength: 3}, concurrency: 2"
    result = worked(SPLIT % (slots, ""), lms(lms_env=STEPS))
    advanced = result.get("ScaledObject", "lms-worker-high-scaledobject")["spec"]["advanced"]
    assert advanced["scalingModifiers"]["formula"] == (
        "((queued1 + queued2 + queued3) > 3 || inflight > 0) ? (queued1 + queued2 + queued3)/40 + inflight/2 : 0"
    )


def test_priorities_that_are_computed_are_refused() -> None:
    given = lms(settings="import steps\nBROKER_TRANSPORT_OPTIONS['priority_steps'] = steps.of(10)\n")
    [message] = built(SPLIT % (KEDA, ""), given).errors
    assert "on which lists of Redis tasks of edx.lms.core.high wait isn't known" in message
    assert worked(SPLIT % ("", ""), given)


@pytest.mark.parametrize(
    ("stated", "lists"),
    [
        ("prioritySteps: [0]", ["edx.lms.core.high"]),
        ("prioritySteps: [3, 0]", ["edx.lms.core.high", "edx.lms.core.high\x06\x163"]),
        ("prioritySteps: [0, 5], prioritySeparator: ':'", ["edx.lms.core.high", "edx.lms.core.high:5"]),
    ],
)
def test_what_the_configuration_says_of_priorities_counts(stated: str, lists: list[str]) -> None:
    given = lms(settings="import steps\nBROKER_TRANSPORT_OPTIONS = steps.options()\n")
    named = f", broker: {{address: 'redis.openedx:6379', keyPrefix: '', {stated}}}"
    result = worked(SPLIT % (KEDA, named), given)
    assert counted(result) == lists


@pytest.mark.parametrize(
    "given",
    [
        lms(lms_env=env_file(CELERY_BROKER_TRANSPORT='"amqp"')),
        lms(env=[variable("CELERY_BROKER_URL", "amqp://rabbit")]),
        lms(settings="BROKER_URL = 'pyamqp://rabbit//'\n"),
        lms(env=[variable("CELERY_BROKER_URL", "SQS://")]),
        lms(env=[variable("CELERY_BROKER_URL", "memory://")]),
        lms(env=[variable("CELERY_BROKER_URL", "filesystem://")]),
        lms(env=[variable("CELERY_BROKER_URL", "sqla+postgresql://db/celery")]),
    ],
)
def test_another_broker_than_redis(given: bytes) -> None:
    [message] = built(SPLIT % ("", ""), given).errors
    assert "spec.celery.lateAcknowledgement: lms-worker's broker is" in message
    assert ("consumer_timeout" in message) == ("amqp" in message)
    assert ("spec.celery.visibilityTimeout" in message) == ("broker is sqs" in message)
    assert ("no task gets to another" in message) == ("broker is memory" in message)
    for late in (True, False):
        result = worked(SPLIT % ("", f", celery: {{lateAcknowledgement: {str(late).lower()}}}"), given)
        text = settings(result, "lms-worker-high")
        assert f"CELERY_ACKS_LATE = {late}" in text
        assert "unacked" not in text
    assert len(built(SPLIT % (KEDA, ", celery: {lateAcknowledgement: false}"), given).errors) == 1


def test_the_bounded_retry() -> None:
    result = worked(SPLIT % ("", ", celery: {retryOnWorkerLost: true}"), lms())
    assert "CELERY_RETRY_ON_WORKER_LOST = True" in settings(result, "lms-worker")


def test_settings_of_another_name() -> None:
    own = lms_worker()
    own["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] = "campus-settings"
    text = "from lms.envs.production import *\nBROKER_URL = 'redis://campus:6379/1'\n"
    campus = config_map("campus-settings", {"production.py": text})
    result = worked(SPLIT % (KEDA, ""), site(lms_worker=own, others=[campus]))
    assert result.metadata("lms-worker-high")["address"] == "campus.openedx:6379"


def test_a_settings_module_of_the_sites_own() -> None:
    """It loads Tutor's and changes what that says; ours has to come behind it, and not in between."""
    own = lms_worker()
    pod = own["spec"]["template"]["spec"]
    pod["containers"][0]["env"] = [variable("DJANGO_SETTINGS_MODULE", "campus.production")]
    pod["volumes"].append({"name": "campus", "configMap": {"name": "campus-settings"}})
    pod["containers"][0]["volumeMounts"].append({"name": "campus", "mountPath": "/openedx/edx-platform/campus"})
    text = "from lms.envs.tutor.production import *\nBROKER_TRANSPORT_OPTIONS = {'global_keyprefix': 'x:'}\n"
    campus = config_map("campus-settings", {"production.py": text})
    split = SPLIT % (KEDA, ", settings: {modules: {lms: campus.production}}")
    result = worked(split, site(lms_worker=own, others=[campus]))
    assert result.metadata("lms-worker-high", "inflight")["listName"] == "x:unacked.lms-worker-high"
    sources = [
        each["projected"]["sources"][0]["configMap"]["name"]
        for each in result.get("Deployment", "lms-worker-high")["spec"]["template"]["spec"]["volumes"]
        if "projected" in each
    ]
    assert sources == ["campus-settings"]
    pod["volumes"].pop()
    del pod["containers"][0]["volumeMounts"][-1]
    [message] = built(split, site(lms_worker=own)).errors
    assert "mounts no ConfigMap at …/campus, where campus.production is loaded from" in message


def with_volume(*sources: dict[str, Any], **volume: Any) -> bytes:
    """Return a site whose LMS worker has its settings in another volume than Tutor's."""
    own = lms_worker()
    [present] = own["spec"]["template"]["spec"]["volumes"]
    del present["configMap"]
    present |= {"projected": {"sources": list(sources)}} if sources else volume
    return site(lms_worker=own).stream


TUTORS: dict[str, Any] = {"configMap": {"name": "openedx-settings-lms"}}


@pytest.mark.parametrize("url", ["''", "None", "os.environ.get('GONE')"])
def test_settings_that_empty_the_brokers_url(url: str) -> None:
    """Tutor's Redis isn't what Celery connects to then."""
    given = lms(settings=f"import os\nBROKER_URL = {url}\n")
    [message] = built(SPLIT % (KEDA, ""), given).errors
    assert "where the broker is isn't known: nothing sets it" in message
    stated = ", broker: {address: 'redis:6379', database: 0, tls: {enabled: false}}"
    assert not worked(SPLIT % (KEDA, stated), given).warnings
    assert worked(SPLIT % ("", ""), given)


def test_settings_in_a_projected_volume() -> None:
    result = worked(SPLIT % (KEDA, ""), with_volume({"secret": {"name": "keys"}}, TUTORS))
    assert not result.output.problems
    assert "lms-worker-high" in settings(result, "lms-worker-high")


def test_settings_in_a_projected_volume_that_may_be_anothers() -> None:
    """A plain split is possible without them, and what needs them is refused."""
    given = with_volume(TUTORS, {"configMap": {"name": "more"}})
    reason = "ConfigMap more isn't in the build, and may hold another production.py"
    [message] = worked(SPLIT % ("", ""), given).warnings
    assert f"mounts production.py from a volume that ours can't be added to: {reason}" in message
    assert "Give openedx-settings-lms a volume of its own (configMap), as Tutor does" in message
    assert all(reason in message for message in built(SPLIT % (KEDA, ""), given).errors)


def test_settings_in_a_secret_that_the_build_has_not_got() -> None:
    given = with_volume(secret={"secretName": "vault"})
    assert not worked(SPLIT % ("", ""), given).output.problems
    [warning] = worked(SPLIT % (KEDA, ""), given).warnings
    assert "where the broker is isn't sure: Secret vault isn't in the build, and may set it" in warning
    assert not worked(SPLIT % (KEDA, ", broker: {address: 'cache:6379'}"), given).output.problems


@pytest.mark.parametrize(
    "statements",
    [
        "from .secrets import *",
        "try:\n    from .secrets import *\nexcept ImportError:\n    pass",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    from .secrets import *",
        "import certifi\nif certifi.where():\n    from .secrets import *",
        "import certifi\nfor _ in certifi.all():\n    from lms.envs.tutor.secrets import *",
    ],
)
def test_a_module_of_a_secret_that_the_build_has_not_got(statements: str) -> None:
    secret = {"secret": {"name": "vault", "items": [{"key": "secrets.py", "path": "secrets.py"}]}}
    own = lms_worker()
    [present] = own["spec"]["template"]["spec"]["volumes"]
    del present["configMap"]
    present["projected"] = {"sources": [TUTORS, secret]}
    given = site(lms_worker=own, settings=f"from lms.envs.production import *\n{statements}\n")
    [warning] = worked(SPLIT % (KEDA, ""), given).warnings
    assert "where the broker is isn't sure: Secret vault isn't in the build, and may set it" in warning
    assert "spec.template.spec.volumes" in warning


@pytest.mark.parametrize(
    "then",
    [
        "BROKER_URL = f'redis://{HOST}:6379/1'",
        "def url():\n    return f'redis://{HOST}:6379/1'\nBROKER_URL = url()",
        "if HOST == 'cache':\n    BROKER_URL = 'redis://cache:6379/1'",
        "for each in [HOST]:\n    BROKER_URL = f'redis://{each}:6379/1'",
        "PLACE = f'{HOST}:6379/1'\nBROKER_URL = f'redis://{PLACE}'",
        "from .tutor_host import *\nBROKER_URL = URL",
    ],
)
def test_what_is_made_of_what_an_unseen_module_may_set(then: str) -> None:
    """The unseen one sets HOST: the name that is made of it has another value, though nothing else sets that."""
    secret = {"secret": {"name": "vault", "items": [{"key": "secrets.py", "path": "secrets.py"}]}}
    other = {"configMap": {"name": "more", "items": [{"key": "tutor_host.py", "path": "tutor_host.py"}]}}
    own = lms_worker()
    [present] = own["spec"]["template"]["spec"]["volumes"]
    del present["configMap"]
    present["projected"] = {"sources": [TUTORS, secret, other]}
    head = "HOST = 'cache'\ntry:\n    from .secrets import *\nexcept ImportError:\n    pass\n"
    more = config_map("more", {"tutor_host.py": f"{head}URL = f'redis://{{HOST}}:6379/1'\n"})
    settings_text = f"from lms.envs.production import *\n{'' if 'tutor_host' in then else head}{then}\n"
    given = site(lms_worker=own, settings=settings_text, others=[more])
    result = worked(SPLIT % (KEDA, ""), given)
    assert result.metadata("lms-worker-high")["address"] == "cache.openedx:6379"
    [warning] = result.warnings
    assert "where the broker is isn't sure: Secret vault isn't in the build, and may set it" in warning


def test_a_redis_in_capitals() -> None:
    for given in (
        lms(env=[variable("CELERY_BROKER_URL", "REDIS://redis:6379/0")]),
        lms(lms_env=env_file(CELERY_BROKER_TRANSPORT='"Redis"')),
    ):
        result = worked(SPLIT % (KEDA, ""), given)
        assert "'unacked_key': 'unacked.lms-worker-high'" in settings(result, "lms-worker-high")
        assert result.metadata("lms-worker-high")["address"].startswith("redis.openedx:6379")


def test_a_redis_behind_a_socket() -> None:
    given = lms(env=[variable("CELERY_BROKER_URL", "redis+socket://:hush@/run/redis.sock?virtual_host=2")])
    assert "'unacked_key': 'unacked.lms-worker-high'" in settings(worked(SPLIT % ("", ""), given), "lms-worker-high")
    [message] = built(SPLIT % (KEDA, ""), given).errors
    assert "lms-worker's broker is socket:///run/redis.sock, in its own pod" in message
    assert "spec.broker.address" in message
    stated = worked(SPLIT % (KEDA, ", broker: {address: 'cache.example.com:6379'}"), given)
    assert stated.metadata("lms-worker-high")["databaseIndex"] == "2"
    shown = str(value_sources(Site(read_build(stated.output.data))))
    assert "'redis+socket:///run/redis.sock'" in shown
    assert "hush" not in shown


def test_a_url_that_is_known_in_part_is_shown_so() -> None:
    given = in_variables("redis://me:hush-$(RPW)@c.d:6380/$(DB)", secret_variable("DB", "db"))
    result = worked(SPLIT % ("", ""), given)
    shown = str(value_sources(Site(read_build(result.output.data))))
    assert "'redis://c.d:6380/?'" in shown
    assert "hush" not in shown + str(result.output.problems)


def test_a_url_within_a_url_has_no_credentials_where_it_is_shown() -> None:
    given = lms(env=[variable("CELERY_BROKER_URL", "sqla+postgresql://root:hush@db:5432/celery?password=hush")])
    result = worked(SPLIT % ("", ", celery: {lateAcknowledgement: false}"), given)
    built_site = Site(read_build(result.output.data))
    shown = str(value_sources(built_site))
    assert "sqla+postgresql://db:5432/celery" in shown
    # That the variable holds it in clear text is another matter.
    assert "hush" not in shown + str([each for each in findings_of(built_site) if each.rule == "differing-brokers"])


@pytest.mark.parametrize("url", ["sqs://", "amqp://rabbit"])
def test_another_broker_has_no_timeout_of_redis(url: str) -> None:
    """SQS and RabbitMQ hand tasks out again in ways of their own."""
    given = lms(settings=f"BROKER_URL = {url!r}\nBROKER_TRANSPORT_OPTIONS = {{'visibility_timeout': 300}}\n")
    result = worked(SPLIT % ("", ", celery: {lateAcknowledgement: true}"), given)
    assert not [problem for problem in result.output.problems if "Redis" in str(problem)]
    on_redis = worked(SPLIT % ("", ""), given.replace(url.encode(), b"redis://a"))
    assert "which Redis delivers again after 300 s" in str(on_redis.output.problems)


@pytest.mark.parametrize(
    "given",
    [
        lms("--concurrency=8"),
        lms("--autoscale=8,2"),
        lms(env=[variable("CELERY_WORKER_CONCURRENCY", "8")]),
        lms(settings="CELERYD_CONCURRENCY = 8\n"),
    ],
)
def test_a_list_length_below_the_slots_of_tutors_worker(given: bytes) -> None:
    result = worked(SPLIT % ("keda: {enabled: true, listLength: 7}", ""), given)
    assert "7 is less than the 8 tasks that a pod of lms-worker-high works on" in str(result.output.problems)
    fits = worked(SPLIT % ("keda: {enabled: true, listLength: 8}", ""), given)
    assert "listLength" not in str(fits.output.problems)


RIVALS = {"CELERY_WORKER_EXCLUDE_QUEUES": "edx.lms.core.high_mem,x", "CELERY_WORKER_AUTOSCALE": "8,2"}


@pytest.mark.parametrize("source", ["env", "envFrom"])
def test_variables_do_not_override_what_the_configuration_says(source: str) -> None:
    """Celery takes a queue away that is excluded, named or not, and with --autoscale it ignores --concurrency."""
    variables = [variable(name, text) for name, text in RIVALS.items()]
    given = lms(env=variables)
    if source == "envFrom":
        own = lms_worker()
        own["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "more"}}]
        given = site(lms_worker=own, others=[config_map("more", RIVALS)]).stream
    slots = "keda: {enabled: true, inFlight: Slots}"
    result = worked(SPLIT % (f"concurrency: 3, {slots}", ""), given)

    def left(name: str) -> dict[str, str]:
        [container] = result.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
        environment = dict(RIVALS) if "envFrom" in container else {}
        environment |= {each["name"]: each["value"] for each in container.get("env") or []}
        return {key: text for key, text in environment.items() if text}

    assert left("lms-worker-high") == {}
    assert left("lms-worker-high-mem") == {"CELERY_WORKER_AUTOSCALE": "8,2"}
    modifiers = result.get("ScaledObject", "lms-worker-high-scaledobject")["spec"]["advanced"]["scalingModifiers"]
    assert modifiers["formula"].endswith("inflight/3")
    assert worked(SPLIT % (f"concurrency: 3, {slots}", ""), result.output.data).output.data == result.output.data
    by_tutors = worked(SPLIT % (slots, ""), given).get("ScaledObject", "lms-worker-high-scaledobject")
    assert by_tutors["spec"]["advanced"]["scalingModifiers"]["formula"].endswith("inflight/8")


def test_a_variable_of_the_configurations_own_stays() -> None:
    own = "concurrency: 3, env: [{name: CELERY_WORKER_AUTOSCALE, value: '4,1'}]"
    result = worked(SPLIT % (own, ""), lms(env=[variable("CELERY_WORKER_AUTOSCALE", "8,2")]))
    [container] = result.get("Deployment", "lms-worker-high")["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [variable("CELERY_WORKER_AUTOSCALE", "4,1")]


def test_several_brokers_are_said_to_be_several() -> None:
    given = lms(settings="BROKER_URL = ['redis://a/0', 'redis://b/0']\n")
    [message] = built(SPLIT % (KEDA, ""), given).errors
    assert "it names several brokers, and Celery takes the first that answers. Set spec.broker.address" in message
    assert worked(SPLIT % ("", ""), given)


def test_settings_behind_the_options() -> None:
    """`celery worker … -- broker.url=…` overrides what the settings say."""
    own = lms_worker()
    own["spec"]["template"]["spec"]["containers"][0]["args"] += ["--", "worker.prefetch_multiplier=4"]
    [error] = built(SPLIT % (KEDA, ""), site(lms_worker=own)).errors
    assert "where the broker is isn't known: settings stand behind the options" in error
    stated = ", broker: {address: 'redis:6379', keyPrefix: '', tls: {enabled: false}}"
    assert worked(SPLIT % (KEDA, stated), site(lms_worker=own))
