"""A scenario on a site: a namespace with workers as emitted, a Redis, tasks that are sent, and a journal of them."""

from __future__ import annotations

import math
import os
import re
import statistics
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import redis
import yaml
from celery import Celery
from kombu.exceptions import OperationalError

from kustomizer.record import Record
from tests.control_plane import emissions
from tests.control_plane.accounting import PodTime, account, doubled_tasks
from tests.control_plane.broker import Broker
from tests.control_plane.faster import faster
from tests.control_plane.journal import Journal
from tests.control_plane.scenario import (
    BACKGROUND,
    BACKGROUND_EVERY,
    BACKGROUND_SECONDS,
    LMS_DEFAULT,
    Message,
    Scenario,
)
from tests.control_plane.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.control_plane.cluster import Cluster
    from tests.control_plane.journal import Event
    from tests.control_plane.kubelet import Kubelet
    from tests.control_plane.pod import Pod

TASK = "load.tasks.work"
_PUT_BACK = re.compile(r"(?m)^put back on \S+: \S+ (\S+),")
START_SECONDS = 300.0
"""Real seconds that the first pods may take on a busy machine."""
LOOK_SECONDS = 0.5
END_SECONDS = 2
"""Real seconds that Celery takes to end when its last task is done, and to acknowledge that. They don't become fewer
when time runs faster, and would be most of the 30 s that Kubernetes gives a pod."""
BROKEN_AFTER = 2
"""How often a container may have to be started again that nobody killed."""


class Place(Record):
    """What all runs share."""

    cluster: Cluster
    kubelet: Kubelet
    directory: Path
    factor: float


