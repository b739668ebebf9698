"""stale-env: an env/ that Tutor would write otherwise now. What is found when: tests/tutor_env/test_staleness.py."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resources
from kustomizer.rules.registry import findings_of
from kustomizer.site.model import Site

STALE = Problem(message="env isn't what Tutor would write now: its split isn't whole", severity=WARNING)


def test_what_the_command_found_is_a_finding() -> None:
    (finding,) = findings_of(Site(Resources([]), stale=[STALE]))
    assert (finding.rule, finding.problem) == ("stale-env", STALE)


def test_a_file_says_nothing() -> None:
    assert findings_of(Site(Resources([]))) == []
