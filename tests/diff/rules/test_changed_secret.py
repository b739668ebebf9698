"""changed-secret: who learns of it; the hash in a Secret's name is never told."""

from __future__ import annotations

from tests.diff.rules.two_builds import changed, found, problems, secret
from tests.rules.small_site import deployment, resource


def user(name: str, wanted: str) -> str:
    return deployment(name, {"envFrom": [{"secretRef": {"name": wanted}}]})


def test_a_secret_that_keeps_its_name() -> None:
    before, after = ([secret("db", value), user("lms", "db"), user("notes", "other")] for value in ("a", "b"))
    (problem,) = problems("changed-secret", before, after)
    assert problem.severity == "warning"
    assert "lms go" in problem.message
    assert "notes" not in problem.message
    assert "kubectl rollout restart deployment lms" in problem.remedy


def test_what_restarts_for_another_reason() -> None:
    before = [secret("db", "a"), user("lms", "db")]
    after = [secret("db", "b"), changed(user("lms", "db"), spec__template__spec__containers__0__image="new:1")]
    assert found("changed-secret", before, after) == [("info", "db")]


def test_a_generated_secret_restarts_what_refers_to_it() -> None:
    before, after = (
        [secret(name, value), user("lms", name)] for name, value in (("db-2222222222", "a"), ("db-4444444444", "b"))
    )
    (problem,) = problems("changed-secret", before, after)
    assert (problem.severity, problem.message) == ("info", "changes, and restarts lms")
    assert "2222" not in str(problem)
    assert "4444" not in str(problem)


def test_one_that_goes_while_it_is_needed() -> None:
    before = [secret("db", "a"), user("lms", "db")]
    (problem,) = problems("changed-secret", before, before[1:])
    assert problem.severity == "warning"
    assert "lms refer" in problem.message


def test_labels_are_no_news_for_pods() -> None:
    before = [secret("db", "a"), user("lms", "db")]
    assert found("changed-secret", before, [changed(before[0], metadata__labels={"a": "b"}), before[1]]) == []


def test_a_config_map_is_none() -> None:
    before, after = ([resource("ConfigMap", "a", data={"a": value})] for value in "bc")
    assert found("changed-secret", before, after) == []
