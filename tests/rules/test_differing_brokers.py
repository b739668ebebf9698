"""differing-brokers: a worker looks where its service sends, as far as both are known."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.rules.registry import RULES
from kustomizer.site.model import Site
from tests import sites
from tests.rules.small_site import deployment, finder, problems, resource, split_site, worker

found = finder("differing-brokers")

LINES = {"TRANSPORT": "redis", "HOSTNAME": "redis:6379", "VHOST": "0", "USER": "", "PASSWORD": "hunter2hunter2"}
ENV_FILE = "".join(f"CELERY_BROKER_{name}: '{value}'\n" for name, value in LINES.items())
CONFIG = resource("ConfigMap", "openedx-config", data={"lms.env.yml": ENV_FILE, "cms.env.yml": ENV_FILE})
MODULE = {"name": "DJANGO_SETTINGS_MODULE", "value": "lms.envs.production"}
QUEUE = "edx.lms.core.default"


def variable(name: str, value: str) -> dict[str, Any]:
    return {"env": [MODULE, {"name": name, "value": value}]}


PLAIN = {"env": [MODULE]}
ELSEWHERE = variable("CELERY_BROKER_URL", "redis://:hunter2hunter2@other.example.com:6380/1")


def lms(**container: Any) -> str:
    return deployment("lms", {"args": ["uwsgi"], **container})


def test_one_broker() -> None:
    assert found(CONFIG, *split_site()) == []
    assert found(CONFIG, lms(**ELSEWHERE), worker("lms-worker", QUEUE, container=ELSEWHERE)) == []


def test_a_worker_that_looks_elsewhere() -> None:
    (problem,) = problems("differing-brokers", CONFIG, lms(**PLAIN), worker("lms-worker", QUEUE, container=ELSEWHERE))
    assert problem.severity == "warning"
    assert problem.message.startswith("takes tasks from redis at other.example.com:6380/1 (")
    assert problem.message.endswith("and lms sends them to redis at redis.openedx:6379/0: nobody runs them")
    assert "hunter2" not in str(problem)


def test_a_service_that_sends_elsewhere() -> None:
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_WRITE_URL"):
        sender = lms(**variable(name, "redis://other:6379/0"))
        assert found(CONFIG, sender, worker("lms-worker", QUEUE, container=PLAIN)) == [("warning", "lms-worker")]


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis.openedx:6379/0",
        "redis://redis.openedx.svc.cluster.local/0",
        "redis://REDIS.openedx.svc:6379",
        "redis://redis.openedx.svc.cluster.local.:6379/00",
        "redis://redis",
        "rediss://redis:6379",
    ],
)
def test_other_words_for_the_same(url: str) -> None:
    elsewhere = variable("CELERY_BROKER_URL", url)
    assert found(CONFIG, lms(**PLAIN), worker("lms-worker", QUEUE, container=elsewhere)) == []


def test_what_celerys_command_alone_heeds() -> None:
    """A web process isn't started by it."""
    both = variable("BROKER_URL", "redis://other:6379/0")
    assert found(CONFIG, lms(**both), worker("lms-worker", QUEUE, container=both)) == [("warning", "lms-worker")]


TENS = "priority_steps: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"


def both(lms_options: str, cms_options: str = "", **more: str) -> list[str]:
    """Return what is found where lms and cms have these options of the transport."""
    options = {"lms": lms_options, "cms": cms_options}
    files = {
        f"{name}.env.yml": f"{ENV_FILE}ALTERNATE_WORKER_QUEUES: '{more.get('alternate', other)}'\n"
        f"CELERY_BROKER_TRANSPORT_OPTIONS: {{{options[name]}}}\n{more.get(name, '')}"
        for name, other in (("lms", "cms"), ("cms", "lms"))
    }
    config = resource("ConfigMap", "openedx-config", data=files)
    return [
        f"{each.resource.name}: {each.message}"
        for each in problems("differing-brokers", config, *split_site())
        if each.resource
    ]


