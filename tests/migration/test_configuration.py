"""What becomes of settings that tutor-contrib-celery takes and few operators have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kustomizer.config.load import load
from kustomizer.errors import UserError
from kustomizer.manifests.resource import Resources
from kustomizer.migration.comparison import compare, grouped
from kustomizer.migration.configuration import Migration, migrate
from kustomizer.migration.facts import FlowerFacts, SiteFacts, WorkerFacts
from kustomizer.migration.settings import ContribSettings, read_settings
from kustomizer.migration.site import ContribSite, migrate_site
from kustomizer.overlay.survey import Survey
from kustomizer.site.queues import Scaling

QUEUES = {
    "lms": ["edx.lms.core.default", "edx.lms.core.high", "edx.lms.core.high_mem"],
    "cms": ["edx.cms.core.default", "edx.cms.core.high", "edx.cms.core.low"],
}


def made(workers: dict[str, Any], *with_hpa: str, **values: Any) -> Migration:
    return migrate(ContribSettings(values=values), workers, queues=QUEUES, with_hpa=with_hpa)


def spec(migration: Migration) -> dict[str, Any]:
    assert migration.config.name == "celery-workers"
    found = yaml.safe_load(migration.text)["spec"]
    assert load(yaml.safe_load(migration.text)) == migration.config
    assert isinstance(found, dict)
    return found


def test_a_service_whose_default_worker_alone_scales_keeps_its_queues() -> None:
    migration = made({"lms": {"default": {"enable_keda": True, "list_length": 5, "extra_params": ["-E"]}}, "cms": {}})
    default = {"queues": QUEUES["lms"], "keda": {"enabled": True, "listLength": 5}}
    assert spec(migration) == {"workers": {"lms": {"default": default}}}
    assert migration.notes == ["extra_params of lms's default worker had no effect, and are left out: -E"]


def test_queues_that_nobody_consumed_stay_with_the_default_worker() -> None:
    migration = made({"lms": {"default": {}, "bulk": {}, "high": None}, "discovery": {"default": {}}})
    assert spec(migration) == {"unassignedQueues": "KeepOnDefault", "workers": {"lms": {"bulk": {}, "high": {}}}}
    assert migration.notes == [
        "nobody consumed edx.lms.core.high_mem with the plugin: the default worker keeps it here",
        "discovery isn't lms or cms: its workers aren't taken over",
    ]


def test_an_hpa_is_taken_over_where_keda_scales() -> None:
    lms = {"default": {"enable_keda": True}, "high": {"enable_keda": True}, "high_mem": {}}
    found = spec(made({"lms": lms}, "lms-worker", "lms-worker-high-mem"))["workers"]["lms"]
    assert [name for name, worker in found.items() if worker.get("keda", {}).get("replaceHPA")] == ["default"]


def test_flower_as_it_was() -> None:
    common = {"CELERY_FLOWER": "True", "LMS_HOST": "lms.example.com"}
    workers: dict[str, Any] = {"cms": {"low": {}, "high": {}}}
    flower = spec(made(workers, **common, CELERY_FLOWER_DOCKER_IMAGE="mine:1", CELERY_FLOWER_BASIC_AUTH=""))["flower"]
    assert flower == {"enabled": True, "image": "mine:1", "insecure": True}
    exposed = {**common, "CELERY_FLOWER_EXPOSE_SERVICE": True, "CELERY_FLOWER_HOST": "flower.{{LMS_HOST}}"}
    assert spec(made(workers, **exposed))["flower"]["expose"] == {"enabled": True}
    # Only Tutor could fill this in.
    other = {**exposed, "CELERY_FLOWER_HOST": "{{ OTHER }}"}
    assert spec(made(workers, **other))["flower"]["expose"] == {"enabled": True}
    assert "flower" not in spec(made(workers, CELERY_FLOWER="false"))


def test_what_the_plugin_took_and_is_wrong_is_refused() -> None:
    with pytest.raises(UserError, match="extraArgs"):
        made({"lms": {"high": {"extra_params": ["--beat"]}}})


def test_what_had_no_effect_is_said() -> None:
    lms = {"high": {"cooldown": 3, "extra_params": ["--hostname=x@%h", "-E"]}, "high_mem": {}}
    routes = {"a": {"queue": "edx.lms.core.high", "routing_key": "x"}, "b": ["x"]}
    migration = made({"lms": lms}, CELERY_LMS_EXPLICIT_QUEUES=routes)
    assert spec(migration)["workers"] == {"lms": {"high": {"extraArgs": ["-E"]}, "high_mem": {}}}
    assert migration.notes == [
        "--hostname of lms-worker-high is left out: here each worker is named by its own queue",
        "cooldown of lms-worker-high had no effect with the plugin, and is left out",
        "routing_key of a in CELERY_LMS_EXPLICIT_QUEUES is left out: a queue's name says where it goes",
        "b of CELERY_LMS_EXPLICIT_QUEUES is left out: nobody consumes ['x']",
    ]


def test_arguments_in_one_text_are_refused_once() -> None:
    with pytest.raises(UserError, match=r"an argument of each letter\. Write a list in your plugin") as refused:
        made({"lms": {"high": {"extra_params": "--concurrency=2"}}})
    assert len(refused.value.problems) == 1


def worker(**changes: Any) -> WorkerFacts:
    scaling = Scaling(by="KEDA", minimum=0, maximum=3)
    facts = WorkerFacts(
        queues=["a"], options={"loglevel": "info"}, hostname="x.%h", scaling=scaling, list_lengths={"a": 40}
    )
    return facts.replace(**changes)


def site(found: WorkerFacts, **changes: Any) -> SiteFacts:
    flower = FlowerFacts(image="f:1", host="f.example.com", monitored=True)
    return SiteFacts(workers={"lms-worker": found}, routing={"lms": {"t": "a"}}, flower=flower).replace(**changes)


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (site(worker(queues=["b"])), "lms-worker: queues a -> b"),
        (site(worker(options={"loglevel": "debug"})), "lms-worker: --loglevel info -> debug"),
        (site(worker(hostname="y.%h")), "lms-worker: --hostname x.%h -> y.%h"),
        (site(worker(replicas=2)), "lms-worker: replicas 1 -> 2"),
        (site(worker(scaling=None)), "lms-worker-scaledobject: ScaledObject there -> none"),
        (
            site(worker(scaling=Scaling(by="KEDA", minimum=0, maximum=4))),
            "lms-worker-scaledobject: maximum 3 -> 4",
        ),
        (
            site(worker(list_lengths={})),
            "lms-worker-scaledobject: list length of a 40 -> none",
        ),
        (site(worker(), routing={"lms": {"t": "b"}}), "t, sent by lms: queue a -> b"),
        (site(worker(), workers={}), "lms-worker: Deployment there -> none"),
        (site(worker(), flower=None), "flower: Deployment there -> none"),
        (site(worker(), flower=FlowerFacts(image="f:1", monitored=True)), "flower: host f.example.com -> none"),
    ],
)
def test_a_difference_is_found_and_not_explained_away(other: SiteFacts, line: str) -> None:
    found = compare(site(worker()), other)
    assert list(grouped(found)) == [line]
    assert not found[0].why
    assert compare(site(worker()), site(worker())) == []


HEADS = {
    "usual": "#!{python}\n",
    "quoted": '#!"{python}"\n',
    "long": "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
}


@pytest.mark.parametrize("head", HEADS)
def test_the_python_behind_a_script_is_asked(head: str, tmp_path: Path) -> None:
    (tmp_path / "python3").write_text('#!/bin/sh\nshift 3\necho \'{"workers": {"lms": {}}, "values": {}}\' >"$1"\n')
    (tmp_path / "python3").chmod(0o755)
    (tmp_path / "tutor").write_text(HEADS[head].replace("{python}", str(tmp_path / "python3")) + "import tutor\n")
    (tmp_path / "config.yml").touch()
    assert read_settings(tmp_path, str(tmp_path / "tutor")).workers == {"lms": {}}


def test_a_tutor_that_is_no_script_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yml").touch()
    with pytest.raises(UserError, match="isn't a script that names its Python"):
        read_settings(tmp_path, sys.executable)
    with pytest.raises(UserError, match="missing can't be read"):
        read_settings(tmp_path, str(tmp_path / "missing"))


def test_an_env_that_is_not_as_the_plugins_make_it() -> None:
    """A plugin was turned off, and env/ still has its worker, whose queues aren't Open edX's."""
    settings = ContribSettings(values={}, workers={"lms": {"high": {}}})
    none = Resources([])
    surveyed = Survey(services=[], autoscalers=[])
    site = ContribSite(env=Path("env"), contrib_on=False, emitted=none, plain=none, survey=surveyed)
    with pytest.raises(UserError, match="env has no lms-worker that takes Open edX's queues"):
        migrate_site(settings, site)
