"""`tutor-kustomizer verify` on real workers and a real Redis; KEDA's objects have the API's shape."""

from __future__ import annotations

import ast
import copy
import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import Result

from kustomizer.cluster.kubectl import Kubectl
from kustomizer.commands.in_flight import RunningSite
from kustomizer.commands.verify import verify as verify_site
from kustomizer.errors import UserError
from kustomizer.manifests.protocols import read_build
from kustomizer.site.model import Site
from tests import celery_site
from tests.broker_site import HIGH, IN_FLIGHT_OF_HIGH, Broker, Place, objects, place, task
from tests.commands.test_in_flight import Live, live
from tests.keda_scaler import triggers_of
from tests.live_site import NAMESPACE, pod_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.builds import Builds

KEDA: dict[str, Any] = {"defaults": {"concurrency": 1, "keda": {"enabled": True}}}


def verify(cluster: Live, *arguments: str) -> Result:
    return cluster.run("verify", *arguments)


def differences(cluster: Live) -> dict[str, dict[str, tuple[str, str]]]:
    """Return what differs, by worker or ScaledObject: what is configured, what in force."""
    done = verify(cluster, "--output=json")
    assert done.exit_code in (0, 3), done.output
    found = json.loads(done.stdout)
    told = {
        each.get("worker") if "pod" in each else each["name"]: {
            item["what"]: (item["configured"], item["inForce"]) for item in each["differences"]
        }
        for each in (*found["workers"], *found["scaledObjects"])
    }
    assert done.exit_code == (3 if any(told.values()) else 0)
    return {name: items for name, items in told.items() if items}


def with_keda(cluster: Live) -> dict[str, dict[str, Any]]:
    """Have KEDA as it is when it has taken the build's ScaledObjects in and counted; return them by worker."""
    counted = triggers_of(cluster.site.built)
    for item in cluster.site.built.of_kind("ScaledObject"):
        found = copy.deepcopy(item)
        name, target = item["metadata"]["name"], item["spec"]["scaleTargetRef"]["name"]
        names = {
            f"s{number}-redis-{number}": counted[target][trigger["name"]]
            for number, trigger in enumerate(item["spec"]["triggers"])
        }
        found["status"] = {
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "ScaledObjectReady", "message": "is ready"},
                {"type": "Active", "status": str(any(names.values())), "reason": "", "message": ""},
                {"type": "Fallback", "status": "False", "reason": "NoFallbackFound"},
                {"type": "Paused", "status": "Unknown"},
            ],
            "externalMetricNames": list(names),
            "hpaName": f"keda-hpa-{name}",
        }
        cluster.site.scaled_objects.append(found)
        for metric, value in names.items():
            set_metric(cluster, name, metric, str(value))
    return {item["spec"]["scaleTargetRef"]["name"]: item for item in cluster.site.scaled_objects}


def set_metric(cluster: Live, name: str, metric: str, value: str) -> None:
    selector = f"scaledobject.keda.sh%2Fname%3D{name}"
    path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/{metric}?labelSelector={selector}"
    cluster.site.raw[path] = {"items": [{"metricName": metric, "value": value}]}


