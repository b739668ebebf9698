"""docs/kubectl.md: three ways that apply the same, and kubectl in the place of kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.pages import commands, page
from tests.docs.place import place
from tests.docs.test_flux import objects

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = commands(page("kubectl"))


def test_the_page(tmp_path: Path) -> None:
    site = place(tmp_path)
    render = COMMANDS[-1]
    assert render == "tutor --root=tutor config save"
    site.done(render, "tutor-kustomizer init overlay --tutor-root tutor")
    site.commit("overlay", "tutor/config.yml")
    # From a clone, as the last section has it: what Tutor makes up is in config.yml.
    built = site.done("tutor-kustomizer build overlay")
    clone = site.clone("clone")
    clone.done(render)
    assert clone.done("tutor-kustomizer build overlay") == built

    way, another, third = COMMANDS[0], COMMANDS[1:4], COMMANDS[4:6]
    applied = []
    for typed in ([f"{way} --yes"], another, third):
        clone.done(*typed)
        cluster = tmp_path / "cluster" / "applied"
        applied.append({path.name: path.read_text() for path in cluster.iterdir()})
        for path in cluster.iterdir():
            path.unlink()
    assert applied[0] == applied[1] == applied[2]
    assert len(applied[0]) > 30


def test_kubectl_runs_the_function_as_a_legacy_plugin(tmp_path: Path) -> None:
    site = place(tmp_path)
    site.done("tutor --root=tutor config save", "tutor-kustomizer init overlay --tutor-root tutor")
    built = site.done("tutor-kustomizer build overlay")
    (tmp_path / "bin" / "kustomize").unlink()
    assert COMMANDS[6] == "tutor-kustomizer init overlay --refresh --kubectl"
    site.done(COMMANDS[6])
    assert objects(site.done("tutor-kustomizer build overlay")) == objects(built)
    typed = COMMANDS[7:11]
    assert typed[-1].startswith("kubectl kustomize --enable-alpha-plugins")
    assert objects(site.done(*typed)) == objects(built)
