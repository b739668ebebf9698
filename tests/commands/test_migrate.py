"""`tutor-kustomizer migrate` on sites that the real tutor-contrib-celery rendered, up to the build without it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.manifests.protocols import read_build
from kustomizer.migration.comparison import compare
from kustomizer.migration.facts import facts, routing_of
from kustomizer.site.model import Site
from tests import sites
from tests.builds import Builds, commands

RECOMMENDED = """\
workers_config["lms"]["high"] = {}
workers_config["lms"]["high_mem"] = {}
workers_config["cms"]["high"] = {}
workers_config["cms"]["low"] = {}
"""


class Case(NamedTuple):
    """One configuration of the plugin, and what has to come of it."""

    workers: str
    spec: str
    settings: dict[str, str]
    said: str = ""


CASES = {
    "recommended": Case(
        workers=RECOMMENDED,
        settings={},
        spec="""\
spec:
  workers:
    lms:
      high: {}
      high_mem: {}
    cms:
      high: {}
      low: {}
""",
    ),
    "keda": Case(
        workers="""\
workers_config["lms"]["default"]["enable_keda"] = True
scaling = {"enable_keda": True, "min_replicas": 1, "max_replicas": 12, "list_length": 10}
workers_config["lms"]["high"] = {**scaling, "extra_params": ["--concurrency=2", "--max-tasks-per-child=50"]}
workers_config["lms"]["high_mem"] = {**scaling, "min_replicas": 0, "list_length": 1, "extra_params": ["-E"]}
workers_config["cms"]["high"] = {"extra_params": {"--concurrency=3"}}
print("a plugin may talk")
""",
        settings={},
        spec="""\
spec:
  unassignedQueues: KeepOnDefault
  workers:
    lms:
      default:
        keda: {enabled: true, minReplicas: 0, maxReplicas: 10, listLength: 40}
      high:
        extraArgs: [--concurrency=2, --max-tasks-per-child=50]
        keda: {enabled: true, minReplicas: 1, maxReplicas: 12, listLength: 10}
      high_mem:
        extraArgs: [-E]
        keda: {enabled: true, minReplicas: 0, maxReplicas: 12, listLength: 1}
    cms:
      high: {extraArgs: [--concurrency=3]}
""",
        said="nobody consumed edx.cms.core.low with the plugin: the default worker keeps",
    ),
    # A filter that can be asked once; numbers as texts; arguments that the configuration has a field for, or not.
    "odd": Case(
        workers="""\
workers_config["cms"].pop("default")
scaling = {"enable_keda": True, "min_replicas": "1", "max_replicas": "5", "list_length": "20", "cooldown": 3}
workers_config["lms"]["high"] = {**scaling, "extra_params": ["-c", 2]}
workers_config["lms"]["high"]["extra_params"] += ["--queues=edx.lms.core.high,edx.lms.core.high_mem"]
workers_config["cms"]["high"] = {"extra_params": ["--max-tasks-per-child=5", "-E", "--max-tasks-per-child=9"]}
workers_config["cms"]["low"] = {"extra_params": (word for word in ["--concurrency=2"])}
""",
        settings={"CELERY_LMS_EXPLICIT_QUEUES": "{a.task: edx.lms.core.high}"},
        spec="""\
spec:
  workers:
    lms:
      high:
        queues: [edx.lms.core.high, edx.lms.core.high_mem]
        extraArgs: [-c, '2']
        keda: {enabled: true, minReplicas: 1, maxReplicas: 5, listLength: 20}
    cms:
      high: {extraArgs: [--max-tasks-per-child=9, -E]}
      low: {extraArgs: [--concurrency=2]}
  routing:
    lms:
      a.task: {queue: edx.lms.core.high}
""",
        said="--max-tasks-per-child was given cms-worker-high several times: the last one counts",
    ),
    "flower": Case(
        workers=RECOMMENDED,
        settings={
            "CELERY_LMS_EXPLICIT_QUEUES": "{a.task: {queue: edx.lms.core.high}, b.task: {queue: nobodys}}",
            "CELERY_CMS_EXPLICIT_QUEUES": "{c.task: {queue: edx.cms.core.low}}",
            "CELERY_FLOWER": "true",
            "CELERY_FLOWER_EXPOSE_SERVICE": "true",
            "CELERY_FLOWER_HOST": "jobs.{{ LMS_HOST }}",
            "CELERY_FLOWER_SERVICE_MONITOR": "true",
        },
        spec="""\