@pytest.mark.parametrize("given", ["plain", "everything"], indirect=True)
def test_a_site_that_runs_as_configured(given: Place, tmp_path: Path) -> None:
    with live(given, tmp_path, celery={"rejectOnWorkerLost": True}, **KEDA) as cluster:
        site = cluster.site
        site.start("lms-worker", "lms-worker-high", "cms-worker")
        later = [task("quick", f"later {number}", queue=HIGH, countdown=3600) for number in range(3)]
        site.send("lms", *later, task("long", "a", queue=HIGH))
        site.wait_for("started", 1)
        site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 4}, "all to be taken")
        with_keda(cluster)
        done = verify(cluster)
        assert done.exit_code == 0, done.output
        prefix = given.broker.prefix
        lines = done.stdout.splitlines()
        assert lines[:8] == [
            "worker               pod                         in force",
            "cms-worker           cms-worker-3                as configured",
            "cms-worker-high      none, and 0 is its minimum",
            "cms-worker-low       none, and 0 is its minimum",
            "lms-worker           lms-worker-1                as configured",
            "lms-worker-high      lms-worker-high-2           as configured",
            "lms-worker-high-mem  none, and 0 is its minimum",
            "",
        ]
        assert max(map(len, lines)) <= 80
        assert "lms-worker-high      True   True    queued1 0 (0), inflight 4 (4)" in lines
        assert "cms-worker-low       True   False   queued1 0 (0), inflight 0 (0)" in lines
        told = json.loads(verify(cluster, "-o", "json").stdout)
        [high] = [each["inForce"] for each in told["workers"] if each["worker"] == "lms-worker-high"]
        assert high["keys"][0] == IN_FLIGHT_OF_HIGH
        assert (high["queues"], high["early"], high["lost"]) == ([HIGH], [], [])
        counted = [count["list"] for each in told["scaledObjects"] for count in each["counts"]]
        assert {f"{prefix}{HIGH}", f"{prefix}{IN_FLIGHT_OF_HIGH}"} <= set(counted)
        assert (high["prefix"], high["database"]) == (prefix, given.broker.database)


def test_each_list_of_a_priority_is_counted_verified_and_put_back(tmp_path: Path, builds: Builds) -> None:
    with (
        place(tmp_path / "place", Broker(priorities=(0, 3, 5, 7)), builds) as given,
        live(given, tmp_path, **KEDA) as cluster,
    ):
        site = cluster.site
        _, high = site.start("lms-worker", "lms-worker-high")
        # The default is the sender's, and a task may have its own.
        marks = ["a", "b", "c", "urgent"]
        site.send(
            "lms",
            *(task("long", mark, queue=HIGH) for mark in marks[:3]),
            task("long", "urgent", queue=HIGH, priority=1),
        )
        site.wait_for("started", 1)
        site.wait(lambda: sum(site.lengths().values()) == 4 and IN_FLIGHT_OF_HIGH in site.lengths(), "one to be taken")
        assert site.lengths() == {IN_FLIGHT_OF_HIGH: 1, f"{HIGH}:5": 2, HIGH: 1}
        counted = triggers_of(site.built)["lms-worker-high"]
        assert counted == {"queued1": 1, "queued2": 0, "queued3": 2, "queued4": 0, "inflight": 1}
        scaled = with_keda(cluster)
        assert "(queued1 + queued2 + queued3 + queued4)/40" in str(scaled["lms-worker-high"]["spec"]["advanced"])
        assert differences(cluster) == {}
        assert cluster.keys()[IN_FLIGHT_OF_HIGH]["count"] == 1

        del scaled["lms-worker-high"]["spec"]["triggers"][2]
        assert differences(cluster) == {"lms-worker-high-scaledobject": {"triggers": ("those of the build", "others")}}

        high.kill()
        done = cluster.in_flight("restore", "lms-worker-high")
        assert done.exit_code == 0, done.output
        assert site.lengths() == {f"{HIGH}:5": 3, HIGH: 1}
        site.start("lms-worker-high")
        site.release(*marks)
        site.wait_for("done", 4)
        site.wait(lambda: not site.lengths(), "an empty Redis")


def test_a_worker_of_another_configuration_is_found_out(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, celery={"rejectOnWorkerLost": True}, defaults={"concurrency": 1}) as cluster:
        changed = {"high": {"visibilityTimeout": 100, "concurrency": 2, "queues": [HIGH, "bulk"]}}
        other = plain.builds.through_exec(plain.env, celery_site.specification(workers={"lms": changed}))
        cluster.site.start("lms-worker-high", built=objects(other))
        cluster.site.start("lms-worker", built=objects(plain.builds.plain(plain.env)))
        found = differences(cluster)
        assert found["lms-worker-high"] == {
            "queues": (HIGH, f"bulk, {HIGH}"),
            "visibility timeout": ("3600 s", "100 s"),
            "concurrency": ("1", "2"),
            "reject on worker lost": ("yes", "no"),
        }
        assert found["lms-worker"]["late acknowledgement"] == ("yes", "no")
        assert found["lms-worker"]["queues"][1].startswith("edx.lms.core.default, ")


