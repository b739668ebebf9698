"""function-warning: what the function said when the site was built."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resources
from kustomizer.rules import check
from kustomizer.site.model import Site

WARNED = Problem(message="a queue has no worker", severity=WARNING, field="spec.workers.lms")


def test_what_was_said_is_found() -> None:
    (finding,) = check(Site(Resources([]), [WARNED]))
    assert (finding.rule, finding.problem) == ("function-warning", WARNED)


def test_a_file_says_nothing() -> None:
    assert check(Site(Resources([]))) == []
