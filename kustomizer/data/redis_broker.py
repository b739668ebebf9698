"""The broker's Redis as kombu uses it: messages in flight, queues' lists, and who listens to remote control.

It is part of programs that are sent to a pod as text (kustomizer.cluster.pods): Python 3.8 and kombu will do.

How kombu keeps what isn't acknowledged (kombu/transport/redis.py): a hash holds each message by its delivery tag, a
sorted set when each was taken.
"""

from __future__ import annotations

import base64
import json
import sys
import time

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
    """A broker through kombu's own connection; ``options`` are those of the transport."""

    def __init__(self, connection: Any, options: dict[str, Any]) -> None:
        self.options = options
        self.connection = connection
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
        hash_name, index = self.prefix + key, self.prefix + self.index_of(key)
        count_left = float("inf") if limit is None else limit
        timed: set[bytes] = set()
        start = 0
        while count_left > 0:
            page = self.redis.zrange(index, start, start + min(PAGE, count_left) - 1, withscores=True)
            if not page:
                break
            start += len(page)
            texts = self.redis.hmget(hash_name, [tag for tag, _ in page])
            for (tag, score), text in zip(page, texts):  # noqa: B905 - Python 3.8 has no strict
                if text is not None:
                    timed.add(tag)
                    count_left -= 1
                    yield tag.decode(), score, text
        if count_left <= 0 or self.redis.hlen(hash_name) <= len(timed):
            return
        for tag, text in self.redis.hscan_iter(hash_name, count=PAGE):
            if tag not in timed:
                if count_left <= 0:
                    return
                count_left -= 1
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

    def listening_from(self) -> set[str]:
        """Return the addresses of those who listen to anything, as Redis sees them; none where it doesn't tell."""
        try:
            clients = self.redis.client_list(_type="pubsub")
        except Exception:
            return set()
        return {str(client["addr"]).rpartition(":")[0].strip("[]") for client in clients}


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


def destinations(channel: Any, text: bytes) -> list[str]:
    """Return the queues that kombu would put a message on; with none of them it would throw the message away."""
    try:
        _, exchange, key = json.loads(text)
        return sorted(channel._lookup(exchange, key))
    except Exception:
        return []


def error_text(error: Exception) -> str:
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
    where = f" at {frame.tb_frame.f_code.co_filename}, line {frame.tb_lineno}" if frame is not None else ""
    return f"{type(error).__name__}{where}"
