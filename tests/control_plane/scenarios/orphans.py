"""Whatever may befall workers, at random: with restoreOrphans no task may be lost, or put back beside its first run.

Pods are killed in place, lost with their node, or asked to stop; a new image is rolled out; Redis restarts; a worker
stands still and answers nobody, while its tasks go on.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.control_plane import emissions
from tests.control_plane.api import ApiError
from tests.control_plane.scenario import CMS_LOW, LMS_DEFAULT, LMS_HIGH, MINUTE, SECOND, Message, Scenario, Step
from tests.control_plane.scenarios import redis_restart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.control_plane.pod import Pod
    from tests.control_plane.run_site import RunningSite

    Act = Callable[[RunningSite, Pod, float], None]

COUNT, LASTING, EVERY = 500, 60 * MINUTE, 75 * SECOND
SEED = 19
QUEUES = {LMS_HIGH: 0.5, LMS_DEFAULT: 0.3, CMS_LOW: 0.2}
STANDS_STILL = (30 * SECOND, 2 * MINUTE)
# What was taken before is left to Celery, which waits for the visibility timeout.
RESTARTS = (10 * MINUTE, 25 * MINUTE)


def messages(count: int, lasting: float, seed: int) -> Sequence[Message]:
    """Return so many tasks of 2 s to 3 minutes, sent at random times."""
    chance = random.Random(seed)  # noqa: S311 - to be the same each time
    names, weights = list(QUEUES), list(QUEUES.values())
    return [
        Message(
            at=chance.uniform(0, lasting),
            queue=chance.choices(names, weights)[0],
            seconds=chance.choice((2, 10, 45, 90, 180)) * SECOND,
        )
        for _ in range(count)
    ]


def steps(lasting: float, seed: int, *, restarts: Sequence[float] = (), every: float = EVERY) -> Sequence[Step]:
    """Return what befalls the site: Redis restarts at these times, all else is drawn."""
    acts, weights = tuple(_ACTS), [weight for _, weight in _ACTS.values()]
    chance = random.Random(seed)  # noqa: S311 - to be the same each time
    found = [Step(at=at, what="Redis restarts", act=redis_restart.restart) for at in restarts]
    at = every
    while at < lasting:
        act = chance.choices(acts, weights)[0]
        found.append(Step(at=at, what=_ACTS[act][0], act=_one(act, chance.random())))
        at += chance.uniform(0.5, 1.5) * every
    return found


def _one(act: Act, draw: float) -> Callable[[RunningSite], None]:
    def chosen(site: RunningSite) -> None:
        # Most often one that works: nothing becomes of the others. Not one that stands still: Redis may have sent it a
        # message, which then is on its way (kombu's BRPOP) and nowhere else, and is lost with whoever is killed.
        busy = [pod for queue in QUEUES for pod in site.busy(queue)]
        running = [pod for pod in site.pods() if pod.is_running and pod.deployment != emissions.RESTORER]
        pods = [pod for pod in busy or running if not _stands_still(pod)]
        if pods:
            act(site, pods[int(draw * len(pods))], STANDS_STILL[0] + draw * (STANDS_STILL[1] - STANDS_STILL[0]))

    return chosen


def _stands_still(pod: Pod) -> bool:
    try:
        status = Path(f"/proc/{pod.pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(") ")[2].startswith("T")


def kill(site: RunningSite, pod: Pod, _: float) -> None:
    """Kill a pod's processes; its container starts again."""
    site.kill(pod)


def lose(site: RunningSite, pod: Pod, _: float) -> None:
    """Kill a pod with its node."""
    # It may have stopped by itself meanwhile.
    with contextlib.suppress(ApiError):
        site.lose(pod)


def stop(site: RunningSite, pod: Pod, _: float) -> None:
    """Ask a pod to stop, as when fewer are needed."""
    arguments = (f"--namespace={site.namespace}", "--wait=false", "--ignore-not-found")
    site.place.cluster.kubectl("delete", "pod", pod.name, *arguments)


def stand_still(site: RunningSite, pod: Pod, seconds: float) -> None:
    """Stop a worker's own process for a while: it answers nobody, and the tasks in its pool go on."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pod.pid, signal.SIGSTOP)

    def go_on() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pod.pid, signal.SIGCONT)

    threading.Timer(seconds / site.place.factor, go_on).start()


def roll_out(site: RunningSite, _pod: Pod, seconds: float) -> None:
    """Give every worker another image, and the program as well."""
    for name in site.deployments():
        arguments = ("--namespace", site.namespace, f"deployment/{name}", f"*=openedx:{seconds:.3f}")
        site.place.cluster.kubectl("set", "image", *arguments)


_ACTS: dict[Act, tuple[str, int]] = {
    kill: ("a worker is killed", 30),
    lose: ("a node is lost", 20),
    stop: ("a pod is asked to stop", 20),
    stand_still: ("a worker stands still", 25),
    roll_out: ("a new image", 5),
}
"""What may befall a site, with its name and how likely it is."""
SCENARIO = Scenario(
    key="orphans",
    title="500 tasks of 2 s to 3 minutes, and whatever may befall their workers",
    messages=messages(COUNT, LASTING, SEED),
    steps=steps(LASTING, SEED, restarts=RESTARTS),
    sites=(emissions.OURS, emissions.RESTORING),
    limit=150 * MINUTE,
)
