"""A kubelet without containers: each pod of a Celery worker is a real process with what its spec says.

    with Kubelet(cluster, environ={"TASK_DIRECTORY": str(tasks)}) as kubelet:
        cluster.apply(faster(build.stdout.decode(), 10))
        ...
        kubelet.kill(kubelet.running("lms-worker-high")[0].name)

A pod has its own copy of ``platform`` (tests/edx_platform unless another is given) in the place of the image's
``/openedx/edx-platform``; it is the working directory, and that is where a test's tasks are: a bench with tasks of its
own gives a directory that holds edx_platform's files and them. Every process gets the emitted environment, the files of
its volumes, its name in ``POD``, its Deployment in ``DEPLOYMENT``, the ``TIME_FACTOR``, and ``environ``.

So is celery-restore-orphans. Containers of anything else are pods that are merely marked running, once the ConfigMaps
and Secrets that they name are there. A Job's pods end only when a test says so (``let_jobs_succeed``).
"""

from __future__ import annotations

import contextlib
import http.client
import math
import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.control_plane.api import ApiError
from tests.control_plane.pod import FromApi, Pod, Worker, is_worker, missing, seen
from tests.control_plane.restorer import Restorer, is_restorer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.control_plane.cluster import Cluster

EDX_PLATFORM = Path(__file__).parent.parent / "edx_platform"
NODE = "node"
TICK_SECONDS, RETRY_SECONDS = 0.05, 0.5
_JOB = "batch.kubernetes.io/job-name"
_GONE = {http.client.NOT_FOUND, http.client.CONFLICT}


