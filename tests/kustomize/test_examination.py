"""No overlay has another program run than our function, has anything fetched, or a file read that isn't its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import sites
from tests.builds import environment
from tests.kustomize.hostile import EXEC, OWN, PROGRAMS, REMOTE, SCRIPT, Overlay, listing

CANARY = "canary"
COMMAND = [sys.executable, "-c", "from kustomizer.start import run; run()"]


class Place:
    """A directory with an overlay in it, programs that would show that they ran, and the user's own legacy plugin."""

    def __init__(self, root: Path, kustomize: Path) -> None:
        self.root = root
        self.canary = root / CANARY
        self.env = environment(root, PYTHONPATH=str(sites.ROOT), PATH=f"{root}/programs:/usr/bin:/bin")
        (root / "programs").mkdir()
        (root / "programs" / "kustomize").symlink_to(kustomize)
        for name in ("git", "docker", "helm", "tutor-celery-workers"):
            self.program(root / "programs" / name)
        self.program(root / ".config/kustomize/plugin/theirs.example.com/v1/theirs/Theirs")
        (root / "env").symlink_to(sites.site("22"))

    def program(self, path: Path) -> None:
        """Make a program that leaves a trace."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCRIPT.format(canary=self.canary))
        path.chmod(0o755)

    def write(self, overlay: Overlay) -> Path:
        """Write an overlay's files, and `run.sh`, which they try to have run."""
        directory = self.root / "overlay"
        directory.mkdir()
        for name, text in overlay.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{canary}", str(self.canary)).replace("{root}", str(self.root)), newline="")
            path.chmod(0o755 if text.startswith("#!") else 0o644)
        for name, target in overlay.links.items():
            (directory / name).symlink_to(target)
        self.program(directory / "run.sh")
        return directory

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.root, env={**self.env, **more}, capture_output=True, text=True, check=False
        )


@pytest.fixture
def place(tmp_path: Path, kustomize: Path) -> Place:
    """Return a place for one overlay."""
    return Place(tmp_path, kustomize)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_build_runs_nothing_of_what_it_builds(name: str, place: Place) -> None:
    place.write(PROGRAMS[name])
    done = place.run("build", "overlay")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert PROGRAMS[name].says in done.stderr
    assert not place.canary.exists()


@pytest.mark.parametrize("name", REMOTE)
def test_a_build_fetches_nothing(name: str, place: Place) -> None:
    place.write(Overlay({"kustomization.yaml": REMOTE[name]}, ""))
    done = place.run("build", "overlay")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "the build would fetch " in done.stderr
    assert "--allow-remote" in done.stderr
    assert not place.canary.exists()


def test_the_overlays_are_dangerous(place: Place) -> None:
    """kustomize itself runs what is refused: a sample, so that the refusals mean something."""
    kustomize = [str(place.root / "programs" / "kustomize"), *sites.BUILD, "overlay"]
    for name in (
        "exec function in a file",
        "in line, on one line",
        "in a list that says it is builtin",
        "put together by a replacement",
        "left out of what a build prints",
        "a field with a long s",
        "a chart",
    ):
        directory = place.write(PROGRAMS[name])
        done = subprocess.run(kustomize, cwd=place.root, env=place.env, capture_output=True, text=True, check=False)
        assert place.canary.exists(), f"{name}: {done.stderr}"
        place.canary.unlink()
        shutil.rmtree(directory)


OWN_ANYWHERE = {
    "on PATH": OWN,
    "by a path": OWN.replace("path: tutor-celery-workers", "path: ../generators/celery-workers"),
    "by a path of its own": OWN.replace("path: tutor-celery-workers", "path: ./generators/celery-workers"),
    "by a whole path": OWN.replace("path: tutor-celery-workers", "path: {root}/generators/celery-workers"),
    "as a legacy plugin": OWN.partition("  annotations:")[0] + "spec:" + OWN.partition("spec:")[2],
}


@pytest.mark.parametrize("name", OWN_ANYWHERE)
def test_what_runs_is_the_commands_own_function(name: str, place: Place) -> None:
    place.program(place.root / "generators/celery-workers")
    place.write(
        Overlay(
            {"kustomization.yaml": "resources: [../env]\ntransformers: [own.yaml]\n", "own.yaml": OWN_ANYWHERE[name]},
            "",
        )
    )
    place.program(place.root / "overlay/generators/celery-workers")
    done = place.run("build", "overlay")
    assert done.returncode == 0, done.stderr
    assert "name: lms-worker-high\n" in done.stdout
    assert not place.canary.exists()
    assert ("a version that isn't known" in done.stderr) == ("path" in name)


def test_commands_that_read_a_build_refuse_as_well(place: Place) -> None:
    overlay = PROGRAMS["put together by a JSON patch"]
    place.write(overlay)
    for arguments in (
        ["check", "overlay"],
        ["queues", "overlay"],
        ["diff", "overlay", "overlay"],
        ["export", "overlay", "-o", "plain"],
        ["apply", "overlay", "--dry-run", "--kubectl", "/bin/true"],
        ["verify", "overlay", "--kubectl", "/bin/true"],
        ["in-flight", "list", "overlay", "--kubectl", "/bin/true"],
        ["build", "overlay", "env", "-o", "out"],
    ):
        done = place.run(*arguments)
        assert done.returncode in {1, 64}, arguments
        assert overlay.says in done.stderr, arguments
        assert not place.canary.exists(), arguments


