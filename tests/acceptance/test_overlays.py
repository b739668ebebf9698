"""The overlays as an operator builds them: the commands of overlays/README.md, typed at the repository's root.

They run in a copy of what they read, with a real site as its tutor/, and in an environment as poor as a cron job's.
"""

from __future__ import annotations

import base64
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import builds as b, parts, sites
from tests.acceptance.test_sites import QUEUES, dangling
from tests.builds import Builds
from tests.checkout import FLOWER_ENV, FLOWER_PASSWORD, copy_checkout
from tests.git_checkout import GIT, commit, git

OVERLAYS = sorted(path.parent.name for path in sites.ROOT.glob("overlays/*/kustomization.yaml"))
GUARD = "- ../../generators/guard\n"
ROW = re.compile(r"^\| \[(?P<name>.+?)\]\((?P<link>.+?)\) \| (?P<purpose>.+?) \| `(?P<command>.+?)` \|$", re.MULTILINE)


def commands() -> dict[str, str]:
    """Return the command of each overlay, as overlays/README.md has it."""
    rows = ROW.finditer((sites.ROOT / "overlays/README.md").read_text())
    return {row["name"]: row["command"] for row in rows}


class Ran(NamedTuple):
    """What came of a command."""

    status: int
    stdout: bytes
    stderr: str


