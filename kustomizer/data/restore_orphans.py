"""Runs in the cluster beside the workers: puts back, again and again, messages in flight that no worker has in hand.

It is one program with redis_broker.py and orphans.py, and needs kombu and redis only: neither Celery nor Django; Python
3.8 will do. docs/in-flight.md says what is put back, and why each step is safe. ``settings.txt`` beside it says where
to look; the broker's URL is in the environment, or ``celeryconfig.py`` beside it makes it.
"""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import ssl
import sys
import time
from contextlib import suppress
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from kustomizer.data.orphans import LIMITED, both, departed, look, redis_since, refusal, restore_one
    from kustomizer.data.redis_broker import PATIENCE, RedisBroker, error_text

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TURN_SECONDS = 300
"""A turn that takes longer hangs: the container is started again."""
REQUEST_SECONDS = 30
PAGE_OF_PODS = 100
NAME_LABEL = "app.kubernetes.io/name"
# A worker's command line, also within a script: whatever may be a worker counts as one.
WORKER = re.compile(r"(^|[\s/'\"])celery['\"]?\s(.*\s)?(worker|multi)(\s|$)", re.DOTALL)
ENDED = ("Succeeded", "Failed")


class Pods:
    """The pods of this namespace, as the API server has them now."""

    def __init__(self, account: str, settings: Mapping[str, Any]) -> None:
        self.account = Path(account)
        self.workers = settings["workers"]
        self.own = settings["own"]
        self.tls = ssl.create_default_context(cafile=str(self.account / "ca.crt"))

    def listed(self) -> dict[str, dict[str, Any]]:
        """Return each pod that may run a worker and hasn't ended: the names that a key may have, its address, its key.

        The key is the one in its settings; empty where these leave it to Celery, or aren't ours.
        """
        workers: dict[str, dict[str, Any]] = {}
        for pod in self._all():
            names = self._names(pod)
            # One that was never given to a node never ran.
            if names and pod["spec"].get("nodeName") and pod["status"].get("phase") not in ENDED:
                workers[pod["metadata"]["name"]] = {
                    "names": names,
                    "address": pod["status"].get("podIP", ""),
                    "key": self._key(pod["spec"]),
                }
        return workers

    def _names(self, pod: Mapping[str, Any]) -> list[str]:
        """Return the names that the pod's own key may have; none where the pod runs no worker."""
        label = (pod["metadata"].get("labels") or {}).get(NAME_LABEL, "")
        sidecars = [
            container
            for container in pod["spec"].get("initContainers") or ()
            if container.get("restartPolicy") == "Always"
        ]
        names = [
            container["name"]
            for container in [*pod["spec"]["containers"], *sidecars]
            if WORKER.search(" ".join([*(container.get("command") or ()), *(container.get("args") or ())]))
        ]
        if not names and label not in self.workers:
            return []
        return sorted({*names, label, pod["metadata"]["name"].rpartition("-")[0].rpartition("-")[0]} - {""})

    def _key(self, spec: Mapping[str, Any]) -> str:
        """Return the key in a pod's settings, by the name of their ConfigMap, which may have a prefix and a hash."""
        sources = [source for volume in spec.get("volumes") or () for source in _sources(volume)]
        keys = {key for name, key in self.own.items() for source in sources if name in source}
        return keys.pop() if len(keys) == 1 else ""

    def _all(self) -> Iterator[dict[str, Any]]:
        namespace = (self.account / "namespace").read_text(encoding="utf-8").strip()
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
        # It is renewed now and then.
        token = (self.account / "token").read_text(encoding="utf-8").strip()
        connection = HTTPSConnection(host, port, context=self.tls, timeout=REQUEST_SECONDS)
        try:
            following = ""
            while True:
                # Without a resourceVersion the answer is what etcd has now, not what a cache remembers.
                query = urlencode({"limit": PAGE_OF_PODS, **({"continue": following} if following else {})})
                path = f"/api/v1/namespaces/{namespace}/pods?{query}"
                connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                response = connection.getresponse()
                text = response.read()
                if response.status != 200:  # noqa: PLR2004 - HTTP's own
                    raise OSError(f"the pods can't be listed: the API server answers {response.status} to {path}")
                page = json.loads(text)
                yield from page["items"]
                following = page["metadata"].get("continue", "")
                if not following:
                    return
        finally:
            connection.close()


def _sources(volume: Mapping[str, Any]) -> list[str]:
    """Return the names of the ConfigMaps in a projected volume, which holds our settings."""
    sources = (volume.get("projected") or {}).get("sources") or ()
    return [source["configMap"]["name"] for source in sources if "configMap" in source]


