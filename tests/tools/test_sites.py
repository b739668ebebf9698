"""The real sites are what the other tests take them for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests import sites

CONFIG = """\
# a comment
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata:
  name: celery-workers
spec: {workers: {lms: {high: {}}}}
"""
ANNOTATION = """\
  annotations:
    config.kubernetes.io/function: |
      exec: {path: ./celery-workers}
"""
ANNOTATED = CONFIG.replace("metadata:\n", f"metadata:\n{ANNOTATION}")


@pytest.mark.parametrize("config", [CONFIG, ANNOTATED], ids=["plain", "annotated"])
def test_function_input(config: str, any_kustomize: Path, site: Callable[[str], Path]) -> None:
    received = yaml.safe_load(sites.function_input(any_kustomize, site("22"), config))

    names = [item["metadata"]["name"] for item in received["items"] if item["kind"] == "Deployment"]
    assert received["kind"] == "ResourceList"
    assert received["functionConfig"]["spec"] == {"workers": {"lms": {"high": {}}}}
    assert {"lms-worker", "cms-worker"} <= set(names)


def test_a_configuration_without_a_place_for_the_function() -> None:
    with pytest.raises(ValueError, match=r"tee\.sh"):
        sites.naming_tee("kind: CeleryWorkers\nmetadata: {name: a}\n")


def test_missing_parts_say_how_to_get_them() -> None:
    with pytest.raises(FileNotFoundError, match="make parts"):
        sites.site("15")


@pytest.mark.parametrize("name", sites.PLAIN_SITES)
def test_tutor_version(name: str, site: Callable[[str], Path]) -> None:
    assert (site(name) / "version").read_text().partition(".")[0] == name


def test_full_site_has_its_plugins(site: Callable[[str], Path]) -> None:
    config = yaml.safe_load((site("full").parent / "config.yml").read_text())

    assert sorted(config["PLUGINS"]) == [
        *["aspects", "cairn", "credentials", "discovery", "forum", "indigo", "mfe", "minio", "notes"],
        *["pod-autoscaling", "xqueue"],
    ]


def test_oracle_differs_only_in_the_plugin(tmp_path: Path, site: Callable[[str], Path], kustomize: Path) -> None:
    configured = sites.render_oracle(
        tmp_path,
        'workers_config["lms"]["high"] = {"enable_keda": True}\nworkers_config["cms"]["low"] = {}',
        {"CELERY_FLOWER": "true"},
    )

    def secrets(env: Path) -> str:
        return (env / "apps/openedx/config/lms.env.yml").read_text()

    assert secrets(configured) == secrets(site("oracle"))
    built = list(yaml.safe_load_all(sites.build(kustomize, configured)))
    assert {"lms-worker-high", "cms-worker-low", "flower"} <= {
        resource["metadata"]["name"] for resource in built if resource["kind"] == "Deployment"
    }
    assert [resource["metadata"]["name"] for resource in built if resource["kind"] == "ScaledObject"]
