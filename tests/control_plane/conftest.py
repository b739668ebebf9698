"""One control plane for all tests of this directory, which run one after the other in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.control_plane.cluster import Cluster, running_cluster
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "tests/control_plane/"
TIME_FACTOR = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a cluster: `pytest --dist loadgroup` gives a group to one process."""
    for item in items:
        if item.nodeid.startswith(HERE) and "_cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("control-plane"))


@pytest.fixture(scope="session")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), time_factor=TIME_FACTOR) as cluster:
        yield cluster


@pytest.fixture
def cluster(_cluster: Cluster) -> Iterator[Cluster]:
    """Return a control plane in which there is no site."""
    yield _cluster
    _cluster.clear(NAMESPACE)
