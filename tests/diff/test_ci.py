"""The GitHub Action and the GitLab job do here what they say: on a real checkout, with a server for the APIs.

The action's steps are run as the runner runs them: conditions and environments are those of action.yml.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from kustomizer.diff.reports.markdown import GITHUB_LIMIT, marker
from tests import sites
from tests.builds import commands
from tests.diff.comments_server import TOKEN, Comments, serve
from tests.git_checkout import GIT, commit, git
from tests.rules.small_site import split_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = sites.ROOT / "diff-action"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text())
TEMPLATE = yaml.safe_load((sites.ROOT / "gitlab" / "diff.gitlab-ci.yml").read_text())
STEPS = ACTION["runs"]["steps"]

# https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax
NAMES = {"propertyNames": {"pattern": "^[a-z][a-z0-9-]*$"}, "type": "object"}
TEXT = {"type": "string", "minLength": 1}
SCHEMA = {
    "type": "object",
    "required": ["name", "description", "runs"],
    "additionalProperties": False,
    "properties": {
        "name": TEXT,
        "author": TEXT,
        "description": {**TEXT, "maxLength": 125},
        "branding": {"type": "object", "required": ["icon", "color"]},
        "inputs": {
            **NAMES,
            "additionalProperties": {
                "type": "object",
                "required": ["description"],
                "additionalProperties": False,
                "properties": {"description": TEXT, "required": {"type": "boolean"}, "default": {"type": "string"}},
            },
        },
        "outputs": {
            **NAMES,
            "additionalProperties": {
                "type": "object",
                "required": ["description", "value"],
                "additionalProperties": False,
                "properties": {"description": TEXT, "value": {"pattern": r"^\$\{\{ steps\.[a-z.-]+ \}\}$"}},
            },
        },
        "runs": {
            "type": "object",
            "required": ["using", "steps"],
            "additionalProperties": False,
            "properties": {
                "using": {"const": "composite"},
                "steps": {
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            **dict.fromkeys(("name", "id", "if", "shell", "run", "uses"), TEXT),
                            "env": {"additionalProperties": TEXT},
                            "with": {"additionalProperties": TEXT},
                        },
                        "oneOf": [{"required": ["run", "shell"]}, {"required": ["uses"]}],
                    }
                },
            },
        },
    },
}


class Job:
    """A checkout of a pull request, and the runner's directories and files."""

    def __init__(self, directory: Path, server: Comments, temp: Path) -> None:
        self.directory = directory
        self.server = server
        self.temp = temp
        self.origin, self.checkout = directory / "origin", directory / "checkout"
        for path in (self.origin, directory / "home"):
            path.mkdir()
        self.path = [str(commands(directory)), "/usr/local/bin", "/usr/bin", "/bin"]
        self.base = self.head = ""

    def site(self, *objects: str) -> str:
        """Commit a site into the repository; return the revision."""
        overlay = self.origin / "overlays" / "my site"
        overlay.mkdir(parents=True, exist_ok=True)
        (overlay / "kustomization.yaml").write_text("resources: [site.yaml]\n")
        (overlay / "site.yaml").write_text("---\n".join(objects))
        if not (self.origin / ".git").exists():
            git(self.origin, "init", "--quiet", "--initial-branch=main")
        commit(self.origin)
        return sites.run(GIT, "-C", self.origin, "rev-parse", "HEAD").decode().strip()

    def check_out(self) -> None:
        """Clone the newest commit alone, as actions/checkout does."""
        git(self.directory, "clone", "--quiet", "--depth=1", f"file://{self.origin}", str(self.checkout))
        git(self.origin, "config", "uploadpack.allowAnySHA1InWant", "true")

    def run(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a step's script in the checkout."""
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.checkout,
            env={
                "PATH": ":".join(self.path),
                "HOME": str(self.directory / "home"),
                "LANG": "C.UTF-8",
                "TMPDIR": str(self.directory),
                # pip and the programs that it installs take what they need from here, not from a registry.
                "PYTHONPATH": sysconfig.get_path("purelib"),
                **{"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1"},
                **env,
            },
            check=False,
            capture_output=True,
            text=True,
        )


