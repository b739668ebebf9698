"""Runs in a pod of Open edX: looks at the broker's tasks in flight, and at the worker itself, with the pod's settings.

It is sent to the pod's Python as text, so it is one file that needs nothing but Celery, and Python 3.8 will do. The one
line on stdout is JSON; whatever settings print while they are loaded goes to stderr.

How kombu keeps what isn't acknowledged (kombu/transport/redis.py): a hash holds each message by its delivery tag, a
sorted set when each was taken.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Message = tuple[str, float | None, bytes]

UNACKED = "unacked"
# A worker that hears of a command for this node does nothing.
NOBODY = "nobody@nowhere"
PAGE = 500
# A task that kills its worker again and again goes back and forth between the hash and the list.
ATTEMPTS = 3
# With kombu's own options a Redis that doesn't answer would be waited for until the system gives up.
PATIENCE = {"socket_connect_timeout": 10, "socket_timeout": 60}


class RefusedError(Exception):
    """A request that can't be met; the text says why, and holds no secret."""


class RedisBroker:
    """The broker of a Celery application, through kombu's own connection; ``keys`` are kombu's options for the keys."""

    def __init__(self, app: Any, keys: dict[str, str] | None = None) -> None:
        self.options = dict(app.conf.broker_transport_options or {})
        patience = {name: value for name, value in PATIENCE.items() if name not in self.options}
        self.connection = app.connection_for_write(transport_options={**patience, **(keys or {})})
        if self.connection.transport.driver_type != "redis":
            raise RefusedError(
                f"the broker is {self.connection.transport_cls}: only on Redis tasks in flight can be seen"
            )
        self.channel = self.connection.channel()
        self.prefix: str = getattr(self.channel, "global_keyprefix", "") or ""
        # kombu's own client puts the prefix before the keys of some commands only, and of others in other versions.
        import redis  # noqa: PLC0415 - what can't be imported is to be told as other errors are

        self.redis: Any = redis.Redis(connection_pool=self.channel.pool)

    def index_of(self, key: str) -> str:
        """Return the sorted set that belongs to a hash."""
        if key == self.options.get("unacked_key", UNACKED):
            return str(self.options.get("unacked_index_key", "unacked_index"))
        return "unacked_index" + key[len(UNACKED) :] if key.startswith(UNACKED) else "unacked_index"

    def hashes(self, known: list[str]) -> list[str]:
        """Return the hashes that ``known`` names, and all others that may be of messages in flight."""
        pattern = "".join("\\" + letter if letter in "\\*?[]^-" else letter for letter in self.prefix) + UNACKED + "*"
        names = {name.decode()[len(self.prefix) :] for name in self.redis.scan_iter(match=pattern, count=1000)}
        return sorted(key for key in names | set(known) if self.redis.type(self.prefix + key) == b"hash")

    def messages(self, key: str, limit: int | None = None) -> Iterator[Message]:
        """Yield delivery tag, time of delivery and text of the messages under ``key``, the oldest first.

        Last come those that the sorted set doesn't have, without a time: kombu never puts these back by itself.
        """
        place, index = self.prefix + key, self.prefix + self.index_of(key)
        left = float("inf") if limit is None else limit
        timed: set[bytes] = set()
        start = 0
        while left > 0:
            page = self.redis.zrange(index, start, start + min(PAGE, left) - 1, withscores=True)
            if not page:
                break
            start += len(page)
            texts = self.redis.hmget(place, [tag for tag, _ in page])
            for (tag, score), text in zip(page, texts):  # noqa: B905 - Python 3.8 has no strict
                if text is not None:
                    timed.add(tag)
                    left -= 1
                    yield tag.decode(), score, text
        if left <= 0 or self.redis.hlen(place) <= len(timed):
            return
        for tag, text in self.redis.hscan_iter(place, count=PAGE):
            if tag not in timed:
                if left <= 0:
                    return
                left -= 1
                yield tag.decode(), None, text

    def lists(self, queue: str) -> list[str]:
        """Return the lists of a queue, one for each of kombu's priorities."""
        return [self.prefix + self.channel._q_for_pri(queue, step) for step in self.channel.priority_steps]

    def listeners(self, exchange: str) -> int:
        """Return how many workers listen to remote control on this exchange; some that do may not answer."""
        command: dict[str, Any] = {
            "method": "ping",
            "arguments": {},
            "destination": [NOBODY],
            "pattern": None,
            "matcher": None,
        }
        message = {
            "body": base64.b64encode(json.dumps(command).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {},
            "properties": {
                "body_encoding": "base64",
                "delivery_info": {"exchange": exchange, "routing_key": ""},
                "delivery_mode": 2,
                "delivery_tag": NOBODY,
                "priority": 0,
            },
        }
        topic = self.prefix + self.channel._get_publish_topic(exchange, "")
        return int(self.redis.publish(topic, json.dumps(message)))


def described(text: bytes, tag: str, taken: float | None, *, arguments: bool) -> dict[str, Any]:
    """Return what an operator wants to know of a message; its arguments only when asked for."""
    try:
        raw, exchange, key = json.loads(text)
        headers, properties = raw.get("headers") or {}, raw.get("properties") or {}
        delivery = properties.get("delivery_info") or {}
        task = headers
        if "task" not in headers:
            # Celery's first protocol has all of it in the body.
            task = json.loads(base64.b64decode(raw["body"]))
    except Exception:
        return {"tag": tag, "id": "", "task": "", "queue": "", "age": _age(taken), "redelivered": False}
    shown = {
        "tag": tag,
        "id": str(task.get("id") or ""),
        "task": str(task.get("task") or ""),
        "queue": str(key or delivery.get("routing_key") or exchange or ""),
        "age": _age(taken),
        "redelivered": bool(headers.get("redelivered") or delivery.get("redelivered")),
        "eta": task.get("eta"),
        "retries": task.get("retries") or 0,
    }
    if arguments:
        shown["args"] = str(task.get("argsrepr", task.get("args")))
        shown["kwargs"] = str(task.get("kwargsrepr", task.get("kwargs")))
    return shown


def _age(taken: float | None) -> int | None:
    return None if taken is None else max(0, round(time.time() - taken))


def in_flight(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return the messages under each key, at most ``limit`` of a key, and how many there are."""
    broker = RedisBroker(app)
    answer = []
    for key in broker.hashes(request["keys"]):
        messages = broker.messages(key, request["limit"] or None)
        shown = [described(text, tag, taken, arguments=request["arguments"]) for tag, taken, text in messages]
        answer.append({"key": key, "count": broker.redis.hlen(broker.prefix + key), "messages": shown})
    return {"keys": answer}


def task_of(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return where the task ``id`` is, in flight or waiting; with ``drop`` it is taken away from there."""
    broker = RedisBroker(app)
    messages: list[dict[str, Any]] = []
    for _ in range(ATTEMPTS):
        messages = _search(broker, request)
        if any(message.get("dropped", not request["drop"]) for message in messages):
            break
    return {"found": messages}


def _search(broker: RedisBroker, request: dict[str, Any]) -> list[dict[str, Any]]:
    matches = []
    for key in broker.hashes(request["keys"]):
        for tag, taken, text in broker.messages(key):
            message = described(text, tag, taken, arguments=request["arguments"])
            if message["id"] == request["id"]:
                if request["drop"]:
                    with broker.redis.pipeline() as pipe:
                        pipe.hdel(broker.prefix + key, tag).zrem(broker.prefix + broker.index_of(key), tag)
                        message["dropped"] = bool(pipe.execute()[0])
                matches.append(dict(message, key=key))
    for queue in request["queues"]:
        for place in broker.lists(queue):
            matches += _waiting(broker, place, queue, request)
    return matches


def _waiting(broker: RedisBroker, place: str, queue: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    matches = []
    for start in range(0, broker.redis.llen(place), PAGE):
        for text in broker.redis.lrange(place, start, start + PAGE - 1):
            if request["id"].encode() not in text:
                continue
            whole = b'[%s, "", %s]' % (text, json.dumps(queue).encode())
            message = described(whole, "", None, arguments=request["arguments"])
            if message["id"] == request["id"]:
                matches.append((text, dict(message, key="")))
    if request["drop"]:
        for text, message in matches:
            message["dropped"] = bool(broker.redis.lrem(place, 1, text))
    return [message for _, message in matches]


def restore(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Put back what is under ``key``, with kombu's own code, unless a worker uses that key or might.

    ``suspects`` are the nodes that may use it unless they answer that they don't. Whoever listens and doesn't answer
    may use any key.
    """
    key = request["key"]
    broker = RedisBroker(app)
    if key not in broker.hashes([key]):
        return {"key": key, "restored": {}, "kept": 0, "users": [], "silent": [], "unknown": 0, "answered": []}
    # First: a worker that starts from now on takes other messages than these, and these are nobody's if the workers
    # of now don't use the key.
    tags = [(tag, text) for tag, _, text in broker.messages(key)]
    listeners = broker.listeners(app.control.mailbox.exchange.name)
    answers = _keys_in_use(app, request["patience"], listeners)
    nodes = {node for node, _ in answers}
    users = sorted({node for node, used in answers if used == key})
    silent = sorted(node for node in request["suspects"] if node not in nodes)
    unknown = max(0, listeners - len(answers))
    restored: dict[str, int] = {}
    result = {"key": key, "restored": restored, "kept": 0, "users": users, "silent": silent, "unknown": unknown}
    result["answered"] = sorted(nodes)
    if users or silent or unknown:
        return result
    index = broker.index_of(key)
    mutex = index.replace("_index", "_mutex", 1)
    own = RedisBroker(app, {"unacked_key": key, "unacked_index_key": index, "unacked_mutex_key": mutex})
    client = own.channel._create_client()
    kept = 0
    for tag, text in tags:
        queues = _destinations(own.channel, text)
        if queues:
            own.channel.qos.restore_by_tag(tag, client)
            restored[queues[0]] = restored.get(queues[0], 0) + 1
        else:
            kept += 1
    return {**result, "kept": kept}


def _destinations(channel: Any, text: bytes) -> list[str]:
    """Return the queues that kombu would put a message on; with none of them it would throw the message away."""
    try:
        _, exchange, key = json.loads(text)
        return sorted(channel._lookup(exchange, key))
    except Exception:
        return []


def _keys_in_use(app: Any, patience: float, expected: int) -> list[tuple[str, str]]:
    """Return each running worker's node and key, waiting no longer than until all have answered.

    Two workers may go by one name, and one that has just lost its connection doesn't know its key.
    """
    if not expected:
        return []
    answers = app.control.broadcast("stats", reply=True, timeout=patience, limit=expected) or []
    brokers = [(node, stats.get("broker")) for answer in answers for node, stats in answer.items()]
    return [
        (node, (broker["transport_options"] or {}).get("unacked_key", UNACKED))
        for node, broker in brokers
        if isinstance(broker, dict) and "transport_options" in broker
    ]


def _transport_options(stats: dict[str, Any]) -> dict[str, Any]:
    broker = stats.get("broker")
    return (broker.get("transport_options") or {}) if isinstance(broker, dict) else {}


def look(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the running worker ``node`` says of itself, and how long the Redis ``lists`` of KEDA's triggers are.

    Nothing of this is read from settings: ``inspect conf`` would send all of the site's through Redis, and hides the
    names of keys as if they were secrets (celery/app/utils.py).
    """
    broker = RedisBroker(app)
    counts = {name: _length(broker.redis, name) for name in request["lists"]}
    if not request["node"]:
        return {"worker": None, "counts": counts}
    inspect = app.control.inspect(destination=[request["node"]], timeout=request["patience"])
    stats = (inspect.stats() or {}).get(request["node"])
    if stats is None:
        return {"worker": None, "counts": counts}
    options = _transport_options(stats)
    database = str((stats.get("broker") or {}).get("virtual_host") or "0").lstrip("/") or "0"
    queues = (inspect.active_queues() or {}).get(request["node"]) or []
    tasks = (inspect.registered("acks_late", "reject_on_worker_lost") or {}).get(request["node"]) or []
    scheduled = (inspect.scheduled() or {}).get(request["node"]) or []
    worker = {
        "queues": sorted(queue["name"] for queue in queues),
        "lists": sorted(name for queue in queues for name in _lists_in_use(app, broker, queue["name"])),
        "keys": [options.get(name + "_key", name) for name in ("unacked", "unacked_index", "unacked_mutex")],
        "timeout": options.get("visibility_timeout"),
        "prefix": options.get("global_keyprefix") or "",
        "database": int(database) if database.isdigit() else None,
        "tasks": len(tasks),
        "early": sorted(task.split(" ")[0] for task in tasks if "acks_late=True" not in task),
        "lost": sorted(task.split(" ")[0] for task in tasks if "reject_on_worker_lost=True" not in task),
        "concurrency": (stats.get("pool") or {}).get("max-concurrency"),
        "prefetch": stats.get("prefetch_count"),
        "scheduled": len(scheduled),
    }
    return {"worker": worker, "counts": counts}


def _lists_in_use(app: Any, broker: RedisBroker, queue: str) -> list[str]:
    """Return the lists on which a queue's tasks wait: those of priorities where the settings have some, or tasks."""
    prioritised = app.conf.task_default_priority is not None or "priority_steps" in broker.options
    plain, names = broker.prefix + queue, broker.lists(queue)
    return [name for name in names if prioritised or name == plain or broker.redis.exists(name)]


def remaining(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return how many messages wait on each of ``queues``, and how many are in flight under each of ``keys``."""
    broker = RedisBroker(app)
    counts = {queue: sum(broker.redis.llen(place) for place in broker.lists(queue)) for queue in request["queues"]}
    return {"counts": dict(counts, **{key: broker.redis.hlen(broker.prefix + key) for key in request["keys"]})}


def _length(client: Any, name: str) -> int:
    """Count as KEDA's Redis scaler does: by the type of the key."""
    commands = {b"hash": client.hlen, b"set": client.scard, b"zset": client.zcard}
    return int(commands.get(client.type(name), client.llen)(name))


ACTIONS = {"in_flight": in_flight, "task_of": task_of, "restore": restore, "look": look, "remaining": remaining}


def main(text: str) -> int:
    """Do what ``text``, a request in JSON, asks for, print the answer, and return the exit status."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(text)
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(request["seconds"])
    sys.path.insert(0, str(Path.cwd()))
    try:
        answer = _answer(request)
    except RefusedError as reason:
        answer = {"error": str(reason)}
    except Exception as error:
        answer = {"error": _error_text(error)}
    out.write(json.dumps(answer) + "\n")
    out.flush()
    # A Job that was refused has failed.
    refused = any(answer.get(name) for name in ("users", "silent", "unknown"))
    return 1 if "error" in answer or refused else 0


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from celery.app.utils import find_app  # noqa: PLC0415 - what can't be imported is to be told as other errors are

    return ACTIONS[request["action"]](find_app(request["app"]), request)


def _out_of_time(*_: object) -> None:
    raise RefusedError(
        "it took too long, and was stopped; what was done so far is done, and the same again goes on with it"
    )


def _error_text(error: Exception) -> str:
    """Return a text for an error that holds no password: only the broker's errors are known not to quote a URL."""
    modules = [sys.modules.get(name) for name in ("kombu.exceptions", "redis.exceptions")]
    names = ("OperationalError", "RedisError")
    brokers = tuple(getattr(module, name) for module in modules for name in names if hasattr(module, name))
    if isinstance(error, brokers):
        # Sentinel's errors go on with what its clients are made of, the password too in some versions of redis-py.
        return f"the broker can't be used: {str(error).partition('<')[0].partition(' : ')[0]}"
    if isinstance(error, (OSError, ImportError)):
        return str(error)
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" at {frame.tb_frame.f_code.co_filename}, line {frame.tb_lineno}" if frame is not None else ""
    return f"{type(error).__name__}{place}"
