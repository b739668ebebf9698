"""Fixtures for every test, and how many examples Hypothesis tries."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import examples, parts, sites
from tests.broker_site import BROKERS, Place, place
from tests.builds import Builds

pytest_plugins = ["tests.nothing_hidden"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that takes what the function says now as what is expected of it."""
    parser.addoption("--refresh-golden", action="store_true", help="write tests/golden anew, for git diff to review")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how thorough to be, and refuse --refresh-golden where nobody reviews what it wrote."""
    examples.choose("quick" if config.getoption("quick") else "thorough")
    if parts.IN_CI and config.getoption("refresh_golden"):
        raise pytest.UsageError("--refresh-golden makes every golden test pass: not in CI")


@pytest.fixture(scope="session")
def site() -> Callable[[str], Path]:
    """Return ``site(name)``, which gives a real site's ``env`` directory."""
    return sites.site


@pytest.fixture(scope="session")
def kustomize() -> Path:
    """Return the newest kustomize."""
    return sites.kustomize(sites.NEWEST)


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


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, builds: Builds) -> Iterator[Place]:
    """Return what runs sites on a broker like Tutor's own, one for all tests of a module."""
    with place(tmp_path_factory.mktemp("plain"), BROKERS["plain"], builds) as found:
        yield found


@pytest.fixture
def given(request: pytest.FixtureRequest, tmp_path: Path, builds: Builds) -> Iterator[Place]:
    """Return what runs sites on the broker that the test names: ``indirect=["given"]``."""
    with place(tmp_path, BROKERS[request.param], builds) as found:
        yield found


def pytest_collection_finish() -> None:
    """Switch the garbage collector on again: the function's module, which some tests import, switches it off.

    What was collected stays to the end, so that it needn't go over that.
    """
    gc.freeze()
    gc.enable()
