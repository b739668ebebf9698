"""Asking a site for its tasks: a pod of each service, or what the log of a Job says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kustomizer.cluster.in_flight import workers_in
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import UserError
from kustomizer.openedx.celery.values import Known
from kustomizer.openedx.celery.view import routed_queue
from kustomizer.openedx.workers import NAME_LABEL
from kustomizer.site.model import Site, SiteWorker
from kustomizer.system.files import read_text
from kustomizer.tasks.model import SiteTasks, Task, TaskSettings

JOB = "celery-tasks"
"""What the Job is called, and labelled with."""
_SETTINGS = ("time_limit", "soft_time_limit", "acks_late", "ignore_result", "rate_limit", "max_retries")


def workers_of_services(site: Site, namespace: str) -> dict[str, SiteWorker]:
    """Return a worker of each service in ``namespace``. Raises UserError where there is none."""
    workers = {worker.service: worker for worker in reversed(workers_in(site, namespace))}
    if not workers:
        raise UserError.of(f"the site has no worker of lms or cms in namespace {namespace}")
    return {service: workers[service] for service in OPEN_EDX_SERVICES if service in workers}


def tasks_request(worker: SiteWorker) -> dict[str, Any]:
    """Return the request for the tasks of a worker's service: where they go now, and with what the build routes."""
    return {"action": "tasks", "service": worker.service, "routing": routing_of(worker)}


def routing_of(worker: SiteWorker) -> dict[str, Any]:
    """Return EXPLICIT_QUEUES of the settings that ``worker`` mounts, without Open edX's own.

    ``whole`` tells whether these are all: what settings compute isn't known before they run.
    """
    celery = worker.celery
    table: Mapping[Any, Any] = {} if celery is None else celery.settings.table("EXPLICIT_QUEUES") or {}
    queues = {str(task): routed_queue(route) for task, route in table.items()}
    named = {task: queue for task, queue in sorted(queues.items()) if queue is not None}
    return {"queues": named, "whole": celery is not None and isinstance(celery.routes, Known)}


def site_tasks(answers: Iterable[Mapping[str, Any]], asked: str, without: Iterable[str] = ()) -> SiteTasks:
    """Return what pods have answered; those of the services ``without`` a worker aren't a worker's."""
    versions, tasks = {}, []
    for answer in answers:
        service = answer["service"]
        versions[service] = {"celery": str(answer["celery"]), "kombu": str(answer["kombu"])}
        for raw in answer["tasks"]:
            settings = None if service in without else TaskSettings(**{name: raw[name] for name in _SETTINGS})
            named = {name: raw[name] for name in ("name", "queue", "by", "rule", "after", "priority")}
            tasks.append(Task(service=service, settings=settings, **named))
    return SiteTasks(asked=asked, versions=versions, tasks=tasks)


def read_answers(paths: Sequence[Path], workers: Mapping[str, SiteWorker]) -> list[Mapping[str, Any]]:
    """Return the answers in the logs of Jobs, one of each service.

    Raises UserError where there is none in a file, or one to another question than that of this build.
    """
    answers: dict[str, Mapping[str, Any]] = {}
    for path in paths:
        site_answers = [answer for line in read_text(path).splitlines() if (answer := _answer(line)) is not None]
        for answer in site_answers:
            if "error" in answer:
                raise UserError.of(f"{path}: the Job says: {answer['error']}")
            service = str(answer["service"])
            if service not in workers or answer["routing"] != routing_of(workers[service]):
                remedy = "Print the Job again with this build, and run it"
                raise UserError.of(f"{path}: a Job of another build asked {service}", remedy=remedy)
            answers[service] = answer
        if not site_answers:
            remedy = f"Write the log of a Job of --print-job: kubectl logs -l {NAME_LABEL}={JOB} --tail=-1"
            raise UserError.of(f"{path} holds no answer", remedy=remedy)
    return [answers[service] for service in sorted(answers)]


def _answer(line: str) -> dict[str, Any] | None:
    """Return the answer in a line of a log: others are what the settings print while they are loaded."""
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    is_whole = {"service", "routing", "celery", "kombu", "tasks"} <= answer.keys()
    return answer if is_whole or set(answer) == {"error"} else None
