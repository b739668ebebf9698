"""One control plane for all tests of this directory that a process runs: pytest-xdist's processes have one each.

It ends with the directory's last test. Its times are a tenth of a real one's, so that it keeps a third of a core busy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.control_plane.cluster import Cluster, running_cluster
from tests.control_plane.operator_site import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

TIME_FACTOR = 10


@pytest.fixture(scope="package")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), time_factor=TIME_FACTOR) as cluster:
        yield cluster


@pytest.fixture
def cluster(_cluster: Cluster) -> Iterator[Cluster]:
    """Return a control plane in which there is no site."""
    yield _cluster
    _cluster.clear(NAMESPACE)
