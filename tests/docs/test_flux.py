"""docs/flux.md: what Flux gets from a clone is what the overlay builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.builds import Loader
from tests.docs.pages import commands, files, page
from tests.docs.place import place

if TYPE_CHECKING:
    from pathlib import Path

TEXT = page("flux")
HELD_BY_ENV = re.compile(r"(?ms)^## A committed env/.*?(?=^## )")


def objects(text: str) -> dict[tuple[str, str], object]:
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.load_all(text, Loader)}


def test_a_clone_of_the_export_builds_the_overlay(tmp_path: Path) -> None:
    site = place(tmp_path)
    site.done("tutor --root=tutor config save", "tutor-kustomizer init overlay --tutor-root tutor", "git init -q .")
    # What comes below has other ways, and tests of its own.
    typed = commands(TEXT.partition("\n## A committed env/")[0])
    assert [command.split()[0] for command in typed] == [
        "tutor-kustomizer",
        "git",
        "git",
        "kubectl",
        "tutor-kustomizer",
    ]
    site.done(*typed[:3])
    clone = site.clone("clone")
    there = sorted(str(path.relative_to(clone.directory)) for path in clone.directory.glob("*/*/kustomization.y*ml"))
    assert there == ["plain/base/kustomization.yaml", "tutor/env/kustomization.yml"]
    assert not (clone.directory / "overlay").exists()
    built = clone.done(typed[3])
    assert objects(built) == objects(site.done("tutor-kustomizer build overlay"))
    # With no plugin: nothing of ours is there to be run.
    assert clone.done(typed[3], env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}) == built
    assert site.run(typed[4]).returncode == 0
    site.done("tutor --root=tutor config save --set K8S_NAMESPACE=elsewhere")
    assert site.run(typed[4]).returncode == 3


def test_flux_is_given_the_export() -> None:
    source, kustomization = yaml.safe_load_all(files(TEXT)["clusters/production/openedx.yaml"])
    assert kustomization["spec"]["path"] == "./plain"
    assert kustomization["spec"]["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}


@pytest.mark.parametrize("name", ["argo-cd", "flux"])
def test_a_clone_of_an_env_that_holds_the_split_is_plain_kustomize(name: str, tmp_path: Path) -> None:
    section = HELD_BY_ENV.search(page(name))
    assert section is not None
    [(path, text)] = files(section[0]).items()
    *committing, building = commands(section[0])
    site = place(tmp_path)
    site.done('export TUTOR_ROOT="$PWD/tutor"', "tutor config save", "tutor plugins enable kustomizer", "git init -q .")
    (site.directory / path).parent.mkdir()
    (site.directory / path).write_text(text)
    site.done(*committing)
    clone = site.clone("clone")
    (tmp_path / "bin" / "tutor-celery-workers").unlink()
    built = objects(clone.done(building))
    assert ("Deployment", "lms-worker-high-mem") in built
    whole = objects(clone.done("kubectl kustomize tutor/env"))
    assert built == {key: value for key, value in whole.items() if key[0] != "Job"}
    assert len(built) < len(whole)