def test_a_pod_of_another_worker_has_other_keys(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, defaults={"concurrency": 1}) as cluster:
        [high] = cluster.site.start("lms-worker-high")
        # As if its pods still ran with settings of before the split.
        text = cluster.built.read_text()
        cluster.built.write_text(text.replace("unacked.lms-worker-high", "unacked.new"))
        assert differences(cluster)["lms-worker-high"] == {"in-flight key": ("unacked.new", IN_FLIGHT_OF_HIGH)}
        cluster.built.write_text(text)
        assert "lms-worker-high" not in differences(cluster)
        cluster.site.stopping.add(pod_name(high))
        stopping = f"none that is ready ({pod_name(high)})"
        assert differences(cluster)["lms-worker-high"] == {"pods": ("1 pod", stopping)}
        cluster.site.hidden.add(pod_name(high))
        assert differences(cluster)["lms-worker-high"] == {"pods": ("1 pod", "none")}


def test_a_timeout_is_the_workers_own_beside_a_shorter_one_of_the_same_key(plain: Place, tmp_path: Path) -> None:
    settings = "{visibilityTimeout: 14400, concurrency: 1}"
    spec = f"spec: {{unassignedQueues: KeepOnDefault, workers: {{lms: {{default: {settings}}}}}}}\n"
    with live(plain, tmp_path, spec=spec) as cluster:
        cluster.site.start("lms-worker", "cms-worker")
        assert not {"lms-worker", "cms-worker"} & set(differences(cluster))


def test_a_worker_that_cant_be_asked_is_found(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, defaults={"concurrency": 1}) as cluster:
        [high] = cluster.site.start("lms-worker-high")
        os.kill(high.process.pid, signal.SIGSTOP)
        assert differences(cluster)["lms-worker-high"] == {"remote control": (f"{high.node} answers", "it doesn't")}
        cluster.site.python = Path("/no/such/python")
        [(_, why)] = differences(cluster)["lms-worker-high"].values()
        assert why.startswith(f"kubectl exec in pod {pod_name(high)}, container lms-worker-high: ")


def test_what_is_wrong_with_keda_is_found(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **KEDA) as cluster:
        cluster.site.start("lms-worker", "cms-worker")
        keda = with_keda(cluster)
        cluster.redis.rpush(HIGH, *map(str, range(100)))
        names = {worker: item["metadata"]["name"] for worker, item in keda.items()}

        assert differences(cluster) == {
            names["lms-worker-high"]: {f"count of {HIGH}": ("Redis has 100", "KEDA counts 0")},
        }
        set_metric(cluster, names["lms-worker-high"], "s0-redis-0", "99900m")

        not_ready = keda["cms-worker-low"]["status"]
        not_ready["conditions"][0] |= {"status": "False", "message": "failed to ensure HPA is correctly created"}
        not_ready["conditions"][2] |= {"status": "True", "message": "fallback is in use"}
        del not_ready["hpaName"]
        del not_ready["externalMetricNames"]
        keda["cms-worker-high"]["spec"]["maxReplicaCount"] = 99
        keda["cms-worker"]["spec"]["triggers"][0]["metadata"]["listLength"] = "7"
        keda["lms-worker"]["status"]["externalMetricNames"] += ["s9-redis-gone"]
        cluster.site.scaled_objects.remove(keda["lms-worker-high-mem"])
        found = differences(cluster)
        assert set(found) == {names[worker] for worker in keda} - {names["lms-worker-high"]}
        assert found[names["cms-worker-low"]] == {
            "condition Ready": ("True", "False: failed to ensure HPA is correctly created"),
            "condition Fallback": ("False", "True: fallback is in use"),
            "HorizontalPodAutoscaler": ("one of KEDA's", "KEDA names none"),
        }
        assert found[names["cms-worker-high"]] == {"maxReplicaCount": ("30", "99")}
        assert found[names["cms-worker"]] == {"triggers": ("those of the build", "others")}
        assert found[names["lms-worker-high-mem"]] == {"in the cluster": ("a ScaledObject", "none of that name")}
        [(_, why)] = found[names["lms-worker"]].values()
        assert "NotFound" in why
        # A word that is longer stays whole: what kubectl asked for.
        assert all(len(line) <= 80 or "%2F" in line for line in verify(cluster).stdout.splitlines())


