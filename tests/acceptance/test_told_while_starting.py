"""Real Celery workers as a container's first process, from which the kernel keeps SIGTERM until it has a handler."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kustomizer.openedx.settings_module import head
from tests import parts
from tests.broker_site import HIGH, Place, task
from tests.celery_site import children
from tests.openedx.celery.test_view import VERSIONS, python
from tests.pods import Objects

if TYPE_CHECKING:
    from tests.celery_site import Site, Worker

SETTINGS = "production.py"


def held(where: str, until: Path) -> dict[str, Any]:
    """Return the configuration of a worker that stops where it is, as it starts, until there is a file."""
    env = [{"name": "HELD_AT", "value": where}, {"name": "HELD_UNTIL", "value": str(until)}]
    return {"workers": {"lms": {"high": {"env": env, "concurrency": 1}}}}


def without_ours(site: Site) -> Objects:
    """Return the build without the lines that have a worker hear."""
    text = json.dumps([tree for kind in ("ConfigMap", "Deployment", "Secret") for tree in site.built.of_kind(kind)])
    with_them, without = (json.dumps(head(SETTINGS, for_worker=given))[1:-1] for given in (True, False))
    assert with_them in text
    return Objects(json.loads(text.replace(with_them, without)))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("where", ["settings", "tasks"])
def test_a_worker_that_is_told_to_stop_while_it_starts_ends_at_once(
    where: str, version: str, plain: Place, tmp_path: Path
) -> None:
    with plain.site(tmp_path, **held(where, tmp_path / "never")) as site:
        site.first, site.python = parts.first_process(), python(version)
        site.send("lms", task("quick", "waiting", queue=HIGH))
        worker = site.begin("lms-worker-high")
        site.wait(lambda: f"held at {where}" in worker.log, "it to load")

        worker.terminate()

        site.wait(worker.ended, "it to end")
        assert worker.process.returncode == 128 + signal.SIGTERM
        assert site.lengths() == {HIGH: 1}


def test_with_the_pages_hook_it_hears_at_any_time(plain: Place, tmp_path: Path) -> None:
    text = (parts.ROOT / "docs" / "operations.md").read_text()
    [page] = [block for block in text.split("```yaml\n")[1:] if "preStop" in block]
    spec = yaml.safe_load(page.partition("```")[0])["spec"]
    with plain.site(tmp_path, **held("settings", tmp_path / "never"), **spec) as site:
        site.first = parts.first_process()
        pod = site.built.get("Deployment", "lms-worker-high")["spec"]["template"]["spec"]
        *shell, script = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
        worker = site.begin("lms-worker-high")
        site.wait(lambda: children(worker.process.pid), "its process")
        assert not worker.log

        subprocess.run([*shell, script.replace("/proc/1/", f"/proc/{worker.pid}/")], check=True, timeout=300)
        worker.terminate()

        site.wait(worker.ended, "it to end")
        assert worker.process.returncode == 128 + signal.SIGTERM


def test_without_our_lines_it_works_on(plain: Place, tmp_path: Path) -> None:
    with plain.site(tmp_path, **held("settings", tmp_path / "now")) as site:
        site.first = parts.first_process()
        worker = site.begin("lms-worker-high", built=without_ours(site))
        site.wait(lambda: "held at settings" in worker.log, "it to load")
        worker.terminate()
        (tmp_path / "now").touch()
        site.wait(worker.is_ready, "it to be ready all the same")
        site.send("lms", task("quick", "taken", queue=HIGH))
        site.wait_for("done", 1)
        assert not worker.ended()
        assert "shutdown" not in worker.log


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("remapped", [False, True], ids=["TERM", "REMAP_SIGTERM"])
def test_what_ready_workers_hear_is_celerys_own(remapped: bool, version: str, plain: Place, tmp_path: Path) -> None:
    env = [{"name": "REMAP_SIGTERM", "value": "SIGQUIT"}] if remapped else []
    pools = {("lms", "high"): "prefork", ("lms", "high_mem"): "solo", ("cms", "high"): "threads"}
    workers: dict[str, dict[str, Any]] = {"lms": {}, "cms": {}}
    for (service, name), pool in pools.items():
        workers[service][name] = {"extraArgs": [f"--pool={pool}"], "env": env}
    with plain.site(tmp_path, defaults={"concurrency": 1}, workers=workers) as site:
        site.first, site.python = parts.first_process(), python(version)
        names = ("lms-worker-high", "lms-worker-high-mem", "cms-worker-high")
        other = without_ours(site)
        for name in names:
            site.begin(name)
            site.begin(name, built=other)
        site.wait(lambda: all(worker.is_ready() for worker in site.workers), "all to be ready")

        for ours, plain_one, processes in zip(site.workers[::2], site.workers[1::2], (2, 1, 1), strict=True):
            assert dispositions(ours) == dispositions(plain_one)
            assert len(dispositions(ours)) == processes


def dispositions(worker: Worker) -> list[dict[str, str]]:
    """Return what a worker and the processes of its pool do about signals, as the kernel has it."""
    found = []
    for pid in (worker.pid, *children(worker.pid)):
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        found.append({name: status[name] for name in ("SigBlk", "SigIgn", "SigCgt")})
    return found


def test_told_to_stop_when_it_is_ready_it_ends_its_task_first(plain: Place, tmp_path: Path) -> None:
    with plain.site(tmp_path, workers={"lms": {"high": {"concurrency": 1}}}) as site:
        site.first = parts.first_process()
        [worker] = site.start("lms-worker-high")
        site.send("lms", task("long", "in hand", queue=HIGH))
        site.wait_for("started", 1)

        worker.terminate()
        site.wait(lambda: "Warm shutdown" in worker.log, "it to be told")
        assert not worker.ended()
        site.release("in hand")

        site.wait(worker.ended, "it to end")
        assert worker.process.returncode == 0
        assert [record.mark for record in site.records("done")] == ["in hand"]


BEFORE = {"nothing": "", "ignored": "signal(SIGTERM, SIG_IGN)", "handled": "signal(SIGTERM, default_int_handler)"}


@pytest.mark.parametrize(
    ("first", "arguments", "before", "expected"),
    [
        (True, ["--app=lms.celery", "worker"], "nothing", "<lambda>"),
        (True, ["--app=lms.celery", "worker"], "ignored", "SIG_IGN"),
        (True, ["--app=lms.celery", "worker"], "handled", "default_int_handler"),
        # A management command may have something in hand that it must not be cut off from.
        (True, ["lms", "migrate"], "nothing", "SIG_DFL"),
        (True, ["--app=lms.celery", "beat"], "nothing", "SIG_DFL"),
        (False, ["--app=lms.celery", "worker"], "nothing", "SIG_DFL"),
    ],
)
def test_only_a_worker_that_would_hear_nothing_gets_a_handler(
    first: bool, arguments: list[str], before: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / SETTINGS).write_text(head(SETTINGS, for_worker=True))
    (tmp_path / f"tutor_{SETTINGS}").touch()
    program = (
        "import runpy\nfrom signal import *\n"
        f"{BEFORE[before]}\nrunpy.run_path({SETTINGS!r})\n"
        "found = getsignal(SIGTERM)\nprint(getattr(found, 'name', None) or found.__name__)\n"
    )
    done = subprocess.run(
        [*(parts.first_process() if first else ()), sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == (expected, "")
