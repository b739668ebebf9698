"""`tutor-kustomizer diff` on real builds: what it shows, what it never shows, its exit statuses."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.commands.common import EXIT_FINDINGS
from kustomizer.commands.diff import EXIT_CHANGES, EXIT_USAGE
from tests import sites
from tests.builds import Builds, environment
from tests.examples import sample
from tests.git_checkout import commit, git

FORMS = ("text", "markdown", "json", "github", "html")
WITHOUT_HIGH = "spec: {unassignedQueues: Ignore, workers: {lms: {high_mem: {}}, cms: {high: {}, low: {}}}}\n"
WITH_FLOWER = (
    "spec:\n  flower: {enabled: true, insecure: true}\n  defaults: {keda: {enabled: true}}\n"
    "  workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}\n"
)


def diff(*arguments: str | Path, columns: int = 80) -> Result:
    runner = CliRunner(env={"COLUMNS": str(columns), "TERM": "xterm"})
    return runner.invoke(main, ["diff", *map(str, arguments)])


def diffed(*arguments: str | Path) -> str:
    result = diff(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def built(tmp_path: Path) -> dict[str, Path]:
    """Return files that kustomize built from real sites: two Tutors, and splits of one."""
    builds = Builds(tmp_path / "builds")
    made = {
        "21": builds.plain(sites.site("21")),
        "22": builds.plain(sites.site("22")),
        "split": builds.through_exec(sites.site("22")),
        "without-high": builds.through_exec(sites.site("22"), WITHOUT_HIGH),
    }
    for name, build in made.items():
        (tmp_path / f"{name}.yaml").write_bytes(build.stdout)
    return {name: tmp_path / f"{name}.yaml" for name in made}


@pytest.mark.parametrize("form", FORMS)
def test_a_site_and_itself(form: str, built: dict[str, Path]) -> None:
    result = diff(built["split"], built["split"], "-o", form, "--detailed-exitcode", "--fail-on", "info")
    assert result.exit_code == 0, result.output
    assert "0 add, 0 change, 0 replace, 0 destroy" in result.stdout or form == "json"
    if form == "json":
        assert json.loads(result.stdout)["objects"] == []


def test_an_upgrade_of_tutor(built: dict[str, Path]) -> None:
    lines = diffed(built["21"], built["22"]).splitlines()
    # Lines of files and options' names aren't broken.
    assert not [line for line in lines if len(line) > 80 and not line.startswith("      ")]
    assert sum("app.kubernetes.io/version" in line for line in lines) <= 3
    assert lines[-1].startswith("0 add, 30 change, 3 replace, 0 destroy")


def test_a_site_before_and_after_the_split(built: dict[str, Path]) -> None:
    result = diff(built["22"], built["split"], "-o", "json")
    found = json.loads(result.stdout)
    created = {
        each["id"]["name"]
        for each in found["objects"]
        if each["actions"] == ["create"] and each["id"]["kind"] == "Deployment"
    }
    assert created == {"lms-worker-high", "lms-worker-high-mem", "cms-worker-high", "cms-worker-low"}
    assert not [each for each in found["objects"] if "delete" in each["actions"]]
    words = diffed(built["22"], built["split"])
    assert "edx.lms.core.high_mem" in words
    assert not [finding for finding in found["findings"] if finding["severity"] == "error"]


def test_a_queue_that_loses_its_consumer(built: dict[str, Path]) -> None:
    result = diff(built["split"], built["without-high"], "--fail-on", "error")
    assert result.exit_code == EXIT_FINDINGS
    assert "edx.lms.core.high" in result.stdout
    assert "1 error" in result.stdout.splitlines()[-1]


def test_exit_statuses(built: dict[str, Path]) -> None:
    pair = (built["split"], built["without-high"])
    assert diff(*pair).exit_code == 0
    assert diff(*pair, "--detailed-exitcode").exit_code == EXIT_CHANGES
    assert diff(*pair, "--detailed-exitcode", "--fail-on", "error").exit_code == EXIT_FINDINGS
    assert diff(built["split"], built["split"].with_name("none")).exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["--fail-on", "panic"],
        ["-o", "pdf"],
        ["--write", "markdown"],
        ["--limit", "1"],
        [],
        ["a"],
        ["-", "-"],
        ["a", "b", "--base", "main"],
        ["a", "b", "--render"],
        ["--base", "main", "--render", "--base-tutor-root", "."],
        ["pyproject.toml", "--base", "main"],
    ],
)
def test_a_wrong_option(arguments: list[str]) -> None:
    result = diff(*arguments)
    assert result.exit_code == EXIT_USAGE, result.output
    assert "Usage: " in result.stderr


def test_files_beside_standard_output(built: dict[str, Path], tmp_path: Path) -> None:
    targets = [word for form in FORMS for word in ("--write", f"{form}={tmp_path}/out.{form}")]
    shown = diffed(built["split"], built["without-high"], *targets)
    for form in FORMS:
        assert (tmp_path / f"out.{form}").read_text() == (
            shown if form == "text" else diffed(built["split"], built["without-high"], "-o", form)
        )


def test_colour_only_where_it_is_asked_for(built: dict[str, Path]) -> None:
    pair = (built["split"], built["without-high"])
    assert "\x1b[" not in diffed(*pair)
    assert "\x1b[" in diffed(*pair, "--color", "always")
    assert CliRunner().invoke(main, ["diff", *map(str, pair), "--color", "always"]).stdout != diffed(*pair)


def test_standard_input(built: dict[str, Path]) -> None:
    result = CliRunner().invoke(main, ["diff", "-", str(built["22"])], input=built["22"].read_bytes())
    assert result.exit_code == 0, result.output
    assert "standard input" in result.stdout


PASSWORDS = {
    "MYSQL_ROOT_PASSWORD": "Root'Pass/1 &%x",
    "OPENEDX_MYSQL_PASSWORD": 'MyS+QL"Pass:2',
    "REDIS_PASSWORD": "R3dis?Pass#word",
    "SMTP_PASSWORD": "Sm=tp,Pass;word",
    "OPENEDX_SECRET_KEY": "Secret$Key{}4444",
    "CMS_OAUTH2_SECRET": "OAuthSecret<5>",
}


@pytest.fixture
def password_pair(tmp_path: Path) -> tuple[Path, Path]:
    """Return two builds by the real Tutor, with all of PASSWORDS, and with each of them changed."""
    made = []
    for name in ("before", "after"):
        root = tmp_path / name
        root.mkdir()
        settings = yaml.safe_load((sites.site("22").parent / "config.yml").read_text())
        settings |= {key: value + name for key, value in PASSWORDS.items()}
        settings |= {"REDIS_HOST": f"redis.{name}.example"}
        (root / "config.yml").write_text(yaml.safe_dump(settings))
        sites.run(sites.tutor("22"), "config", "save", env=environment(tmp_path, TUTOR_ROOT=str(root)))
        made.append(Builds(tmp_path / "builds").through_exec(root / "env", WITH_FLOWER))
        (tmp_path / f"{name}.yaml").write_bytes(made[-1].stdout)
    return tmp_path / "before.yaml", tmp_path / "after.yaml"


def forms_of(secret: str) -> set[str]:
    """Return the ways in which a password may be written."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        secret.replace("'", "''"),
        base64.b64encode(secret.encode()).decode().rstrip("="),
        base64.b64encode(f":{secret}".encode()).decode().rstrip("="),
    }


