"""A site's workers as a cluster has them: real processes on a real Redis, and a kubectl that knows them as pods.

The kubectl is a script that stands in for the cluster's end alone: it takes the command lines of the real one, answers
with objects of the API's shape, and for ``exec`` starts the very program with the environment, the files and the
directory of that pod's process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.celery_site import Site, Worker
from tests.pods import Container, Objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

NAMESPACE = "openedx"

_KUBECTL = r"""
import json, os, pathlib, subprocess, sys

def fail(text, status=1):
    sys.stderr.write(text + "\n")
    sys.exit(status)

cluster = json.loads(pathlib.Path(__file__).with_name("cluster.json").read_text())
arguments = sys.argv[1:]
with pathlib.Path(__file__).with_name("arguments").open("a") as log:
    log.write(json.dumps(arguments) + "\n")
options = {}
while arguments and arguments[0].startswith("--"):
    name, _, value = arguments.pop(0).partition("=")
    if name not in ("--namespace", "--context", "--kubeconfig"):
        fail("error: unknown flag: " + name)
    options[name] = value
if options.get("--context", "") not in ("", "site"):
    fail('error: context "%s" does not exist' % options["--context"])
namespace = options.get("--namespace", "default")
verb, rest = arguments[0], arguments[1:]

def get(words):
    flags = dict(word.partition("=")[::2] for word in words if word.startswith("--"))
    words = [word for word in words if not word.startswith("--")]
    if set(flags) - {"--output", "--request-timeout", "--raw"}:
        fail("error: unknown flag in %s" % flags)
    if "--raw" in flags:
        if flags["--raw"] not in cluster["raw"]:
            fail("Error from server (NotFound): the server could not find the requested resource")
        print(json.dumps(cluster["raw"][flags["--raw"]]))
        return
    if flags.get("--output") != "json":
        fail("error: this cluster speaks JSON only")
    [kinds] = words
    found = []
    for kind in kinds.split(","):
        if kind not in cluster["objects"]:
            fail('error: the server doesn\'t have a resource type "%s"' % kind)
        found += [item for item in cluster["objects"][kind] if item["metadata"]["namespace"] == namespace]
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": found}))

def execute(words):
    command = words[words.index("--") + 1:]
    words = words[:words.index("--")]
    containers = [word.partition("=")[2] for word in words if word.startswith("--container=")]
    [pod] = [word for word in words if not word.startswith("--")]
    if "--stdin" not in words or command != ["python", "-"]:
        fail("error: this kubectl knows `exec --stdin POD --container=C -- python -` only")
    found = cluster["processes"].get(pod)
    if found is None or namespace != cluster["namespace"]:
        fail('Error from server (NotFound): pods "%s" not found' % pod)
    if containers != [found["container"]]:
        fail("error: container %s is not valid for pod %s" % (containers, pod))
    done = subprocess.run([found["python"], "-"], cwd=found["cwd"], env=found["env"])
    if done.returncode:
        fail("command terminated with exit code %d" % done.returncode, done.returncode)

def list_kinds(words):
    assert words == ["--namespaced", "--output=name"], words
    print(*cluster["objects"], sep="\n")

def delete(words):
    [kind, *names] = [word for word in words if not word.startswith("--")]
    for name in names:
        print('%s "%s" deleted' % (kind, name))

