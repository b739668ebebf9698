"""Tutor's own commands on a site whose env/ holds the split: on a real API server, beside KEDA."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from celery import Celery

from tests import sites
from tests.control_plane.api import RefusedError
from tests.control_plane.emissions import UPSTREAM_WORKERS
from tests.control_plane.kubelet import Kubelet
from tests.control_plane.live_site import SECONDS
from tests.control_plane.operator_site import NAMESPACE, OperatorSite, consumers
from tests.control_plane.pod import Pod
from tests.control_plane.split_site import SCALED as SCALED_SPEC, SPLIT, SplitSite
from tests.control_plane.test_acceptance import RECOMMENDED
from tests.control_plane.test_tutor_beside import PLAIN
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.control_plane.cluster import Cluster

SCALED = {f"{worker}-scaledobject" for workers in RECOMMENDED.values() for worker in workers}


def scaled(cluster: Cluster) -> set[str]:
    return {item["metadata"]["name"] for item in cluster.get("scaledobjects.keda.sh", NAMESPACE)}


def test_each_of_tutors_commands_keeps_the_split(cluster: Cluster, tmp_path: Path) -> None:
    site = SplitSite(tmp_path, cluster, "22")
    site.enable()
    site.tutor("k8s", "start")
    assert consumers(cluster) == RECOMMENDED
    assert scaled(cluster) == SCALED

    with Kubelet(cluster, directory=tmp_path / "pods") as kubelet:
        kubelet.let_jobs_succeed(NAMESPACE)
        # Their pods start once the ConfigMaps that they name are there.
        assert "successful." in site.tutor("k8s", "do", "settheme", "indigo")
        assert "successful." in site.tutor("k8s", "init", "--limit=cms")
    assert consumers(cluster) == RECOMMENDED

    site.tutor("k8s", "scale", "lms", "2")
    cluster.kubectl("delete", "--namespace", NAMESPACE, "deployment", "lms-worker-high")
    site.tutor("k8s", "start", "lms-worker-high")
    site.tutor("k8s", "start", "--prune-configmaps")
    assert consumers(cluster) == RECOMMENDED

    site.tutor("k8s", "reboot")
    assert consumers(cluster) == RECOMMENDED
    mounted = {
        source["configMap"]["name"]
        for item in cluster.get("deployments", NAMESPACE)
        for volume in item["spec"]["template"]["spec"].get("volumes", ())
        for source in [volume, *volume.get("projected", {}).get("sources", ())]
        if "configMap" in source
    }
    assert mounted <= {item["metadata"]["name"] for item in cluster.get("configmaps", NAMESPACE)}

    apply_beside_tutor(cluster, site)


def apply_beside_tutor(cluster: Cluster, site: SplitSite) -> None:
    """Change a worker, and apply it with our command: what Tutor has applied stays, and no template Job comes."""
    jobs = cluster.get("jobs", NAMESPACE)
    said = site.tutor("kustomizer", "apply", "--dry-run")
    assert "Left out, as Tutor does: cms-job, lms-job, mysql-job, its template Jobs" in said
    site.configure(SCALED_SPEC.replace("low: {}", "low: {concurrency: 3}"))
    site.tutor("config", "save")
    assert "cms-worker-low" in site.tutor("kustomizer", "apply", "--yes")
    assert cluster.get("jobs", NAMESPACE) == jobs
    args = cluster.get("deployment", NAMESPACE, "cms-worker-low")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--concurrency=3" in args
    assert consumers(cluster) == RECOMMENDED
    # No pod runs here any more: each worker is named with why it couldn't be asked.
    shown = site.tutor("kustomizer", "verify", status=3)
    assert all(name in shown for name in ("lms-worker-high-mem", "cms-worker-low"))


def test_the_next_tutor(cluster: Cluster, tmp_path: Path) -> None:
    site = SplitSite(tmp_path, cluster, "21")
    site.enable()
    site.tutor("k8s", "start")
    assert consumers(cluster) == RECOMMENDED
    # A save that is refused leaves an env/ that is, too, and changes nothing in the cluster.
    site.configure("spec: {workers: {lms: {hgh: {}}}}\n")
    site.tutor("config", "save", status=1)
    with pytest.raises(RefusedError, match="the-split-is-missing--run-tutor-config-save"):
        site.tutor("k8s", "start")
    assert consumers(cluster) == RECOMMENDED
    site.configure(SCALED_SPEC)

    site.version = "22"
    with Kubelet(cluster, directory=tmp_path / "pods") as kubelet:
        kubelet.let_jobs_succeed(NAMESPACE)
        # It upgrades env/, saves it, starts, and runs all of `init`.
        said = site.tutor("k8s", "launch", "--non-interactive", seconds=300)
    assert "Upgrading from an older release" in said
    assert "split by celery-workers.yaml" in said
    assert "Your Open edX platform is ready" in said
    assert consumers(cluster) == RECOMMENDED
    assert scaled(cluster) == SCALED
    ended = cluster.get("jobs", NAMESPACE)
    assert {job["metadata"]["name"].partition("-job")[0] for job in ended} >= {"lms", "cms", "mysql"}
    assert all(job["status"].get("succeeded") == 1 for job in ended)
    containers = cluster.get("deployment", NAMESPACE, "lms-worker-high")["spec"]["template"]["spec"]["containers"]
    assert ":22." in containers[0]["image"]

    # By itself the upgrade saves env/, and touches no workload.
    assert "partial upgrade" in site.tutor("k8s", "upgrade", "--from=ulmo")
    site.tutor("k8s", "start")
    assert consumers(cluster) == RECOMMENDED


def test_on_over_a_plain_site_and_off_again(cluster: Cluster, tmp_path: Path) -> None:
    plain = OperatorSite(tmp_path / "plain", cluster, "22")
    plain.tutor("k8s", "start")
    assert consumers(cluster) == PLAIN
    site = SplitSite(tmp_path / "split", cluster, "22")
    site.enable()
    site.tutor("k8s", "start")
    assert consumers(cluster) == RECOMMENDED
    assert "Nothing is left over.\n" in site.tutor("kustomizer", "leftovers", "--yes")

    # Without KEDA: its objects are left over, and no task waits for them.
    site.configure(f"spec:\n{SPLIT}")
    site.tutor("config", "save")
    site.tutor("k8s", "start")
    shown = site.tutor("kustomizer", "leftovers", "--dry-run", status=3)
    assert "lms-worker-high can go\n  ScaledObject lms-worker-high-scaledobject\n" in shown
    assert scaled(cluster) == SCALED
    site.tutor("kustomizer", "leftovers", "--yes")
    assert scaled(cluster) == set()
    assert consumers(cluster) == RECOMMENDED

    site.tutor("config", "save", "--set", "KUSTOMIZER_SPLIT=false")
    site.tutor("k8s", "start")
    assert set(consumers(cluster)["edx.lms.core.high"]) == {"lms-worker", "lms-worker-high"}
    shown = site.tutor("kustomizer", "leftovers", "--unsplit", "--yes", status=3)
    for name in ("lms-worker-high", "lms-worker-high-mem", "cms-worker-high", "cms-worker-low"):
        # No pod can be asked here, so it isn't known whether they have tasks.
        assert f"{name} stays: its tasks can't be counted" in shown
        assert f"  Deployment {name}\n" in shown
        assert cluster.get("deployment", NAMESPACE, name) is not None


BULK = "edx.lms.core.bulk"
ALONE = f"spec:\n  defaults: {{concurrency: 1}}\n{SPLIT}"
WITH_BULK = ALONE.replace("high_mem: {}", f"high_mem: {{}}, bulk: {{queues: [{BULK}]}}")


def test_a_worker_that_was_taken_out_goes_once_its_tasks_are_done(cluster: Cluster, tmp_path: Path) -> None:
    """Real workers at work: `verify` asks them, and `leftovers` counts what the one that goes has to do."""
    for name in ("redis", f"redis.{NAMESPACE}"):
        cluster.name_address(name)
    environ = {"TASK_DIRECTORY": str(tmp_path)}
    with (
        redis_server(tmp_path / "redis") as server,
        Kubelet(cluster, directory=tmp_path / "pods", environ=environ, time_factor=1) as kubelet,
    ):
        site = SplitSite(tmp_path / "split", cluster, "22")
        site.reach_pods()
        site.configure(WITH_BULK)
        site.tutor("config", "save", "--set", f"REDIS_PORT={server.port}")
        site.enable()
        site.tutor("k8s", "start")
        workers = {*(name for names in RECOMMENDED.values() for name in names), "lms-worker-bulk"}
        wait(lambda: all(pod.ready for name in workers for pod in kubelet.running(name) or [NOT_YET]), kubelet)
        shown = site.tutor("kustomizer", "verify")
        assert shown.count("as configured") == len(workers), shown

        app = Celery(broker=f"redis://127.0.0.1:{server.port}/0")
        with app:
            for mark in ("a", "b"):
                app.send_task("work.tasks.long", [mark], queue=BULK)
        records = tmp_path / "records"
        wait(lambda: records.exists() and "started" in records.read_text(), kubelet)
        site.configure(ALONE.replace("low: {}", "low: {concurrency: 2}"))
        site.tutor("config", "save")
        # Saved and not applied.
        shown = site.tutor("kustomizer", "verify", status=3)
        assert "cms-worker-low" in shown
        assert "concurrency" in shown
        site.tutor("k8s", "start")
        shown = site.tutor("kustomizer", "leftovers", "--yes", status=3)
        assert (
            f"lms-worker-bulk stays: 1 task on {BULK}, which no worker of the site consumes; 1 task in flight" in shown
        )
        assert cluster.get("deployment", NAMESPACE, "lms-worker-bulk") is not None

        for mark in ("a", "b"):
            (tmp_path / f"release-{mark}").touch()
        wait(lambda: records.read_text().count("done") == len("ab"), kubelet)
        assert "nothing was removed" in site.tutor("kustomizer", "leftovers", status=1)
        assert cluster.get("deployment", NAMESPACE, "lms-worker-bulk") is not None
        assert "Remove what can go?" in site.tutor("kustomizer", "leftovers", answer="y")
        assert cluster.get("deployment", NAMESPACE, "lms-worker-bulk") is None
        wait(lambda: not kubelet.running("lms-worker-bulk"), kubelet)
        assert "Nothing is left over.\n" in site.tutor("kustomizer", "leftovers", "--yes")
        assert consumers(cluster) == RECOMMENDED


NOT_YET = Pod(name="", namespace="", deployment="", image="", created=0.0)


def wait(condition: Callable[[], object], kubelet: Kubelet) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "\n".join(
            f"{pod}\n{kubelet.log(pod.name)[-500:]}" for pod in kubelet.pods()
        )
        time.sleep(0.1)


def test_on_over_the_plugin_of_others(cluster: Cluster, tmp_path: Path) -> None:
    env = sites.render_oracle(tmp_path, UPSTREAM_WORKERS)
    selected = "app.kubernetes.io/component notin (job,namespace)"
    cluster.kubectl("create", "namespace", NAMESPACE)
    cluster.kubectl("apply", "--kustomize", str(env), "--selector", selected)
    assert consumers(cluster) == RECOMMENDED
    theirs = scaled(cluster)
    assert theirs

    site = SplitSite(tmp_path / "split", cluster, "22", config="oracle")
    site.tutor("plugins", "disable", "celery")
    site.enable()
    site.tutor("k8s", "start")
    assert consumers(cluster) == RECOMMENDED
    assert scaled(cluster) == theirs | SCALED
    assert "Nothing is left over.\n" in site.tutor("kustomizer", "leftovers", "--yes")
