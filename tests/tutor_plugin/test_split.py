"""`tutor config save` of a real Tutor puts the split into env/, or leaves one that nobody can apply."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kustomizer.kustomize.split_env import is_missing
from kustomizer.kustomize.split_names import FILE, PLACE
from tests import sites
from tests.builds import documents, stem
from tests.git_checkout import commit, git
from tests.rules.small_site import routed_by
from tests.tutor_env.site_root import command
from tests.tutor_plugin.real_tutor import plugin_environment, tutor

WORKERS = ("lms-worker", "lms-worker-high", "lms-worker-high-mem", "cms-worker", "cms-worker-high", "cms-worker-low")
HOOKED = """
from kustomizer.tutor_plugin.hooks import CELERY_WORKERS

@CELERY_WORKERS.add()
def add_worker(spec):
    spec.setdefault("workers", {}).setdefault("lms", {})["grading"] = {"queues": ["grading"], "concurrency": 2}
    return spec
"""
UNCONSUMED = """\
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata: {name: a}
spec: {workers: {lms: {hgh: {}}}}
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a Tutor 22 with the plugin on, whose root has a configuration and no env/."""
    environ = plugin_environment(tmp_path, "22")
    # This saves env/, too.
    done = tutor(environ, "plugins", "enable", "kustomizer")
    assert done.returncode == 0, done.stderr
    assert "split by the recommended queues" in done.stderr
    assert "To keep it as Tutor writes it: tutor config save --set KUSTOMIZER_SPLIT=false" in done.stderr
    return environ


def root_of(env: dict[str, str]) -> Path:
    return Path(env["TUTOR_ROOT"])


def saved(env: dict[str, str], *options: str, version: str = "22") -> subprocess.CompletedProcess[str]:
    return tutor(env, "config", "save", *options, version=version)


def deployments(env: dict[str, str]) -> set[str]:
    """Return the Deployments that anybody who applies env/ gets."""
    built = sites.run(sites.kustomize(sites.NEWEST), "build", root_of(env) / "env")
    return {item.name for item in documents(built) if item.kind == "Deployment"}


def test_from_the_first_save_to_a_configuration_of_ones_own(env: dict[str, str]) -> None:
    done = saved(env)
    assert done.returncode == 0, done.stderr
    assert "split by the recommended queues" in done.stderr
    assert deployments(env) >= set(WORKERS)
    assert "env/ is as it was saved." in tutor(env, "kustomizer", "status").stdout
    refused = tutor(env, "kustomizer", "queue", "set", "lms", "high", "--concurrency", "2")
    assert refused.returncode == 1
    assert "tutor kustomizer init" in refused.stderr

    assert tutor(env, "kustomizer", "init").returncode == 0
    assert tutor(env, "kustomizer", "queue", "set", "lms", "high", "--concurrency", "2").returncode == 0
    assert "celery-workers.yaml has changed: tutor config save" in tutor(env, "kustomizer", "status").stdout
    values = root_of(env) / "config.yml"
    text = values.read_text()
    values.write_text(f"{text}KUSTOMIZER_CONFIG: missing.yaml\n")
    status = tutor(env, "kustomizer", "status")
    assert (status.returncode, "isn't what Tutor would write now, " in status.stdout) == (0, True), status.stderr
    values.write_text(text)
    done = saved(env)
    assert "split by celery-workers.yaml" in done.stderr
    assert "KUSTOMIZER_SPLIT" not in done.stderr
    built = sites.run(sites.kustomize(sites.NEWEST), "build", root_of(env) / "env").decode()
    assert "--concurrency=2" in built
    for name in ("queues", "check"):
        shown = tutor(env, "kustomizer", name)
        assert shown.returncode == 0, shown.stderr
    assert "lms-worker-high-mem" in tutor(env, "kustomizer", "queues").stdout


def test_what_is_refused_fails_the_save_and_every_build(env: dict[str, str]) -> None:
    assert saved(env).returncode == 0
    config = root_of(env) / "celery-workers.yaml"
    config.write_text(UNCONSUMED)
    done = saved(env)
    assert done.returncode == 1
    assert "no worker would consume" in done.stderr
    assert "Traceback" not in done.stderr
    assert is_missing(root_of(env) / "env")
    with pytest.raises(RuntimeError, match="the-split-is-missing--run-tutor-config-save"):
        deployments(env)
    status = tutor(env, "kustomizer", "status").stdout
    assert "env/ is to hold the split, and can't be built before it does: tutor config save\n" in status
    assert "env/ holds the split" not in status
    queues = tutor(env, "kustomizer", "queues")
    assert "The split isn't in Tutor's env/ yet. Run `tutor config save` first\n" in queues.stderr
    assert "accumulating" not in queues.stderr, "what kustomize says of it helps nobody"
    config.unlink()
    assert saved(env).returncode == 0
    assert deployments(env) >= set(WORKERS)


@pytest.mark.parametrize("version", ["16", "22"])
def test_a_save_that_ends_before_the_split_leaves_nothing_to_build(version: str, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    environ = {**plugin_environment(tmp_path, version), "TUTOR_PLUGINS_ROOT": str(plugins)}
    (plugins / "local.yml").write_text("name: local\nversion: 1.0.0\n")
    assert tutor(environ, "plugins", "enable", "kustomizer", "local", version=version).returncode == 0
    assert saved(environ, version=version).returncode == 0
    # Tutor renders local/ behind k8s/: what the split was made of is newer by then.
    patch = "patches: {local-docker-compose-services: '{{ NOT_THERE }}'}\n"
    (plugins / "local.yml").write_text(f"name: local\nversion: 1.0.0\n{patch}")
    ended = saved(environ, "--set", "DOCKER_IMAGE_OPENEDX=example.com/newer", version=version)
    assert ended.returncode == 1
    assert "example.com/newer" in (root_of(environ) / "env" / "k8s" / "deployments.yml").read_text()
    assert is_missing(root_of(environ) / "env")
    for name in ("local", "kustomizer"):
        disabled = tutor(environ, "plugins", "disable", name, version=version)
        assert disabled.returncode == 0, disabled.stderr
    assert (root_of(environ) / "env" / FILE).is_file()


def test_without_anything_that_builds(env: dict[str, str], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = saved({**env, "PATH": str(empty)})
    assert done.returncode == 0, done.stderr
    assert "neither kubectl nor kustomize" in done.stderr
    assert is_missing(root_of(env) / "env")


def overlay_beside(root: Path) -> None:
    overlay = root.parent / "overlay"
    overlay.mkdir()
    (overlay / "celery-workers.yaml").write_text(
        "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata: {name: a}\n"
        "spec: {workers: {lms: {high: {}, high_mem: {}}}, routing: {lms: {a.task: {queue: edx.lms.core.high}}}}\n"
    )
    (overlay / "kustomization.yaml").write_text("resources: [../root/env]\ntransformers: [celery-workers.yaml]\n")


WAYS = ("KUSTOMIZER_SPLIT=false", "KUSTOMIZER_OVERLAY=../overlay")


@pytest.mark.parametrize("option", WAYS)
def test_env_as_tutor_writes_it(option: str, env: dict[str, str]) -> None:
    overlay_beside(root_of(env))
    assert saved(env).returncode == 0
    done = saved(env, "--set", option)
    assert done.returncode == 0, done.stderr
    assert "kustomizer" not in done.stderr.replace(str(root_of(env)), "")
    kustomization = (root_of(env) / "env" / FILE).read_text()
    assert PLACE not in kustomization
    assert not (root_of(env) / "env" / PLACE).exists(), "it holds passwords"
    assert not deployments(env) & {"lms-worker-high", "cms-worker-low"}
    status = tutor(env, "kustomizer", "status").stdout
    assert ("Nothing is split" in status) == ("SPLIT" in option)
    assert ("holds the split (KUSTOMIZER_OVERLAY)" in status) == ("OVERLAY" in option)


def test_commands_on_an_env_that_is_not_split(env: dict[str, str]) -> None:
    assert saved(env, "--set", "KUSTOMIZER_SPLIT=false").returncode == 0
    left = tutor(env, "kustomizer", "leftovers")
    assert left.returncode == 1
    assert "splits no worker" in left.stderr
    assert "--unsplit" in left.stderr
    built = tutor(env, "kustomizer", "build", str(root_of(env) / "env"))
    assert built.returncode == 1
    assert "It is Tutor's own output" in built.stderr
    assert "transformers" not in built.stderr


def test_a_plugin_that_is_disabled_leaves_nothing_in_env(env: dict[str, str]) -> None:
    assert (root_of(env) / "env" / PLACE).is_dir()
    done = tutor(env, "plugins", "disable", "kustomizer")
    assert done.returncode == 0, done.stderr
    assert not (root_of(env) / "env" / PLACE).exists()
    assert not deployments(env) & {"lms-worker-high", "cms-worker-low"}


@pytest.mark.parametrize("option", WAYS)
def test_a_split_that_is_turned_off_and_not_saved(option: str, env: dict[str, str], tmp_path: Path) -> None:
    overlay_beside(root_of(env))
    values = root_of(env) / "config.yml"
    text = values.read_text()
    values.write_text(f"{text}{option.replace('=', ': ')}\n")
    why = "KUSTOMIZER_SPLIT is false" if "SPLIT" in option else "KUSTOMIZER_OVERLAY names an overlay"
    said = f"it still holds the split, and {why}"
    status = tutor(env, "kustomizer", "status").stdout
    assert f"env/ isn't what Tutor would write now, {said}: tutor config save\n" in status
    assert "lms-worker-high" not in status
    site = str(root_of(env) / "env")
    for arguments in (("build", site), ("queues", site), ("check", site), ("diff", site, site)):
        done = tutor(env, "kustomizer", *arguments)
        assert " ".join((done.stdout + done.stderr).split()).count(said) == 1, (arguments, done.stdout, done.stderr)
    # Without Tutor, config.yml says it.
    alone = command(tmp_path, "check", site).stdout
    assert f"it still holds the split, and config.yml says {option.replace('=', ': ')}" in " ".join(alone.split())
    assert saved(env).returncode == 0
    assert "env/ is as it was saved." in tutor(env, "kustomizer", "status").stdout
    # And on again.
    values.write_text(text)
    assert "it doesn't hold the split: tutor config save\n" in tutor(env, "kustomizer", "status").stdout


@pytest.mark.parametrize("version", ["17", "22"])
def test_who_names_an_overlay_first_never_has_a_split_env(version: str, tmp_path: Path) -> None:
    environ = plugin_environment(tmp_path, version)
    overlay_beside(root_of(environ))
    first = tutor(environ, "config", "save", "--set", "KUSTOMIZER_OVERLAY=../overlay", version=version)
    assert first.returncode == 0, first.stderr
    enabled = tutor(environ, "plugins", "enable", "kustomizer", version=version)
    assert enabled.returncode == 0, enabled.stderr
    assert "split" not in enabled.stderr
    assert "lms-worker-high" not in deployments(environ)
    settings = root_of(environ) / "env" / "apps" / "openedx" / "settings" / "lms" / "production.py"
    assert "a.task" in settings.read_text()


def test_another_plugin_brings_a_worker(env: dict[str, str], tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "grading.py").write_text(HOOKED)
    env = {**env, "TUTOR_PLUGINS_ROOT": str(plugins)}
    assert tutor(env, "plugins", "enable", "grading").returncode == 0
    done = saved(env)
    assert done.returncode == 0, done.stderr
    assert deployments(env) >= {*WORKERS, "lms-worker-grading"}


MORE = """
name: more
version: 1.0.0
patches:
  k8s-services: |
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: NAME
    spec: {selector: {a: b}, ports: [{port: 80}]}
