"""Kinds that the API server is told of."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.processes import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.control_plane.api import Api


def install_definitions(api: Api, *directories: Path) -> None:
    """Apply each file of ``directories`` that defines a kind. The kinds exist when this returns."""
    files = [path for directory in directories for path in sorted(directory.glob("*.yaml"))]
    api.apply("---\n".join(path.read_text() for path in files if path.name != "kustomization.yaml"))
    deadline = time.monotonic() + PATIENCE
    # `kubectl wait` fails on one that has no conditions yet.
    while not _established(api):
        assert time.monotonic() < deadline, f"the API server doesn't take the definitions of {directories}"
        time.sleep(0.1)


def _established(api: Api) -> bool:
    items = api.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    return all(
        any(each["type"] == "Established" and each["status"] == "True" for each in found)
        for found in (item.get("status", {}).get("conditions") or () for item in items)
    )