spec:
  workers:
    lms:
      high: {}
      high_mem: {}
    cms:
      high: {}
      low: {}
  routing:
    lms:
      a.task: {queue: edx.lms.core.high}
    cms:
      c.task: {queue: edx.cms.core.low}
  flower:
    enabled: true
    basicAuth:
      existingSecret: {name: flower-basic-auth, key: auth}
    expose: {enabled: true, host: jobs.lms.example.com}
    serviceMonitor: {enabled: true, interval: 30}
""",
        said="b.task of CELERY_LMS_EXPLICIT_QUEUES is left out: nobody consumes nobodys",
    ),
}


class Rendered(NamedTuple):
    """A case, and the root of the site that the plugin rendered for it."""

    case: Case
    root: Path


def site_of(case: str, builds: Builds) -> Path:
    """Return the root of the site that the plugin rendered for a case."""

    def make(directory: Path) -> None:
        sites.render_oracle(directory, CASES[case].workers, CASES[case].settings)

    return builds.once(f"migrate-{case}", make) / "oracle"


@pytest.fixture(scope="module", params=CASES)
def rendered(request: pytest.FixtureRequest, builds: Builds) -> Rendered:
    """Return a site with the plugin on."""
    return Rendered(CASES[request.param], site_of(request.param, builds))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a kustomize and the function on PATH, and no tutor."""
    monkeypatch.setenv("PATH", f"{commands(tmp_path)}:/usr/bin:/bin")
    monkeypatch.setenv("COLUMNS", "400")


def migrate(root: Path, *options: str) -> Result:
    result = CliRunner().invoke(main, ["migrate", "--tutor-root", str(root), *options])
    assert result.exit_code in {0, 1}, result.output
    return result


def unexplained(emitted: bytes, built: str) -> list[str]:
    """Return what differs between two builds, and shouldn't."""
    before, after = (Site(read_build(data)) for data in (emitted, built.encode()))
    differences = compare(facts(before, routing_of(before)), facts(after, routing_of(after)))
    assert differences
    return [f"{item.of} {item.aspect} {item.was} {item.now}" for item in differences if not item.why]


@pytest.mark.usefixtures("path")
def test_the_overlay_does_what_the_plugin_did(
    rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kustomize: Path
) -> None:
    root, overlay, tutor = tmp_path / "root", tmp_path / "overlay", sites.tutor("22")
    shutil.copytree(rendered.root, root)
    monkeypatch.setenv("TUTOR_PLUGINS_ROOT", str(root / "plugins"))
    emitted = sites.build(kustomize, root / "env")

    done = migrate(root, "--tutor", str(tutor), "-o", str(overlay))
    assert done.exit_code == 0, done.output
    text = (overlay / "celery-workers.yaml").read_text()
    assert text[text.index("spec:") :] == rendered.case.spec
    assert rendered.case.said in done.stdout
    # What the configuration can't say: a task that went to a queue without a worker.
    lost = [line for line in done.stdout.splitlines() if "b.task, sent by lms: queue nobodys -> none" in line]
    assert len(lost) == (rendered.case is CASES["flower"])
    assert ("Nothing differs but for the better." in done.stdout) == (not lost)
    assert ("in the Deployment -> in a Secret" in done.stdout) == (rendered.case is CASES["flower"])

    refused = CliRunner().invoke(main, ["build", str(overlay)])
    assert refused.exit_code == 1
    assert "tutor plugins disable celery" in refused.stderr
    # What the command says comes next.
    assert "tutor plugins disable celery\n  tutor config save\n" in done.stdout
    env = {**os.environ, "TUTOR_ROOT": str(root)}
    sites.run(tutor, "plugins", "disable", "celery", env=env)
    sites.run(tutor, "config", "save", env=env)
    built = CliRunner().invoke(main, ["build", str(overlay)])
    assert built.exit_code == 0, built.stderr
    assert unexplained(emitted, built.stdout) == (["b.task, sent by lms queue nobodys "] if lost else [])


