"""What is told of once isn't told of again for each object."""

from __future__ import annotations

import pytest

from kustomizer.diff.compare import comparison
from kustomizer.diff.model import Comparison
from kustomizer.diff.reports.html import html_report
from kustomizer.diff.reports.markdown import markdown_report
from kustomizer.diff.reports.text import text_report
from tests.diff.pairs import generated, of_trees, workload


def jobs(kind: str, *names: str) -> Comparison:
    """Return a comparison of Jobs before and after what they read has changed."""
    field, reference = {"ConfigMap": ("configMap", "name"), "Secret": ("secret", "secretName")}[kind]
    builds = []
    for value in ("MQ==", "Mg=="):
        read = generated("settings", {"a": value}, kind=kind)
        volume = {"name": "v", field: {reference: read["metadata"]["name"]}}
        builds.append(of_trees(read, *(workload(name, volume, kind="Job") for name in names)))
    return comparison(*builds)


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_that_a_name_has_another_hash_is_told_of_where_what_it_names_has_changed(kind: str, names: list[str]) -> None:
    found = jobs(kind, *names).replace(findings=())
    for text in (text_report(found, full=True), text_report(found), markdown_report(found), html_report(found)):
        assert "volumes[v]" not in text.partition("<script")[0]
        assert f"{kind} settings" in text.replace("</code>", "").replace("`", "")
    assert "-/+ Job openedx/one is refused unless it is deleted first" in text_report(found)


def test_it_is_told_of_where_nothing_else_is() -> None:
    found = jobs("ConfigMap", "one").replace(renamings=())
    assert "volumes[v].configMap.name: settings-(hash) → settings-(hash, changed)" in text_report(found, width=120)