@pytest.mark.parametrize("form", FORMS)
def test_no_password_is_shown_in_any_form(form: str, password_pair: tuple[Path, Path]) -> None:
    shown = diffed(*password_pair, "-o", form, "--full")
    assert "redis.after.example" in shown or form == "github"
    assert "(secret" in shown or form == "github"
    given = password_pair[0].read_text() + password_pair[1].read_text()
    for name, secret in PASSWORDS.items():
        for side in ("before", "after"):
            for written in forms_of(secret + side):
                assert written not in shown, name
        assert any(written in given for written in forms_of(secret + "before")), f"{name} isn't in the build"


def test_that_a_password_changed_is_shown(password_pair: tuple[Path, Path]) -> None:
    assert "(secret, changed)" in diffed(*password_pair)


def test_against_a_revision(tmp_path: Path) -> None:
    top = tmp_path / "repository"
    overlay = top / "overlay"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("resources: [deployment.yaml]\n")
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {key: %s}\n"
    (overlay / "deployment.yaml").write_text(manifest % "old")
    git(top, "init", "--quiet")
    commit(top)
    (overlay / "deployment.yaml").write_text(manifest % "new")
    shown = diffed(overlay, "--base", "HEAD", "--kustomize", sites.kustomize(sites.NEWEST))
    assert shown.startswith("before: overlay at HEAD")
    assert "data.key: old → new" in shown


