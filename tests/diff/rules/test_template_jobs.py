"""template-jobs: what Tutor renders and never applies is neither destroyed nor added."""

from __future__ import annotations

from kustomizer.diff.compare import comparison
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from tests.diff.rules.two_builds import found, problems
from tests.rules.small_site import resource, split_site

LABELS = {"app.kubernetes.io/component": "job", "app.kubernetes.io/managed-by": "tutor"}


def job(name: str, **labels: str) -> str:
    text = resource("Job", name, api_version="batch/v1", spec={})
    names = ", ".join(f'"{key}": "{value}"' for key, value in {**LABELS, **labels}.items())
    return text.replace('"metadata": {', f'"metadata": {{"labels": {{{names}}}, ')


def counted(before: list[str], after: list[str]) -> list[str]:
    builds = (Resources(read_stream("---\n".join(each).encode(), b"{}").resources) for each in (before, after))
    return [f"{item.action} {item.id.name}" for item in comparison(*builds).objects]


def test_those_of_one_build_are_named_and_not_counted() -> None:
    with_jobs = [*split_site(), job("lms-job"), job("cms-job")]
    (problem,) = problems("template-jobs", with_jobs, split_site())
    assert problem.severity == "info"
    assert problem.message.startswith("cms-job and lms-job are in the build before alone, and not counted")
    assert "in the build after alone" in problems("template-jobs", split_site(), with_jobs)[0].message
    assert counted(with_jobs, split_site()) == counted(split_site(), with_jobs) == []


def test_those_of_both_are_compared() -> None:
    changed = job("lms-job").replace('"spec": {}', '"spec": {"parallelism": 2}')
    assert counted([job("lms-job")], [changed]) == ["change lms-job"]
    assert found("template-jobs", [job("lms-job")], [changed]) == []


def test_other_jobs_are_counted() -> None:
    other = job("backup", **{"app.kubernetes.io/component": "backup"})
    theirs = job("theirs", **{"app.kubernetes.io/managed-by": "helm"})
    assert counted([other, theirs], []) == ["destroy backup", "destroy theirs"]
