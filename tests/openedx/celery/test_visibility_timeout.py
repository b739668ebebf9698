"""Which visibility timeouts kombu can count with: real messages of a real Redis, after a worker that is gone."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any

import kombu.connection
import pytest

from kustomizer.manifests.digits import whole_seconds
from tests.redis_server import HOST, RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator


CONNECTION: Any = kombu.connection.Connection


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.mark.parametrize(
    ("value", "again"),
    [
        (0, True),
        (-5, True),
        (0.01, True),
        (False, True),
        (3600.5, False),
        (float("inf"), False),
        ("0", None),
        (datetime.timedelta(0), None),
        ([0], None),
    ],
    ids=repr,
)
def test_what_is_handed_out_again(server: RedisServer, value: Any, *, again: bool | None) -> None:
    """`again` is None where kombu falls over: its worker logs that at each turn, and goes on without."""
    with server.client() as client:
        client.flushall()
    options = {"visibility_timeout": value}
    with CONNECTION(f"redis://{HOST}:{server.port}/0", transport_options=options) as connection:
        queue = connection.SimpleQueue("q")
        queue.put({})
        queue.get(timeout=5)
        time.sleep(0.05)
        restore = queue.channel.qos.restore_visible
        if again is None:
            with pytest.raises(TypeError):
                restore(interval=1)
        else:
            restore(interval=1)
            assert bool(queue.channel.client.llen("q")) == again
    is_number = isinstance(value, (int, float))
    assert (whole_seconds(value) is not None) == (is_number and value != float("inf"))
    assert (again is not None) == is_number