class Checkout(NamedTuple):
    """A copy of the repository's part that builds read."""

    root: Path

    def run(self, command: str, *, kustomize: Path | None = None, path: str = "") -> Ran:
        """Run ``command`` in a shell at the root, with no virtual environment active."""
        env = b.environment(self.root.parent)
        kustomize = kustomize or sites.kustomize(sites.NEWEST)
        env["PATH"] = f"{kustomize.parent}:{path or env['PATH']}"
        done = subprocess.run(["/bin/sh", "-c", command], cwd=self.root, env=env, check=False, capture_output=True)
        return Ran(done.returncode, done.stdout, done.stderr.decode())

    def build(self, overlay: str, *, kustomize: Path | None = None) -> bytes:
        """Return the output of the overlay's command; kustomize stands in for kubectl, which may not be there."""
        ran = self.run(commands()[overlay].replace("kubectl kustomize", "kustomize build"), kustomize=kustomize)
        assert ran.status == 0, ran.stderr
        return ran.stdout

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace ``old``, which has to be there, in a file of this copy."""
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Checkout]:
    """Return what makes a copy over a site."""

    def make(site: str = "22", *, venv: bool = True) -> Checkout:
        env = sites.site(site)
        root = tmp_path / f"checkout-{site}-{venv}"
        root.mkdir()
        copy_checkout(root)
        (root / "tutor").symlink_to(env.parent)
        if venv:
            (root / ".venv").symlink_to(sys.prefix)
        return Checkout(root)

    return make


def test_each_overlay_has_its_line() -> None:
    assert OVERLAYS
    assert sorted(commands()) == OVERLAYS
    for name, command in commands().items():
        assert command.endswith(f" overlays/{name}")
    readme = (sites.ROOT / "overlays/README.md").read_text()
    for link in re.findall(r"\]\((?!http)(.+?)\)", readme):
        assert (sites.ROOT / "overlays" / link).is_file()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_builds_as_typed(overlay: str, checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    build = b.Build(checkout().build(overlay, kustomize=any_kustomize), "")

    assert {name for variants in QUEUES.values() for name in variants.values()} <= build.deployments().keys()
    assert "CeleryWorkers" not in {item.kind for item in build.documents}
    assert not any(dangling(tree, build) for tree in build.deployments().values())


def test_annotation_is_the_only_difference(checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    """kubectl skips an object that carries the annotation, so that it has to be gone and not merely empty."""
    copy = checkout()
    trees = [
        b.documents(copy.run(f"kustomize build {directory}", kustomize=any_kustomize).stdout)[0].tree
        for directory in ("generators", "generators/legacy")
    ]

    assert trees[0]["metadata"].keys() - trees[1]["metadata"].keys() == {"annotations"}
    assert trees[0]["metadata"]["annotations"].keys() == {sites.FUNCTION}
    assert trees[0]["metadata"]["name"] == trees[1]["metadata"]["name"]
    assert trees[0]["spec"] == trees[1]["spec"]


@pytest.mark.parametrize("name", sites.SITES)
def test_every_site(name: str, checkout: Callable[..., Checkout], builds: Builds) -> None:
    """Each Tutor's output, base's Jobs aside, is the one that the same configuration gives without base and guard."""
    through_base = {item.key: item.text for item in b.documents(checkout(name).build("multiqueue"))}
    direct = {item.key: item.text for item in builds.through_exec(sites.site(name)).documents}

    assert through_base == {key: text for key, text in direct.items() if not is_template_job(text)}
    assert direct.keys() - through_base.keys() >= {"Job openedx/lms-job", "Job openedx/cms-job"}


def is_template_job(text: str) -> bool:
    return "kind: Job\n" in text and "app.kubernetes.io/component: job\n" in text


@pytest.mark.parametrize("name", sites.SITES)
def test_base_drops_tutors_template_jobs_only(
    name: str, checkout: Callable[..., Checkout], builds: Builds, any_kustomize: Path
) -> None:
    plain = builds.plain(sites.site(name)).documents
    ran = checkout(name).run("kustomize build base", kustomize=any_kustomize)

    assert ran.status == 0, ran.stderr
    kept = {item.key: item.text for item in b.documents(ran.stdout)}
    assert kept == {item.key: item.text for item in plain if not is_template_job(item.text)}
    assert not [item for item in b.documents(ran.stdout) if item.kind == "Job"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_guard_fails_a_build_without_the_function(
    overlay: str, checkout: Callable[..., Checkout], any_kustomize: Path
) -> None:
    """Without --enable-exec kustomize skips the function and says nothing; a legacy plugin it misses loudly."""
    command = commands()[overlay].replace(" --enable-exec", "").replace("kubectl kustomize", "kustomize build")
    command = re.sub(r"KUSTOMIZE_PLUGIN_HOME=\S+ ", "", command)
    ran = checkout().run(command, kustomize=any_kustomize)

    assert ran.status != 0
    assert ran.stdout == b""
    expected = "unable to find plugin root" if overlay == "kubectl" else "nothing selected by ConfigMap"
    assert expected in ran.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_guard_changes_nothing(overlay: str, checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    copy = checkout()
    guarded = copy.build(overlay, kustomize=any_kustomize)

    copy.edit(f"overlays/{overlay}/kustomization.yaml", GUARD, "")
    assert copy.build(overlay, kustomize=any_kustomize) == guarded


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_configuration_is_the_second_line_of_defence(overlay: str, checkout: Callable[..., Checkout]) -> None:
    """A build that skipped the function, and had no guard, holds an object that no API server takes."""
    copy = checkout()
    copy.edit(f"overlays/{overlay}/kustomization.yaml", GUARD, "")
    if overlay == "kubectl":
        # What a kustomization in between may do: with the annotation kubectl takes it for a function, and skips it.
        copy.edit(f"overlays/{overlay}/kustomization.yaml", "generators/legacy", "generators")
    command = commands()[overlay].replace(" --enable-exec", "").replace("kubectl kustomize", "kustomize build")
    ran = copy.run(command)

    assert ran.status == 0, ran.stderr
    assert "CeleryWorkers" in {item.kind for item in b.documents(ran.stdout)}
    assert "lms-worker-high" not in b.Build(ran.stdout, "").deployments()


def test_protocols_agree(checkout: Callable[..., Checkout], capsys: pytest.CaptureFixture[str]) -> None:
    copy = checkout()
    expected = copy.build("multiqueue")

    assert copy.build("kubectl") == expected
    ran = [f"kustomize {sites.NEWEST}"]
    done = copy.run(commands()["kubectl"], path=kubectl_path())
    assert done.status == 0, done.stderr
    assert done.stdout == expected
    ran.append(parts.program("kubectl"))
    with capsys.disabled():
        print(f"\noverlays/kubectl built by: {', '.join(ran)}", file=sys.stderr)


def kubectl_path() -> str:
    return f"{Path(parts.program('kubectl')).parent}:/usr/bin:/bin"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("flags", ["", " --enable-alpha-plugins"])
def test_kubectl_without_plugins_refuses_loudly(flags: str, overlay: str, checkout: Callable[..., Checkout]) -> None:
    """Of kubectl's two ways to build, neither prints a site in which the function hasn't run."""
    copy = checkout()
    for builder in ("kustomize build", "kubectl kustomize"):
        ran = copy.run(f"{builder}{flags} overlays/{overlay}", path=kubectl_path())
        assert ran.status != 0
        assert ran.stdout == b""
        assert re.search("external plugins disabled|unable to find plugin root|nothing selected by", ran.stderr)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_needs_no_virtual_environment(overlay: str, checkout: Callable[..., Checkout]) -> None:
    """Where there is no .venv the python3 on PATH does, without any package."""
    copy = checkout(venv=False)
    binaries = copy.root.parent / "bin"
    binaries.mkdir()
    # This interpreter as it is outside of its virtual environment.
    (binaries / "python3").symlink_to(Path(sys.executable).resolve())
    command = commands()[overlay].replace("kubectl kustomize", "kustomize build")
    ran = copy.run(command, path=f"{binaries}:/usr/bin:/bin")

    assert ran.status == 0, ran.stderr
    assert ran.stdout == checkout().build(overlay)


def test_without_python(checkout: Callable[..., Checkout]) -> None:
    copy = checkout(venv=False)
    binaries = copy.root.parent / "bin"
    binaries.mkdir()
    for tool in ("sh", "readlink"):
        found = shutil.which(tool)
        assert found
        (binaries / tool).symlink_to(found)
    ran = copy.run(commands()["multiqueue"], path=str(binaries))

    assert ran.status != 0
    assert ran.stdout == b""
    assert "no python3 on PATH" in ran.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_layer_on_top(overlay: str, checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    """A namespace and a name prefix from outside: what names our ConfigMaps follows them."""
    copy = checkout()
    outer = copy.root / "overlays" / "outer"
    outer.mkdir()
    lines = ["namespace: other", "namePrefix: site-", f"resources: [../{overlay}]"]
    (outer / "kustomization.yaml").write_text("\n".join(lines))
    command = commands()[overlay].replace(f"overlays/{overlay}", "overlays/outer")
    ran = copy.run(command.replace("kubectl kustomize", "kustomize build"), kustomize=any_kustomize)

    assert ran.status == 0, ran.stderr
    build = b.Build(ran.stdout, "")
    workers = {f"site-{name}" for variants in QUEUES.values() for name in variants.values()}
    assert workers <= build.deployments().keys()
    for name in workers:
        deployment = build.deployments()[name]
        assert not dangling(deployment, build)
        assert f"'name': '{name}-celery-settings-" in repr(deployment)
        assert deployment["metadata"]["namespace"] == "other"
    skipped = copy.run(command.replace(" --enable-exec", "").replace("kubectl kustomize", "kustomize build"))
    if overlay != "kubectl":
        assert (skipped.status, skipped.stdout) == (1, b"")
        assert "nothing selected by ConfigMap" in skipped.stderr


def flowers_password(build: b.Build) -> tuple[str, str]:
    """Return the Secret that Flower's pod names, with its namespace, and its ``auth``, which has to be in the build."""
    (flower,) = (item.tree for item in build.documents if item.kind == "Deployment" and "flower" in item.name)
    (container,) = flower["spec"]["template"]["spec"]["containers"]
    (reference,) = (entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry)
    assert reference["key"] == "auth"
    (secret,) = (item.tree for item in build.documents if item.kind == "Secret" and item.name == reference["name"])
    assert secret["metadata"]["namespace"] == flower["metadata"]["namespace"]
    return secret["metadata"]["name"], base64.b64decode(secret["data"]["auth"]).decode()


