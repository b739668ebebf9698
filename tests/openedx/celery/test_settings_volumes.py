"""Settings in volumes of other kinds than Tutor's: a real Celery of the split workers loads ours beside them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.keda_site import dumped, worked
from tests.openedx.celery.test_view import ATTRIBUTES, agrees, answers, seen, view_of
from tests.openedx.celery.worker_cases import Case, case, config_map, secret

if TYPE_CHECKING:
    from collections.abc import Callable

SPLIT = "{workers: {lms: {high: {visibilityTimeout: 4000}}}}"
NAMES = ["__init__.py", "production.py"]
UNSEEN = "settings-of-a-vault"
SINGLE = {
    "mountPath": "/openedx/edx-platform/lms/envs/tutor/production.py",
    "subPath": "production.py",
    "name": "settings-lms",
}
Given = tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]


def projected(given: Given) -> None:
    objects, _, volume = given
    objects.append(config_map("campus", {"campus.py": "PRIORITY = 5\n"}))
    volume["projected"] = {"sources": [{"configMap": volume.pop("configMap")}, {"configMap": {"name": "campus"}}]}


def with_token(given: Given) -> None:
    projected(given)
    given[2]["projected"]["sources"].append({"secret": {"name": "keys", "items": [{"key": "k", "path": "keys/k"}]}})
    given[0].append(secret("keys", {"k": "letters"}))


def overridden(given: Given) -> None:
    projected(given)
    given[0][-1]["data"]["production.py"] = given[0][1]["data"]["production.py"]
    given[0][1]["data"]["production.py"] = "raise RuntimeError\n"


def of_secret(given: Given) -> None:
    objects, _, volume = given
    objects[1] = secret("site-settings", objects[1]["data"])
    del volume["configMap"]
    volume["secret"] = {"secretName": "site-settings", "defaultMode": 256}


def of_unseen_secret(given: Given) -> None:
    of_secret(given)
    given[0][1]["metadata"] = {"name": UNSEEN}
    given[2]["secret"] = {"secretName": UNSEEN}


def renamed(given: Given) -> None:
    of_secret(given)
    settings = yaml.safe_load(yaml.safe_dump(given[0][1]["data"]))
    given[0][1]["data"] = {"init": settings["__init__.py"], "settings": settings["production.py"]}
    pairs = zip(("init", "settings"), NAMES, strict=True)
    given[2]["secret"]["items"] = [{"key": key, "path": path} for key, path in pairs]


def alone(given: Given) -> None:
    given[1]["volumeMounts"][0] = dict(SINGLE)


def alone_of_secret(given: Given) -> None:
    of_secret(given)
    alone(given)


def directory(given: Given) -> None:
    items = [{"key": name, "path": f"lms/{name}"} for name in NAMES]
    projected(given)
    given[2]["projected"]["sources"][0]["configMap"]["items"] = items
    given[1]["volumeMounts"][0]["subPath"] = "lms"


KINDS: list[Callable[[Given], None]] = [
    *(projected, with_token, overridden, of_secret, of_unseen_secret, renamed, alone, alone_of_secret, directory)
]


def split(kind: Callable[[Given], None]) -> list[Case]:
    """Return the workers of a site whose settings are in such a volume, with all that its cluster holds."""

    def edit(container: dict[str, Any], objects: list[dict[str, Any]]) -> None:
        kind((objects, container, objects[0]["spec"]["template"]["spec"]["volumes"][0]))

    given = case("site", settings="CELERY_DEFAULT_PRIORITY = 4\nCELERYD_PREFETCH_MULTIPLIER = 3\n", edit=edit)
    labels = {"app.kubernetes.io/name": "lms-worker"}
    template = {"metadata": {"labels": labels}, **given.deployment["spec"]["template"]}
    given.deployment["spec"] = {"selector": {"matchLabels": labels}, "template": template}
    unseen = [item for item in given.objects if item["metadata"]["name"] == UNSEEN]
    seen = [item for item in given.objects if item not in unseen]
    result = worked(SPLIT, dumped(seen))
    assert not result.output.problems
    workers = [item for item in result.items if item["kind"] == "Deployment"]
    others = [item for item in result.items if item["kind"] != "Deployment"]
    assert [worker["metadata"]["name"] for worker in workers] == ["lms-worker", "lms-worker-high"]
    return [
        Case(f"{kind.__name__}-{number}", [worker, *others, *unseen], "lms", frozenset(), frozenset())
        for number, worker in enumerate(workers)
    ]


@functools.cache
def cases() -> dict[str, Case]:
    return {given.name: given for kind in KINDS for given in split(kind)}


@functools.cache
def real() -> dict[str, Any]:
    return answers("", list(cases().values()))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_celery_loads_ours_and_the_sites(kind: Callable[[Given], None]) -> None:
    for number, suffix in enumerate(("", ".lms-worker-high")):
        answer = real()[f"{kind.__name__}-{number}"]
        assert "error" not in answer, answer["error"]
        assert answer["acknowledges_late"]
        assert (answer["default_priority"], answer["prefetch_multiplier"]) == (4, 3)
        options = answer["transport_options"]
        assert options.get("unacked_key") == (f"unacked{suffix}" if suffix else None)
        assert options.get("visibility_timeout") == (4000 if suffix else None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_view_says_the_same(kind: Callable[[Given], None]) -> None:
    for number in range(2):
        given = cases()[f"{kind.__name__}-{number}"]
        in_build = [each for each in given.objects if each["metadata"]["name"] != UNSEEN]
        view, answer = view_of(given._replace(objects=in_build)), real()[given.name]
        assert {name for name in ATTRIBUTES if not agrees(name, seen(view, name), answer)} <= (
            {"default_priority", "lists", "prefetch_multiplier"} if kind is of_unseen_secret else set()
        )
