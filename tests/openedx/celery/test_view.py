"""The view of a worker's Celery against real ones: what it says is what they do, or it says that it can't know.

Each worker of `worker_cases` is laid out as a kubelet lays it out and started with its own command line, in the
Celerys of tools/versions.py. Open edX is a stand-in, as it was until Sumac for the older two.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.manifests.protocols import read_build
from kustomizer.openedx.celery.values import Known, Unknown
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.workers import emitted_in
from tests import parts
from tests.examples import sample
from tests.keda_site import dumped
from tests.openedx.celery.worker_cases import CASES, Case
from tests.pods import Objects, container

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent.parent.parent
# Celery's version, and whether Open edX is an older one.
VERSIONS = {"5.2.7": True, "5.4.0": True, "5.6.3": False, "": False}
# The Celery of these tests starts them all, each of the others a third.
OTHERS = [version for version in VERSIONS if version]


def cases_of(version: str) -> list[Case]:
    """Return the workers that this version starts."""
    return sample(CASES[OTHERS.index(version) :: len(OTHERS)] if version else CASES)


def python(version: str) -> Path:
    if not version:
        return Path(sys.executable)
    return parts.present(parts.TOOLS / "celery" / version / "bin" / "python")


def view_of(case: Case) -> CeleryView:
    """Return the view of the case's worker, read from its objects as a build has them."""
    resources = read_build(dumped(case.objects))
    [deployment] = resources.of_kind("Deployment")
    worker = emitted_in(case.service, deployment)
    assert worker is not None
    return CeleryView(resources, worker)


def answers(version: str, cases: list[Case]) -> dict[str, Any]:
    """Return what a real Celery says in each of these workers."""
    interpreter = python(version)
    with tempfile.TemporaryDirectory() as directory:
        lines = [json.dumps(_process(case, Path(directory) / case.name, older=VERSIONS[version])) for case in cases]
        done = subprocess.run(
            [interpreter, TESTS / "celery_probe.py"],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(cases), done.stderr[-2000:]
    return {case.name: answer for case, answer in zip(cases, found, strict=True)}


def _process(case: Case, root: Path, *, older: bool) -> dict[str, Any]:
    platform = root / "edx-platform"
    shutil.copytree(TESTS / "edx_platform", platform, ignore=shutil.ignore_patterns("__pycache__"))
    # Secrets that a cluster has and the build hasn't.
    there = Objects([*case.objects, *_elsewhere()])
    pod = container(case.deployment, there, root)
    argv = pod.argv
    if argv[0] == "sh":
        # As the shell would have it.
        argv = argv[4:] if argv[2].endswith('"$@"') else argv[2].rpartition("exec ")[2].split()
    # What starts it, as env does.
    before, argv = argv[: argv.index("celery")], argv[argv.index("celery") :]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "LMS_CFG": str(root / "config" / "lms.env.yml"),
        "CMS_CFG": str(root / "config" / "cms.env.yml"),
        **{name: text.replace("/openedx/", f"{root}/") for name, text in pod.env.items()},
        **dict(word.split("=") for word in before if "=" in word),
        "TASK_DIRECTORY": str(root),
        "C_FORCE_ROOT": "1",
        **({"STAND_IN_RELEASE": "older"} if older else {}),
    }
    return {"argv": argv, "env": env, "cwd": str(platform)}


def _elsewhere() -> Iterator[dict[str, Any]]:
    yield {"kind": "Secret", "metadata": {"name": "gone"}, "stringData": {"url": "redis://nobody-knows:6379/1"}}


@functools.cache
def real(version: str) -> dict[str, Any]:
    return answers(version, cases_of(version))


def seen(view: CeleryView, name: str) -> Any:
    """Return the view's answer, in the form that the real one has."""
    if name == "lists":
        return _with(view.lists_of("q"), sorted)
    if name == "queues":
        return _with(view.queues, sorted)
    if name == "defined":
        # --queues adds what it names.
        named, defined = view.command.queues, view.defined_queues
        if isinstance(named, Unknown) or isinstance(defined, Unknown):
            return Unknown(reason="not asked", source=view.settings.container)
        return _with(defined, lambda queues: sorted({*queues, *(named.value if named else ())}))
    if name == "names":
        return _names(view)
    return getattr(view, name)


