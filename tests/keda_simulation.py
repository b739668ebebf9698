"""How many pods a worker has over time, by the rules of KEDA and of the HPA, for a ScaledObject as it is emitted.

The counts are those that tests/acceptance/test_celery.py measures: a task that waits is on the list; one that runs is
in the worker's hash, and each pod takes as many as it has slots. The rules are those of KEDA (every 30 s it wakes a
worker that has work, and takes it to zero after 300 s without) and of Kubernetes (every 15 s; the largest of all
metrics, 10 % of tolerance; at most the double or four more at a time; down to the largest wish of the last 300 s).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STEP = 15
POLL = 30
COOLDOWN = 300
WINDOW = 300
POD_START = 30
"""Seconds until a new pod works."""


class Scaling(NamedTuple):
    """What a ScaledObject says."""

    least: int
    most: int
    queued_per_pod: int
    counts_in_flight: bool
    slots: int
    """How many tasks in flight are a pod's load; 0 where they aren't added up."""

    def wishes(self, queued: int, in_flight: int) -> list[float]:
        """Return how many pods each metric asks for."""
        if self.slots:
            return [queued / self.queued_per_pod + in_flight / self.slots]
        guard = [in_flight / 1_000_000] if self.counts_in_flight else []
        return [queued / self.queued_per_pod, *guard]

    def is_active(self, queued: int, in_flight: int) -> bool:
        """Tell whether KEDA sees any work."""
        return queued > 0 or (self.counts_in_flight and in_flight > 0)


def scaling(scaled_object: Mapping[str, Any]) -> Scaling:
    """Read an emitted ScaledObject."""
    spec = scaled_object["spec"]
    triggers = {trigger["name"]: trigger["metadata"] for trigger in spec["triggers"]}
    formula = spec["advanced"].get("scalingModifiers", {}).get("formula", "")
    slots = re.search(r"inflight/(\d+)", formula)
    return Scaling(
        least=spec["minReplicaCount"],
        most=spec["maxReplicaCount"],
        queued_per_pod=int(triggers["queued1"]["listLength"]),
        counts_in_flight="inflight" in triggers,
        slots=int(slots[1]) if slots else 0,
    )


class Task(NamedTuple):
    """A task that comes at a time and takes some seconds."""

    at: int
    seconds: int


class Pod:
    """A pod: it takes tasks as long as nobody has asked it to stop, and stops when the last one is done."""

    def __init__(self, ready: int, slots: int) -> None:
        self.ready = ready
        self.slots = slots
        self.stopping = False
        self.ends: list[int] = []

    def take(self, now: int, queue: list[Task]) -> Iterator[int]:
        """Start what there are slots for; yield how long each task had waited."""
        while queue and not self.stopping and self.ready <= now and len(self.ends) < self.slots:
            task = queue.pop(0)
            self.ends.append(now + task.seconds)
            yield now - task.at


class Run(NamedTuple):
    """What came of it."""

    replicas: Mapping[int, int]
    """How many pods the Deployment was to have, by second."""
    waits: Sequence[int]
    """How long each task waited, shortest first."""
    end: int
    """When the last task was done."""


def simulate(rules: Scaling, tasks: Sequence[Task], *, slots: int, seconds: int) -> Run:
    """Return what happens to ``tasks`` on pods that work on ``slots`` tasks each, and have time to finish them."""
    replicas = rules.least
    pods = [Pod(0, slots) for _ in range(replicas)]
    queue: list[Task] = []
    pending = sorted(tasks)
    by_second: dict[int, int] = {}
    waits: list[int] = []
    wishes: list[tuple[int, int]] = []
    last_active = end = 0
    for now in range(0, seconds + 1, STEP):
        for pod in pods:
            end = max([end, *(each for each in pod.ends if each <= now)])
            pod.ends = [each for each in pod.ends if each > now]
        pods = [pod for pod in pods if pod.ends or not pod.stopping]
        while pending and pending[0].at <= now:
            queue.append(pending.pop(0))
        for pod in pods:
            waits += pod.take(now, queue)
        in_flight = sum(len(pod.ends) for pod in pods)
        active = rules.is_active(len(queue), in_flight)
        last_active = now if active else last_active
        if replicas:
            replicas, wishes = _hpa(rules, replicas, rules.wishes(len(queue), in_flight), wishes, now=now)
            if not rules.least and now - last_active >= COOLDOWN:
                replicas, wishes = 0, []
        elif active and now % POLL == 0:
            replicas = 1
        _follow(pods, replicas, now, slots)
        by_second[now] = replicas
    assert not queue and not pending and not any(pod.ends for pod in pods), "not done yet"
    return Run(by_second, sorted(waits), end)


def _hpa(
    rules: Scaling, replicas: int, metrics: Sequence[float], wishes: list[tuple[int, int]], *, now: int
) -> tuple[int, list[tuple[int, int]]]:
    """Return the replicas that the HPA sets, and its wishes of the last minutes."""
    wanted = max(replicas if abs(1 - each / replicas) <= 0.1 else math.ceil(each) for each in metrics)
    wanted = min(max(wanted, rules.least, 1), rules.most)
    wishes = [(at, wish) for at, wish in wishes if now - at < WINDOW] + [(now, wanted)]
    if wanted < replicas:
        wanted = min(replicas, max(wish for _, wish in wishes))
    return min(wanted, max(replicas * 2, replicas + 4)), wishes


def _follow(pods: list[Pod], replicas: int, now: int, slots: int) -> None:
    """Start and stop pods, the newest first."""
    running = [pod for pod in pods if not pod.stopping]
    for pod in running[replicas:]:
        pod.stopping = True
    pods.extend(Pod(now + POD_START, slots) for _ in range(replicas - len(running)))
