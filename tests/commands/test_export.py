"""`tutor-kustomizer export`: plain kustomize that gives, byte for byte, what the function gives."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from click.testing import CliRunner, Result

from kustomizer.cli import main
from tests import parts, sites
from tests.builds import FUNCTION, documents, environment
from tests.checkout import copy_checkout

PASSWORD = "s3cr et/pä+ss"
"""One that a URL has to quote."""

GENERAL = """\
namespace: campus
commonAnnotations: {team: learning}
images: [{name: docker.io/overhangio/openedx, newTag: 22.0.9}]
replicas: [{name: lms, count: 3}]
sortOptions: {order: fifo}
resources: [../../base, ../../generators, extra.yaml]
configMapGenerator: [{name: texts, files: [files/text.txt]}]
patches:
- path: patches/environment.yaml
  target: {kind: Deployment, name: "lms.*"}
transformers: [before.yaml, ../../generators, ../../generators/guard, after.yaml]
"""
ENVIRONMENT = "- {op: add, path: /spec/template/spec/containers/0/env, value: [{name: WHO, value: me}]}\n"
ANNOTATIONS = """\
apiVersion: builtin
kind: AnnotationsTransformer
metadata: {name: %s}
annotations: {%s: "1"}
fieldSpecs: [{path: metadata/annotations, create: true}]
"""


class Place(NamedTuple):
    """A copy of the repository's part that builds read, over a site of its own."""

    root: Path
    kustomize: Path

    @property
    def out(self) -> Path:
        """Where exports go."""
        return self.root / "plain"

    def export(self, overlay: str, *options: str) -> Result:
        """Run the command."""
        return self.command("export", str(self.root / "overlays" / overlay), "-o", str(self.out), *options)

    def command(self, *args: str) -> Result:
        """Run a command with the function on PATH."""
        env = {"PATH": f"{self.root}/bin:{os.environ['PATH']}"}
        return CliRunner(env=env).invoke(main, [*args, "--kustomize", str(self.kustomize)])

    def exported(self, overlay: str, *options: str) -> Result:
        """Run the command, which has to work."""
        result = self.export(overlay, *options)
        assert result.exit_code == 0, result.output
        return result

    def build(self, directory: str | Path, *, command: tuple[str | Path, ...] = ()) -> list[str]:
        """Return the documents of a build, sorted: with the function unless another command is given."""
        done = subprocess.run(
            [*(command or (self.kustomize, *sites.BUILD)), self.root / directory],
            env={**environment(self.root), "PATH": f"{self.root}/bin:{environment(self.root)['PATH']}"},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return sorted(item.text for item in documents(done.stdout))

    def files(self) -> dict[str, str]:
        """Return the files of the export by path."""
        paths = (path for path in self.out.rglob("*") if path.is_file())
        return {path.relative_to(self.out).as_posix(): path.read_text() for path in paths}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace ``old``, which has to be there, in a file."""
        text = (self.root / file).read_text()
        assert old in text
        (self.root / file).write_text(text.replace(old, new))

    def write(self, file: str, text: str) -> None:
        """Write a file, and the directories above it."""
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        (self.root / file).write_text(text)


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., Place]:
    def make(site: str = "22", version: str = sites.NEWEST) -> Place:
        kustomize, env = sites.kustomize(version), sites.site(site)
        copy_checkout(tmp_path)
        shutil.copytree(env.parent, tmp_path / "tutor")
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "tutor-celery-workers").symlink_to(FUNCTION)
        if site == "full":
            for path in tmp_path.glob("overlays/*/config/celery-workers.yaml"):
                text = path.read_text()
                path.write_text(text.replace("keda: {enabled: true}", "keda: {enabled: true, replaceHPA: true}"))
        return Place(tmp_path, kustomize)

    return make


def plain_builds(made: Place) -> dict[str, list[str]]:
    """Return the documents of the export's build by each kustomize that is there."""
    commands: dict[str, tuple[str | Path, ...]] = {
        version: (sites.kustomize(version), "build") for version in (sites.NEWEST, sites.OLDEST)
    }
    commands["kubectl"] = (parts.program("kubectl"), "kustomize")
    return {name: made.build("plain", command=command) for name, command in commands.items()}


@pytest.mark.parametrize(
    ("overlay", "site", "version"),
    [
        ("multiqueue", "18", sites.OLDEST),
        ("production", "22", sites.NEWEST),
        ("autoscaling", "full", sites.NEWEST),
        ("monitoring", "full", sites.OLDEST),
        ("init", "20", sites.NEWEST),
    ],
)
def test_plain_kustomize_gives_the_same(
    overlay: str, site: str, version: str, place: Callable[..., Place], tmp_path: Path
) -> None:
    made = place(site, version)
    if overlay == "init":
        done = made.command("init", str(tmp_path / "overlays/init"), "--tutor-root", str(tmp_path / "tutor"))
        assert done.exit_code == 0, done.output
    made.exported(overlay, "--include-secrets")

    expected = made.build(f"overlays/{overlay}")
    for name, built in plain_builds(made).items():
        assert built == expected, name
    plugins = "".join(text for path, text in made.files().items() if path.endswith("kustomization.yaml"))
    assert "transformers" not in plugins
    assert "CeleryWorkers" not in plugins
    assert made.export(overlay, "--check").exit_code == 0


@pytest.mark.parametrize("site", ["18", "19", "20", "21", "22"])
@pytest.mark.parametrize("overlay", ["init", "multiqueue", "autoscaling", "monitoring", "production", "kubectl"])
def test_each_overlay_on_each_tutor(overlay: str, site: str, place: Callable[..., Place], tmp_path: Path) -> None:
    """By kustomize and by the kubectl that is there; what else an export is, the tests around this one ask."""
    made = place(site)
    if overlay == "init":
        done = made.command("init", str(tmp_path / "overlays/init"), "--tutor-root", str(tmp_path / "tutor"))
        assert done.exit_code == 0, done.output
    made.exported(overlay, "--include-secrets")
    # The same configuration, for kustomize's legacy plugins.
    expected = made.build(f"overlays/{'multiqueue' if overlay == 'kubectl' else overlay}")
    assert any("name: lms-worker-high\n" in text for text in expected)
    for command in ((made.kustomize, "build"), (parts.program("kubectl"), "kustomize")):
        assert made.build("plain", command=command) == expected


def test_the_overlays_are_all_there() -> None:
    """Those that the test above names."""
    there = {path.parent.name for path in sites.ROOT.glob("overlays/*/kustomization.yaml")}
    assert there == {"multiqueue", "autoscaling", "monitoring", "production", "kubectl"}


def test_kubectl_alone_is_enough(place: Callable[..., Place]) -> None:
    made = place()
    kubectl = parts.program("kubectl")
    (made.root / "bin" / "kubectl").symlink_to(kubectl)
    overlay, out = made.root / "overlays/kubectl", made.root / "plain"
    env = {"PATH": f"{made.root}/bin:/usr/bin:/bin", "KUSTOMIZE_PLUGIN_HOME": str(made.root / "generators/plugin")}
    done = CliRunner(env=env).invoke(main, ["export", str(overlay), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert made.build("plain", command=(kubectl, "kustomize")) == made.build("overlays/multiqueue")


def test_everything_else_in_an_overlay_stays(place: Callable[..., Place]) -> None:
    made = place()
    made.write("overlays/general/kustomization.yaml", GENERAL)
    made.write("overlays/general/extra.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: extra}}\n")
    made.write("overlays/general/files/text.txt", "text\n")
    made.write("overlays/general/patches/environment.yaml", ENVIRONMENT)
    for when in ("before", "after"):
        made.write(f"overlays/general/{when}.yaml", ANNOTATIONS % (when, when))
    made.exported("general")

    assert made.build("plain", command=(made.kustomize, "build")) == made.build("overlays/general")
    files = made.files()
    assert {"base/extra.yaml", "base/files/text.txt", "base/before.yaml", "after/after.yaml"} <= files.keys()
    assert yaml.safe_load(files["base/kustomization.yaml"])["transformers"] == ["before.yaml"]
    assert yaml.safe_load(files["kustomization.yaml"])["transformers"] == ["after/after.yaml"]


def test_what_the_function_takes_away_is_deleted(place: Callable[..., Place]) -> None:
    made = place("full")
    made.exported("production")
    scalers = documents("\n---\n".join(made.build("plain", command=(made.kustomize, "build"))).encode())
    patches = {path: text for path, text in made.files().items() if path.startswith("patches/")}
    assert {f"patches/deployment-{name}.yaml" for name in ("lms", "cms", "lms-worker", "cms-worker")} <= patches.keys()
    deleted = [path for path, text in patches.items() if "$patch" in text]
    assert len(deleted) == len([item for item in scalers if "transfer-hpa-ownership" in item.text])


def with_password(made: Place) -> None:
    for service in ("lms", "cms"):
        file = f"tutor/env/apps/openedx/config/{service}.env.yml"
        made.edit(file, 'CELERY_BROKER_PASSWORD: ""', f"CELERY_BROKER_PASSWORD: {PASSWORD!r}")
    made.edit(
        "overlays/monitoring/config/celery-workers.yaml", "spec:\n", "spec:\n  defaults: {keda: {enabled: true}}\n"
    )


def spellings(secret: str) -> list[bytes]:
    """Return a secret in plain, in a URL, and what base64 makes of it wherever it starts."""
    data = secret.encode()
    encoded = [base64.b64encode(b"x" * shift + data).rstrip(b"=")[4:-2] for shift in range(3)]
    return [data, data.split(b" ")[0], b"s3cr%20et", *encoded]


def test_no_secret_is_written_unless_asked(place: Callable[..., Place]) -> None:
    made = place()
    with_password(made)
    told = made.exported("monitoring").stderr

    for path in made.out.rglob("*"):
        for spelling in spellings(PASSWORD):
            assert not path.is_file() or spelling not in path.read_bytes(), path
    for name in ("flower", "lms-worker-broker", "cms-worker-broker"):
        assert f"{made.out}/secrets/{name}.env, as" in told
    files = made.files()
    assert files["secrets/flower.env.example"].endswith(
        "\nCELERY_BROKER_URL=redis://CREDENTIALS@redis.openedx:6379/0\n"
    )
    assert files["secrets/lms-worker-broker.env.example"].endswith("\npassword=\n")

    unfilled = subprocess.run([made.kustomize, "build", made.out], capture_output=True, check=False)
    assert unfilled.returncode != 0
    assert b"secrets/" in unfilled.stderr


def fill_in(made: Place) -> None:
    url = f"redis://:{PASSWORD.replace(' ', '%20').replace('/', '%2F').replace('ä', '%C3%A4').replace('+', '%2B')}"
    made.write("plain/secrets/flower.env", f"CELERY_BROKER_URL={url}@redis.openedx:6379/0\n")
    for service in ("lms", "cms"):
        made.write(f"plain/secrets/{service}-worker-broker.env", f"password={PASSWORD}\n")


def test_once_filled_in_it_is_the_same(place: Callable[..., Place]) -> None:
    made = place()
    with_password(made)
    made.exported("monitoring")
    fill_in(made)

    expected = made.build("overlays/monitoring")
    assert any(base64.b64encode(PASSWORD.encode()).decode() in text for text in expected)
    for name, built in plain_builds(made).items():
        assert built == expected, name

    told = made.exported("monitoring").stderr
    assert "Fill in" not in told
    assert made.build("plain", command=(made.kustomize, "build")) == expected
    assert made.export("monitoring", "--check").exit_code == 0


def test_git_ignores_what_is_filled_in(place: Callable[..., Place]) -> None:
    made = place()
    with_password(made)
    made.exported("monitoring", "--include-secrets")
    env = {**environment(made.root), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    sites.run("git", "init", "-q", made.out, env=env)
    sites.run("git", "-C", made.out, "add", ".", env=env)
    added = sites.run("git", "-C", made.out, "ls-files", "secrets", env=env).decode().split()
    assert added == [f"secrets/{name}.env.example" for name in ("cms-worker-broker", "flower", "lms-worker-broker")]
    assert (made.out / "secrets/flower.env").exists()


def test_an_address_without_a_password_is_no_secret(place: Callable[..., Place]) -> None:
    made = place()
    assert "Fill in" not in made.exported("monitoring").stderr
    assert made.files()["secrets/flower.env"] == "CELERY_BROKER_URL=redis://redis.openedx:6379/0\n"
    assert ".gitignore" not in made.files()
    assert made.build("plain", command=(made.kustomize, "build")) == made.build("overlays/monitoring")

    with_password(made)
    made.exported("monitoring")
    assert "secrets/flower.env" not in made.files()


def test_secrets_that_are_asked_for_are_the_owners_alone(place: Callable[..., Place]) -> None:
    made = place()
    with_password(made)
    made.exported("monitoring", "--include-secrets")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (made.out / "secrets").iterdir()}
    assert {name for name, mode in modes.items() if mode == 0o600} == {
        "flower.env",
        "lms-worker-broker.env",
        "cms-worker-broker.env",
    }
    assert made.build("plain", command=(made.kustomize, "build")) == made.build("overlays/monitoring")
    made.write("plain/secrets/flower.env", "CELERY_BROKER_URL=redis://old\n")
    assert made.export("monitoring", "--check").exit_code == 0
    stale = made.export("monitoring", "--check", "--include-secrets")
    assert (stale.exit_code, stale.stdout) == (3, "differs: secrets/flower.env\n")


def test_a_password_in_a_workers_environment_is_not_copied_unless_asked(place: Callable[..., Place]) -> None:
    made = place()
    text = (made.root / "tutor/env/k8s/deployments.yml").read_text()
    before, lms_worker, after = text.partition("        - name: lms-worker\n")
    after = after.replace("          env:\n", "          env:\n          - {name: SMS_TOKEN, value: abc123}\n", 1)
    (made.root / "tutor/env/k8s/deployments.yml").write_text(before + lms_worker + after)
    refused = made.export("multiqueue")
    assert refused.exit_code == 1
    assert "resources/deployment-lms-worker-high.yaml: would hold passwords in clear text: SMS_TOKEN" in refused.stderr
    assert "abc123" not in refused.output
    assert not made.out.exists()

    made.exported("multiqueue", "--include-secrets")
    holding = {path for path, text in made.files().items() if "abc123" in text}
    assert holding == {f"resources/deployment-lms-worker-{name}.yaml" for name in ("high", "high-mem")}
    assert {stat.S_IMODE((made.out / path).stat().st_mode) for path in holding} == {0o600}


def test_check_lists_what_is_stale(place: Callable[..., Place]) -> None:
    made = place()
    assert made.export("multiqueue", "--check").exit_code == 3
    assert not made.out.exists()
    made.exported("multiqueue")
    before = made.files()
    assert made.export("multiqueue", "--check").stdout == ""

    made.edit("tutor/env/k8s/deployments.yml", "--prefetch-multiplier=1", "--prefetch-multiplier=2")
    (made.out / "name-references.yaml").unlink()
    made.write("plain/resources/mine.yaml", "kind: Mine\n")
    stale = made.export("multiqueue", "--check")
    assert stale.exit_code == 3
    copies = ("cms-worker-high", "cms-worker-low", "lms-worker-high", "lms-worker-high-mem")
    assert stale.stdout.splitlines() == [
        "missing: name-references.yaml",
        "differs: patches/deployment-cms-worker.yaml",
        "differs: patches/deployment-lms-worker.yaml",
        *sorted(f"differs: resources/deployment-{name}.yaml" for name in copies),
    ]
    assert "is out of date" in stale.stderr

    made.exported("multiqueue")
    assert made.files().keys() == before.keys() | {"resources/mine.yaml"}
    assert made.export("multiqueue", "--check").exit_code == 0


def test_a_stale_export_says_the_command_that_makes_it_again(place: Callable[..., Place]) -> None:
    made = place()
    overlay, out = str(made.root / "overlays/multiqueue"), str(made.root / "my plain")
    stale = made.command("export", overlay, "-o", out, "--check", "--include-secrets")
    assert stale.exit_code == 3
    said = stale.stderr.partition("is out of date: ")[2].strip("`\n")
    assert shlex.split(said) == ["tutor-kustomizer", "export", overlay, "-o", out, "--include-secrets"]


def test_what_is_not_the_exports_stays(place: Callable[..., Place]) -> None:
    made = place()
    made.exported("production")
    made.write("plain/README.md", "mine\n")
    made.write("plain/notes/a.txt", "mine\n")
    made.exported("multiqueue")
    files = made.files()
    assert files["README.md"] == files["notes/a.txt"] == "mine\n"
    assert not [path for path in files if "scaledobject" in path]


def test_a_directory_of_others_is_left_alone(place: Callable[..., Place]) -> None:
    made = place()
    made.write("plain/kustomization.yaml", "resources: []\n")
    refused = made.export("multiqueue")
    assert refused.exit_code == 1
    assert "is there already" in refused.stderr
    assert made.files() == {"kustomization.yaml": "resources: []\n"}


def test_an_edited_file_is_kept_unless_forced(place: Callable[..., Place]) -> None:
    made = place()
    made.exported("multiqueue")
    before = made.files()
    patch = "patches/deployment-lms-worker.yaml"
    made.write(f"plain/{patch}", before[patch] + "# mine\n")
    kept = made.exported("multiqueue").stderr
    assert f"Kept {made.out}/{patch}, which was edited: --force replaces it" in kept
    assert made.files()[patch] == before[patch] + "# mine\n"
    assert made.export("multiqueue", "--check").stdout == f"differs: {patch}\n"
    assert "Kept" not in made.exported("multiqueue", "--force").stderr
    assert made.files() == before


def test_line_ends_of_a_generators_file_stay(place: Callable[..., Place]) -> None:
    made = place()
    (made.root / "overlays/multiqueue/windows.txt").write_bytes(b"one\r\ntwo\rthree\r\n")
    path = made.root / "overlays/multiqueue/kustomization.yaml"
    path.write_text(path.read_text() + "configMapGenerator: [{name: windows, files: [windows.txt]}]\n")
    made.exported("multiqueue")
    assert (made.out / "base/windows.txt").read_bytes() == b"one\r\ntwo\rthree\r\n"
    assert made.build("plain", command=(made.kustomize, "build")) == made.build("overlays/multiqueue")


def test_a_site_that_changed_underneath_fails_the_build(place: Callable[..., Place]) -> None:
    """A patch names its list's elements by position: it must not change another volume than it was made for."""
    made = place()
    made.exported("multiqueue")
    made.write(
        "tutor/env/k8s/override.yml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: lms-worker}\n"
        "spec: {template: {spec: {volumes: [{name: first, emptyDir: {}}]}}}\n",
    )
    with (made.root / "tutor/env/kustomization.yml").open("a") as kustomization:
        kustomization.write("patches: [{path: k8s/override.yml}]\n")
    done = subprocess.run([made.kustomize, "build", made.out], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"/spec/template/spec/volumes/0/name" in done.stderr


@pytest.mark.parametrize(
    ("overlay", "kustomization", "message"),
    [
        ("outer", "resources: [../production]\n", "overlays/production does: export that directory"),
        ("bare", "resources: [../../base]\n", "lists no CeleryWorkers configuration"),
        (
            "twice",
            "transformers: [../../generators, ../production/config]\n",
            "each hold a configuration of kind CeleryWorkers for the same workers",
        ),
        ("charts", "helmCharts: []\n", "helmCharts: can't be exported"),
        ("origins", "buildMetadata: [originAnnotations]\n", "buildMetadata: can't be exported"),
        ("generator", "secretGenerator: [{name: a, literals: [a=b]}]\n", "secretGenerator: can't be exported"),
        (
            "patch",
            "resources: [../../generators]\ntransformers: [../../generators]\n"
            "patches: [{target: {kind: Secret}, path: a.yaml}]\n",
            "patches: holds a Secret",
        ),
        (
            "secret",
            "resources: [secret.yaml]\ntransformers: [../../generators]\n",
            "secret.yaml: holds a Secret",
        ),
        ("outside", "transformers: [../../generators]\npatches: [{path: ../a.yaml}]\n", "isn't below it"),
        ("none", "", "is not a kustomization"),
    ],
)
def test_what_cannot_be_exported_is_named(
    overlay: str, kustomization: str, message: str, place: Callable[..., Place]
) -> None:
    made = place()
    made.write(f"overlays/{overlay}/kustomization.yaml", kustomization)
    made.write(f"overlays/{overlay}/secret.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: a}}\n")
    made.write("overlays/a.yaml", "[]\n")
    refused = made.export(overlay)
    assert refused.exit_code == 1, refused.output
    assert message in re.sub(r"\s+", " ", refused.stderr)
    assert not made.out.exists()


def test_a_kustomization_that_is_no_text_is_not_an_export(place: Callable[..., Place]) -> None:
    made = place()
    made.out.mkdir()
    (made.out / "kustomization.yaml").write_bytes(b"\xff\xfe")
    refused = made.export("multiqueue")
    assert refused.exit_code == 1
    assert "is there already" in refused.stderr


def test_a_read_only_export_is_refused_and_stays(place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> None:
    made = place()
    made.exported("multiqueue")
    before = made.files(), sorted(path.name for path in made.root.iterdir())
    # Root may write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: not (Path(path) == made.out and mode == os.W_OK))
    refused = made.export("multiqueue")
    assert refused.exit_code == 1
    assert "can't be written: it is read-only" in refused.stderr
    assert (made.files(), sorted(path.name for path in made.root.iterdir())) == before


def test_an_export_within_the_site_is_refused(place: Callable[..., Place]) -> None:
    made = place()
    into = made.root / "tutor/env/plain"
    refused = made.command("export", str(made.root / "overlays/multiqueue"), "-o", str(into))
    assert refused.exit_code == 1
    assert "cycle" in refused.stderr
    assert not into.exists()


def test_wrong_usage(place: Callable[..., Place]) -> None:
    assert place().command("export", "nowhere", "-o", "plain").exit_code == 2


def test_the_docs_commands(place: Callable[..., Place]) -> None:
    """Run what docs/export.md says, in its order."""
    made = place()
    text = (sites.ROOT / "docs" / "export.md").read_text()
    commands = [line.strip() for line in re.findall(r"(?m)^    (tutor-kustomizer export .+|kubectl .+)$", text)]
    assert len(commands) >= 4
    for command in commands:
        name, *args = shlex.split(command)
        if name == "tutor-kustomizer":
            args = [str(made.root / arg) if arg.split("/")[0] in {"overlays", "plain"} else arg for arg in args]
            done = made.command(*args)
            assert done.exit_code == 0, (command, done.output)
        elif args[0] == "kustomize":
            built = made.build(args[1], command=(parts.program("kubectl"), "kustomize"))
            assert built == made.build("overlays/production")
        else:
            assert args == ["apply", "-k", "plain"]
