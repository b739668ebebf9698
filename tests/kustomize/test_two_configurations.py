"""Two configurations of one site are refused by every command, and for what they are."""

from __future__ import annotations

import subprocess
from textwrap import indent
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.kustomize.two_configurations import several_in
from tests import sites
from tests.builds import commands
from tests.kustomize.hostile import OWN

if TYPE_CHECKING:
    from pathlib import Path

HEAD = OWN.partition("spec:")[0]
LMS, CMS = "spec: {workers: {lms: {high: {}, high_mem: {}}}}\n", "spec: {workers: {cms: {high: {}, low: {}}}}\n"
OTHER = HEAD.replace("name: celery-workers", "name: others")
BOTH = f"{HEAD}{LMS}---\n{OTHER}{CMS}"


@pytest.mark.parametrize(
    "text", [BOTH, BOTH.replace("name: others", "name: !!str others"), BOTH.replace("v1alpha1", "v2", 1)]
)
def test_two_are_found(text: str) -> None:
    problem = several_in(text)
    assert problem is not None
    assert "the file holds 2 configurations of kind CeleryWorkers" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        f"# A CeleryWorkers object\n{HEAD}{LMS}",
        f"{HEAD}{LMS}---\n# the schema of CeleryWorkers\nkind: Other\n",
        BOTH.replace("celery.openedx.io", "celery.example.com", 1),
        "a: [CeleryWorkers, CeleryWorkers\n",
    ],
)
def test_one_is_not(text: str) -> None:
    assert several_in(text) is None


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with an overlay whose file has one configuration for lms, and another one for cms."""
    monkeypatch.setenv("PATH", f"{commands(tmp_path)}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "both.yaml").write_text(BOTH)
    (tmp_path / "overlay" / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [both.yaml]\n")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_each_command_names_the_file(place: Path) -> None:
    for words in (
        ["build", "overlay", "-o", "built.yaml"],
        ["check", "overlay"],
        ["diff", "env", "overlay"],
        ["export", "overlay", "-o", "plain"],
    ):
        refused = run(*words)
        assert refused.exit_code == 1, words
        assert "overlay/both.yaml: the file holds 2 configurations of kind CeleryWorkers" in refused.output
    assert "refused-build" in run("check", "overlay", "-o", "json").stdout
    (place / "overlay" / "both.yaml").write_text(f"{HEAD}{LMS}")
    assert run("build", "overlay", "-o", "built.yaml").exit_code == 0


def test_in_a_directory_of_plugins(place: Path) -> None:
    (place / "overlay" / "plugins").mkdir()
    (place / "overlay" / "both.yaml").rename(place / "overlay" / "plugins" / "both.yaml")
    (place / "overlay" / "plugins" / "kustomization.yaml").write_text("resources: [both.yaml]\n")
    (place / "overlay" / "kustomization.yaml").write_text("resources: [../env]\ntransformers: [plugins]\n")
    assert "overlay/plugins/both.yaml: the file holds 2" in run("build", "overlay", "-o", "built.yaml").output


def two_files(place: Path, kustomization: str = "resources: [../env]\ntransformers: [one.yaml, two.yaml]\n") -> None:
    """Let the overlay have a configuration for lms, and another one for cms, each in a file of its own."""
    (place / "overlay" / "one.yaml").write_text(f"{HEAD}{LMS}")
    (place / "overlay" / "two.yaml").write_text(f"{OTHER}{CMS}")
    (place / "overlay" / "kustomization.yaml").write_text(kustomization)


TWO = "overlay/one.yaml and overlay/two.yaml each hold a configuration of kind CeleryWorkers for the same workers"


def test_each_command_names_both_files(place: Path) -> None:
    two_files(place)
    for words in (
        ["build", "overlay", "-o", "built.yaml"],
        ["check", "overlay"],
        ["queues", "overlay"],
        ["diff", "env", "overlay"],
        ["export", "overlay", "-o", "plain"],
        ["queue", "add", "lms", "bulk", "--overlay", "overlay"],
        ["route", "lms", "a.task", "edx.lms.core.high", "--overlay", "overlay"],
        ["init", "overlay", "--refresh"],
    ):
        refused = run(*words)
        assert refused.exit_code == 1, words
        assert TWO in refused.output
        assert "Put what they say into one" in refused.output
    assert (place / "overlay" / "one.yaml").read_text() == f"{HEAD}{LMS}"


def test_where_the_overlay_has_the_file_of_init(place: Path) -> None:
    two_files(place, "resources: [../env]\ntransformers: [celery-workers.yaml, two.yaml]\n")
    (place / "overlay" / "one.yaml").rename(place / "overlay" / "celery-workers.yaml")
    for words in (["build", "overlay", "-o", "built.yaml"], ["queue", "add", "lms", "bulk", "--overlay", "overlay"]):
        assert TWO.replace("one", "celery-workers") in run(*words).output


@pytest.mark.parametrize("field", ["resources", "components"])
def test_of_which_one_is_built_from_the_other(field: str, place: Path) -> None:
    two_files(place, f"{field}: [../lower]\ntransformers: [two.yaml]\n")
    (place / "lower").mkdir()
    (place / "overlay" / "one.yaml").rename(place / "lower" / "one.yaml")
    kind = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n" if field == "components" else ""
    (place / "lower" / "kustomization.yaml").write_text(f"{kind}resources: [../env]\ntransformers: [one.yaml]\n")
    said = TWO.replace("overlay/one", "lower/one")
    for words in (["build", "overlay", "-o", "built.yaml"], ["queue", "add", "lms", "bulk", "--overlay", "overlay"]):
        assert said in run(*words).output
    (place / "overlay" / "kustomization.yaml").write_text(f"{field}: [../lower]\n")
    assert run("build", "overlay", "-o", "built.yaml").exit_code == 0


def test_in_two_components(place: Path) -> None:
    two_files(place, "resources: [../env]\ncomponents: [../a, ../b]\n")
    head = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
    for directory, name in (("a", "one"), ("b", "two")):
        (place / directory).mkdir()
        (place / "overlay" / f"{name}.yaml").rename(place / directory / f"{name}.yaml")
        (place / directory / "kustomization.yaml").write_text(f"{head}transformers: [{name}.yaml]\n")
    assert "a/one.yaml and b/two.yaml each hold" in run("build", "overlay", "-o", "built.yaml").output


def test_where_kustomize_says_what_the_plugins_are(place: Path) -> None:
    two_files(place, "resources: [../env]\ntransformers: [plugins]\n")
    (place / "overlay" / "plugins").mkdir()
    lines = "namePrefix: a-\nresources: [one.yaml, two.yaml]\n"
    (place / "overlay" / "plugins" / "kustomization.yaml").write_text(lines)
    for name in ("one", "two"):
        (place / "overlay" / f"{name}.yaml").rename(place / "overlay" / "plugins" / f"{name}.yaml")
    said = run("build", "overlay", "-o", "built.yaml").output
    assert "overlay/kustomization.yaml lists more than one configuration of kind CeleryWorkers" in said
    assert ": a-celery-workers, a-others" in said


def test_two_sites_of_one_build_have_one_each(place: Path) -> None:
    two_files(place, "resources: [a, b]\n")
    for directory, name in (("a", "one"), ("b", "two")):
        (place / "overlay" / directory).mkdir()
        (place / "overlay" / f"{name}.yaml").rename(place / "overlay" / directory / f"{name}.yaml")
        (place / "overlay" / directory / "kustomization.yaml").write_text(
            f"namespace: {directory}\nresources: [../../env]\ntransformers: [{name}.yaml]\n"
        )
    built = run("build", "overlay", "-o", "built.yaml")
    assert (built.exit_code, built.output[:3000]) == (0, "")
    assert (place / "built.yaml").read_text().count("  name: lms-worker-high\n") == 2


def test_the_same_file_twice_is_one_configuration(place: Path) -> None:
    two_files(place, "resources: [../lower]\ntransformers: [../shared]\n")
    for directory, lines in (
        ("lower", "resources: [../env]\ntransformers: [../shared]\n"),
        ("shared", "resources: [one.yaml]\n"),
    ):
        (place / directory).mkdir()
        (place / directory / "kustomization.yaml").write_text(lines)
    (place / "overlay" / "one.yaml").rename(place / "shared" / "one.yaml")
    built = run("build", "overlay", "-o", "built.yaml")
    assert (built.exit_code, built.output[:3000]) == (0, "")


def test_the_function_tells_a_second_configuration_from_a_plugin(place: Path) -> None:
    """By kustomize alone only the function sees what the first run made."""
    two_files(place)
    slower = LMS.replace("high: {}", "high: {concurrency: 3}")
    (place / "overlay" / "two.yaml").write_text(f"{OTHER}{slower}")
    refused = subprocess.run(
        [sites.kustomize(sites.NEWEST), *sites.BUILD, "overlay"], check=False, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "another configuration made it" in refused.stderr
    assert "plugin that emits" not in refused.stderr


def test_a_field_that_is_no_list_is_said_to_be_none(place: Path) -> None:
    two_files(place, "resources: 5\ntransformers: [one.yaml, two.yaml]\n")
    for words in (["build", "overlay", "-o", "built.yaml"], ["queue", "add", "lms", "bulk", "--overlay", "overlay"]):
        refused = run(*words)
        assert refused.exit_code == 1
        assert isinstance(refused.exception, SystemExit)


def test_an_export_names_the_kustomization_that_holds_them(place: Path) -> None:
    inline = "".join(f"- |-\n{indent(text, '  ')}" for text in (f"{HEAD}{LMS}", f"{OTHER}{CMS}"))
    (place / "overlay" / "kustomization.yaml").write_text(f"resources: [../env]\ntransformers:\n{inline}")
    refused = run("export", "overlay", "-o", "plain")
    assert refused.exit_code == 1
    assert "overlay/kustomization.yaml" in refused.output
    assert "apiVersion" not in refused.output