def test_production_has_flower_and_what_watches_it(checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    copy = checkout()
    built = copy.build("production", kustomize=any_kustomize)
    build = b.Build(built, "")

    name, auth = flowers_password(build)
    assert auth == f"admin:{FLOWER_PASSWORD}"
    assert FLOWER_PASSWORD.encode() not in built
    there = {f"{item.kind} {item.name}" for item in build.documents}
    assert {"ServiceMonitor flower", "ConfigMap flower-dashboard", "PrometheusRule celery-workers"} <= there
    # Another password is another name, which starts Flower anew.
    copy.edit(FLOWER_ENV, FLOWER_PASSWORD, "other")
    changed, auth = flowers_password(b.Build(copy.build("production", kustomize=any_kustomize), ""))
    assert (auth, changed != name) == ("admin:other", True)


def test_flowers_password_follows_a_layer_on_top(checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    copy = checkout()
    outer = copy.root / "overlays" / "outer"
    outer.mkdir()
    (outer / "kustomization.yaml").write_text("namespace: other\nnamePrefix: site-\nresources: [../production]\n")
    ran = copy.run(commands()["production"].replace("/production", "/outer"), kustomize=any_kustomize)

    assert ran.status == 0, ran.stderr
    assert flowers_password(b.Build(ran.stdout, ""))[1] == f"admin:{FLOWER_PASSWORD}"


def test_production_without_flowers_password(checkout: Callable[..., Checkout], any_kustomize: Path) -> None:
    """The build fails and names the file; overlays/README.md has the command that makes it."""
    copy = checkout()
    (copy.root / FLOWER_ENV).unlink()
    ran = copy.run(commands()["production"], kustomize=any_kustomize)

    assert (ran.status, ran.stdout) == (1, b"")
    assert re.search(rf"{FLOWER_ENV}.*no such file", ran.stderr)
    readme = (sites.ROOT / "overlays/README.md").read_text()
    (command,) = re.findall(rf"`(make {FLOWER_ENV})`", readme)
    shutil.copy(sites.ROOT / "Makefile", copy.root)
    made = copy.run(f"umask 022; {command}", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    assert made.status == 0, made.stderr
    password = (copy.root / FLOWER_ENV).read_text().removeprefix("auth=admin:").strip()
    assert len(password) > 30
    assert password not in made.stdout.decode() + made.stderr
    assert stat.S_IMODE((copy.root / FLOWER_ENV).stat().st_mode) == 0o600
    _, auth = flowers_password(b.Build(copy.build("production", kustomize=any_kustomize), ""))
    assert auth == f"admin:{password}"
    # It stays, whatever is newer.
    (copy.root / "Makefile").touch()
    copy.run(command, path="/usr/local/bin:/usr/bin:/bin")
    assert password in (copy.root / FLOWER_ENV).read_text()


def test_git_ignores_flowers_password(tmp_path: Path) -> None:
    shutil.copy(sites.ROOT / ".gitignore", tmp_path)
    (tmp_path / FLOWER_ENV).parent.mkdir(parents=True)
    (tmp_path / FLOWER_ENV).touch()
    git(tmp_path, "init")
    commit(tmp_path)
    listed = subprocess.run([GIT, "-C", str(tmp_path), "ls-files"], check=True, capture_output=True, text=True)
    assert listed.stdout.split() == [".gitignore"]