class ActionJob(Job):
    """A job that uses the action."""

    fork = False

    def use(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run the action's steps until one fails; return how the last one ended, with what all of them said."""
        files = {name: self.directory / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")}
        known = {
            "inputs": {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
            | {"github-token": TOKEN}
            | {name.replace("_", "-"): value for name, value in inputs.items()},
            "github.event.pull_request.base.sha": self.base,
            "github.event.pull_request.number": "7",
            "github.event.pull_request.head.repo.full_name": "fork/site" if self.fork else "owner/site",
            "github.repository": "owner/site",
        }
        stdout = stderr = ""
        self.steps: list[str] = []
        self.outputs: dict[str, dict[str, str]] = {}
        for step in STEPS:
            if not value(step.get("if", "'true'"), known, self.outputs):
                continue
            self.steps.append(step["name"])
            if "uses" in step:
                continue
            installed = self.temp / "tutor-kustomizer" / "bin"
            if step is STEPS[0] and installed.exists():
                # By an earlier test's run of this step.
                self.path.insert(0, str(installed))
                continue
            files["GITHUB_OUTPUT"].write_text("")
            files["GITHUB_PATH"].write_text("")
            done = self.run(
                step["run"],
                GITHUB_ACTION_PATH=str(FOLDER),
                RUNNER_TEMP=str(self.temp),
                GITHUB_API_URL=self.server.url,
                GITHUB_REPOSITORY="owner/site",
                **{name: str(path) for name, path in files.items()},
                **{name: filled(text, known, self.outputs) for name, text in step.get("env", {}).items()},
            )
            stdout, stderr = stdout + done.stdout, stderr + done.stderr
            lines = files["GITHUB_OUTPUT"].read_text().splitlines()
            self.outputs[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
            self.path[:0] = files["GITHUB_PATH"].read_text().split()
            if done.returncode:
                break
        self.summary = files["GITHUB_STEP_SUMMARY"].read_text() if files["GITHUB_STEP_SUMMARY"].exists() else ""
        return subprocess.CompletedProcess([], done.returncode, stdout, stderr)


def value(expression: str, known: Mapping[str, Any], outputs: Mapping[str, Mapping[str, str]]) -> str:
    """Return what one of GitHub's expressions is, of those that the action has; empty for what is false."""
    for operator in (" && ", " || "):
        if operator in expression:
            left, right = (value(part, known, outputs) for part in expression.split(operator, 1))
            return (right if left else "") if operator == " && " else (left or right)
    for operator in (" == ", " != "):
        if operator in expression:
            left, right = (value(part, known, outputs) for part in expression.split(operator))
            return "true" if (left == right) == (operator == " == ") else ""
    name = expression.strip()
    if name.startswith("'"):
        return name.strip("'")
    if name.startswith("inputs."):
        return str(known["inputs"][name.removeprefix("inputs.")])
    if name.startswith("steps."):
        _steps, step, _outputs, output = name.split(".")
        return outputs.get(step, {}).get(output, "")
    return str(known[name])


def filled(text: str, known: Mapping[str, Any], outputs: Mapping[str, Mapping[str, str]]) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: value(match[1], known, outputs), text)


@pytest.fixture
def server() -> Iterator[Comments]:
    with serve() as held:
        yield held


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the runner's temporary directory, into which the action installs what it came with."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def job(tmp_path: Path, server: Comments, temp: Path) -> ActionJob:
    """Return the job of a pull request that takes a worker away."""
    found = ActionJob(tmp_path, server, temp)
    found.base = found.site(*split_site())
    found.head = found.site(*split_site(lms_worker_high=""))
    found.check_out()
    return found


OVERLAY = "overlays/my site"


def test_the_action_is_what_github_takes() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(ACTION)
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        for script in re.findall(r"\$GITHUB_ACTION_PATH/(\S+?)\"", step.get("run", "")):
            assert os.access(FOLDER / script, os.X_OK)
    identifiers = {step.get("id") for step in STEPS}
    for each in ACTION["outputs"].values():
        assert each["value"].split(".")[1] in identifiers


def test_a_pull_request_gets_its_comment_once(job: ActionJob) -> None:
    first = job.use(overlay=OVERLAY)
    assert first.returncode == 3, first.stderr
    assert job.steps[-1] == "Fail on findings"
    [body] = job.server.bodies
    assert body.startswith(marker(OVERLAY) + "\n")
    assert "edx.lms.core.high" in body
    assert len(body) <= GITHUB_LIMIT
    assert job.summary == body
    outputs = job.outputs["diff"]
    assert (outputs["add"], outputs["destroy"], outputs["changed"]) == ("0", "1", "true")
    assert int(outputs["errors"]) >= 1
    assert job.outputs["comment"]["comment-url"] == "https://host.example/1"
    assert Path(outputs["html"]).read_text().startswith("<!DOCTYPE html>")
    assert json.loads(Path(outputs["json"]).read_text())["summary"]["destroy"] == 1
    assert "::error title=" in first.stdout
    assert TOKEN not in first.stdout + first.stderr + job.summary

    second = job.use(overlay=OVERLAY, fail_on="never")
    assert second.returncode == 0, second.stderr
    assert len(job.server.bodies) == 1
    other = job.use(overlay=OVERLAY, fail_on="never", key="another")
    assert other.returncode == 0
    assert len(job.server.bodies) == 2


def test_a_forks_pull_request_gets_a_summary(job: ActionJob) -> None:
    job.fork = True
    done = job.use(overlay=OVERLAY, fail_on="never")
    assert done.returncode == 0, done.stderr
    assert job.server.asked == []
    assert "edx.lms.core.high" in job.summary
    assert "Keep the HTML report" in job.steps
    assert "Comment" not in job.steps


def test_a_token_that_may_only_read_leaves_the_job_green(job: ActionJob) -> None:
    job.server.answers = [(403, {})]
    done = job.use(overlay=OVERLAY, fail_on="never")
    assert done.returncode == 0, done.stderr
    assert "this token may not comment" in done.stderr
    assert job.outputs["comment"] == {"comment-url": ""}


@pytest.mark.parametrize(
    "inputs",
    [
        {"overlay": "$(touch hacked)"},
        {"overlay": '"; touch hacked; "'},
        {"overlay": OVERLAY, "base": "$(touch hacked)"},
        {"overlay": OVERLAY, "base": "--upload-pack=touch hacked"},
        {"overlay": "--help"},
    ],
)
def test_no_input_is_run(job: ActionJob, inputs: dict[str, str]) -> None:
    done = job.use(**inputs)
    assert done.returncode not in {0, 3}
    assert job.steps[-1] == "Compare"
    assert not list(job.directory.rglob("hacked"))
    assert job.server.asked == []


MODULES = ("venv", "json", "pip", "runpy", "click", "kustomizer", "sitecustomize", "encodings", "ensurepip", "logging")


def plant(job: ActionJob) -> None:
    """Put files into the checkout that Python, git or the job's own steps could take for their own."""
    code = f"open({str(job.directory / 'hacked')!r}, 'a').write(__name__)\n"
    for name in MODULES:
        (job.checkout / name).mkdir()
        (job.checkout / name / "__init__.py").write_text(code)
        (job.checkout / name / "__main__.py").write_text(code)
    (job.checkout / "kustomizer" / "diff").mkdir()
    (job.checkout / "kustomizer" / "diff" / "comment.py").write_text(code)
    site = job.checkout / ".tutor-kustomizer" / "lib" / "python3" / "site-packages"
    site.mkdir(parents=True)
    (site / "a.pth").write_text(f"import os; {code}")
    program = f"#!/bin/sh\ntouch {job.directory}/hacked\n"
    for place in ("kustomize", ".tools/bin/kustomize", ".tutor-kustomizer/bin/python", "tutor-celery-workers"):
        path = job.checkout / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(program)
        path.chmod(0o755)
    (job.directory / "elsewhere").mkdir()
    (job.checkout / "tutor-kustomizer-diff").symlink_to(job.directory / "elsewhere")


def test_nothing_of_the_checkout_is_run(job: ActionJob) -> None:
    plant(job)
    done = job.use(overlay=OVERLAY, fail_on="never")
    assert done.returncode == 0, done.stderr
    assert len(job.server.bodies) == 1
    assert not (job.directory / "hacked").exists()


def test_nothing_of_the_checkout_is_run_in_gitlab(job: ActionJob) -> None:
    plant(job)
    [template] = TEMPLATE.values()
    done = job.run(
        "\n".join([*template["before_script"], *template["script"]]),
        **{
            **template["variables"],
            "TUTOR_KUSTOMIZER": str(sites.ROOT),
            "OVERLAY": OVERLAY,
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": job.base,
            "CI_API_V4_URL": job.server.url,
            "CI_MERGE_REQUEST_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "7",
        },
        GITLAB_TOKEN=TOKEN,
    )
    assert done.returncode == 3, done.stderr
    assert len(job.server.bodies) == 1
    assert not (job.directory / "hacked").exists()
    assert list((job.directory / "elsewhere").iterdir()) == []


def test_a_build_that_fails_fails_the_job(job: ActionJob) -> None:
    (job.checkout / OVERLAY / "kustomization.yaml").write_text("resources: [missing.yaml]\n")
    done = job.use(overlay=OVERLAY)
    assert done.returncode == 1
    assert "missing.yaml" in done.stderr
    assert job.server.asked == []


def test_the_gitlab_job(job: ActionJob) -> None:
    [template] = TEMPLATE.values()
    script = "\n".join(template["script"])
    variables = {
        **template["variables"],
        "TUTOR_KUSTOMIZER": str(sites.ROOT),
        "OVERLAY": OVERLAY,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": job.base,
        "CI_API_V4_URL": job.server.url,
        "CI_MERGE_REQUEST_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "7",
    }
    done = job.run("\n".join([*template["before_script"], script]), **variables, GITLAB_TOKEN=TOKEN)
    assert done.returncode == 3, done.stderr
    [body] = job.server.bodies
    assert body.startswith(marker("default") + "\n")
    [written] = template["artifacts"]["paths"]
    assert {path.name for path in (job.checkout / written).iterdir()} == {"report.md", "report.html", "report.json"}
    assert "edx.lms.core.high" in done.stdout
    assert TOKEN not in done.stdout + done.stderr

    asked = len(job.server.asked)
    without = job.run("\n".join([*template["before_script"], script]), **{**variables, "GITLAB_TOKEN": ""})
    assert without.returncode == 3
    assert "GITLAB_TOKEN isn't set" in without.stdout
    assert len(job.server.asked) == asked


NAMES_OF_AN_INDEX = [
    "",
    "tutor-kustomizer",
    "tutor-kustomizer==0.1.0",
    "tutor-kustomizer @ name",
    "--pre tutor-kustomizer",
]
WITHOUT_A_HASH = [
    "https://example.com/tutor_kustomizer-0.1.0-py3-none-any.whl",
    "git+https://example.com/tool",
    "git+https://me@example.com/tool",
]


@pytest.mark.parametrize("given", [*NAMES_OF_AN_INDEX, *WITHOUT_A_HASH])
def test_the_gitlab_job_installs_nothing_by_name(given: str, job: ActionJob) -> None:
    [template] = TEMPLATE.values()
    done = job.run("\n".join(template["before_script"]), TUTOR_KUSTOMIZER=given)
    assert done.returncode == 1
    assert "git+https://HOST/OWNER/tutor-kustomizer@COMMIT" in done.stderr
    assert not (job.checkout / ".tutor-kustomizer").exists()


def test_the_gitlab_jobs_default_is_refused_and_the_pages_example_is_not(job: ActionJob) -> None:
    [template] = TEMPLATE.values()
    assert template["variables"]["TUTOR_KUSTOMIZER"] == ""
    check, *_ = template["before_script"]
    page = (sites.ROOT / "docs" / "diff.md").read_text()
    [example] = re.findall(r"(?m)^    TUTOR_KUSTOMIZER: (\S+)$", page)
    digest = "0" * 64
    for given in (example, f"git+https://example.com/a/b@{digest[:40]}", f"https://example.com/a.whl#sha256={digest}"):
        assert job.run(check, TUTOR_KUSTOMIZER=given).returncode == 0
