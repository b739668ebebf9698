"""Orphans: messages in flight that no worker has in hand, found with two looks and put back one by one.

It is part of programs that are sent to a pod as text, with redis_broker.py; it needs kombu and redis only.
docs/in-flight.md says why each step is safe. In short: one worker takes a delivery of a message, which its tag and the
time when it was taken identify. First the messages are read, then the workers are asked, then the pods are listed: the
pod that took one of these messages answered, or didn't, or is gone.
"""

from __future__ import annotations

import json
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from kustomizer.data.redis_broker import UNACKED, RedisBroker, described, destinations

# A task goes through a worker in this order, so one that moves on between two questions is seen by the later one.
QUESTIONS = ("stats", "scheduled", "reserved", "active")
RECORD = "tutor-kustomizer.redis"
# After a quarter of an hour without an answer Linux gives up a connection (tcp_retries2).
DEPARTED_SECONDS = 1800
# The one pool whose tasks are told by the loop that also acknowledges them; a solo one doesn't answer while it works.
PREFORK = "celery.concurrency.prefork:TaskPool"
# Such a task may wait in a worker where none of the questions finds it (celery/worker/strategy.py).
UNSAID = "not every worker says which tasks it limits the rate of"
LIMITED = "a worker limits the rate of such tasks, and may have them where it doesn't say so"
# Is this delivery still the one that was looked at? A worker that acknowledges, and whoever else puts back, do it in
# one step as well (kombu/transport/redis.py: _remove_from_indices, restore_by_tag).
RESTORE = """
local taken = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not taken or tonumber(taken) ~= tonumber(ARGV[2]) then return 0 end
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[3] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[4])
return 1
"""


def ask(broker: RedisBroker, mailbox: Any, exchange: str, patience: float) -> dict[str, Any]:
    """Ask all workers what they have in hand; return the number that listen, and the answers by worker, fit for JSON.

    Only a worker that answered every question counts.
    """
    listeners = broker.listeners(exchange)
    replies: dict[str, list[tuple[str, Any]]] = {}
    expected = listeners
    for question in QUESTIONS if listeners else ():
        answered = mailbox._broadcast(question, {}, reply=True, timeout=patience, limit=expected) or []
        replies[question] = [(node, said) for answer in answered for node, said in answer.items()]
        expected = len(replies[question])
        if not expected:
            break
    stats_replies = replies.get("stats", [])
    workers: dict[str, dict[str, Any]] = {}
    for node, stats in stats_replies:
        same = [[said for name, said in replies.get(question, ()) if name == node] for question in QUESTIONS[1:]]
        lists = [said for answers in same for said in answers]
        key = _key(stats)
        # Two workers may go by one name.
        complete = all(len(answers) == [name for name, _ in stats_replies].count(node) for answers in same)
        if key is None or not complete or not all(isinstance(said, list) for said in lists):
            continue
        before = workers.setdefault(node, {"keys": [], "prefork": True, "ids": [], "count": 0})
        before["keys"].append(key)
        before["prefork"] = before["prefork"] and _is_prefork(stats.get("pool") or {})
        before["ids"] = sorted({_id(entry) for said in lists for entry in said})
        before["count"] += 1
    return {"listeners": listeners, "workers": workers}


def _key(stats: Any) -> str | None:
    """Return a worker's in-flight key; None if it has just lost its connection, and doesn't know the key."""
    broker = stats.get("broker") if isinstance(stats, dict) else None
    if not isinstance(broker, dict) or "transport_options" not in broker:
        return None
    return str((broker["transport_options"] or {}).get("unacked_key", UNACKED))


def _is_prefork(pool: Mapping[str, Any]) -> bool:
    """Tell whether it is the prefork pool, which counts its writes to processes; Celery 5.2 doesn't name the pool."""
    return isinstance(pool.get("writes"), dict) and pool.get("implementation", PREFORK) == PREFORK


def _id(entry: Mapping[str, Any]) -> str:
    return str((entry.get("request") or entry).get("id"))


def limited(mailbox: Any, answers: Mapping[str, Any], patience: float) -> list[str] | None:
    """Return the tasks whose rate some worker limits; None unless all workers answer."""
    count = sum(worker["count"] for worker in answers["workers"].values())
    arguments = {"taskinfoitems": ["rate_limit"]}
    answered = mailbox._broadcast("registered", arguments, reply=True, timeout=patience, limit=count) if count else []
    lists = [said for answer in answered or [] for said in answer.values()]
    if len(lists) < count or not all(isinstance(said, list) for said in lists):
        return None
    return sorted({text.split(" ")[0] for said in lists for text in said if "rate_limit=" in text})


def redis_since(broker: RedisBroker, *, note: bool) -> float:
    """Return since when the present process of Redis is known: a restart or failover may lose the last changes.

    With ``note`` it is noted in Redis itself, so that the next look recognises a failover. Of the time before the first
    note nothing is known.
    """
    run, now = broker.redis.info("server"), time.time()
    name = broker.prefix + RECORD
    text = broker.redis.get(name)
    record = json.loads(text) if text else {}
    if record.get("run_id") == run["run_id"]:
        return float(record["since"])
    if note:
        broker.redis.set(name, json.dumps({"run_id": run["run_id"], "since": now}))
    return now if note or record else now - float(run["uptime_in_seconds"])


