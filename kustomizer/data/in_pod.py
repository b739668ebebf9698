"""Runs in a pod of Open edX: looks at the broker's tasks in flight, and at the worker itself, with the pod's settings.

It is sent to the pod's Python as text, one with redis_broker.py, and needs nothing but Celery; Python 3.8 will do. The
one line on stdout is JSON; whatever settings print while they are loaded goes to stderr.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.data.orphans import LIMITED, UNSAID, ask, both, limited, look, redis_since, refusal, restore_one
    from kustomizer.data.redis_broker import (
        ATTEMPTS,
        PAGE,
        PATIENCE,
        UNACKED,
        RedisBroker,
        RefusedError,
        described,
        destinations,
        error_text,
    )


def broker_of(app: Any, keys: dict[str, str] | None = None) -> RedisBroker:
    """Return the broker of a Celery application; ``keys`` are kombu's options for the keys."""
    options = dict(app.conf.broker_transport_options or {})
    patience = {name: value for name, value in PATIENCE.items() if name not in options}
    return RedisBroker(app.connection_for_write(transport_options={**patience, **(keys or {})}), options)


def in_flight(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return the messages under each key, at most ``limit`` of a key, how many there are, and who has each in hand.

    ``unknown`` says of a key why it can't be told that nobody has what no worker names; it is None where the pods
    aren't known.
    """
    broker = broker_of(app)
    hashes: list[dict[str, Any]] = []
    for key in broker.hashes(request["keys"]):
        messages = broker.messages(key, request["limit"] or None)
        shown = [described(text, tag, taken, arguments=request["arguments"]) for tag, taken, text in messages]
        hashes.append({"key": key, "count": broker.redis.hlen(broker.prefix + key), "messages": shown})
    if any(hash_of_key["messages"] for hash_of_key in hashes):
        _say_who(app, broker, hashes, request)
    return {"keys": hashes}


def _say_who(app: Any, broker: RedisBroker, hashes: list[dict[str, Any]], request: dict[str, Any]) -> None:
    mailbox, exchange = remote_control(app, broker)
    answers = ask(broker, mailbox, exchange, request["patience"])
    slow = limited(mailbox, answers, request["patience"])
    pods = request.get("pods")
    for hash_of_key in hashes:
        hash_of_key["unknown"] = None if pods is None else refusal(hash_of_key["key"], pods, answers)
        if slow is None:
            hash_of_key["unknown"] = hash_of_key["unknown"] or UNSAID
        for message in hash_of_key["messages"]:
            message["limited"] = slow is not None and message["task"] in slow
    name_holders([message for hash_of_key in hashes for message in hash_of_key["messages"]], answers["workers"])


def name_holders(messages: list[dict[str, Any]], workers: dict[str, Any]) -> None:
    """Note with each message the worker that has it in hand, of two the first."""
    holders: dict[str, str] = {}
    for node, worker in workers.items():
        for held in worker["ids"]:
            holders.setdefault(held, node)
    for message in messages:
        message["worker"] = holders.get(message["id"], "")


def remote_control(app: Any, broker: RedisBroker) -> tuple[Any, str]:
    """Return Celery's mailbox on this connection, and the exchange that its commands go to."""
    mailbox = app.control.mailbox
    return mailbox(broker.connection), str(mailbox.exchange.name)


def orphans(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Look once for messages that nobody has; the answer goes into ``put_back`` with the pods of after that."""
    broker = broker_of(app)
    mailbox, exchange = remote_control(app, broker)
    keys = request["keys"] if request["only"] else broker.hashes(request["keys"])
    return look(broker, mailbox, exchange, {**request, "keys": keys}, since=redis_since(broker, note=False))


def put_back(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Put back what nobody had at both ``looks``, each with the pods that were there after it."""
    broker = broker_of(app)
    first, second = request["looks"]
    answer = []
    for key, messages in second["messages"].items():
        orphans = both(first["messages"].get(key, ()), messages)
        reasons = [refusal(key, one_look["pods"], one_look["answers"]) for one_look in (first, second)]
        reason = next(filter(None, reasons), "")
        restored: dict[str, int] = {}
        free = [] if reason else [message for message in orphans if not message["limited"]]
        left_count = len(orphans) - len(free)
        for message in free:
            queue = restore_one(broker, key, message)
            if queue:
                restored[queue] = restored.get(queue, 0) + 1
        reason = reason or (LIMITED if left_count else "")
        answer.append({"key": key, "restored": restored, "left": left_count, "reason": reason})
    return {"keys": answer}


def task_of(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return where the task ``id`` is, in flight or waiting; with ``drop`` it is taken away from there."""
    broker = broker_of(app)
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
        for list_name in broker.lists(queue):
            matches += _waiting(broker, list_name, queue, request)
    return matches


def _waiting(broker: RedisBroker, list_name: str, queue: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    matches = []
    for start in range(0, broker.redis.llen(list_name), PAGE):
        for text in broker.redis.lrange(list_name, start, start + PAGE - 1):
            if request["id"].encode() not in text:
                continue
            whole = b'[%s, "", %s]' % (text, json.dumps(queue).encode())
            message = described(whole, "", None, arguments=request["arguments"])
            if message["id"] == request["id"]:
                matches.append((text, dict(message, key="")))
    if request["drop"]:
        for text, message in matches:
            message["dropped"] = bool(broker.redis.lrem(list_name, 1, text))
    return [message for _, message in matches]


def restore(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Put back what is under ``key``, with kombu's own code, unless a worker uses that key or might.

    ``suspects`` are the nodes that may use it unless they answer that they don't. Whoever listens and doesn't answer
    may use any key.
    """
    key = request["key"]
    broker = broker_of(app)
    result = {"key": key, "restored": {}, "kept": 0, "users": [], "silent": [], "unknown": 0, "answered": []}
    if key not in broker.hashes([key]):
        return result
    # First: a worker that starts from now on takes other messages than these, and these are nobody's if the workers
    # of now don't use the key.
    tags = [(tag, text) for tag, _, text in broker.messages(key)]
    listeners = broker.listeners(app.control.mailbox.exchange.name)
    answers = _keys_in_use(app, request["patience"], listeners)
    nodes = {node for node, _ in answers}
    users = sorted({node for node, used in answers if used == key})
    silent = sorted(node for node in request["suspects"] if node not in nodes)
    unknown = max(0, listeners - len(answers))
    result.update({"users": users, "silent": silent, "unknown": unknown, "answered": sorted(nodes)})
    if users or silent or unknown:
        return result
    index = broker.index_of(key)
    mutex = index.replace("_index", "_mutex", 1)
    broker_of_key = broker_of(app, {"unacked_key": key, "unacked_index_key": index, "unacked_mutex_key": mutex})
    client = broker_of_key.channel._create_client()
    restored: dict[str, int] = {}
    kept_count = 0
    for tag, text in tags:
        queues = destinations(broker_of_key.channel, text)
        if queues:
            broker_of_key.channel.qos.restore_by_tag(tag, client)
            restored[queues[0]] = restored.get(queues[0], 0) + 1
        else:
            kept_count += 1
    return {**result, "restored": restored, "kept": kept_count}


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


def look_at_worker(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the running worker ``node`` says of itself, and how long the Redis ``lists`` of KEDA's triggers are.

    Nothing of this is read from settings: ``inspect conf`` would send all of the site's through Redis, and hides the
    names of keys as if they were secrets (celery/app/utils.py).
    """
    broker = broker_of(app)
    counts = {name: _length(broker.redis, name) for name in request["lists"]}
    if not request["node"]:
        return {"worker": None, "counts": counts}
    inspect = app.control.inspect(destination=[request["node"]], timeout=request["patience"])
    stats = (inspect.stats() or {}).get(request["node"])
    if stats is None:
        return {"worker": None, "counts": counts}
    connected = stats["broker"] if isinstance(stats.get("broker"), dict) else {}
    options = connected.get("transport_options") or {}
    database = str(connected.get("virtual_host") or "0").lstrip("/") or "0"
    queues = (inspect.active_queues() or {}).get(request["node"]) or []
    tasks = (inspect.registered("acks_late", "reject_on_worker_lost") or {}).get(request["node"]) or []
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
        "scheduled": len((inspect.scheduled() or {}).get(request["node"]) or []),
    }
    return {"worker": worker, "counts": counts}


def _lists_in_use(app: Any, broker: RedisBroker, queue: str) -> list[str]:
    """Return the lists on which a queue's tasks wait: those of priorities where the settings have some, or tasks."""
    prioritised = app.conf.task_default_priority is not None or "priority_steps" in broker.options
    plain, names = broker.prefix + queue, broker.lists(queue)
    return [name for name in names if prioritised or name == plain or broker.redis.exists(name)]


def remaining(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return how many messages wait on each of ``queues``, and how many are in flight under each of ``keys``."""
    broker = broker_of(app)
    counts = {queue: sum(broker.redis.llen(place) for place in broker.lists(queue)) for queue in request["queues"]}
    return {"counts": dict(counts, **{key: broker.redis.hlen(broker.prefix + key) for key in request["keys"]})}


def _length(client: Any, name: str) -> int:
    """Count as KEDA's Redis scaler does: by the type of the key."""
    commands = {b"hash": client.hlen, b"set": client.scard, b"zset": client.zcard}
    return int(commands.get(client.type(name), client.llen)(name))


_NAMED = (in_flight, task_of, restore, orphans, put_back, remaining)
ACTIONS = {"look": look_at_worker, **{action.__name__: action for action in _NAMED}}


def main(text: str) -> int:
    """Do what ``text``, a request in JSON, asks for, print the answer, and return the exit status."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(text)
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(request["seconds"])
    sys.path.insert(0, str(Path.cwd()))
    try:
        from celery.app.utils import find_app  # noqa: PLC0415 - what can't be imported is to be told as other errors are

        answer = ACTIONS[request["action"]](find_app(request["app"]), request)
    except RefusedError as reason:
        answer = {"error": str(reason)}
    except Exception as error:
        answer = {"error": error_text(error)}
    print(json.dumps(answer), file=out, flush=True)
    # A Job that was refused has failed.
    refused = any(answer.get(name) for name in ("users", "silent", "unknown"))
    return 1 if "error" in answer or refused else 0


def _out_of_time(*_: object) -> None:
    raise RefusedError(
        "it took too long, and was stopped; what was done so far is done, and the same again goes on with it"
    )
