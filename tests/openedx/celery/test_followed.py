"""Tutor's settings are followed once for many workers: each has to see what it would see alone."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.openedx import settings_module
from kustomizer.openedx.celery import followed, statements
from kustomizer.openedx.settings_module import CelerySettings, head, render, settings_file
from tests.examples import sample
from tests.openedx.celery.test_view import ATTRIBUTES, seen, view_of
from tests.openedx.celery.worker_cases import CASES, Case, case, config_map

if TYPE_CHECKING:
    from collections.abc import Iterator


def forget() -> None:
    """Forget all settings that were followed."""
    followed._kept.clear()
    followed._whole.clear()


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


def is_plain(each: Case) -> bool:
    """Tell whether the worker mounts Tutor's settings as Tutor does."""
    volumes = each.deployment["spec"]["template"]["spec"].get("volumes") or [{}]
    return "configMap" in volumes[0] and volumes[0].get("name") == f"settings-{each.service}"


def with_ours(given: Case, suffix: str) -> Case:
    """Return the worker with a settings file of ours that runs Tutor's, as the function leaves it."""
    objects = copy.deepcopy(given.objects)
    worker = CelerySettings(unacked_suffix=suffix, visibility_timeout=7200)
    text = render(settings_file(given.service, {}), routing={"a.task": "edx.lms.core.high"}, worker=worker)
    objects.append(config_map(f"ours{suffix}", {"production.py": text}))
    volume = objects[0]["spec"]["template"]["spec"]["volumes"][0]
    items = [{"key": "production.py", "path": "tutor_production.py"}]
    ours = {"name": f"ours{suffix}"}
    volume["projected"] = {"sources": [{"configMap": {**volume.pop("configMap"), "items": items}}, {"configMap": ours}]}
    return given._replace(objects=objects)


def told(given: Case) -> dict[str, str]:
    """Return all that the view says of a worker, sources included."""
    view = view_of(given)
    return {name: repr(seen(view, name)) for name in ATTRIBUTES}


WORKERS = [with_ours(each, suffix) for each in sample(filter(is_plain, CASES)) for suffix in (".one", ".two")]


def test_each_sees_what_it_sees_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = []
    for each in WORKERS:
        forget()
        alone.append(told(each))
    runs: list[str] = []
    follow = statements.follow

    def counted(*args: Any) -> None:
        runs.append("")
        follow(*args)

    monkeypatch.setattr(statements, "follow", counted)
    monkeypatch.setattr(followed, "_MOST", len(WORKERS))
    forget()

    assert [told(each) for each in WORKERS] == alone
    # Each second worker took what the first one left, or nearly.
    assert len(runs) < len(WORKERS) * 0.6
    # Those of a second build are shared, but for what couldn't be followed.
    runs.clear()
    assert [told(copied) for copied in copy.deepcopy(WORKERS)] == alone
    assert len(runs) < len(WORKERS) * 0.1


def test_another_answer_of_the_environment_is_heeded() -> None:
    settings = "CELERY_BROKER_URL = os.environ.get('MINE', 'redis://none:1/0')\nBROKER_URL = CELERY_BROKER_URL\n"

    def url(value: str) -> str:
        env = [{"name": "MINE", "value": value}] if value else []
        return told(with_ours(case("mine", settings=settings, env=env), ".x"))["broker_url"]

    given = ["", "redis://a:1/0", "redis://b:1/0", "redis://a:1/0"]
    expected = ["redis://none:1/0", *given[1:]]
    assert all(host in url(value) for value, host in zip(given, expected, strict=True))


def test_what_ours_changes_stays_its_own() -> None:
    one, two = (with_ours(case("one", settings="EXPLICIT_QUEUES = {}\n"), suffix) for suffix in (".one", ".two"))

    assert "unacked.one" in told(one)["transport_options"]
    assert "unacked.two" in told(two)["transport_options"]
    assert "unacked.one" in told(one)["transport_options"]


def test_what_one_changes_in_place_stays_its_own() -> None:
    def with_line(line: str) -> Case:
        given = with_ours(case("in-place", settings="BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': 1}\n"), ".x")
        text = f"{head('production.py', for_worker=True)}\n{line}\n"
        return given._replace(objects=[*given.objects[:-1], config_map("ours.x", {"production.py": text})])

    changed, plain = with_line("BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 4321"), with_line("")
    assert "value=1," in told(plain)["visibility_timeout"]
    assert "4321" in told(changed)["visibility_timeout"]
    assert "value=1," in told(plain)["visibility_timeout"]


@pytest.mark.parametrize("each", sample(each for each in CASES if is_plain(each)), ids=lambda each: each.name)
def test_how_a_worker_hears_that_it_has_to_stop_is_none_of_celerys_settings(
    each: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told_without_lines(given: Case) -> dict[str, str]:
        return {name: re.sub(r"line=\d+", "line", text) for name, text in told(given).items()}

    as_it_is = told_without_lines(with_ours(each, ".x"))
    monkeypatch.setattr(settings_module, "head", lambda name, *, for_worker: head(name, for_worker=False))

    assert told_without_lines(with_ours(each, ".x")) == as_it_is


def test_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "_MOST_WHOLE", 16)
    for number in range(40):
        told(with_ours(case("n", settings=f"NUMBER = {number}\n"), f".{number}"))

    assert len(followed._kept) <= 16
    assert len(followed._whole) <= 16


def test_what_is_kept_holds_no_build() -> None:
    given = case("n", settings="import os\nNUMBER = os.environ.get('NUMBER')\n")
    told(given)

    (_, scope), *_ = followed._whole.values()
    assert not hasattr(scope.container, "_owner")
    assert scope.container.get("SERVICE_VARIANT") is None


def test_each_names_its_own_volume_that_is_not_shown() -> None:
    def of_worker(name: str) -> str:
        given = with_ours(case("unseen", settings="from .more import *\n"), ".x")
        deployment = copy.deepcopy(given.deployment)
        deployment["metadata"]["name"] = name
        pod = deployment["spec"]["template"]["spec"]
        pod["volumes"].append({"name": "unseen", "persistentVolumeClaim": {"claimName": "more"}})
        mount = {"name": "unseen", "mountPath": "/openedx/edx-platform/lms/envs/tutor/more.py", "subPath": "more.py"}
        pod["containers"][0]["volumeMounts"].append(mount)
        return told(given._replace(objects=[deployment, *given.objects[1:]]))["broker_url"]

    for name in ("lms-worker", "lms-worker-high"):
        assert f"name={name!r}" in of_worker(name)


def test_what_is_nested_too_deeply_is_not_followed() -> None:
    given = case("deep", settings=f"NUMBER = {'not ' * 900}1\n")
    assert "nested too deeply" in told(given)["broker_url"]
    assert "nested too deeply" in told(with_ours(given, ".x"))["broker_url"]
