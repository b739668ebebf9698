from __future__ import annotations

import pytest

from kustomizer.cluster.apply import Conflict, ConflictError, read_conflicts
from kustomizer.errors import ResourceRef

# As kubectl 1.32 prints it for two objects of a 1.34 API server.
WORDS = """\
error: Apply failed with 3 conflicts: conflicts with "kubectl-edit" using apps/v1 at 2026-01-02T03:04:05Z:
- .spec.replicas
- .spec.template.spec.containers[name="lms-worker"].args
conflict with "vpa" with subresource "scale" using apps/v1: .spec.paused
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
"""
WORKER = ResourceRef(kind="Deployment", name="lms-worker")


def test_managers_and_fields_are_read() -> None:
    assert [conflict.replace(resource=WORKER) for conflict in read_conflicts(WORDS)] == [
        Conflict(
            manager="kubectl-edit",
            fields=(".spec.replicas", '.spec.template.spec.containers[name="lms-worker"].args'),
            resource=WORKER,
        ),
        Conflict(manager="vpa", fields=(".spec.paused",), resource=WORKER),
    ]


def test_other_words_are_no_conflict() -> None:
    assert not read_conflicts("Error from server (Conflict): the object has been modified")


@pytest.mark.parametrize("number", [1, 3, 4, 40])
def test_it_is_said_in_five_lines(number: int) -> None:
    words = str(ConflictError([read_conflicts(WORDS)[0].replace(resource=WORKER)] * number))
    assert len(words.splitlines()) == 1 + min(number, 3)
    assert "Deployment lms-worker: kubectl-edit owns spec.replicas and 1 more field" in words
    assert ("more like these" in words) == (number > 3)
    assert "--force-conflicts" in words
    assert "Please review" not in words
