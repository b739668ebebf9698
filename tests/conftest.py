"""Fixtures for every test, and the rule that nothing hides behind a skip in continuous integration."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests import sites
from tests.builds import Builds

IN_CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that takes what the function says now as what is expected of it."""
    parser.addoption("--refresh-golden", action="store_true", help="write tests/golden anew, for git diff to review")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse the switch in continuous integration, where nobody reviews what it wrote."""
    if IN_CI and config.getoption("refresh_golden"):
        raise pytest.UsageError("--refresh-golden makes every golden test pass: not in CI")


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a skipped or expectedly failing test a failure."""
    if not report.skipped:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"Skipped, or expected to fail, which is a failure in CI: {reason}"
    if hasattr(report, "wasxfail"):
        del report.wasxfail


if IN_CI:

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """See a test's report after pytest's own plugins have had it."""
        report = yield
        refuse_skip(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """See a module that skips itself."""
        report = yield
        refuse_skip(report)
        return report


@pytest.fixture(scope="session")
def site() -> Callable[[str], Path]:
    """Return ``site(name)``, which gives a real site's ``env`` directory."""
    return sites.site


@pytest.fixture(scope="session")
def kustomize() -> Path:
    """Return the newest kustomize."""
    return sites.kustomize(sites.NEWEST)


@pytest.fixture(scope="session")
def kustomize_oldest() -> Path:
    """Return the oldest kustomize that is supported."""
    return sites.kustomize(sites.OLDEST)


@pytest.fixture(scope="session", params=[sites.NEWEST, sites.OLDEST])
def any_kustomize(request: pytest.FixtureRequest) -> Path:
    """Run the test once per supported end of the range of kustomize versions."""
    return sites.kustomize(request.param)


@pytest.fixture(scope="session", params=sites.SITES)
def any_site(request: pytest.FixtureRequest) -> Path:
    """Run the test once per real site: Tutor 16 to 22, and 22 with eleven plugins."""
    return sites.site(request.param)


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Return what makes each build once, for all processes of this run of the tests."""
    base = tmp_path_factory.getbasetemp()
    # Each process of pytest-xdist has a directory of its own within the run's.
    return Builds((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "builds")