"""


@pytest.mark.parametrize("version", ["16", "22"])
def test_what_tutor_would_write_otherwise_is_said(version: str, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    environ = {**plugin_environment(tmp_path, version), "TUTOR_PLUGINS_ROOT": str(plugins)}
    (plugins / "more.yml").write_text(MORE)
    assert tutor(environ, "plugins", "enable", "kustomizer", "more", version=version).returncode == 0
    assert saved(environ, version=version).returncode == 0
    assert "env/ is as it was saved." in tutor(environ, "kustomizer", "status", version=version).stdout
    assert "isn't" not in tutor(environ, "kustomizer", "queues", version=version).stderr
    # Another object of a plugin's.
    (plugins / "more.yml").write_text(MORE.replace("NAME", "other"))
    status = tutor(environ, "kustomizer", "status", version=version).stdout
    assert "env/ isn't what Tutor would write now, it would change k8s/services.yml: tutor config save" in status
    queues = tutor(environ, "kustomizer", "queues", version=version)
    assert "env isn't what Tutor would write now: it would change k8s/services.yml" in queues.stderr
    assert "Run `tutor config save` first" in queues.stderr
    # Another worker of a plugin's.
    (plugins / "more.yml").unlink()
    (plugins / "more.py").write_text(HOOKED)
    status = tutor(environ, "kustomizer", "status", version=version).stdout
    assert "what other plugins add to the split has changed" in status


@pytest.mark.parametrize("version", ["16", "18", "21"])
def test_every_save_of_an_older_tutor_splits_too(version: str, tmp_path: Path) -> None:
    environ = plugin_environment(tmp_path, version)
    assert tutor(environ, "plugins", "enable", "kustomizer", version=version).returncode == 0
    done = saved(environ, version=version)
    assert done.returncode == 0, done.stderr
    assert "split by the recommended queues" in done.stderr
    assert deployments(environ) >= set(WORKERS)
    assert "env/ is as it was saved." in tutor(environ, "kustomizer", "status", version=version).stdout
    again = tutor(environ, "kustomizer", "save", version=version)
    assert again.returncode == 0, again.stderr
    off = saved(environ, "--set", "KUSTOMIZER_SPLIT=false", version=version)
    assert off.returncode == 0, off.stderr
    assert not (root_of(environ) / "env" / PLACE).exists(), "it holds passwords"
    assert not deployments(environ) & {"lms-worker-high", "cms-worker-low"}
    config = root_of(environ) / "celery-workers.yaml"
    config.write_text(UNCONSUMED)
    refused = saved(environ, "--unset", "KUSTOMIZER_SPLIT", version=version)
    assert refused.returncode == 1
    assert "no worker would consume" in refused.stderr
    assert "Traceback" not in refused.stderr
    with pytest.raises(RuntimeError, match="the-split-is-missing--run-tutor-config-save"):
        deployments(environ)
    # Tutor 18 and later save once more, without the plugin.
    disabled = tutor(environ, "plugins", "disable", "kustomizer", version=version)
    assert disabled.returncode == 0, disabled.stderr
    assert saved(environ, version=version).returncode == 0
    assert not deployments(environ) & {"lms-worker-high", "cms-worker-low"}


ROUTING = """
from kustomizer.tutor_plugin.hooks import CELERY_WORKERS