@pytest.mark.usefixtures("path")
def test_without_its_tutor_the_files_tell_the_same(rendered: Rendered) -> None:
    done = migrate(rendered.root)
    assert done.exit_code == 0, done.output
    assert done.stdout[done.stdout.index("spec:") :] == rendered.case.spec
    assert "there is no `tutor` on PATH" in done.stderr


@pytest.mark.usefixtures("path")
def test_a_plugin_that_is_off_already_left_its_mark_in_env(builds: Builds, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(site_of("recommended", builds), root)
    config = (root / "config.yml").read_text()
    (root / "config.yml").write_text(config.replace("- celery\n", "").replace("- workers\n", ""))
    done = migrate(root, "--tutor", str(sites.tutor("22")))
    assert done.exit_code == 0, done.output
    assert done.stdout[done.stdout.index("spec:") :] == CASES["recommended"].spec


@pytest.mark.usefixtures("path")
def test_init_names_the_plugin_and_this_command(builds: Builds, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay"
    root = site_of("recommended", builds)
    refused = CliRunner().invoke(main, ["init", str(overlay), "--tutor-root", str(root)])
    assert refused.exit_code == 1
    assert "holds workers of tutor-contrib-celery's: " in refused.output
    assert "lms-worker-high" in refused.output
    assert not overlay.exists()
    command = refused.output.partition("`tutor-kustomizer migrate")[2].partition("`")[0].split()
    assert migrate(root, *command[2:-1], str(overlay)).exit_code == 0
    assert (overlay / "celery-workers.yaml").is_file()


@pytest.mark.usefixtures("path")
def test_init_goes_on_beside_a_plugin_that_makes_no_worker(tmp_path: Path) -> None:
    """It stays on where a site has it for Flower alone, or has set nothing of it."""
    root = sites.render_oracle(tmp_path, "pass").parent
    made = CliRunner().invoke(main, ["init", str(tmp_path / "overlay"), "--tutor-root", str(root)])
    assert made.exit_code == 0, made.output
    assert "lms-worker consumes edx.lms.core.default, edx.lms.core.high, edx.lms.core.high_mem" in made.output


@pytest.mark.usefixtures("path")
def test_nothing_is_overwritten_unless_asked(builds: Builds, tmp_path: Path) -> None:
    root = site_of("recommended", builds)
    mine = tmp_path / "guard.yaml"
    mine.write_text("mine\n")
    refused = migrate(root, "-o", str(tmp_path))
    assert (refused.exit_code, mine.read_text()) == (1, "mine\n")
    assert "--force" in refused.stderr
    assert not (tmp_path / "celery-workers.yaml").exists()
    assert migrate(root, "-o", str(tmp_path), "--force").exit_code == 0
    inside = migrate(root, "-o", str(root / "env" / "overlay"), "--force")
    assert (inside.exit_code, (root / "env" / "overlay").exists()) == (1, False)
    assert "Name a directory outside of it" in inside.stderr


@pytest.mark.usefixtures("path")
def test_a_site_without_the_plugin_is_refused(tmp_path: Path) -> None:
    refused = migrate(sites.site("22").parent)
    assert refused.exit_code == 1
    assert "gives" in refused.stderr
    assert "tutor-kustomizer init" in refused.stderr
    # A Tutor that was named has to know.
    refused = migrate(sites.site("22").parent, "--tutor", str(sites.tutor("21")))
    assert refused.exit_code == 1
    assert "can't tell what CELERY_WORKERS_CONFIG gives" in refused.stderr


@pytest.mark.usefixtures("path")
def test_a_root_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "config.yml can't be read" in migrate(tmp_path).stderr
    (tmp_path / "config.yml").write_text("LMS_HOST: lms.example.com\n")
    assert "tutor config save" in migrate(tmp_path).stderr


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(
    ("config", "said"),
    [(b"\xff\xfe", "can't be read: it isn't UTF-8"), (b"LMS_HOST: [\n", "config.yml: not YAML")],
)
def test_a_config_yml_that_cannot_be_read_is_named(config: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_bytes(config)
    for options in ([], ["--tutor", str(sites.tutor("22"))]):
        refused = migrate(tmp_path, *options)
        assert refused.exit_code == 1
        assert f"{tmp_path / 'config.yml'}" in refused.stderr
        assert said in refused.stderr
