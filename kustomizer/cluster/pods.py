"""The pods of Open edX that a cluster has now, and asking one of them with its own settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kustomizer.cluster.kubectl import Kubectl
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import UserError
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.openedx.celery_programs import app_name
from kustomizer.openedx.pod_program import pod_program
from kustomizer.openedx.workers import NAME_LABEL, environment, running, worker_line
from kustomizer.record import Record
from kustomizer.worker_command.command_line import CommandLine

ANSWER_SECONDS = 300
"""How long the program may take in the pod, where it loads edx-platform's settings first."""
PATIENCE = 5
"""Seconds that workers have to answer remote control: one that is there does so at once."""

_MORE = {**dict.fromkeys(("in_flight", "orphans", "put_back"), ("orphans",)), "tasks": ("tasks_in_pod",)}
"""Files that the program for an action needs besides."""
_ENDED = frozenset({"Succeeded", "Failed"})


class LivePod(Record):
    """A container of lms or cms in a pod that hasn't ended."""

    name: str
    container: str
    service: str
    labels: Mapping[str, str]
    created: str = ""
    is_ready: bool = False
    """Whether it runs, and hasn't been asked to stop."""
    is_stopping: bool = False
    """Whether it has been asked to stop, which may take as long as a task does."""
    command_line: CommandLine | None = None
    """Its Celery worker's, None where it runs none."""
    app: str = ""

    @property
    def names(self) -> Sequence[str]:
        """Names that a key of its worker's own may have."""
        # A Deployment's pod is named after it, with two parts of letters behind.
        workload = self.name.rpartition("-")[0].rpartition("-")[0]
        return sorted({self.container, str(self.labels.get(NAME_LABEL, "")), workload})

    @property
    def is_worker(self) -> bool:
        """Whether it runs a Celery worker."""
        return self.command_line is not None

    @property
    def node(self) -> str:
        """The name that its worker goes by among Celery's; a pod's host name is its own name."""
        assert self.command_line is not None  # noqa: S101 - asked of workers only
        return node_name(self.command_line.hostname, self.name)

    def ask(self, kubectl: Kubectl, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run the program of data/in_pod.py in it and return its answer. Raises UserError with what is wrong there."""
        program = program_text(self.app, request)
        return kubectl.run_python(self.name, self.container, program, seconds=ANSWER_SECONDS + 60)


def program_text(app: str, request: Mapping[str, Any]) -> str:
    """Return the program that does ``request`` in a pod, complete, for a Python that reads it from stdin or ``-c``."""
    text = pod_program("in_pod", "redis_broker", *_MORE.get(request["action"], ()))
    whole = json.dumps({"seconds": ANSWER_SECONDS, "patience": PATIENCE, "app": app, **request})
    return f"{text}\n\nraise SystemExit(main({whole!r}))\n"


def node_name(hostname: str | None, host: str) -> str:
    """Return what Celery makes of a worker's ``--hostname`` on ``host`` (celery/utils/nodenames.py)."""
    name = hostname or "celery@%h"
    short, _, domain = host.partition(".")
    values = {"h": host, "n": short, "d": domain}
    return re.sub("%([hnd])", lambda match: values[match[1]], name if "@" in name else f"celery@{name}")


def live_pods(kubectl: Kubectl) -> list[LivePod]:
    """Return the pods of lms and cms in the namespace, those that are about to stop among them."""
    items = mappings(mapping(kubectl.get("pods")).get("items"))
    return [pod for item in items for pod in _containers(item)]


def _containers(pod: dict[str, Any]) -> Iterator[LivePod]:
    phase = lookup(pod, "status", "phase")
    if phase in _ENDED:
        return
    ready = {
        status.get("name")
        for field in ("containerStatuses", "initContainerStatuses")
        for status in mappings(lookup(pod, "status", field))
        if status.get("ready")
    }
    is_stopping = bool(lookup(pod, "metadata", "deletionTimestamp"))
    for _, container in running(pod):
        name = str(lookup(container, "name"))
        service = environment(container, "SERVICE_VARIANT") or name.partition("-worker")[0]
        if service not in OPEN_EDX_SERVICES:
            continue
        yield LivePod(
            name=str(lookup(pod, "metadata", "name")),
            container=name,
            service=service,
            labels=mapping(lookup(pod, "metadata", "labels")),
            created=str(lookup(pod, "metadata", "creationTimestamp") or ""),
            is_ready=phase == "Running" and name in ready and not is_stopping,
            is_stopping=is_stopping,
            command_line=worker_line(container),
            app=app_name(container, service),
        )


def pod_to_ask(pods: Sequence[LivePod], *, name: str | None, namespace: str) -> LivePod:
    """Return the pod named, or a good one for a question about the broker: a default worker's, then any worker's.

    Raises UserError where there is none.
    """
    ready = [pod for pod in pods if pod.is_ready and name in (None, pod.name)]
    ready.sort(key=lambda pod: (pod.container != f"{pod.service}-worker", not pod.is_worker, pod.container, pod.name))
    if not ready:
        where = f" in namespace {namespace}" if namespace else ""
        which = f"pod {name} isn't one of lms or cms that is ready" if name else "no pod of lms or cms is ready"
        raise UserError.of(f"{which}{where}", remedy="Print a Job that looks with --print-job, and apply it")
    return ready[0]


def may_use(pod: LivePod, key: str) -> bool:
    """Tell whether the worker in ``pod`` may have its tasks under ``key``, from its names alone.

    A key with a worker's name is that worker's alone; the container keeps that name under a namePrefix, too.
    """
    return not key.startswith("unacked.") or key.removeprefix("unacked.") in pod.names


def names_of_workers(pods: Sequence[LivePod]) -> dict[str, list[str]]:
    """Return the pods with a worker, and the names by which each may have a key."""
    names: dict[str, list[str]] = {}
    for pod in pods:
        if pod.is_worker:
            names.setdefault(pod.name, []).extend(pod.names)
    return names
