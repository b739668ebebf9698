"""What is looked at in a pod, on a real Redis: the lists on which tasks of priorities wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import Celery

from kustomizer.data.in_pod import _lists_in_use, name_holders
from kustomizer.data.redis_broker import RedisBroker
from tests import growth
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = "edx.lms.core.high"
LISTS = [QUEUE, *(f"{QUEUE}\x06\x16{step}" for step in (3, 6, 9))]


def test_the_lists_of_priorities(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        app = Celery("site", broker=f"redis://127.0.0.1:{server.port}/0")

        def in_use() -> list[str]:
            return _lists_in_use(
                app, RedisBroker(app.connection_for_write(), dict(app.conf.broker_transport_options or {})), QUEUE
            )

        # kombu could use four, and asks each; nobody sends to the three others.
        assert in_use() == [QUEUE]
        app.send_task("a", queue=QUEUE, priority=6)
        assert in_use() == [QUEUE, LISTS[2]]
        app.conf.task_default_priority = 5
        assert in_use() == LISTS
        app.conf.task_default_priority = None
        app.conf.broker_transport_options = {"priority_steps": [0, 1], "global_keyprefix": "site:"}
        assert in_use() == [f"site:{QUEUE}", f"site:{QUEUE}\x06\x161"]


def test_who_has_a_message_in_hand_is_told_in_linear_time() -> None:
    def told(count: int) -> list[str]:
        workers = {f"w{number}": {"ids": [str(number), "twice"]} for number in range(count // 10)}
        messages = [{"id": str(number)} for number in range(count)] + [{"id": "twice"}, {"id": ""}]
        name_holders(messages, workers)
        return [message["worker"] for message in messages]

    assert told(20) == ["w0", "w1", *[""] * 18, "w0", ""]
    assert growth.factor(told, 4_000, 32_000) < 24