class RunningSite:
    """A site at work. A scenario's steps are given it."""

    def __init__(self, place: Place, scenario: Scenario, site: str, number: int) -> None:
        """``number`` tells this run from others: it makes the namespace and the address of its Redis."""
        self.place = place
        self.scenario = scenario
        self.site = site
        self.namespace = f"run-{number}"
        self.directory = place.directory / self.namespace
        self.directory.mkdir(parents=True)
        self.service = f"redis-{self.namespace}"
        # An address that no other bench on this machine is likely to have.
        address = f"127.{20 + os.getpid() % 200}.{number // 200}.{1 + number % 200}"
        self.broker = Broker(self.directory / "redis", address, place.cluster.keeper)
        self.journal = Journal(self.directory / "journal")
        self.loads: list[float] = []
        self.kills: Counter[str] = Counter()
        self.began = 0.0
        self.notes: list[tuple[float, str]] = []
        self._is_over = threading.Event()
        self._built: dict[str, list[dict[str, Any]]] = {}

    @property
    def now(self) -> float:
        """The site's seconds since the first task was to be sent."""
        return (time.time() - self.began) * self.place.factor

    def objects(self, site: str = "") -> list[dict[str, Any]]:
        """Return the workers, and what belongs to them, as this site or another one in its place emits them."""
        site = site or self.site
        if site not in self._built:
            directory = self.directory / f"build-{len(self._built)}"
            directory.mkdir()
            found = emissions.emission(site, directory, namespace=self.namespace, redis=self.service)
            queues = () if self.scenario.every_worker else {*self.scenario.queues, LMS_DEFAULT}
            self._built[site] = emissions.workers(found, queues)
        return self._built[site]

    def apply(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Apply objects with their times divided, but for what a process takes to end."""
        text = faster(yaml.safe_dump_all(objects, sort_keys=False), round(self.place.factor))
        documents = list(yaml.safe_load_all(text))
        for item in documents:
            if item["kind"] == "Deployment":
                item["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] += END_SECONDS
        self.place.cluster.apply(yaml.safe_dump_all(documents, sort_keys=False), force_conflicts=True)

    def deployments(self, site: str = "") -> list[str]:
        """Return the names of the workers."""
        return [item["metadata"]["name"] for item in self.objects(site) if item["kind"] == "Deployment"]

    def pods(self) -> list[Pod]:
        """Return every pod that there has been in the namespace."""
        return [pod for pod in self.place.kubelet.pods() if pod.namespace == self.namespace]

    def busy(self, queue: str) -> list[Pod]:
        """Return the pods that work on a task of this queue now, the one that began first before the others."""
        events = self.events()
        over = {event.attempt for event in events if event.event in {"finished", "dying"}}
        # A container that was killed starts again under the same pod's name.
        killed = {event.pod: event.at for event in events if event.event == "killed"}
        names = [
            event.pod
            for event in events
            if event.event == "started"
            and event.queue == queue
            and event.attempt not in over
            and event.at > killed.get(event.pod, 0.0)
        ]
        running = {pod.name: pod for pod in self.pods() if not pod.ended}
        return [running[name] for name in dict.fromkeys(names) if name in running]

    def events(self) -> Sequence[Event]:
        """Return what has happened, but for the tasks in the background."""
        return [event for event in self.journal.read() if not event.task.startswith(BACKGROUND)]

    def wait_busy(self, queue: str) -> Pod:
        """Wait until a pod works on a task of this queue, and return it."""
        self.wait(lambda: bool(self.busy(queue)), f"a task of {queue} to start")
        return self.busy(queue)[0]

    def lose(self, pod: Pod) -> None:
        """Kill a pod as if its node were gone."""
        self.journal.write("killed", pod=pod.name)
        self.place.kubelet.lose(pod.name)

    def kill(self, pod: Pod) -> None:
        """Kill a pod's processes; its container starts again."""
        self.journal.write("killed", pod=pod.name)
        self.kills[pod.name] += 1
        self.place.kubelet.kill(pod.name)

    def control(self) -> Any:
        """Return Celery's remote control of the site's workers."""
        return self._celery().control

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
        """Look again and again, for so many real seconds at most."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.scenario.key} on {self.site}: waited in vain for {what}")
            time.sleep(LOOK_SECONDS)

    def run(self) -> dict[str, Any]:
        """Carry the scenario out, and return what came of it."""
        cluster = self.place.cluster
        for name in (self.service, f"{self.service}.{self.namespace}"):
            cluster.name_address(name, self.broker.address)
        with self.broker:
            try:
                self.apply(emissions.at_their_minimum(self.objects(self.scenario.begins_with)))
                self.wait(self._is_ready, "the first pods")
                self.began = time.time()
                with ThreadPoolExecutor(2) as others:
                    steps, background = others.submit(self._act), others.submit(self._send_background)
                    try:
                        self._send()
                        self._look_on(steps.done)
                    finally:
                        self._is_over.set()
                    steps.result()
                    background.result()
                return self._result(time.time())
            finally:
                cluster.clear(self.namespace)

    def _is_ready(self) -> bool:
        scaled = self.place.cluster.get("scaledobjects.keda.sh", self.namespace)
        for item in scaled:
            conditions = {each["type"]: each["status"] for each in item.get("status", {}).get("conditions") or ()}
            if conditions.get("Ready") != "True":
                return False
        wanted = {
            item["metadata"]["name"]: item["spec"].get("replicas", 1)
            for item in self.place.cluster.get("deployments", self.namespace)
            if item["metadata"]["name"] != emissions.RESTORER
        }
        kubelet = self.place.kubelet
        ready = [
            pod for pod in self.pods() if pod.is_running and not pod.stopping and " ready." in kubelet.log(pod.name)
        ]
        found = {name: sum(pod.deployment == name for pod in ready) for name in wanted}
        return found == wanted

    def _sleep_until(self, at: float) -> None:
        while (left := (at - self.now) / self.place.factor) > 0:
            time.sleep(min(left, LOOK_SECONDS))

    def _send(self) -> None:
        app = self._celery()
        ordered = sorted(self.scenario.messages, key=lambda message: message.at)
        for number, message in enumerate(ordered):
            self._sleep_until(message.at)
            self._send_one(f"{self.scenario.key}-{number:04}", message, app)

    def _send_background(self) -> None:
        if not self.scenario.background:
            return
        app = self._celery()
        message = Message(at=0, queue=LMS_DEFAULT, seconds=BACKGROUND_SECONDS)
        number = 0
        while not self._is_over.wait(BACKGROUND_EVERY / self.place.factor):
            self._send_one(f"{BACKGROUND}-{number:04}", message, app)
            number += 1

    def _celery(self) -> Celery:
        """Return an application that sends to the site; each thread has its own."""
        return Celery(broker=self.broker.url, set_as_current=False)

    def _send_one(self, task: str, message: Message, app: Celery) -> None:
        factor = self.place.factor
        arguments = {"journal": str(self.journal.path), "seconds": message.seconds / factor, "dies": message.dies}
        countdown = message.countdown / factor
        at = time.time()
        while True:
            try:
                app.send_task(
                    TASK,
                    kwargs=arguments,
                    queue=message.queue,
                    task_id=task,
                    countdown=countdown or None,
                    ignore_result=True,
                )
                break
            except (redis.ConnectionError, OperationalError):
                # Redis is away; who sends tries until it is back.
                time.sleep(LOOK_SECONDS)
        self.journal.write("sent", at=at, task=task, queue=message.queue, countdown=countdown)

    def _act(self) -> None:
        for step in sorted(self.scenario.steps, key=lambda step: step.at):
            self._sleep_until(step.at)
            self.notes.append((round(self.now), step.what))
            step.act(self)

    def _look_on(self, steps_done: Callable[[], bool]) -> None:
        quiet_since = math.inf
        while self.now < self.scenario.limit and self.now - quiet_since < self.scenario.watch:
            self.loads.append(os.getloadavg()[0])
            self._refuse_broken_pods()
            busy = any(self.busy(queue) for queue in self.scenario.queues)
            if not steps_done() or busy or self.broker.left(self.scenario.key):
                quiet_since = math.inf
            else:
                quiet_since = min(quiet_since, self.now)
            time.sleep(LOOK_SECONDS)

    def _refuse_broken_pods(self) -> None:
        """Fail when a worker can't start: a mistake of the stand-in's isn't a lost task."""
        for pod in self.pods():
            if pod.restarts > BROKEN_AFTER + self.kills[pod.name]:
                raise RuntimeError(f"{pod.name} dies again and again:\n{self.place.kubelet.log(pod.name)[-2000:]}")

    def _put_back(self) -> set[str]:
        """Return the tasks that celery-restore-orphans says to have put back."""
        logs = [self.place.kubelet.log(pod.name) for pod in self.pods() if pod.deployment == emissions.RESTORER]
        return {found[1] for log in logs for found in _PUT_BACK.finditer(log)}

    def _result(self, end: float) -> dict[str, Any]:
        events, factor = self.events(), self.place.factor
        pods = [
            PodTime(
                name=pod.name,
                deployment=pod.deployment,
                created=pod.created,
                started=pod.started,
                ended=pod.ended,
                how=pod.how,
            )
            for pod in self.pods()
        ]
        consumers = {
            item["metadata"]["name"]: emissions.queues_of(item)
            for objects in self._built.values()
            for item in objects
            if item["kind"] == "Deployment"
        }
        doubled = doubled_tasks(events, pods)
        outcome = account(events, pods, began=self.began, end=end, factor=factor)
        put_back = self._put_back()
        return {
            "scenario": self.scenario.key,
            "site": self.site,
            **(
                {
                    "put_back": len(put_back),
                    "doubled_by_that": len(put_back & doubled.keys()),
                    "doubled_beside_the_first": sum(lived for task, lived in doubled.items() if task in put_back),
                }
                if put_back
                else {}
            ),
            "outcome": vars(outcome) | {"waits": {queue: vars(waits) for queue, waits in outcome.waits.items()}},
            "left": self.broker.left(self.scenario.key),
            "watched": round((end - self.began) * factor),
            "load_average": [round(statistics.mean(self.loads), 1), round(max(self.loads), 1)],
            "steps": self.notes,
            "timeline": timeline(
                events, pods, consumers, self.scenario.queues, began=self.began, end=end, factor=factor
            ),
        }
