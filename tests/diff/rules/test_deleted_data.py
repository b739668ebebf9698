"""deleted-data: what holds data, or all of it."""

from __future__ import annotations

import pytest

from tests.diff.rules.two_builds import found
from tests.rules.small_site import resource


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("PersistentVolumeClaim", "error"), ("Namespace", "error"), ("StatefulSet", "warning")],
)
def test_what_holds_data(kind: str, severity: str) -> None:
    assert found("deleted-data", [resource(kind, "a")], []) == [(severity, "a")]
    assert found("deleted-data", [], [resource(kind, "a")]) == []


def test_what_holds_none() -> None:
    assert found("deleted-data", [resource("ConfigMap", "a")], []) == []