def _with(value: Known | Unknown, change: Any) -> Known | Unknown:
    return value.replace(value=change(value.value)) if isinstance(value, Known) else value


def _names(view: CeleryView) -> Known | Unknown:
    variants = ("default", "high", "high_mem" if view.service == "lms" else "low")
    found = {variant: view.queue_of(variant) for variant in variants}
    unknown = next((value for value in found.values() if isinstance(value, Unknown)), None)
    known = {name: value.value for name, value in found.items() if isinstance(value, Known)}
    return unknown or Known(value=known, source=view.queue_of("default").source)


ATTRIBUTES = (
    *("broker_url", "broker", "queues", "default_queue", "transport_options", "visibility_timeout", "key_prefix"),
    *("use_ssl", "default_priority", "lists", "acknowledges_late", "rejects_on_worker_lost", "soft_shutdown_timeout"),
    *("concurrency", "pool", "prefetch_multiplier", "scheduler", "purges", "names", "routes"),
)

# What hardly any site sets.
MORE = ("creates_queues", "defined", "runs_eagerly")


@pytest.mark.parametrize(
    ("version", "case"),
    [pytest.param(version, case, id=f"{version}-{case.name}") for version in VERSIONS for case in cases_of(version)],
)
def test_the_view_says_what_celery_does(version: str, case: Case) -> None:
    view, answer = view_of(case), real(version)[case.name]
    assert "error" not in answer, answer["error"]
    wrong = {
        name: (answer[name], seen(view, name))
        for name in (*ATTRIBUTES, *MORE)
        if not agrees(name, seen(view, name), answer)
    }
    assert not wrong


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_view_knows_all_that_can_be_known(case: Case) -> None:
    view = view_of(case)
    values = {name: seen(view, name) for name in ATTRIBUTES}
    unknown = {name for name, value in values.items() if isinstance(value, Unknown) and value.otherwise is None}
    doubtful = {name for name, value in values.items() if isinstance(value, Unknown) and value.otherwise is not None}
    assert unknown - {"concurrency"} == case.unknown - {"concurrency"}
    assert doubtful >= case.doubtful
    assert case.doubtful or not doubtful
    for name, value in values.items():
        assert str(value.source), (name, value)
        assert isinstance(value, Known) or value.reason


def agrees(name: str, value: Known | Unknown, answer: dict[str, Any]) -> bool:
    """Tell whether a value is the real one, or isn't known."""
    if isinstance(value, Unknown):
        if value.otherwise is None or ".env" in value.source.field or name == "names":
            return True
        value = value.otherwise
    real = answer[name]
    if name == "broker" and "://" in str(real["host"]):
        # kombu takes the URL within the URL apart when it connects.
        return bool(
            (value.value.transport, value.value.hosts) == (real["transport"], ((real["host"].partition("?")[0], None),))
        )
    if name == "broker":
        host = real["virtual_host"] if real["transport"] != "sentinel" else ""
        return bool(_broker(value.value) == {**real, "port": real["port"] or 6379, "virtual_host": host})
    if name == "lists" and answer["default_priority"] is None and value.value == ["q"]:
        # Other lists are looked at, and only a task that names a priority itself would be on one.
        return "q" in real and "priority_steps" not in answer["transport_options"]
    if name == "soft_shutdown_timeout" and real is None:
        return True
    return bool(value.value == real)


def _broker(parts: Any) -> dict[str, Any]:
    host, port = parts.hosts[0]
    return {
        "transport": parts.transport,
        "host": host,
        "port": port,
        "username": parts.username,
        "password": parts.password,
        "virtual_host": parts.virtual_host,
    }


def test_there_are_enough_of_them() -> None:
    assert len(CASES) == len({case.name for case in CASES})
    assert len(CASES) >= 60