@pytest.mark.parametrize(
    ("option", "variable"),
    [("overlay/run.sh", ""), ("{root}/overlay/run.sh", ""), ("", "overlay/run.sh"), ("", "a b overlay/run.sh")],
)
def test_whoever_runs_the_command_may_allow_more(option: str, variable: str, place: Place) -> None:
    place.write(Overlay(listing("e.yaml", e_yaml=EXEC), ""))
    options = ["--allow-exec", option.format(root=place.root)] if option else []
    done = place.run("build", "overlay", *options, TUTOR_KUSTOMIZER_ALLOW_EXEC=variable)
    assert done.returncode == 0, done.stderr
    assert place.canary.exists()


@pytest.mark.parametrize("program", ["run.sh", "./run.sh", "overlay", "/bin/cat", "*"])
def test_another_program_than_the_allowed_one(program: str, place: Place) -> None:
    place.write(Overlay(listing("e.yaml", e_yaml=EXEC), ""))
    assert place.run("build", "overlay", "--allow-exec", program).returncode == 1
    assert not place.canary.exists()


def test_a_legacy_plugin_may_be_allowed(place: Place) -> None:
    place.write(PROGRAMS["a legacy plugin of the user's"])
    done = place.run("build", "overlay", "--allow-exec", "theirs.example.com/v1/Theirs")
    assert place.canary.exists(), done.stderr


def test_a_program_that_is_named_as_the_message_says(place: Place) -> None:
    place.write(Overlay(listing("e.yaml", e_yaml=EXEC), ""))
    refused = place.run("build", "overlay").stderr
    allowed = refused.strip().rpartition("--allow-exec ")[2]
    assert place.run("build", "overlay", "--allow-exec", allowed).returncode == 0


def test_links_read_nothing_from_elsewhere(place: Place) -> None:
    secret = place.root / "secret"
    secret.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {a: hidden-thing}\n")
    for name, files, links in (
        ("a resource", {"kustomization.yaml": "resources: [../env, l.yaml]\n"}, {"l.yaml": str(secret)}),
        ("a plugin", {"kustomization.yaml": "resources: [../env]\ntransformers: [l.yaml]\n"}, {"l.yaml": str(secret)}),
        ("a kustomization", {}, {"kustomization.yaml": str(secret)}),
        (
            "a file",
            {"kustomization.yaml": "resources: [../env]\nconfigMapGenerator:\n- name: c\n  files: [l]\n"},
            {"l": str(secret)},
        ),
        (
            "a file above",
            {"kustomization.yaml": "resources: [../env]\nconfigMapGenerator:\n- name: c\n  files: [../secret]\n"},
            {},
        ),
        (
            "variables of the process",
            {"kustomization.yaml": "resources: [../env]\nconfigMapGenerator:\n- name: c\n  envs: [l]\n"},
            {"l": "/proc/self/environ"},
        ),
        (
            "a directory without a kustomization",
            {"kustomization.yaml": "resources: [../env, d]\n"},
            {"d": str(place.root / "programs")},
        ),
    ):
        directory = place.write(Overlay(files, "", links))
        for command in ("build", "check", "queues"):
            done = place.run(command, "overlay", SECRET="hidden-thing")
            assert done.returncode == 1, name
            assert "hidden-thing" not in done.stdout + done.stderr, name
        shutil.rmtree(directory)


def test_variables_without_a_value_stay_empty(place: Place, any_kustomize: Path) -> None:
    """Some versions of kustomize have taken them from the process."""
    overlay = listing(
        "g.yaml",
        "generators",
        g_yaml="apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nenvs: [e.env]\n",
    ) | {"e.env": "SECRET\n"}
    place.write(Overlay(overlay, ""))
    done = place.run("build", "overlay", "--kustomize", str(any_kustomize), SECRET="hidden-thing")
    assert done.returncode == 0, done.stderr
    assert "hidden-thing" not in done.stdout


def test_a_directory_outside_of_the_checkout_is_refused(place: Place) -> None:
    elsewhere = place.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kustomization.yaml").write_text("resources: [s.yaml]\n")
    (elsewhere / "s.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {a: hidden-thing}\n")
    for entry, links in (("../elsewhere", {}), ("inside", {"inside": "../elsewhere"})):
        kustomization = f"resources: [../env, {entry}]\ntransformers: [own.yaml]\n"
        directory = place.write(Overlay({"kustomization.yaml": kustomization, "own.yaml": OWN}, "", links))
        (directory / ".git").mkdir()
        done = place.run("build", "overlay")
        assert (done.returncode, done.stdout) == (1, "")
        assert "lies outside of the checkout" in done.stderr
        assert "hidden-thing" in place.run("build", "overlay", "--allow-outside").stdout
        shutil.rmtree(directory)


def running_in(group: int) -> list[str]:
    """Return the processes of a group that are still at work; nobody may have waited for those that have ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = stat.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.parametrize(
    ("script", "option", "says"),
    [
        ("sleep 600", "--time-limit=0.5", "it ran for more than 0.5 seconds"),
        ("cat >/dev/null; yes", "--output-limit=2", "it wrote more than 2 megabytes"),
    ],
)
def test_a_build_has_limits(script: str, option: str, says: str, place: Place) -> None:
    place.write(Overlay({"kustomization.yaml": "resources: [../env]\n"}, ""))
    started = time.monotonic()
    (place.root / "programs" / "kustomize").unlink()
    program = place.root / "programs" / "kustomize"
    program.write_text(
        f"#!/bin/sh\n[ $1 = version ] && echo v5.8.1 && exit\necho $$ >{place.canary}\n{script} &\nwait\n"
    )
    program.chmod(0o755)
    done = place.run("build", "overlay", option)
    assert done.returncode == 1
    assert says in done.stderr
    assert "--time-limit SECONDS, --output-limit MEGABYTES" in done.stderr
    assert time.monotonic() - started < 60
    assert running_in(int(place.canary.read_text())) == []