class Looker:
    """Looks again and again, and remembers what it saw last."""

    def __init__(self, settings: dict[str, Any], pods: Pods) -> None:
        self.settings = settings
        self.pods = pods
        self.broker: Any = None
        self.mailbox: Any = None
        self.first: dict[str, Any] | None = None
        self.there: dict[str, dict[str, Any]] = {}
        self.gone: dict[str, tuple[str, float]] = {}
        self.said: dict[str, str] = {}

    def turn(self) -> None:
        """Look once, and put back the messages that nobody has at this look and nobody had at the last one."""
        if self.broker is None:
            self.broker, self.mailbox = connected(self.settings)
        exchange = str(self.mailbox.exchange.name)
        look_now = look(self.broker, self.mailbox, exchange, self.settings, since=redis_since(self.broker, note=True))
        # After the question: a pod that took one of these messages answered it, didn't, or is gone.
        second = {**look_now, **self._listed()}
        first, self.first = self.first, second
        for key in self.settings["keys"]:
            self._restore(key, first, second)

    def _listed(self) -> dict[str, Any]:
        """Return the pods, and how many listeners may be pods that are gone."""
        pods = self.pods.listed()
        self.gone = departed(self.gone, self.there, pods, time.time())
        self.there = pods
        present = {pod["address"] for pod in pods.values()}
        lost = {address for address, _ in self.gone.values()} - present - {""}
        return {"pods": pods, "departed": len(lost & self.broker.listening_from()) if lost else 0}

    def _restore(self, key: str, first: Mapping[str, Any] | None, second: Mapping[str, Any]) -> None:
        messages = second["messages"].get(key, ())
        orphans = both(first["messages"].get(key, ()), messages) if first is not None else []
        if first is None or not orphans:
            self._say(key, "")
            return
        reason = _reason(key, first) or _reason(key, second)
        free = [] if reason else [message for message in orphans if not message["limited"]]
        left_count = len(orphans) - len(free)
        self._say(key, f"{left_count} left under {key}: {reason or LIMITED}" if left_count else "")
        for message in free:
            queue = restore_one(self.broker, key, message, self.settings["queues"])
            if queue:
                say(f"put back on {queue}: {message['task']} {message['id']}, taken {message['age']} s ago ({key})")

    def _say(self, key: str, text: str) -> None:
        """Log ``text``, the state of ``key``, unless it was the last one logged: a look is made each minute."""
        if text and text != self.said.get(key):
            say(text)
        self.said[key] = text

    def forget(self) -> None:
        """Start over, with another connection and the first of two looks."""
        broker, self.broker, self.mailbox, self.first = self.broker, None, None, None
        if broker is not None:
            with suppress(Exception):
                broker.connection.release()


def _reason(key: str, seen: Mapping[str, Any]) -> str:
    return refusal(key, _users(key, seen["pods"]), seen["answers"], seen["departed"])


def _users(key: str, pods: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the pods whose settings don't name another key, with the names that their own key may have."""
    own = [key.partition(".")[2]]
    return {
        name: pod["names"] + (own if pod["key"] == key else []) for name, pod in pods.items() if pod["key"] in ("", key)
    }


def connected(settings: Mapping[str, Any]) -> tuple[RedisBroker, Any]:
    """Return the broker, and Celery's mailbox for remote control on it."""
    # Here, and not above: a failing import is logged as other errors are.
    from kombu import connection as connections, pidbox  # noqa: PLC0415

    config: Any = None
    if (Path(__file__).parent / "celeryconfig.py").exists():
        import celeryconfig  # type: ignore[import-not-found]  # noqa: PLC0415

        config = celeryconfig
    connect: Any = connections.Connection
    mailbox: Any = pidbox.Mailbox
    url = getattr(config, "broker_url", None) or os.environ["CELERY_BROKER_URL"]
    options = {**getattr(config, "broker_transport_options", {}), "unacked_key": settings["unacked"]}
    connection = connect(url, ssl=getattr(config, "broker_use_ssl", None), transport_options={**PATIENCE, **options})
    broker = RedisBroker(connection, options)
    # What Celery makes where a site sets nothing of it (celery/app/control.py); pickle is never read.
    return broker, mailbox("celery", type="fanout", accept=["json"], serializer="json")(connection)


def say(text: str) -> None:
    """Write a line into the pod's log."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(directory: str, account: str = ACCOUNT) -> None:
    """Look again and again, without end."""
    settings = ast.literal_eval((Path(directory) / "settings.txt").read_text(encoding="utf-8"))
    # The first process of a container has no default for signals. Each step in Redis is whole, or isn't done.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
    looked = Path(os.environ.get("TMPDIR", "/tmp"), settings["looked"])  # noqa: S108 - in its own container
    looker, failure = None, ""
    while True:
        signal.alarm(TURN_SECONDS)
        try:
            if looker is None:
                looker = Looker(settings, Pods(account, settings))
            looker.turn()
            looked.touch()
            now = ""
        except Exception as error:
            now = f"can't look: {error_text(error)}"
            if looker is not None:
                looker.forget()
        if now != failure:
            say(now or "can look again")
        failure = now
        signal.alarm(0)
        time.sleep(settings["every"])