COMMANDS = (
    "::error::x",
    "  ::set-output name=a::b",
    "##[add-mask]x",
    "echo ##[group]x",
    "##vso[task.complete]",
    "\t::x::",
)
OBJECT = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: a, annotations: {{{key}: {value}}}}}
data:
  file: {value}
"""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text", sample(["\n".join(COMMANDS), "\u00a0::error::x", "a\r::error::x", "a \n" * 9 + "::x::", *COMMANDS])
)
def test_no_line_is_a_command_of_a_runner(text: str, form: str, tmp_path: Path) -> None:
    for name, more in (("a", "1"), ("b", "2")):
        config = OBJECT.format(key=json.dumps(text.replace("\n", " ")), value=json.dumps(f"{text}\n{more}"))
        queue = text.replace("\n", " ").replace(",", "")
        worker = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": text, "namespace": text},
            "spec": {"template": {"spec": {"containers": [{"name": "a", "image": f"{text} {more}"}]}}},
        }
        args = ["celery", "--app=lms.celery", "worker", f"--queues={queue}{more}"]
        worker["spec"]["template"]["spec"]["containers"][0]["args"] = args  # type: ignore[index]
        (tmp_path / f"{name}.yaml").write_text(f"{config}---\n{json.dumps(worker)}\n")
    files = tmp_path / "a.yaml", tmp_path / "b.yaml"
    for pair in (files, files[::-1]):
        for columns in (80, 40):
            result = diff(*pair, "-o", form, "--full", "--color", "always", columns=columns)
            assert result.exit_code == 0, result.output
            for line in (result.stdout + result.stderr).splitlines():
                assert form == "github" or not click.unstyle(line).lstrip().startswith("::"), line
                assert line.startswith("::") or not re.search(r"##(\[|vso\[)", line), line
            if form == "json":
                names = [item["id"]["name"] for item in json.loads(result.stdout)["objects"]]
                assert text in names


BROKEN = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  a: {value}\n"


@pytest.mark.parametrize("value", ["c\n  a: d", "[", "*x", "!!int x"])
def test_an_error_in_a_file_names_the_file(value: str, tmp_path: Path) -> None:
    good = BROKEN.format(value="c").replace("name: b", "name: a")
    (tmp_path / "good.yaml").write_text(good)
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "good.yaml").write_text(good)
    bad = tmp_path / "directory" / "bad.yaml"
    bad.write_text(f"{good}---\n{BROKEN.format(value=value)}".replace("name: a", "name: c"))
    for pair in ((tmp_path / "good.yaml", bad), (tmp_path / "directory", tmp_path / "good.yaml")):
        refused = diff(*pair)
        assert refused.exit_code == 1, refused.output
        assert refused.stderr.startswith(f"Error: {bad}: ConfigMap b, lines counted from its first one: ")


def test_two_files_with_the_same_object_are_named(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(BROKEN.format(value="c"))
    refused = diff(tmp_path, tmp_path / "one.yaml")
    assert f"{tmp_path}/one.yaml and {tmp_path}/two.yaml both hold this object" in refused.stderr
