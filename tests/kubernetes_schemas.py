"""Objects held to Kubernetes' own schemas: those of the oldest and of the newest Kubernetes in tools/versions.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kubernetes_validate
from versions import KUBERNETES_SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping


def assert_valid(*trees: Mapping[str, Any]) -> None:
    """Hold each object to both; a field that a schema doesn't know is an error."""
    for tree in trees:
        for version in KUBERNETES_SCHEMAS:
            kubernetes_validate.validate(tree, version, strict=True)