def may_use(key: str, names: Iterable[str]) -> bool:
    """Tell whether a worker in a pod with these ``names`` may use ``key``: a key with a worker's name is its alone."""
    return not key.startswith(f"{UNACKED}.") or key[len(UNACKED) + 1 :] in names


def refusal(key: str, pods: Mapping[str, Iterable[str]], answers: Mapping[str, Any], departed: int = 0) -> str:
    """Return why the orphans under ``key`` can't be known; empty where they can.

    ``pods`` are those of the namespace that run a worker, with the names that a key may have; they were listed after
    the workers were asked. ``departed`` is the number of listeners that may be pods which are gone: Redis takes a while
    to notice.
    """
    workers = answers["workers"]
    silent = sorted(
        pod for pod, names in pods.items() if may_use(key, names) and not any(is_of(node, pod) for node in workers)
    )
    if silent:
        return f"{', '.join(silent)} may use it, and doesn't answer"
    users = {node: worker for node, worker in workers.items() if key in worker["keys"]}
    strangers = sorted(node for node in users if not any(is_of(node, pod) for pod in pods))
    if strangers:
        return f"{', '.join(strangers)} uses it, and is no pod of this namespace"
    without_prefork = sorted(node for node, worker in users.items() if not worker["prefork"])
    if without_prefork:
        return f"{', '.join(without_prefork)} has another pool than prefork, and can't say what it has in hand"
    unknown = answers["listeners"] - sum(worker["count"] for worker in workers.values()) - departed
    if unknown > 0:
        return f"{unknown} more that listen on this broker don't answer, and may use it"
    return UNSAID if answers.get("limited", ()) is None else ""


def departed(
    known: Mapping[str, tuple[str, float]],
    before: Mapping[str, Mapping[str, Any]],
    now: Mapping[str, Mapping[str, Any]],
    at: float,
) -> dict[str, tuple[str, float]]:
    """Return the pods that are gone, with their addresses and when that was seen; ``known`` are the earlier ones.

    The object of a pod is deleted when its containers are gone, or its node. In the latter case its connections stay.
    """
    departed_now = {name: (pod["address"], at) for name, pod in before.items() if name not in now}
    return {name: seen for name, seen in {**known, **departed_now}.items() if seen[1] > at - DEPARTED_SECONDS}


def is_of(node: str, pod: str) -> bool:
    """Tell whether a worker of this name is in the pod: it ends with the pod's host name, cut at 63 characters."""
    host = pod[:63].rstrip("-.")
    return node.endswith(("@" + host, "." + host))


def look(
    broker: RedisBroker, mailbox: Any, exchange: str, request: Mapping[str, Any], *, since: float = 0
) -> dict[str, Any]:
    """Return the messages that no worker names, by key, and the workers' answers.

    Messages that were taken less than ``older`` seconds ago are left out, and those that were taken before ``since``,
    or less than ``older`` seconds after it: Redis may have lost their acknowledgement, and clocks differ. A message has
    the field ``limited``: whether some worker limits its task's rate. Without messages no worker is asked.
    """
    messages: dict[str, list[dict[str, Any]]] = {}
    for key in request["keys"]:
        for tag, taken, text in broker.messages(key):
            message = described(text, tag, taken, arguments=False)
            if (
                taken is None
                or message["age"] < request["older"]
                or taken < since + request["older"]
                or not message["id"]
            ):
                continue
            messages.setdefault(key, []).append({**message, "taken": taken})
    nobody: dict[str, Any] = {"listeners": 0, "workers": {}}
    if not messages:
        return {"messages": {}, "answers": nobody}
    answers = ask(broker, mailbox, exchange, request["patience"])
    ids = {id_in_hand for worker in answers["workers"].values() for id_in_hand in worker["ids"]}
    unheld = {key: [one for one in found if one["id"] not in ids] for key, found in messages.items()}
    if any(unheld.values()):
        slow = answers["limited"] = limited(mailbox, answers, request["patience"])
        unheld = {
            key: [{**one, "limited": slow is not None and one["task"] in slow} for one in found]
            for key, found in unheld.items()
        }
    return {"messages": {key: found for key, found in unheld.items() if found}, "answers": answers}


def both(first: Iterable[Mapping[str, Any]], second: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the messages of the second look that the first one saw in the same delivery."""
    seen = {(one["tag"], one["taken"]) for one in first}
    return [one for one in second if (one["tag"], one["taken"]) in seen]


def restore_one(broker: RedisBroker, key: str, message: Mapping[str, Any], queues: Iterable[str] | None = None) -> str:
    """Put one message back where kombu would, if it is still the same delivery; return its queue, else an empty text.

    With ``queues`` only a message of one of these is put back: others under the key may be other services'.
    """
    hash_name, index, tag = broker.prefix + key, broker.prefix + broker.index_of(key), message["tag"]
    text = broker.redis.hget(hash_name, tag)
    names = destinations(broker.channel, text) if text is not None else []
    if len(names) != 1 or (queues is not None and names[0] not in queues):
        return ""
    payload = json.loads(text)[0]
    payload.setdefault("headers", {})["redelivered"] = True
    payload["properties"].setdefault("delivery_info", {})["redelivered"] = True
    priority = broker.channel._get_message_priority(payload, reverse=False)
    target = broker.prefix + broker.channel._q_for_pri(names[0], priority)
    values = (tag, repr(float(message["taken"])), text, json.dumps(payload))
    return str(names[0]) if broker.redis.eval(RESTORE, 3, hash_name, index, target, *values) else ""
