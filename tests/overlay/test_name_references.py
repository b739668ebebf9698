"""An outer overlay with a namespace and a prefix over one with KEDA: every name in KEDA's objects has to follow.

kustomize knows references within its own kinds only. What it has to be told stands in base/name-references.yaml, which
`tutor-kustomizer init` writes, too, and docs/keda.md shows.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from kustomizer.overlay.templates import NAME_REFERENCES
from tests import sites
from tests.builds import FUNCTION
from tests.keda_site import HEAD, check_schema, env_file, site

REFERENCES = sites.ROOT / "base" / "name-references.yaml"
OUTER = "namespace: elsewhere\nnamePrefix: a-\nnameSuffix: -z\nresources: [../inner]\n"
SPEC = """\
  defaults: {concurrency: 2, keda: {enabled: true}}
  workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}
"""


def built(kustomize: Path, root: Path, where: str = "") -> dict[str, dict[str, dict[str, Any]]]:
    """Return the objects of the outer build by kind and name; ``where`` is the layer that lists the references."""
    env = env_file(CELERY_BROKER_PASSWORD='"secret"', CELERY_BROKER_HOSTNAME='"redis.example.com:6379"')
    head = HEAD.replace("{name: celery-workers}", f"\n  name: celery-workers\n  annotations: {annotation()}")
    layers = {
        "base": "resources: [site.yaml]\n",
        "inner": "resources: [../base]\ntransformers: [config.yaml]\n",
        "outer": OUTER,
    }
    for name, text in layers.items():
        (root / name).mkdir()
        more = "configurations: [name-references.yaml]\n" if name == where else ""
        (root / name / "kustomization.yaml").write_text(text + more)
        shutil.copy(REFERENCES, root / name)
    (root / "base" / "site.yaml").write_bytes(site(lms_env=env, cms_env=env).stream)
    (root / "inner" / "config.yaml").write_text(f"{head}\n{SPEC}")
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for item in yaml.load_all(sites.build(kustomize, root / "outer"), yaml.CSafeLoader):
        found.setdefault(item["kind"], {})[item["metadata"]["name"]] = item
    return found


def annotation() -> str:
    return f"{{{sites.FUNCTION}: 'exec: {{path: {FUNCTION}}}'}}"


def dangling(objects: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Return what KEDA's objects name and the build doesn't have."""
    names = []
    for name, scaled in objects["ScaledObject"].items():
        names.append(("Deployment", scaled["spec"]["scaleTargetRef"]["name"], name))
        for trigger in scaled["spec"]["triggers"]:
            names.append(("TriggerAuthentication", trigger["authenticationRef"]["name"], name))
    for name, authentication in objects["TriggerAuthentication"].items():
        for reference in authentication["spec"]["secretTargetRef"]:
            names.append(("Secret", reference["name"], name))
    return [f"{owner}: {kind} {name}" for kind, name, owner in names if name not in objects[kind]]


@pytest.mark.parametrize("where", ["base", "inner", "outer"])
def test_every_name_follows(where: str, any_kustomize: Path, tmp_path: Path) -> None:
    objects = built(any_kustomize, tmp_path, where)

    assert len(objects["ScaledObject"]) == 6
    assert dangling(objects) == []
    for kind in ("ScaledObject", "TriggerAuthentication", "Secret", "PodDisruptionBudget", "Deployment"):
        for name, item in objects[kind].items():
            assert re.fullmatch("a-.*-z", name)
            assert item["metadata"]["namespace"] == "elsewhere"
            check_schema(item)
    # Ours, too, which a Deployment mounts: kustomize knows that reference itself.
    for deployment in objects["Deployment"].values():
        for volume in deployment["spec"]["template"]["spec"]["volumes"]:
            sources = volume.get("projected", {}).get("sources", [])
            assert all(source["configMap"]["name"] in objects["ConfigMap"] for source in sources)


def test_without_them_they_dangle(kustomize: Path, tmp_path: Path) -> None:
    """Else this project's file wouldn't be needed any longer."""
    found = dangling(built(kustomize, tmp_path))
    assert "a-lms-worker-scaledobject-z: Deployment lms-worker" in found
    assert "a-lms-worker-broker-z: Secret lms-worker-broker" in found


def test_it_is_in_every_overlay() -> None:
    """By way of the base; and `init` writes the same."""
    assert REFERENCES.read_text() == NAME_REFERENCES
    base = yaml.safe_load((REFERENCES.parent / "kustomization.yaml").read_text())
    assert base["configurations"] == [REFERENCES.name]
