"""function-warning: what the function said when the site was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from kustomizer.rules.registry import findings_of
from kustomizer.site.model import Site
from tests.rules.small_site import split_site, worker

if TYPE_CHECKING:
    from collections.abc import Sequence

WARNED = Problem(message="a queue has no worker", severity=WARNING, field="spec.workers.lms")


def test_what_was_said_is_found() -> None:
    (finding,) = findings_of(Site(Resources([]), [WARNED]))
    assert (finding.rule, finding.problem) == ("function-warning", WARNED)


def test_a_file_says_nothing() -> None:
    assert findings_of(Site(Resources([]))) == []


def rules(warning: str, documents: Sequence[str]) -> list[str]:
    """Return the rules that find something in a site of which the function said ``warning``."""
    resources = Resources(read_stream("---\n".join(documents).encode(), b"{}").resources)
    return [finding.rule for finding in findings_of(Site(resources, [WARNED.replace(message=warning)]))]


UNCONSUMED = "after the split no worker would consume {}: tasks there would wait for ever"
SHARED = "Deployment lms-worker consumes {}, too: chance decides which of the two gets a task"
TWICE = "pods of {} get 7200 s to finish a task, which Redis delivers again after 3600 s: it is run twice"
BOTH = worker("lms-worker", "edx.lms.core.default,edx.lms.core.high")
ENDLESS = "runs celery beat before the pod starts, and never ends: no pod of {} starts"
STOPPED = "gives it 0 pods: Deployment x in namespace y alone takes {} after the split, and tasks there wait for ever"
NOT_STARTED = "gives it 0 pods: tasks on the queues of {} wait for ever"
BEAT = {"initContainers": [{"name": "beat", "args": ["celery", "--app=lms.celery", "beat"]}]}
STUCK = worker("lms-worker-high", "edx.lms.core.high", pod=BEAT)
NO_PODS = worker("lms-worker-high", "edx.lms.core.high", replicas=0)
LONG = worker("lms-worker-high", "edx.lms.core.high", grace=7200)


@pytest.mark.parametrize(
    ("warning", "documents", "rule"),
    [
        (UNCONSUMED.format("edx.lms.core.high"), split_site(lms_worker_high=""), "orphaned-queue"),
        (SHARED.format("edx.lms.core.high"), split_site(lms_worker=BOTH), "two-consumers"),
        (TWICE.format("lms-worker-high"), split_site(lms_worker_high=LONG), "grace-period"),
        (ENDLESS.format("lms-worker-high"), split_site(lms_worker_high=STUCK), "endless-init-container"),
        (STOPPED.format("edx.lms.core.high"), split_site(lms_worker_high=NO_PODS), "stopped-worker"),
        (NOT_STARTED.format("lms-worker-high"), split_site(lms_worker_high=NO_PODS), "stopped-worker"),
    ],
)
def test_what_a_rule_finds_too_is_said_once(warning: str, documents: Sequence[str], rule: str) -> None:
    assert rules(warning, documents) == [rule]


@pytest.mark.parametrize(
    ("warning", "documents", "rule"),
    [
        (UNCONSUMED.format("edx.lms.core.high, other"), split_site(lms_worker_high=""), "orphaned-queue"),
        (UNCONSUMED.format("edx.lms.core.hig"), split_site(lms_worker_high=""), "orphaned-queue"),
        (SHARED.format("edx.lms.core.high_mem"), split_site(lms_worker=BOTH), "two-consumers"),
        (TWICE.format("lms-worker"), split_site(lms_worker_high=LONG), "grace-period"),
        (ENDLESS.format("lms-worker-high, lms-worker"), split_site(lms_worker_high=STUCK), "endless-init-container"),
        (STOPPED.format("edx.lms.core.high_mem"), split_site(lms_worker_high=NO_PODS), "stopped-worker"),
    ],
)
def test_what_it_does_not_find_is_said(warning: str, documents: Sequence[str], rule: str) -> None:
    assert sorted(rules(warning, documents)) == sorted(["function-warning", rule])