class Kubelet:
    """Runs the pods of a cluster, in a thread of its own, while it is open as a context."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        directory: Path | None = None,
        platform: Path = EDX_PLATFORM,
        environ: Mapping[str, str] | None = None,
        time_factor: int = 10,
    ) -> None:
        """``directory`` takes each pod's files and its log; unless one is given, it is the cluster's.

        ``time_factor`` divides what nobody states: Celery's own defaults, the back-off of a container that dies again.
        """
        self._cluster = cluster
        self._directory = directory or cluster.directory / "pods"
        self._platform = platform
        self._environ = {"TIME_FACTOR": str(time_factor), **(environ or {})}
        self._time_factor = time_factor
        self._workers: dict[str, Worker] = {}
        self._items: dict[str, dict[str, Any]] = {}
        self._succeeding: set[str] = set()
        self._waiting: dict[str, float] = {}
        # A pod is replaced by one that knows more, by the thread and by a test that kills it.
        self._changing = threading.Lock()
        self._events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._watch, self._run)]

    def __enter__(self) -> Kubelet:
        self._directory.mkdir(parents=True, exist_ok=True)
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        with contextlib.suppress(ApiError):  # an earlier kubelet's
            self._cluster.request("POST", "/api/v1/nodes", node)
        condition = {"type": "Ready", "status": "True", "reason": "Tests", "message": ""}
        self._cluster.merge(f"/api/v1/nodes/{NODE}/status", {"status": {"conditions": [condition]}})
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._cluster.stop_watching()
        for thread in self._threads:
            thread.join()
        for worker in self._workers.values():
            worker.end("lost")
        self._check()

    def pods(self, deployment: str = "") -> Sequence[Pod]:
        """Return every worker's pod there has been, the oldest first, or those of one Deployment."""
        self._check()
        found = [worker.pod for worker in list(self._workers.values())]
        return [pod for pod in found if deployment in {"", pod.deployment}]

    def running(self, deployment: str) -> Sequence[Pod]:
        """Return the pods of a Deployment that have a process and haven't been told to stop."""
        return [pod for pod in self.pods(deployment) if pod.is_running and not pod.stopping]

    def kill(self, name: str) -> None:
        """Send SIGKILL to all of a pod's processes, as the out-of-memory killer does; its container starts again."""
        with self._changing:
            self._named(name).kill()

    def lose(self, name: str) -> None:
        """Send SIGKILL and remove the pod, as when its node is gone; its Deployment makes another one."""
        with self._changing:
            worker = self._named(name)
            worker.pod = worker.pod._replace(how="lost")
            worker.kill()
        path = f"/api/v1/namespaces/{worker.pod.namespace}/pods/{name}"
        self._cluster.request("DELETE", path, {"gracePeriodSeconds": 0})

    def let_jobs_succeed(self, namespace: str) -> None:
        """Let the pods of every Job in a namespace end well, from now on."""
        self._succeeding.add(namespace)

    def log(self, name: str) -> str:
        """Return what a pod's container has written."""
        path = self._named(name).log
        return path.read_text() if path.exists() else ""

    def _named(self, name: str) -> Worker:
        return next(worker for worker in self._workers.values() if worker.pod.name == name)

    def _check(self) -> None:
        if self._failure is not None:
            raise RuntimeError("the kubelet has failed") from self._failure

    def _watch(self) -> None:
        try:
            while not self._stopped.is_set():
                for event in self._cluster.watch("/api/v1/pods"):
                    self._events.put(event)
        except BaseException as error:
            self._failure = error

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                events = []
                with contextlib.suppress(queue.Empty):
                    events.append(self._events.get(timeout=TICK_SECONDS))
                    while True:
                        events.append(self._events.get_nowait())
                with self._changing:
                    for event in events:
                        self._take(*event)
                    self._look_after()
        except BaseException as error:
            self._failure = error

    def _take(self, event: str, item: dict[str, Any]) -> None:
        """Take notice of what the API server says of a pod."""
        uid = item["metadata"]["uid"]
        if event == "DELETED":
            self._items.pop(uid, None)
            self._waiting.pop(uid, None)
            if (worker := self._workers.get(uid)) and not worker.pod.ended:
                worker.end("lost")
            return
        is_new = uid not in self._items
        self._items[uid] = item
        if is_new:
            kind = Restorer if is_restorer(item["spec"]) else Worker if is_worker(item["spec"]) else None
            if kind is not None and uid not in self._workers:
                self._workers[uid] = kind(seen(item), item["spec"], self._cluster, self._directory)
            if "nodeName" not in item["spec"]:
                target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
                self._post(item, "binding", {"metadata": {"name": item["metadata"]["name"]}, "target": target})
            if uid not in self._workers:
                self._waiting[uid] = 0.0

    def _look_after(self) -> None:
        """Do for each pod what is due."""
        for uid, item in list(self._items.items()):
            worker = self._workers.get(uid)
            if worker is not None:
                worker.notice_ready()
            metadata = item["metadata"]
            if "deletionTimestamp" in metadata:
                if worker is not None:
                    worker.stop(metadata.get("deletionGracePeriodSeconds", 0))
                if worker is None or worker.has_stopped():
                    del self._items[uid]
                    self._request("DELETE", item, "", {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
            elif worker is not None:
                self._start_if_due(worker, item)
            elif self._waiting.get(uid, math.inf) <= time.time():
                self._mark_if_complete(uid, item)

    def _mark_if_complete(self, uid: str, item: Mapping[str, Any]) -> None:
        """Tell the API server that a pod without a process is running, or over, once it has what it names."""
        metadata = item["metadata"]
        if missing(item["spec"], FromApi(self._cluster, metadata["namespace"])):
            self._waiting[uid] = time.time() + RETRY_SECONDS
            return
        del self._waiting[uid]
        ends = metadata["namespace"] in self._succeeding and _JOB in (metadata.get("labels") or {})
        self._say(item, "Succeeded" if ends else "Running")

    def _start_if_due(self, worker: Worker, item: Mapping[str, Any]) -> None:
        if worker.pod.how or not worker.is_due(self._time_factor):
            return
        # What its volumes name may come later than the pod.
        with contextlib.suppress(KeyError):
            worker.start(self._platform, self._environ)
            self._say(item, "Running", worker.pod.restarts)

    def _say(self, item: Mapping[str, Any], phase: str, restarts: int = 0) -> None:
        """Tell the API server how a pod is."""
        is_running = phase == "Running"
        state: dict[str, Any] = {"running": {}} if is_running else {"terminated": {"exitCode": 0}}
        statuses = [
            {
                "name": given["name"],
                "image": given["image"],
                "imageID": "",
                "ready": is_running,
                "started": is_running,
                "restartCount": restarts,
                "state": state,
            }
            for given in item["spec"]["containers"]
        ]
        ready = "True" if is_running else "False"
        conditions = [{"type": kind, "status": ready} for kind in ("Initialized", "Ready", "ContainersReady")]
        conditions.append({"type": "PodScheduled", "status": "True"})
        status = {"phase": phase, "conditions": conditions, "containerStatuses": statuses}
        self._request("PATCH", item, "/status", {"status": status})

    def _post(self, item: Mapping[str, Any], subresource: str, body: Any) -> None:
        self._request("POST", item, f"/{subresource}", body)

    def _request(self, method: str, item: Mapping[str, Any], subresource: str, body: Any) -> None:
        """Send a request about a pod, which may be gone by now."""
        metadata = item["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}{subresource}"
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            self._cluster.request(method, path, body, content_type=kind)
        except ApiError as error:
            if error.status not in _GONE:
                raise
