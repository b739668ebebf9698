"""One cluster with its nodes for all tests of a run, which takes its minutes to start and to wait."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.control_plane.operator_site import NAMESPACE
from tests.node.nodes import Nodes, running_nodes
from tests.node.run import DIRECTORY, GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _nodes() -> Iterator[Nodes]:
    if GROUP not in os.environ:
        pytest.fail("these tests run in namespaces of their own: make node", pytrace=False)
    with running_nodes(Path(os.environ[DIRECTORY]), os.environ[GROUP]) as nodes:
        yield nodes


@pytest.fixture
def nodes(_nodes: Nodes) -> Iterator[Nodes]:
    """Return a cluster with a node, on which there is no site."""
    yield _nodes
    _nodes.clear(NAMESPACE)
