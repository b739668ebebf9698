"""renamed-object: one goes, and its like comes."""

from __future__ import annotations

from tests.diff.rules.two_builds import found, problems
from tests.rules.small_site import resource, service, split_site, worker

CONTENT = {"a": "b", "c": "d"}


def test_a_renamed_worker() -> None:
    renamed = worker("lms-worker-fast", "edx.lms.core.high")
    (problem,) = problems("renamed-object", split_site(), [*split_site(lms_worker_high=""), renamed])
    assert problem.severity == "warning"
    assert problem.resource is not None
    assert problem.resource.name == "lms-worker-high"
    assert "lms-worker-fast" in problem.message


def test_something_light() -> None:
    before, after = (resource("ConfigMap", name, data=CONTENT) for name in ("first", "second"))
    assert found("renamed-object", [before], [after]) == [("info", "first")]


def test_each_has_one_name() -> None:
    before = [resource("ConfigMap", name, data={"own": name * 3, "a": "b"}) for name in ("xx", "yy")]
    after = [resource("ConfigMap", name, data={"own": name * 3, "a": "b"}) for name in ("zz", "ww")]
    assert len(found("renamed-object", before, after)) == 2


def test_what_is_not_alike() -> None:
    other = worker("lms-worker-fast", "edx.lms.core.other", "--concurrency=9", grace=7, labels={"a": "b"})
    assert found("renamed-object", split_site(), [*split_site(lms_worker_high=""), other]) == []


def test_another_kind_or_namespace() -> None:
    moved = [service("lms", namespace="elsewhere")]
    assert found("renamed-object", [service("lms")], moved) == []
