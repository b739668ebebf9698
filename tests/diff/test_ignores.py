"""What a file says not to show of a comparison: counted, and never what an error is about."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.diff.compare import without_ignored
from kustomizer.diff.model import ADD, CHANGE, ObjectChange, ObjectId, ValueChange
from kustomizer.errors import ERROR, WARNING, Problem, ResourceRef
from kustomizer.findings.ignores import Ignore
from kustomizer.findings.model import Finding

IMAGE = ValueChange(path=("spec", "template", "image"), before="a", after="b")
VERSION = ValueChange(path=("metadata", "annotations", "app.kubernetes.io/version"), before="21", after="22")
DATA = ValueChange(path=("data", "a"), before="b", after="c")


def item(kind: str = "Deployment", name: str = "lms", *changes: ValueChange, action: str = CHANGE) -> ObjectChange:
    identity = ObjectId(group="", kind=kind, namespace="openedx", name=name)
    return ObjectChange(action=action, id=identity, api_version=("v1", "v1"), changes=changes)


def finding(rule: str, severity: str = WARNING, name: str = "lms", field: str = "spec.replicas") -> Finding:
    about = ResourceRef(kind="Deployment", namespace="openedx", name=name)
    return Finding(rule=rule, problem=Problem(message="a", severity=severity, resource=about, field=field))


def ignore(**fields: str) -> Ignore:
    return Ignore(**{"reason": "it is known", **fields})


def left(ignores: list[Ignore], *objects: ObjectChange, findings: Any = ()) -> tuple[Any, Any, list[tuple[int, int]]]:
    kept, kept_findings, ignored = without_ignored(objects, findings, ignores)
    return kept, kept_findings, [(each.changes, each.findings) for each in ignored]


def test_a_field_of_everything() -> None:
    objects = (item("Deployment", "lms", IMAGE, VERSION), item("ConfigMap", "a", VERSION))
    version = ignore(field='metadata.annotations["app.kubernetes.io/version"]')
    assert left([version], *objects) == ((item("Deployment", "lms", IMAGE),), (), [(2, 0)])


def test_a_field_means_what_is_below_it() -> None:
    both = item("Deployment", "lms", IMAGE, VERSION)
    assert left([ignore(field="metadata")], both)[0] == (item("Deployment", "lms", IMAGE),)
    assert left([ignore(field="meta")], both)[2] == [(0, 0)]
    assert left([ignore(field="spec.*.image")], both)[0] == (item("Deployment", "lms", VERSION),)


@pytest.mark.parametrize(
    ("resource", "taken"),
    [
        ("Deployment/lms", 1),
        ("Deployment/openedx/lms", 1),
        ("*/l*", 1),
        ("Deployment/other/lms", 0),
        ("Deployment/lm", 0),
        ("ConfigMap/lms", 0),
    ],
)
def test_a_resource(resource: str, taken: int) -> None:
    objects, _findings, counts = left([ignore(resource=resource)], item("Deployment", "lms", IMAGE))
    assert (len(objects), counts) == (1 - taken, [(taken, 0)])


def test_a_resource_that_is_added() -> None:
    new = item("Deployment", "lms", action=ADD)
    assert left([ignore(resource="Deployment/lms")], new) == ((), (), [(1, 0)])
    assert left([ignore(resource="Deployment/lms", field="spec")], new)[0] == (new,)


def test_a_generated_name_is_known_without_its_hash() -> None:
    assert left([ignore(resource="ConfigMap/config")], item("ConfigMap", "config-2222222222", DATA))[2] == [(1, 0)]


def test_a_finding_about_nothing() -> None:
    nothing = Finding(rule="image-change", problem=Problem(message="a", severity=WARNING))
    assert left([ignore(resource="*/*")], findings=[nothing])[1:] == ((nothing,), [(0, 0)])
    assert left([ignore(rule="image-change")], findings=[nothing])[1:] == ((), [(0, 1)])


def test_a_rule() -> None:
    findings = (finding("image-change"), finding("scaled-down"), finding("image-change", name="notes"))
    changed = item("Deployment", "lms", IMAGE)
    objects, kept, counts = left([ignore(rule="image-change", resource="*/lms")], changed, findings=findings)
    assert (objects, kept, counts) == ((changed,), findings[1:], [(0, 1)])
    assert left([ignore(rule="scaled-down", field="spec.template")], findings=findings)[2] == [(0, 0)]


def test_an_error_stays_and_so_does_what_it_is_about() -> None:
    findings = (finding("scaled-down", ERROR),)
    changed, other = item("Deployment", "lms", IMAGE), item("Deployment", "cms", IMAGE)
    objects, kept, counts = left([ignore(resource="Deployment/*")], changed, other, findings=findings)
    assert (objects, kept, counts) == ((changed,), findings, [(1, 0)])
    assert left([ignore(rule="scaled-down")], findings=findings)[1] == findings


def test_an_error_is_set_aside_by_rule_and_object_and_its_changes_then_too() -> None:
    findings = (finding("scaled-down", ERROR),)
    changed = item("Deployment", "lms", IMAGE)
    named = ignore(rule="scaled-down", resource="Deployment/lms")
    assert left([named], changed, findings=findings) == ((changed,), (), [(0, 1)])
    assert left([named, ignore(resource="Deployment/lms")], changed, findings=findings) == ((), (), [(0, 1), (1, 0)])


def test_the_first_that_matches_counts() -> None:
    ignores = [ignore(field="spec"), ignore(resource="Deployment/lms")]
    assert left(ignores, item("Deployment", "lms", IMAGE, VERSION))[2] == [(1, 0), (1, 0)]


def test_one_that_matches_nothing_is_told() -> None:
    _objects, _findings, ignored = without_ignored((), (), [ignore(rule="image-change")])
    assert [(each.reason, each.changes, each.findings) for each in ignored] == [("it is known", 0, 0)]
