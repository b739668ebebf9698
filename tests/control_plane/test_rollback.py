"""A rollout in which a pod is lost, and the way back to Tutor's own workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import builds as b
from tests.builds import QUEUES
from tests.control_plane import emissions
from tests.control_plane.live_site import live_site
from tests.control_plane.operator_site import NAMESPACE, consumers
from tests.control_plane.test_tutor_beside import PLAIN, going_back

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builds import Builds
    from tests.control_plane.cluster import Cluster
    from tests.control_plane.live_site import LiveSite

HIGH = QUEUES["lms-worker-high"]
IN_FLIGHT = "unacked.lms-worker-high"


def test_back_to_tutor_with_workers_at_zero(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    """What a lost worker left is restored by the next one of its queue, and then a task on each queue runs."""
    scaled: dict[str, Any] = {"concurrency": 1, "keda": {"enabled": True}}
    workers = {"lms": {"high": {"visibilityTimeout": 100}}}
    with live_site(cluster, tmp_path, builds, over_tutors=True, defaults=scaled, workers=workers) as site:
        for deployment in QUEUES:
            site.wait_replicas(deployment, 0)
        [task] = site.send(HIGH, seconds=2)
        site.wait(lambda: site.times("started", [task])[task], "the task to start")
        [pod] = site.kubelet.running("lms-worker-high")
        site.kubelet.lose(pod.name)
        assert site.redis.hlen(IN_FLIGHT) == 1

        scaling, copies, *_flower = going_back()
        cluster.kubectl(*scaling)
        site.apply_tutors_own()
        site.wait(lambda: not site.redis.hlen(IN_FLIGHT) and not site.redis.llen(HIGH), "the copies to finish")
        # On its way from one to the other a task is in neither, for a moment; its worker has its grace period then.
        cluster.kubectl(*copies)
        assert consumers(cluster) == PLAIN
        site.wait_finished(task)
        assert site.times("finished", [task]) == {task: 1}
        assert site.times("started", [task]) == {task: 2}

        sent = {queue: site.send(queue)[0] for queue in PLAIN}
        site.wait_finished(*sent.values())
        ran = {event.task: event.pod.rsplit("-", 2)[0] for event in site.journal.read()}
        assert {queue: [ran[name]] for queue, name in sent.items()} == PLAIN


def test_an_old_pod_starts_again_in_mid_rollout(cluster: Cluster, tmp_path: Path, builds: Builds) -> None:
    """The old ReplicaSet's pod finds its settings, whose ConfigMap has another name in the new build."""
    with live_site(cluster, tmp_path, builds, workers={"lms": {"high": {"visibilityTimeout": 4000}}}) as site:
        site.wait(lambda: ready(site), "the first pod")
        [old] = site.kubelet.running("lms-worker-high")
        cluster.kubectl("rollout", "pause", f"--namespace={NAMESPACE}", "deployment/lms-worker-high")
        before = settings_of(cluster)
        spec = b.RECOMMENDED.replace("high: {}, high_mem", "high: {visibilityTimeout: 5000}, high_mem")
        changed = builds.through_exec(site.env, spec)
        site.apply(emissions.workers(item.tree for item in changed.documents))
        assert settings_of(cluster) != before

        site.kubelet.lose(old.name)
        site.wait(lambda: ready(site), "a pod in its place")

        [again] = site.kubelet.running("lms-worker-high")
        # A pod's name begins with its ReplicaSet's.
        assert again.name != old.name
        assert again.name.rpartition("-")[0] == old.name.rpartition("-")[0]
        site.wait_finished(*site.send(HIGH))


def ready(site: LiveSite) -> bool:
    return any(pod.ready for pod in site.kubelet.running("lms-worker-high"))


def settings_of(cluster: Cluster) -> str:
    """Return the name of the ConfigMap with our settings that the Deployment names now."""
    spec = cluster.get("deployment", NAMESPACE, "lms-worker-high")["spec"]["template"]["spec"]
    [name] = [
        source["configMap"]["name"]
        for volume in spec["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
        if "celery-settings" in source["configMap"]["name"]
    ]
    return str(name)
