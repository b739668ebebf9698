"""A site's Redis: with Tutor's redis.conf it has after a restart what it had before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import redis

from tests.control_plane.broker import Broker
from tests.control_plane.keeper import Keeper

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "127.19.0.1"


def message(task: str) -> str:
    return json.dumps({"body": "", "headers": {"id": task}})


def test_keeps_what_it_has_over_a_restart(tmp_path: Path) -> None:
    with Keeper() as keeper, Broker(tmp_path / "redis", ADDRESS, keeper) as broker:
        broker.client.lpush("edx.lms.core.high", message("a-1"), message("a-2"), message("background-1"))
        broker.client.hset("unacked.lms-worker-high", "tag", json.dumps([{"headers": {"id": "a-3"}}, "", ""]))
        broker.client.sadd("_kombu.binding.x", "y")
        broker.stop()
        with pytest.raises(redis.ConnectionError):
            broker.left("a-")
        broker.start()

        assert broker.left("a-") == {"edx.lms.core.high": 2, "unacked.lms-worker-high": 1}
        assert broker.left("b-") == {}


def test_takes_no_other_redis_for_its_own(tmp_path: Path) -> None:
    with Keeper() as keeper, Broker(tmp_path / "a", ADDRESS, keeper):
        other = Broker(tmp_path / "b", ADDRESS, keeper)
        with pytest.raises(RuntimeError, match="isn't up"):
            other.start()
