"""Findings as annotations of a run."""

from __future__ import annotations

from kustomizer.diff.model import Comparison
from kustomizer.diff.reports.github import github_report
from kustomizer.errors import Problem
from kustomizer.findings.model import Finding
from tests.diff.reports.samples import RICH


def test_a_line_for_each_finding_and_one_that_sums_up() -> None:
    error, warning, info, last = github_report(RICH).splitlines()
    assert error.startswith(
        "::error title=queue-without-consumer::Deployment lms-worker-high-mem in namespace openedx: "
        "spec.template.spec.containers[lms-worker-high-mem].args: nobody takes edx.lms.core.high_mem any longer"
    )
    assert warning == "::warning title=image-changed::cms gets another image"
    assert info == "::notice title=restarts::lms restarts"
    assert last.startswith("::notice title=tutor-kustomizer diff::2 add, 3 change, 1 replace, 1 destroy; 1 error")


def test_no_message_begins_a_command_of_its_own() -> None:
    finding = Finding(rule="a::b,c", problem=Problem(message="a\r\n::add-mask::x%0A\u202e"))
    first, _last = github_report(Comparison(objects=(), findings=(finding,))).splitlines()
    assert first == "::error title=a%3A%3Ab%2Cc::a\\r\\n::add-mask::x%250A\\u202e"
