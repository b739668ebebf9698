"""differing-brokers: a worker looks where its service sends, as far as both are known."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.rules import RULES
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
    (problem,) = RULES["differing-brokers"].check(Site(read_build(patched)))
    assert problem.resource is not None
    assert problem.resource.name == "lms-worker"
    assert "takes tasks from redis at other.openedx:6379/0" in problem.message
