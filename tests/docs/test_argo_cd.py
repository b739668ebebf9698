"""docs/argo-cd.md: the plugin's commands as Argo CD runs them, in clones that hold what each way commits."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kustomizer import __version__
from tests import parts, sites
from tests.builds import documents
from tests.docs.pages import commands, page, without
from tests.docs.place import place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.place import Place

FILES = sites.ROOT / "docs" / "argo-cd"
COMMANDS = commands(page("argo-cd"))


def load(name: str) -> Any:
    return yaml.safe_load((FILES / name).read_text())


@pytest.fixture
def site(tmp_path: Path) -> Place:
    """Return a site with an overlay; nothing is committed."""
    made = place(tmp_path)
    made.done(
        'export TUTOR_ROOT="$PWD/tutor"',
        "tutor config save --set LMS_HOST=learn.example.com",
        "tutor-kustomizer init overlay --tutor-root tutor",
        "tutor-kustomizer build overlay -o ../expected.yaml",
        "git init -q .",
    )
    return made


def generate(clone: Place, path: str = ".", **parameters: str) -> subprocess.CompletedProcess[str]:
    """Run what the plugin says, with the environment of a sidecar (Argo CD's cmpserver/plugin/plugin.go)."""
    plugin = load("plugin.yaml")["spec"]
    assert "init" not in plugin
    environment = {
        "PATH": clone.environment["PATH"],
        # Nothing is there, as in an image whose root is read-only.
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ARGOCD_APP_NAME": "openedx",
        "ARGOCD_APP_NAMESPACE": "openedx",
        "ARGOCD_APP_SOURCE_PATH": path,
        "ARGOCD_ENV_UNUSED": "as plugin.env would give it",
        **{f"PARAM_{name.upper()}": value for name, value in parameters.items()},
    }
    command = [*plugin["generate"]["command"], *plugin["generate"]["args"]]
    directory = clone.directory / path
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


def expected(site: Place) -> str:
    return (site.directory.parent / "expected.yaml").read_text()


def committing(beginning: str) -> list[str]:
    """Return the page's commands from one that begins so to its commit."""
    start = next(index for index, command in enumerate(COMMANDS) if command.startswith(beginning))
    end = next(index for index in range(start, len(COMMANDS)) if COMMANDS[index].startswith("git commit"))
    return COMMANDS[start : end + 1]


def test_env_is_committed(site: Place) -> None:
    site.done('export TUTOR_ROOT="$PWD/tutor"', *committing("git add overlay tutor/env"))
    clone = site.clone("clone")
    assert sorted(path.name for path in (clone.directory / "tutor").iterdir()) == ["env"]
    made = generate(clone, overlay="overlay")
    assert made.returncode == 0, made.stderr
    assert made.stdout == expected(site)
    # The application's path may be the overlay's, too.
    assert generate(clone, "overlay").stdout == expected(site)


def test_env_is_rendered_in_the_plugin(site: Place) -> None:
    site.done('export TUTOR_ROOT="$PWD/tutor"', *committing("tutor config save"))
    clone = site.clone("clone")
    assert [path.name for path in (clone.directory / "tutor").iterdir()] == ["config.yml"]
    made = generate(clone, overlay="overlay", tutor_root="tutor")
    assert made.returncode == 0, made.stderr
    assert made.stdout == expected(site)
    assert generate(clone, overlay="overlay", tutor_root="tutor").stdout == expected(site)


def test_without_env_the_plugin_says_so(site: Place) -> None:
    site.done('export TUTOR_ROOT="$PWD/tutor"', *committing("tutor config save"))
    failed = generate(site.clone("clone"), overlay="overlay")
    assert failed.returncode != 0
    assert failed.stdout == ""
    assert "tutor/env" in failed.stderr


@pytest.mark.parametrize("path", ["/etc", "../other", "overlay/../../other", ".."])
@pytest.mark.parametrize("parameter", ["overlay", "tutor_root"])
def test_paths_lead_nowhere_else(parameter: str, path: str, tmp_path: Path) -> None:
    failed = generate(place(tmp_path), **{parameter: path})
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "not a path below" in failed.stderr


def test_an_overlay_is_no_option(tmp_path: Path) -> None:
    failed = generate(place(tmp_path), overlay="--help")
    assert failed.returncode != 0
    assert failed.stdout == ""


def test_the_application_names_the_plugin_and_its_parameters() -> None:
    plugin = load("plugin.yaml")
    used = load("application.yaml")["spec"]["source"]["plugin"]
    assert used["name"] == plugin["metadata"]["name"]
    announced = {each["name"] for each in plugin["spec"]["parameters"]["static"]}
    assert {each["name"] for each in used["parameters"]} <= announced
    assert "ServerSideApply=true" in load("application.yaml")["spec"]["syncPolicy"]["syncOptions"]


def test_the_patch_puts_a_restricted_sidecar_beside_the_repo_server(tmp_path: Path) -> None:
    """With the volumes that Argo CD's own manifest has (manifests/base/repo-server)."""
    (tmp_path / "server.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: argocd-repo-server, namespace: argocd}\n"
        "spec: {template: {spec: {containers: [{name: argocd-repo-server, image: argocd}], "
        "volumes: [{name: var-files, emptyDir: {}}, {name: plugins, emptyDir: {}}]}}}\n"
    )
    (tmp_path / "patch.yaml").write_bytes((FILES / "repo-server.yaml").read_bytes())
    (tmp_path / "kustomization.yaml").write_text("resources: [server.yaml]\npatches: [{path: patch.yaml}]\n")
    (deployment,) = documents(sites.build(sites.kustomize(sites.NEWEST), tmp_path))
    pod = deployment.tree["spec"]["template"]["spec"]
    sidecar = next(each for each in pod["containers"] if each["name"] == "tutor-kustomizer")
    assert len(pod["containers"]) == 2
    assert {mount["name"] for mount in sidecar["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}
    context = sidecar["securityContext"]
    assert (context["runAsUser"], context["runAsNonRoot"], context["readOnlyRootFilesystem"]) == (999, True, True)
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_building_the_image_downloads_nothing_and_it_runs_as_nobody() -> None:
    text = (FILES / "Dockerfile").read_text()
    instructions = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line and not line.startswith("#")]
    runs = [line for line in instructions if line.startswith("RUN")]
    assert [("--no-index" in line, "--find-links=/wheels" in line) for line in runs] == [(True, True)]
    assert not [line for line in instructions if line.startswith("ADD") or "http" in line]
    assert "USER 999" in instructions
    assert instructions.index("USER 999") > instructions.index(runs[-1])
    entrypoint = load("repo-server.yaml")["spec"]["template"]["spec"]["containers"][0]["command"]
    assert instructions[-1] == f'ENTRYPOINT ["{entrypoint[0]}"]'
    copied = {word for line in instructions if line.startswith("COPY") for word in shlex.split(line)[1:-1]}
    # What the page puts beside the Dockerfile, and what is there.
    assert copied - {"--chmod=755", "--chmod=644"} == {"requirements.txt", "wheels/", "kustomize", "plugin.yaml"}
    assert "It was not built" in text


def test_the_other_commands(tmp_path: Path) -> None:
    """All but what needs the network, and a container engine."""
    here = place(tmp_path)
    for name in ("repo-server.yaml", "application.yaml"):
        (here.directory / name).write_bytes((FILES / name).read_bytes())
    done_elsewhere = ("git add", "git commit", "tutor config save", "kubectl kustomize site")
    left = without(COMMANDS, "pip wheel", "docker run", "docker build", *done_elsewhere)
    here.done(*left)
    assert (here.directory / "kustomize").is_file()
    assert list(here.applied()) == ["Application openedx"]


def test_the_tools_wheel_comes_from_its_repository(tmp_path: Path) -> None:
    """Where there is no index at all: of the requirements, only the tool's own is asked for, and by its path."""
    parts.installers()
    (tool,) = re.findall(r"(?m)^(\S*tutor.kustomizer\S*)$", page("argo-cd"))
    assert tool == f"./wheels/tutor_kustomizer-{__version__}-py3-none-any.whl"
    (tmp_path / "requirements.txt").write_text(f"{tool}\n")
    typed = [command for command in COMMANDS if "pip wheel" in command]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TOOL": str(sites.ROOT), "PIP_NO_INDEX": "1"}
    # The tests' environment has what builds the wheel; what the tool requires is others' to have.
    env |= {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_DEPS": "1"}
    for command in typed:
        # The image's Python is this one here.
        here = f"{sys.executable} -m pip {command[command.index('pip ') + 4 :]}"
        subprocess.run(["/bin/sh", "-c", here], cwd=tmp_path, env=env, check=True, capture_output=True)
    assert len(typed) == 2
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == [tool.removeprefix("./wheels/")]
    # As the Dockerfile installs it: the directory of the wheels is the path's.
    target = ("--target", str(tmp_path / "installed"), "--requirement", "requirements.txt")
    install = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links=wheels", *target]
    subprocess.run(install, cwd=tmp_path, env=env, check=True, capture_output=True)
    assert (tmp_path / "installed" / "kustomizer" / "function.py").is_file()


def test_the_wheels_are_made_by_the_images_python() -> None:
    (base,) = re.findall(r"(?m)^FROM (\S+)$", (FILES / "Dockerfile").read_text())
    (run,) = [command for command in COMMANDS if command.startswith("docker run")]
    words = shlex.split(run.replace("\\\n", " "))
    assert words[words.index(base) + 1 :][:2] == ["pip", "wheel"]


@pytest.mark.parametrize("path", sorted((sites.ROOT / "docs").rglob("*.md")), ids=lambda path: path.stem)
def test_no_page_installs_the_tool_by_a_name_of_an_index(path: Path) -> None:
    """Nobody has the name in an index, so anybody might."""
    named = r"(?:pip|pipx|uv(?: tool| pip)?) (?:install|wheel)[^\n`]*\s(?:--upgrade )?tutor-kustomizer(?![\w/.-])"
    assert re.findall(rf"{named}|^tutor-kustomizer[=~<>]", path.read_text(), flags=re.MULTILINE) == []


def test_the_pinned_versions_are_those_that_the_tests_run_on() -> None:
    pinned = re.findall(r"(?m)^(tutor[-a-z]*)==(\S+)$", page("argo-cd"))
    listed = sites.run(sites.tutor("22").with_name("pip"), "list", "--format=freeze").decode()
    assert [name for name, _ in pinned] == ["tutor", "tutor-mfe", "tutor-indigo"]
    for name, version in pinned:
        assert f"{name}=={version}\n" in listed