@pytest.mark.parametrize(
    ("lms_options", "cms_options", "expected"),
    [
        ("", "", []),
        ("sep: ':'", "sep: ':'", []),
        # What cms looks on has each that lms puts tasks on, and the other way round not.
        (TENS, "", ["cms-worker: doesn't look on edx.cms.core.default\\x06\\x161"]),
        ("", TENS, ["lms-worker: doesn't look on edx.lms.core.default\\x06\\x161"]),
        # A sender that gives no task a priority puts all on one list.
        ("priority_steps: [0]", "", []),
        ("sep: ':'", "", []),
        ("sep: ':', priority_steps: [0, 1]", "", ["cms-worker: doesn't look on edx.cms.core.default:1"]),
        (
            "global_keyprefix: 'a-'",
            "",
            [
                "cms-worker: takes tasks from redis at redis.openedx:6379/0 (",
                "lms-worker: takes tasks from redis at redis.openedx:6379/0 with the key prefix a- (",
            ],
        ),
        ("visibility_timeout: 60", "", []),
    ],
)
def test_lms_and_cms_send_to_each_other(lms_options: str, cms_options: str, expected: list[str]) -> None:
    """To the other's default queue alone, which Open edX names in ALTERNATE_WORKER_QUEUES."""
    messages = sorted(both(lms_options, cms_options))
    assert [message.startswith(start) for message, start in zip(messages, expected, strict=True)] == [True] * len(
        expected
    )
    assert all("openedx-config" in message for message in messages if "look on" in message)
    assert all(message.endswith(": nobody runs them") for message in messages)
    assert both(lms_options, cms_options, alternate="") == []


def test_a_sender_with_a_default_priority() -> None:
    """Kombu's own steps are those of its lists then."""
    message = "cms-worker: doesn't look on edx.cms.core.default\\x06\\x163, where lms puts tasks with a priority ("
    [found_one] = both("", "priority_steps: [0]", lms="CELERY_DEFAULT_PRIORITY: 3\n")
    assert found_one.startswith(message)
    assert "lms.env.yml" in found_one
    assert both("", "priority_steps: [0]") == []


def test_one_database_for_lms_and_another_for_cms() -> None:
    first, second = both("", lms="CELERY_BROKER_VHOST: '1'\n")
    assert "and lms sends tasks of edx.cms.core.default to redis at redis.openedx:6379/1" in first + second
    assert "and cms sends tasks of edx.lms.core.default to redis at redis.openedx:6379/0" in first + second


def test_what_is_known_in_part() -> None:
    """Of a URL whose password a Secret has that isn't here, the host tells two brokers apart."""
    password = {"name": "RPW", "valueFrom": {"secretKeyRef": {"name": "broker", "key": "password"}}}

    def lms_worker(url: str) -> str:
        variables = [MODULE, password, {**password, "name": "DB"}, {"name": "CELERY_BROKER_URL", "value": url}]
        return worker("lms-worker", QUEUE, container={"env": variables})

    assert found(CONFIG, lms(**PLAIN), lms_worker("redis://:$(RPW)@other:6379/0")) == [("warning", "lms-worker")]
    for url in ("redis://:$(RPW)@redis:6379/0", "redis://:$(RPW)@redis:6379/$(DB)", "redis://:$(RPW)@$(DB):6379/1"):
        assert found(CONFIG, lms(**PLAIN), lms_worker(url)) == []


def test_what_is_not_known() -> None:
    secret = {"name": "CELERY_BROKER_URL", "valueFrom": {"secretKeyRef": {"name": "broker", "key": "url"}}}
    hidden = {"env": [MODULE, secret]}
    assert found(CONFIG, lms(**PLAIN), worker("lms-worker", QUEUE, container=hidden)) == []
    assert found(CONFIG, lms(**hidden), worker("lms-worker", QUEUE, container=PLAIN)) == []
    source = {"env": [MODULE], "envFrom": [{"secretRef": {"name": "broker"}}]}
    assert found(CONFIG, lms(**source), worker("lms-worker", QUEUE, container=ELSEWHERE)) == []


@pytest.mark.parametrize("name", ["16", "22", "full"])
def test_real_sites(name: str) -> None:
    """As Tutor writes them, and with a variable that a patch gives the worker of lms alone."""
    built = sites.run(sites.kustomize(sites.NEWEST), "build", sites.site(name))
    assert list(RULES["differing-brokers"].check(Site(read_build(built)))) == []
    before, mark, after = built.decode().partition("\n  name: lms-worker\n")
    head, env, rest = after.partition("        env:\n")
    assert mark
    assert env
    extra = "        - name: CELERY_BROKER_URL\n          value: redis://other/0\n"
    patched = f"{before}{mark}{head}{env}{extra}{rest}".encode()
    problems = list(RULES["differing-brokers"].check(Site(read_build(patched))))
    assert {problem.resource and problem.resource.name for problem in problems} == {"lms-worker"}
    senders = [
        f"and {service} sends" in problem.message for problem, service in zip(problems, ("cms", "lms"), strict=True)
    ]
    assert all(senders)
    assert all("takes tasks from redis at other.openedx:6379/0" in problem.message for problem in problems)
