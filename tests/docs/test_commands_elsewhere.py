"""Commands and files that stand in pages on something else: docs/operations.md, docs/keda.md, docs/flower.md.

What talks to a live site there is run elsewhere: `in-flight` and `verify` in tests/commands. `redis-cli HLEN`
and `kubectl rollout restart` are others' commands with one name of ours in them, and aren't run.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
import versions
import yaml

from kustomizer import KIND
from kustomizer.config.load import load
from tests import parts, sites
from tests.docs.pages import commands, page
from tests.docs.place import place

if TYPE_CHECKING:
    from pathlib import Path


def indented(name: str) -> object:
    """Return the first indented block of a page, as YAML."""
    block = page(name).partition("\n\n    ")[2].partition("\n\n")[0]
    return yaml.safe_load(f"    {block}")


@pytest.mark.parametrize("name", ["keda", "flower"])
def test_the_configuration_at_the_top_is_right(name: str) -> None:
    spec = indented(name)
    assert isinstance(spec, dict)
    head = {"apiVersion": "celery.openedx.io/v1alpha1", "kind": KIND, "metadata": {"name": "a"}}
    config = load({**head, "spec": {"workers": {"lms": {"high": {}, "high_mem": {}}}, **spec}})
    assert (config.spec.flower is not None) is (name == "flower")


def test_the_name_references_are_those_that_init_writes() -> None:
    shown = page("keda").partition("```yaml\nnameReference:")[2].partition("```")[0]
    written = (sites.ROOT / "base" / "name-references.yaml").read_text()
    assert yaml.safe_load(f"nameReference:{shown}") == yaml.safe_load(written)


def test_the_keda_that_is_installed_is_the_one_that_is_tested() -> None:
    """Nothing is fetched: the release's file is named as KEDA names it, and Helm takes the chart from KEDA's index."""
    newest, oldest = versions.KEDA
    (apply,) = [command for command in commands(page("keda")) if "releases/download" in command]
    assert apply.endswith(f"/kedacore/keda/releases/download/v{newest}/keda-{newest}.yaml")
    assert "--server-side" in apply
    assert f"KEDA {oldest.rpartition('.')[0]} or newer" in page("keda")
    assert "helm install keda keda --repo https://kedacore.github.io/charts --namespace keda" in page("keda")


def test_the_secret_is_the_one_that_the_configuration_names(tmp_path: Path) -> None:
    (create,) = [command for command in commands(page("flower")) if command.startswith("kubectl")]
    real = create.replace("kubectl", parts.program("kubectl"), 1)
    made = yaml.safe_load(place(tmp_path).done(f"{real} --dry-run=client --output=yaml"))
    spec = indented("flower")
    assert isinstance(spec, dict)
    named = spec["flower"]["basicAuth"]["existingSecret"]
    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (named["name"], "openedx")
    assert base64.b64decode(made["data"][named["key"]]) == b"admin:PASSWORD"


def test_the_edits_of_operations(tmp_path: Path) -> None:
    site = place(tmp_path)
    site.done("tutor --root=tutor config save", "tutor-kustomizer init overlay --tutor-root tutor")
    edits = [
        each
        for each in commands(page("operations"))
        if each.startswith(("tutor-kustomizer queue", "tutor-kustomizer route"))
    ]
    assert len(edits) == 5
    site.done(*edits)
    shown = site.done("tutor-kustomizer queues overlay")
    assert "lms-worker-bulk" in shown
    assert "cms-worker-low" not in shown
    assert "routed to edx.lms.core.bulk:" in shown