def test_keda_counts_where_the_worker_looks(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **KEDA) as cluster:
        cluster.site.start("lms-worker", "cms-worker", "lms-worker-high")
        with_keda(cluster)
        text = cluster.built.read_text()
        elsewhere = r"\1databaseIndex: '5'\n\1listName: another\n"
        cluster.built.write_text(re.sub(rf"( +)listName: {HIGH}\n", elsewhere, text))
        found = differences(cluster)["lms-worker-high-scaledobject"]
        assert found["database"] == ("0, 5", "the worker uses 0")
        assert found["counted queues"] == ("another", f"it consumes {HIGH}, too")
        cluster.built.write_text(text.replace(f"listName: {IN_FLIGHT_OF_HIGH}", "listName: unacked"))
        found = differences(cluster)["lms-worker-high-scaledobject"]
        assert found["counted in flight"] == ("unacked", IN_FLIGHT_OF_HIGH)


def test_a_cluster_without_keda_is_said_once(plain: Place, tmp_path: Path) -> None:
    with live(plain, tmp_path, **KEDA) as cluster:
        cluster.site.start("lms-worker", "cms-worker")
        cluster.site.without.add("scaledobjects.keda.sh")
        [(_, why)] = differences(cluster)["KEDA"].values()
        assert why == (
            'kubectl get scaledobjects.keda.sh: the server doesn\'t have a resource type "scaledobjects.keda.sh"'
        )


class Counting(Kubectl):
    """A cluster with a pod of each worker, that answers, and remembers what it was asked for."""

    asked: list[list[str]] = []  # noqa: RUF012 - a Record's fields are values
    pods: list[dict[str, Any]] = []  # noqa: RUF012
    silent: frozenset[str] = frozenset()

    def get(self, *arguments: str) -> Any:
        return {"items": self.pods if arguments == ("pods",) else []}

    def run_python(self, pod: str, container: str, program: str, *, seconds: int) -> Mapping[str, Any]:
        request = json.loads(ast.literal_eval(program.rpartition("SystemExit(main(")[2].strip().removesuffix("))")))
        self.asked.append(request["lists"])
        if pod in self.silent:
            raise UserError.of("it says nothing")
        return {"worker": None, "counts": dict.fromkeys(request["lists"], 0)}


class CountingSite(RunningSite):
    kubectl: Any = None


@pytest.mark.parametrize("silent", [0, 1])
def test_one_worker_is_asked_for_the_lengths_of_all_lists(silent: int) -> None:
    expected = Path(__file__).parent.parent / "golden" / "keda" / "expected.yaml"
    site = Site(read_build(expected.read_bytes()))
    pods = [
        {
            "metadata": {
                "name": f"{worker.resource.name}-1",
                "labels": worker.resource.tree["spec"]["template"]["metadata"]["labels"],
            },
            "spec": worker.resource.tree["spec"]["template"]["spec"],
            "status": {
                "phase": "Running",
                "containerStatuses": [{"name": worker.resource.name, "ready": True}],
            },
        }
        for worker in site.workers
    ]
    namespace = site.workers[0].resource.namespace
    first = frozenset([pods[0]["metadata"]["name"]] if silent else [])
    kubectl = Counting(path="kubectl", namespace=namespace, asked=[], pods=pods, silent=first)
    verify_site(CountingSite(site=site, namespace=namespace, given={}, kubectl=kubectl))
    assert len(pods) > 1
    assert len(kubectl.asked) == len(pods) + silent
    assert sum(map(bool, kubectl.asked)) == 1 + silent
