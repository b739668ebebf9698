"""The comparison as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from kustomizer.diff.compare import comparison
from kustomizer.diff.model import ADD, CHANGE, DESTROY, Comparison, Key, ObjectChange, ValueChange
from kustomizer.diff.prepare import prepare
from kustomizer.diff.reports.json import json_report
from kustomizer.diff.reports.json_schema import json_schema
from kustomizer.manifests.equality import same
from tests import sites
from tests.diff.apply import applied
from tests.diff.pairs import resources, unchanged_secrets
from tests.diff.reports.read_json import read_objects
from tests.diff.reports.samples import CONFIG, RICH

if TYPE_CHECKING:
    from tests.builds import Builds

VALIDATOR = jsonschema.Draft202012Validator(json_schema())


def document(found: Comparison, *header: str) -> dict[str, Any]:
    """Return the report, read again, once it is what its schema says."""
    read: dict[str, Any] = json.loads(json_report(found, header=header))
    VALIDATOR.validate(read)
    return read


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_everything_that_a_comparison_holds() -> None:
    read = document(RICH, "A", "B")
    assert read["version"] == 1
    assert read["compared"] == ["A", "B"]
    assert read["summary"] == {
        "add": 2,
        "change": 3,
        "replace": 1,
        "destroy": 1,
        "unchanged": 30,
        "findings": {"error": 1, "warning": 1, "info": 1},
        "ignored": 3,
    }
    assert [each["actions"] for each in read["objects"]] == [
        ["delete"],
        ["delete", "create"],
        ["update"],
        ["update"],
        ["update"],
        ["create"],
        ["create"],
    ]
    assert read["groups"][0]["change"] == {
        "type": "value",
        "path": ["metadata", "annotations", "app.kubernetes.io/version"],
        "before": "21.0.0",
        "after": "22.0.3",
    }
    assert [each["name"] for each in read["groups"][0]["objects"]] == ["lms-worker", "smtp"]
    assert read["renamings"][0]["after"] == "openedx-config-tfh29t2k8g"
    assert len(read["renamings"][0]["rolls"]) == 6
    assert read["findings"][0]["resource"]["name"] == "lms-worker-high-mem"
    assert [each["deployment"] for each in read["queues"]["after"]] == ["lms-worker", "lms-worker-high"]
    assert read["ignored"] == [
        {"reason": "Tutor draws a new one each time", "changes": 2, "findings": 1, "errors": 0, "stale": False}
    ]


def test_every_type_of_change() -> None:
    by_name = {each["id"]["name"]: each for each in document(RICH)["objects"]}
    assert by_name["openedx-config"]["changes"] == [
        {
            "type": "text",
            "path": ["data", "lms.env.yml"],
            "hunks": [
                {
                    "before": 3,
                    "after": 3,
                    "lines": [
                        ' CELERY_BROKER_VHOST: "0"',
                        "-CELERY_BROKER_PASSWORD: (secret)",
                        "+CELERY_BROKER_PASSWORD: (secret, changed)",
                        " ",
                    ],
                }
            ],
            "newlineAtEnd": {"before": False, "after": True},
        }
    ]
    worker = ["spec", "template", "spec", "containers", {"name": "lms-worker"}]
    assert by_name["lms-worker"]["changes"][1:] == [
        {"type": "value", "path": ["spec", "replicas"], "before": 1, "after": "1"},
        {"type": "value", "path": ["spec", "strategy"], "before": {"type": "Recreate"}},
        {
            "type": "arguments",
            "path": [*worker, "args"],
            "before": ["celery", "--queues=edx.lms.core.default,edx.lms.core.high"],
            "after": ["celery", "--queues=edx.lms.core.default"],
            "notes": ["no longer takes edx.lms.core.high", "--concurrency: 2, was 1"],
        },
        {"type": "value", "path": [*worker, "resources"], "after": {"limits": {"cpu": "2", "memory": "4Gi"}}},
        {"type": "order", "path": [*worker, "env"], "after": [{"name": "A"}, {"name": "B"}]},
    ]


def test_where_an_item_is_added() -> None:
    change = ValueChange(path=("spec", Key(fields=(("name", "a"),))), after={"name": "a"}, index=2)
    found = Comparison(objects=(ObjectChange(action=CHANGE, id=CONFIG, api_version=("v1", "v1"), changes=(change,)),))
    assert document(found)["objects"][0]["changes"][0]["index"] == 2


@pytest.mark.parametrize("pair", [("21", "22"), ("22", "split")])
def test_what_it_says_makes_one_site_into_the_other(pair: tuple[str, str], builds: Builds) -> None:
    outputs = {
        "21": lambda: builds.plain(sites.site("21")),
        "22": lambda: builds.plain(sites.site("22")),
        "split": lambda: builds.through_exec(sites.site("22")),
    }
    built = [resources(outputs[name]().stdout) for name in pair]
    for before, after in (built, built[::-1]):
        sides = prepare(before, after)
        objects = {each.id: each for each in read_objects(document(comparison(before, after)))}
        for identity in sides.identities():
            old, new = (sides.masks.shown(tree, tree)[0] for tree in sides.trees(identity))
            each = objects.get(identity)
            if each is None:
                assert same(old, new)
            elif each.action in (ADD, DESTROY):
                assert same(each.tree, new if old is None else old)
            else:
                assert same(unchanged_secrets(applied(old, each.changes)), unchanged_secrets(new))


def test_null_is_a_value_and_no_value_is_none() -> None:
    changes = (
        ValueChange(path=("a",), before=None, after=0),
        ValueChange(path=("b",), after=None),
        ValueChange(path=("c",), before=1),
    )
    found = Comparison(objects=(ObjectChange(action=CHANGE, id=CONFIG, api_version=("v1", "v1"), changes=changes),))
    assert document(found)["objects"][0]["changes"] == [
        {"type": "value", "path": ["a"], "before": None, "after": 0},
        {"type": "value", "path": ["b"], "after": None},
        {"type": "value", "path": ["c"], "before": 1},
    ]


def test_what_json_has_no_word_for() -> None:
    tree = {"a": [float("inf"), float("-inf"), float("nan")], "bidi\u202e": "\ud800"}
    found = Comparison(objects=(ObjectChange(action=DESTROY, id=CONFIG, api_version=("v1", ""), tree=tree),))
    assert json_report(found).isascii()
    assert document(found)["objects"][0]["before"] == {"a": [".inf", "-.inf", ".nan"], "bidi\u202e": "\ud800"}


@pytest.mark.parametrize("field", ["version", "summary", "objects"])
def test_the_schema_asks_for_what_there_is(field: str) -> None:
    read = json.loads(json_report(RICH))
    del read[field]
    assert not VALIDATOR.is_valid(read)


def test_the_schema_takes_no_change_without_a_side() -> None:
    read = json.loads(json_report(RICH))
    del read["objects"][1]["changes"][0]["before"]
    VALIDATOR.validate(read)
    del read["objects"][1]["changes"][0]["after"]
    assert not VALIDATOR.is_valid(read)
