"""Where what an overlay builds is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kustomizer import API_VERSION, KIND
from kustomizer.errors import Problem, ResourceRef
from kustomizer.overlay.places import overlay_locations

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
# The line of a comment.
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata:
  name: celery-workers
spec:
  flower: {enabled: true}
  workers:
    lms:
      high:
        queues:
        - a
        - b
      high_mem: {concurrency: 1}
---
kind: Other
"""
INGRESS = "kind: ConfigMap\nmetadata: {name: x}\n---\n\nkind: Ingress\nmetadata:\n  name: flower\n"


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an overlay with a configuration, an object and a patch of its own."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "overlay"
    directory.mkdir()
    (directory / "celery-workers.yaml").write_text(CONFIG)
    (directory / "ingress.yaml").write_text(INGRESS)
    (directory / "patch.yaml").write_text("\nkind: Deployment\nmetadata: {name: mysql}\n")
    (directory / "kustomization.yaml").write_text(
        "resources: [ingress.yaml]\ntransformers: [celery-workers.yaml]\npatches: [{path: patch.yaml}]\n"
    )
    return directory


def place(overlay: Path, kind: str, name: str, field: str = "") -> str:
    api_version = API_VERSION if kind == KIND else "v1"
    about = ResourceRef(api_version=api_version, kind=kind, namespace="openedx", name=name)
    found = overlay_locations(overlay).place(Problem(message="", resource=about, field=field))
    return f"{found.path}:{found.line}"


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("spec.workers.lms.high.queues[1]", 13),
        ("spec.workers.lms.high.concurrency", 10),
        ("spec.workers.lms.hi", 9),
        ("spec.flower.enabled", 7),
        ("spec", 6),
    ],
)
def test_a_field_of_the_configuration(overlay: Path, field: str, line: int) -> None:
    assert place(overlay, "CeleryWorkers", "celery-workers", field) == f"overlay/celery-workers.yaml:{line}"
    problem = Problem(message="", field=field)
    assert overlay_locations(overlay).place(problem).line == line


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("lms-worker", 9),
        ("lms-worker-high", 10),
        ("lms-worker-high-scaledobject", 10),
        ("lms-worker-high-mem", 14),
        ("lms", 9),
        ("flower", 7),
    ],
)
def test_what_the_function_makes(overlay: Path, name: str, line: int) -> None:
    assert place(overlay, "Deployment", name) == f"overlay/celery-workers.yaml:{line}"


def test_an_object_of_the_overlay(overlay: Path) -> None:
    assert place(overlay, "Ingress", "flower") == "overlay/ingress.yaml:5"
    assert place(overlay, "Deployment", "mysql") == "overlay/patch.yaml:2"


def test_everything_else_is_at_the_kustomization(overlay: Path) -> None:
    assert place(overlay, "Deployment", "notes") == "overlay/kustomization.yaml:1"
    (overlay / "ingress.yaml").write_text("a: [")
    (overlay / "celery-workers.yaml").write_text("a: [")
    assert place(overlay, "Ingress", "x") == "overlay/kustomization.yaml:1"
    assert place(overlay, "Deployment", "lms-worker") == "overlay/kustomization.yaml:1"


def test_another_groups_object_is_an_object_like_others(overlay: Path) -> None:
    theirs = "apiVersion: workers.example.com/v1\nkind: CeleryWorkers\nmetadata: {name: theirs}\nspec: {flower: 1}\n"
    (overlay / "ingress.yaml").write_text(f"{INGRESS}---\n{theirs}")
    about = ResourceRef(api_version="workers.example.com/v1", kind="CeleryWorkers", name="theirs")
    found = overlay_locations(overlay).place(Problem(message="", resource=about, field="spec.flower"))
    assert (found.path, found.line) == ("overlay/ingress.yaml", 9)
