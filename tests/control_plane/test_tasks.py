"""`tutor-kustomizer tasks` on a live site: its Jobs, as the API server and the Job controller have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.tasks.task_file import FILE, read_tasks
from tests import celery_site
from tests.control_plane.kubelet import EDX_PLATFORM
from tests.control_plane.live_site import TASK, LiveSite, live_site
from tests.control_plane.operator_site import NAMESPACE
from tests.control_plane.pod import BIN, IN_POD, FromApi
from tests.pods import container

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.control_plane.cluster import Cluster

HIGH, HIGH_MEM = "edx.lms.core.high", "edx.lms.core.high_mem"
QUICK, ON_HIGH = "work.tasks.quick", "work.tasks.on_high"
SELECTOR = "app.kubernetes.io/name=celery-tasks"


def tasks(site: Path, *arguments: str) -> Result:
    done = CliRunner().invoke(main, ["tasks", str(site), *arguments])
    assert done.exit_code == 0, done.output
    return done


def log_of(pod: dict[str, Any], cluster: Cluster, root: Path) -> str:
    """Run a Job's container as the API server has it, and return what it writes; no kubelet keeps logs here."""
    shutil.copytree(EDX_PLATFORM, root / "edx-platform", ignore=shutil.ignore_patterns("__pycache__"))
    given = {"metadata": {"name": "celery-tasks"}, "spec": {"template": {"spec": pod["spec"]}}}
    inside = container(given, FromApi(cluster, NAMESPACE), root)
    assert inside.argv[0] == "python"
    image = {name: str(root / "config" / f"{name[:3].lower()}.env.yml") for name in ("LMS_CFG", "CMS_CFG")}
    environ = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(root), **image, **inside.env}
    environ |= {"PYTHONPATH": str(IN_POD), "TASK_DIRECTORY": str(root), "POD": pod["metadata"]["name"]}
    command = [sys.executable, *inside.argv[1:]]
    done = subprocess.run(command, cwd=root / "edx-platform", env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(site: LiveSite, built: Path, directory: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the queue of each task, now and with the build, by service and name."""
    site.kubelet.let_jobs_succeed(NAMESPACE)
    directory.mkdir()
    (directory / "jobs.yaml").write_text(tasks(built, "--print-job").stdout)
    cluster = site.cluster
    cluster.kubectl("create", f"--filename={directory / 'jobs.yaml'}")
    cluster.kubectl(
        "wait",
        "job",
        f"--selector={SELECTOR}",
        f"--namespace={NAMESPACE}",
        "--for=condition=Complete",
        "--timeout=120s",
    )
    pods = [pod for pod in cluster.get("pods", NAMESPACE) if "celery-tasks" in pod["metadata"]["labels"].values()]
    assert len(pods) == 2
    answers = []
    for pod in pods:
        log = directory / f"{pod['metadata']['name']}.log"
        log.write_text(log_of(pod, cluster, directory / pod["metadata"]["name"]))
        answers += ["--answer", str(log)]
    tasks(built, *answers, "--save", str(directory))
    cluster.kubectl("delete", "job", f"--selector={SELECTOR}", f"--namespace={NAMESPACE}")
    known = read_tasks(directory / FILE).tasks
    return {(task.service, task.name): (task.queue, str(task.after)) for task in known}


def test_a_live_site(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    more: dict[str, Any] = {"routing": {"lms": {QUICK: {"queue": HIGH_MEM}}}}
    built = tmp_path / "built.yaml"
    with live_site(cluster, tmp_path, builds, **more) as site:
        built.write_bytes(builds.through_exec(site.env, celery_site.specification(**more)).stdout)
        found = asked(site, built, tmp_path / "asked")
    assert found["lms", QUICK] == (HIGH_MEM, HIGH_MEM)
    assert found["lms", ON_HIGH] == (HIGH, HIGH)
    assert found["cms", QUICK] == ("edx.cms.core.default", "edx.cms.core.default")
    assert ("lms", TASK) in found
    assert len(found) > 20