@CELERY_WORKERS.add()
def add_route(spec):
    spec.setdefault("routing", {}).setdefault("lms", {})["its.task"] = {"queue": "edx.lms.core.high_mem"}
    return spec
"""


@pytest.mark.parametrize("version", ["16", "22"])
def test_what_tutor_starts_sends_by_the_routing_too(version: str, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "its.py").write_text(ROUTING)
    environ = {**plugin_environment(tmp_path, version), "TUTOR_PLUGINS_ROOT": str(plugins)}
    root = root_of(environ)
    assert tutor(environ, "plugins", "enable", "kustomizer", "its", version=version).returncode == 0

    def routes() -> dict[str, str]:
        text = (root / "env/apps/openedx/settings/lms/production.py").read_text()
        return routed_by(text)

    done = saved(environ, version=version)
    assert done.returncode == 0, done.stderr
    assert routes() == {"its.task": "edx.lms.core.high_mem"}
    config = root / "celery-workers.yaml"
    config.write_text(
        UNCONSUMED.replace(
            "{hgh: {}}}", "{high: {}, high_mem: {}}}, routing: {lms: {a.task: {queue: edx.lms.core.high}}}"
        )
    )
    done = saved(environ, version=version)
    assert done.returncode == 0, done.stderr
    assert "keeps Tutor's own routing" not in done.stderr
    assert routes() == {"its.task": "edx.lms.core.high_mem", "a.task": "edx.lms.core.high"}
    built = sites.run(sites.kustomize(sites.NEWEST), "build", root / "env")
    settings = [stem(item.name) for item in documents(built) if item.kind == "ConfigMap" and "a.task" in item.text]
    assert settings == ["openedx-settings-lms"]
    assert "env/ is as it was saved." in tutor(environ, "kustomizer", "status", version=version).stdout
    # What is refused is refused by the split, once, and env/ can't be built.
    config.write_text("kind: CeleryWorkers\nspec: {routing: 1}\n")
    refused = saved(environ, version=version)
    assert refused.returncode == 1
    assert "Error rendering" not in refused.stderr
    assert is_missing(root / "env")
    assert saved(environ, "--set", "KUSTOMIZER_SPLIT=false", version=version).returncode == 0
    assert not routes()


@pytest.mark.parametrize(("version", "named"), [("18", ""), ("22", "../queues.yaml")])
def test_diff_has_both_sides_rendered_and_split(version: str, named: str, tmp_path: Path) -> None:
    environ = plugin_environment(tmp_path, version)
    root = root_of(environ)
    assert tutor(environ, "plugins", "enable", "kustomizer", version=version).returncode == 0
    config = root / (named or "celery-workers.yaml")
    config.write_text(UNCONSUMED.replace("{hgh: {}}", "{high: {concurrency: 7}, high_mem: {}}"))
    assert saved(environ, "--set", f"KUSTOMIZER_CONFIG={named}", version=version).returncode == 0
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("*\n!root\n!root/config.yml\n!*.yaml\n")
    commit(tmp_path)
    diff = ("kustomizer", "diff", "--base", "HEAD", "--render", "--allow-render", "-o", "json")
    config.write_text(config.read_text().replace("7", "8"))
    done = tutor(environ, *diff, version=version)
    assert done.returncode == 0, done.stderr
    assert "--concurrency: 8, was 7" in done.stdout
    # A configuration that Git ignores is that of both sides: the recommended queues are nobody's.
    git(tmp_path, "rm", "--cached", "--quiet", str(config.resolve()))
    (tmp_path / ".gitignore").write_text("*\n!root\n!root/config.yml\n")
    git(tmp_path, "commit", "--quiet", "--all", "--message", "ignored")
    config.write_text(UNCONSUMED)
    refused = tutor(environ, *diff, version=version)
    assert refused.returncode == 1, refused.stdout
    assert "no worker would consume" in refused.stderr


def test_diff_splits_each_side_by_its_own_configuration_where_the_path_is_absolute(env: dict[str, str]) -> None:
    root = root_of(env)
    assert saved(env, "--set", "KUSTOMIZER_CONFIG=null").returncode == 0
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text("*\n!config.yml\n!*.yaml\n")
    config = root / "celery-workers.yaml"
    config.write_text(UNCONSUMED.replace("{hgh: {}}", "{high: {concurrency: 7}, high_mem: {}}"))
    commit(root)
    config.write_text(config.read_text().replace("7", "8"))
    diff = ("kustomizer", "diff", "--base", "HEAD", "--render", "--allow-render", "-o", "json")
    assert "--concurrency: 8, was 7" in tutor(env, *diff).stdout, "null is no name"
    git(root, "checkout", "--quiet", str(config))
    config.rename(config.with_name("mine.yaml"))
    with (root / "config.yml").open("a") as file:
        file.write(f"KUSTOMIZER_CONFIG: '{root / 'mine.yaml'}' # ours\n")
    (root / "config.yml").write_text((root / "config.yml").read_text().replace("KUSTOMIZER_CONFIG: null\n", ""))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "absolute")
    mine = root / "mine.yaml"
    mine.write_text(mine.read_text().replace("7", "9"))
    done = tutor(env, *diff)
    assert "--concurrency: 9, was 7" in done.stdout, done.stderr


def test_a_split_that_cant_be_removed_is_named(env: dict[str, str]) -> None:
    assert saved(env).returncode == 0
    place = root_of(env) / "env" / PLACE
    (split,) = place.glob("split-*")
    # Root may write and read everything, unless it is without these powers.
    mortal = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    for path, mode, named in ((split, 0o500, split), (place, 0o000, place)):
        path.chmod(mode)
        try:
            command = [*mortal, str(sites.tutor("22")), "config", "save", "--set", "KUSTOMIZER_SPLIT=false"]
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        finally:
            path.chmod(0o755)
        assert done.returncode == 0, done.stderr
        said = " ".join(done.stderr.split())
        assert f"Warning: {named} can't be removed." in said
        assert "remove it by hand" in said


def test_files_of_a_split_that_is_no_longer_wanted_are_said(env: dict[str, str]) -> None:
    assert saved(env, "--set", "KUSTOMIZER_SPLIT=false").returncode == 0
    (root_of(env) / "env" / PLACE / "split-0123456789abcdef").mkdir(parents=True)
    said = "it still holds files of the split, and KUSTOMIZER_SPLIT is false: tutor config save\n"
    assert said in tutor(env, "kustomizer", "status").stdout
    assert saved(env).returncode == 0
    assert "env/ is as it was saved." in tutor(env, "kustomizer", "status").stdout
