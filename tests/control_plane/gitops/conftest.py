"""A repository for each test, and each controller once for all tests of this package that a process runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.control_plane.gitops.argo_cd import ArgoCd
from tests.control_plane.gitops.flux import Flux
from tests.control_plane.gitops.git_server import git_server
from tests.control_plane.gitops.repository import Repository
from tests.docs.place import place
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.control_plane.cluster import Cluster


@pytest.fixture
def repository(cluster: Cluster, tmp_path: Path) -> Iterator[Repository]:
    """Return a site that Tutor has rendered, with an overlay; nothing is committed."""
    site = place(tmp_path)
    site.done(
        'export TUTOR_ROOT="$PWD/tutor"',
        "tutor config save --set LMS_HOST=learn.example.com",
        "tutor-kustomizer init overlay --tutor-root tutor",
        "git init -q .",
        "git init -q --bare ../served/site.git",
    )
    with git_server(tmp_path / "served") as url:
        yield Repository(site, f"{url}/site.git", cluster)


@pytest.fixture(scope="package")
def _flux(_cluster: Cluster) -> Flux:
    return Flux(_cluster)


@pytest.fixture
def flux(cluster: Cluster, _flux: Flux) -> Iterator[Flux]:
    """Return Flux, which follows nothing yet."""
    assert cluster is _flux.cluster
    yield _flux
    _flux.forget()


@pytest.fixture(scope="package")
def _argo_cd(_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCd]:
    directory = tmp_path_factory.mktemp("argo-cd")
    # The plugin's sidecar has what a site's machine has.
    sidecar = place(directory)
    with redis_server(directory / "redis") as redis:
        yield ArgoCd(_cluster, redis.port, sidecar.environment["PATH"])


@pytest.fixture
def argo_cd(cluster: Cluster, _argo_cd: ArgoCd) -> Iterator[ArgoCd]:
    """Return Argo CD, which follows nothing yet."""
    assert cluster is _argo_cd.cluster
    yield _argo_cd
    _argo_cd.forget()
