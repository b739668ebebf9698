"""A plugin of pytest's: which tests are left out is said, and in continuous integration none is, nor skipped.

A test is left out where a part that it asks for is missing (``tests/parts.py``); with ``--quick`` all parts are.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests import parts

LEFT_OUT = "left out"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch for the tests that need nothing but Python."""
    parser.addoption("--quick", action="store_true", help="leave out the tests that need parts; try fewer examples")


def pytest_configure(config: pytest.Config) -> None:
    """Hide the parts from the quick tests."""
    if config.getoption("quick"):
        parts.leave_out()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hand pytest's own plugins a skip in place of a missing part, and see the report after they have had it."""
    missing = call.excinfo is not None and call.excinfo.errisinstance(parts.MissingPartError)
    left_out = missing and (item.config.getoption("quick") or not parts.IN_CI)
    if left_out:
        # Not afterwards: pytest takes 10 ms to show where in the code an error is from.
        try:
            pytest.skip(str(call.excinfo and call.excinfo.value))
        except pytest.skip.Exception:
            call.excinfo = pytest.ExceptionInfo.from_current()
    report = yield
    if left_out:
        report.left_out = True  # type: ignore[attr-defined]  # pytest-xdist hands it on
    elif parts.IN_CI:
        refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """See a module that skips itself."""
    report = yield
    if parts.IN_CI:
        refuse_skip(report)
    return report


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skipped or expectedly failing test a failure."""
    if not report.skipped:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"Skipped, or expected to fail, which is a failure in CI: {reason}"
    if hasattr(report, "wasxfail"):
        del report.wasxfail


def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    """Count a test that is left out as nothing else."""
    return (LEFT_OUT, "", "LEFT OUT") if getattr(report, "left_out", False) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out."""
    if left_out := terminalreporter.stats.get(LEFT_OUT):
        terminalreporter.write_line(f"left out: {len(left_out)} tests that need parts (make parts)")
