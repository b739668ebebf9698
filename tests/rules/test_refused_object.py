"""refused-object: what kubectl applies to no API server."""

from __future__ import annotations

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.rules.registry import RULES
from kustomizer.site.model import Site
from tests.rules.small_site import split_site


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("kind: List", ["List"]),
        ("kind: DeploymentList\nmetadata: {}", ["DeploymentList"]),
        ("kind: List\nitems: [{apiVersion: v1, kind: List}]", ["List"]),
        ("kind: List\nitems: []", []),
        ("kind: List\nitems: null", []),
        ("kind: AllowList\nmetadata: {name: a}", []),
    ],
)
def test_a_list_without_items(document: str, found: list[str]) -> None:
    """As kubectl 1.32 takes each: without the field a list is an object, with null it holds nothing."""
    build = "---\n".join([*split_site(), f"apiVersion: v1\n{document}\n"])
    problems = RULES["refused-object"].check(Site(read_build(build.encode())))
    assert [(problem.severity, str(problem.resource), problem.field) for problem in problems] == [
        ("error", kind, "items") for kind in found
    ]
