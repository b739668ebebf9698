"""A site's Celery for real: the built worker Deployments as processes on this machine, on a real Redis.

``render`` has Tutor write a site that names the Redis, and a ``Site`` starts any Deployment of a build of it with
exactly the command, arguments, environment and files that were emitted. Below Tutor's own settings is edx_platform, a
stand-in with Open edX's Celery set-up and tasks that write down who ran them. Django is the real one: Celery's code for
it runs, and which of the settings count is decided as in Open edX.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests import sites
from tests.pods import Container, Objects, container
from tests.processes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis import Redis

EDX_PLATFORM = Path(__file__).parent / "edx_platform"
RECOMMENDED = sites.ROOT / "generators" / "recommended" / "celery-workers.yaml"
BIN = Path(sys.executable).parent


def render(
    root: Path,
    settings: Mapping[str, object],
    env: Mapping[str, object] | None = None,
    patches: Mapping[str, str] | None = None,
) -> Path:
    """Return the ``env`` directory of a site of the newest Tutor with these Tutor settings.

    ``env`` goes into lms.env.yml and cms.env.yml the way an operator gets it there: as a plugin's patches. ``patches``
    are further ones.
    """
    plugins = root / "plugins"
    plugins.mkdir(parents=True)
    patch = yaml.safe_dump(dict(env)) if env else ""
    plugin = {"name": "broker", "version": "1", "patches": {"lms-env": patch, "cms-env": patch, **(patches or {})}}
    (plugins / "broker.yml").write_text(yaml.safe_dump(plugin))
    config = yaml.safe_load((sites.site(sites.NEWEST_TUTOR).parent / "config.yml").read_text())
    (root / "config.yml").write_text(yaml.safe_dump({**config, **settings, "PLUGINS": ["broker"]}))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TUTOR_")}
    environ |= {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(plugins)}
    sites.run(sites.tutor(sites.NEWEST_TUTOR), "config", "save", env=environ)
    return root / "env"


def specification(**more: Any) -> str:
    """Return what the recommended configuration says, with ``more``: maps are merged, all else is replaced."""
    recommended = yaml.safe_load(RECOMMENDED.read_text())
    return yaml.safe_dump({"spec": _merged(recommended["spec"], more)})


def _merged(under: Any, over: Any) -> Any:
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return under | {key: _merged(under.get(key), value) for key, value in over.items()}


class Record(NamedTuple):
    """A line that a task has written: what it is called, what happened, who runs it and from which queue."""

    mark: str
    event: str
    pod: str
    node: str
    queue: str


class Worker:
    """A worker's process, in a process group of its own; ``first`` starts it as a container's first process."""

    def __init__(
        self, pod: Container, environ: Mapping[str, str], log: Path, python: Path, first: Sequence[str] = ()
    ) -> None:
        self.pod = pod
        self._log = log
        self._is_first = bool(first)
        program, *arguments = pod.argv
        assert program == "celery", pod.argv
        assert not any("$(" in word for word in arguments), "a kubelet would expand this"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*first, str(python.parent / program), *arguments],
                cwd=pod.root / "edx-platform",
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def node(self) -> str:
        """The name that the worker goes by, once it is ready; empty before."""
        found = re.search(r"(\S+@\S+) ready\.", self.log)
        return found[1] if found else ""

    def is_ready(self) -> bool:
        assert self.process.poll() is None, f"{self.pod.name} is gone: {self.log}"
        return bool(self.node)

    def terminate(self) -> None:
        """Ask it to stop, as a kubelet does: only the container's first process hears of it."""
        os.kill(self.pid, signal.SIGTERM)

    @property
    def pid(self) -> int:
        """The worker's own process."""
        return children(self.process.pid)[0] if self._is_first else self.process.pid

    def ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        """Leave nothing of it, and give it no time, as at the end of the grace period or when a node is lost."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, the oldest first."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # Its name, in brackets, may hold anything.
            if int(file.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(file.parent.name))
    return sorted(found)


class Site:
    """A site's processes, and the Redis that they use. As a context it leaves none behind, whatever happens in it."""

    def __init__(self, directory: Path, built: Objects, redis: Redis, prefix: str = "") -> None:
        self.built = built
        self._redis = redis
        self._prefix = prefix
        self.workers: list[Worker] = []
        self._directory = directory
        self._tasks = directory / "tasks"
        self._tasks.mkdir(parents=True)
        self.python = Path(sys.executable)
        """What runs in the pods: the one of another environment has another Celery."""
        self.first: Sequence[str] = ()
        """What starts a pod's process as a container's first one (``parts.first_process``)."""
        self._pods = 0

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()

    def start(self, *deployments: str, built: Objects | None = None) -> list[Worker]:
        """Start a pod of each of these Deployments and wait until all are ready; ``built`` is another build."""
        started = [self.begin(name, built=built) for name in deployments]
        self.wait(lambda: all(worker.is_ready() for worker in started), f"{deployments} to be ready")
        return started

    def begin(self, deployment: str, *, built: Objects | None = None) -> Worker:
        """Start a pod of a Deployment, and don't wait for it."""
        pod = self._pod(deployment, built or self.built)
        worker = Worker(pod, self._environ(pod), pod.root.with_suffix(".log"), self.python, self.first)
        self.workers.append(worker)
        return worker

    def send(self, deployment: str, *messages: Mapping[str, Any]) -> None:
        """Send tasks from a pod of ``deployment``; a message is a task's ``name`` and what ``apply_async`` takes."""
        pod = self._pod(deployment, self.built)
        done = subprocess.run(
            [self.python, "send_tasks.py"],
            cwd=pod.root / "edx-platform",
            env=self._environ(pod),
            input=json.dumps(messages).encode(),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr.decode()

    def release(self, *marks: str) -> None:
        """Let long tasks end."""
        for mark in marks:
            (self._tasks / f"release-{mark}").touch()

    def records(self, event: str) -> list[Record]:
        """Return what the tasks have written so far about this event."""
        path = self._tasks / "records"
        lines = path.read_text().splitlines() if path.exists() else []
        records = [Record(**json.loads(line)) for line in lines]
        return [record for record in records if record.event == event]

    def wait_for(self, event: str, count: int) -> list[Record]:
        """Wait until tasks have written so many records of this event, and return them."""
        self.wait(lambda: len(self.records(event)) >= count, f"{count} tasks to be {event}")
        return self.records(event)

    def lengths(self) -> dict[str, int]:
        """Return how many messages are in each queue and in each hash of messages in flight, where there are any.

        Names are without the prefix; a key that hasn't got it is none of this site's, which is a mistake.
        """
        found = {}
        for kind, length in (("list", self._redis.llen), ("hash", self._redis.hlen)):
            for key in self._redis.scan_iter(_type=kind):
                if not (name := key.removeprefix(self._prefix)).startswith("_kombu."):
                    assert key.startswith(self._prefix), f"{key} has no {self._prefix}"
                    found[name] = int(length(key))
        return found

    def wait_until_visible(self, key: str, timeout: int) -> None:
        """Wait until the visibility timeout of all messages in flight under ``key`` is over."""
        index = self._prefix + key.replace("unacked", "unacked_index", 1)
        # Members of the index are ordered by when they were taken.
        [youngest] = self._redis.zrange(index, -1, -1)
        taken = self._redis.zscore(index, str(youngest)) or 0
        self.wait(lambda: time.time() > taken + timeout, "the visibility timeout")

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Look again and again; if it doesn't happen, fail with what the workers have logged."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(f"== {worker.pod.name}\n{worker.log}" for worker in self.workers)
                raise AssertionError(f"waited in vain for {what}\n{logs}")
            time.sleep(0.02)

    def _pod(self, name: str, built: Objects) -> Container:
        self._pods += 1
        root = self._directory / f"{name}-{self._pods}"
        shutil.copytree(EDX_PLATFORM, root / "edx-platform", ignore=shutil.ignore_patterns("__pycache__"))
        return container(built.get("Deployment", name), built, root)

    def _environ(self, pod: Container) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:{os.defpath}",
            "HOME": str(pod.root),
            # The image sets these two.
            "LMS_CFG": str(pod.root / "config" / "lms.env.yml"),
            "CMS_CFG": str(pod.root / "config" / "cms.env.yml"),
            **pod.env,
            # What the tasks of edx_platform ask for.
            "POD": pod.name,
            "TASK_DIRECTORY": str(self._tasks),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
