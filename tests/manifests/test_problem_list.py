import pytest

from kustomizer.errors import ERROR, INFO, Problem, ResourceRef
from kustomizer.manifests.problem_list import read_problems, write_problems

REF = ResourceRef(api_version="apps/v1", kind="Deployment", namespace="openedx", name="lms-worker")


@pytest.mark.parametrize(
    "problem",
    [
        Problem(message="nothing else"),
        Problem(message="yes: no\n# no comment", severity=INFO, field="spec.workers.lms[0]", remedy="'quote' \"it\""),
        Problem(message="1.0", severity=ERROR, resource=REF),
        Problem(message="a name that YAML takes for a number", resource=ResourceRef(kind="Secret", name="0123")),
    ],
)
def test_what_is_written_is_read(problem: Problem) -> None:
    assert read_problems(write_problems([problem, problem])) == (problem, problem)


def test_nothing_is_no_bytes() -> None:
    assert write_problems([]) == b""
    assert read_problems(b"") == ()