{"get": get, "exec": execute, "api-resources": list_kinds, "delete": delete}[verb](rest)
"""


class LiveSite(Site):
    """A site whose processes are pods: each has a name of its own, and the node is called by it."""

    def __init__(self, directory: Path, built: Objects, redis: Redis, prefix: str = "") -> None:
        super().__init__(directory, built, redis, prefix)
        self.directory = directory
        self.scaled_objects: list[dict[str, Any]] = []
        self.raw: dict[str, Any] = {}
        self.objects: dict[str, list[dict[str, Any]]] = {}
        """Objects of other kinds, by what kubectl calls the kind."""
        self.stopping: set[str] = set()
        """Pods that were asked to stop."""
        self.hidden: set[str] = set()
        """Pods that are elsewhere, where this kubectl doesn't look."""
        self.host = ""
        """What the pods' hosts are called where each isn't called like its pod."""
        self.without: set[str] = set()
        """Kinds of objects that this cluster doesn't know."""
        self._objects: dict[str, dict[str, Any]] = {}
        self._extra: list[Container] = []

    def __enter__(self) -> LiveSite:
        return self

    @property
    def kubectl(self) -> Path:
        """A kubectl that sees the pods as they are now."""
        program = self.directory / "kubectl"
        if not program.exists():
            program.write_text(f"#!{sys.executable}\n{_KUBECTL}")
            program.chmod(0o755)
        alive = [worker.pod for worker in self.workers if worker.process.poll() is None]
        pods = [pod for pod in (*alive, *self._extra) if pod.root.name not in self.hidden]
        cluster: dict[str, Any] = {
            "namespace": NAMESPACE,
            "objects": {
                "pods": [self._pod_object(pod) for pod in pods],
                "scaledobjects.keda.sh": self.scaled_objects,
                "horizontalpodautoscalers": [
                    {"metadata": {"name": item["status"]["hpaName"], "namespace": NAMESPACE}}
                    for item in self.scaled_objects
                    if item["status"].get("hpaName")
                ],
            },
            "raw": self.raw,
            "processes": {
                pod.root.name: {
                    "container": pod.name,
                    "python": str(self.python),
                    "cwd": str(pod.root / "edx-platform"),
                    "env": self._environ(pod),
                }
                for pod in pods
            },
        }
        cluster["objects"] |= self.objects
        cluster["objects"] = {kind: found for kind, found in cluster["objects"].items() if kind not in self.without}
        (self.directory / "cluster.json").write_text(json.dumps(cluster))
        return program

    def idle_pod(self, deployment: str) -> str:
        """Have a pod of ``deployment`` that runs no worker's process, of `lms` say, and return its name."""
        pod = self._pod(deployment, self.built)
        self._extra.append(pod)
        return pod.root.name

    def run_job(self, job: dict[str, Any], of: str) -> subprocess.CompletedProcess[str]:
        """Run the container of a Job where a pod of the Deployment ``of`` would run."""
        pod = self._pod(of, self.built)
        [container] = job["spec"]["template"]["spec"]["containers"]
        command = [*container["command"], *container["args"]]
        assert command[0] == "python"
        environ = self._environ(pod)
        return subprocess.run(
            [self.python, *command[1:]],
            cwd=pod.root / "edx-platform",
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def arguments(self) -> Sequence[Sequence[str]]:
        """Return the arguments of each kubectl that was run."""
        return [json.loads(line) for line in (self.directory / "arguments").read_text().splitlines()]

    def _pod(self, name: str, built: Objects) -> Container:
        pod = super()._pod(name, built)
        deployment = built.get("Deployment", name)
        self._objects[pod.root.name] = deployment["spec"]["template"]
        # In a cluster the host is named like the pod.
        return pod._replace(argv=[word.replace("%h", self.host or pod.root.name) for word in pod.argv])

    def _pod_object(self, pod: Container) -> dict[str, Any]:
        template, name = self._objects[pod.root.name], pod.root.name
        ending = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if name in self.stopping else {}
        metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE, **ending}
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
        metadata["ownerReferences"] = [{"kind": "ReplicaSet", "name": f"{pod.name}-1"}]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**metadata, "labels": template["metadata"]["labels"]},
            "spec": template["spec"],
            "status": {"phase": "Running", "containerStatuses": [{"name": pod.name, "ready": True}]},
        }


def pod_name(worker: Worker) -> str:
    """Return the name of the worker's pod."""
    return worker.pod.root.name
