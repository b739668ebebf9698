"""Which names are those of one broker."""

from __future__ import annotations

import pytest

from kustomizer.openedx.endpoint import Endpoint, is_of_the_pod, one_name

REDIS = Endpoint(addresses=("redis.openedx:6379",))


@pytest.mark.parametrize(
    "name",
    [
        *("redis", "redis.openedx", "redis.openedx.svc", "redis.openedx.svc.cluster.local", "Redis.OpenedX.svc"),
        *("redis.openedx.svc.cluster.local.", "redis.openedx.", "REDIS"),
    ],
)
def test_names_of_one_service(name: str) -> None:
    assert one_name(name, "openedx") == "redis.openedx"
    assert REDIS.is_same(Endpoint(addresses=(f"{name}:6379",), visibility_timeout=7200), "openedx")


@pytest.mark.parametrize(
    "other",
    [
        *("redis.other:6379", "redis.other.svc.cluster.local:6379", "redis.openedx:6380", "redis2:6379"),
        *(
            "redis.openedx.example.com:6379",
            "redis.openedx.svc.example.com:6379",
            "redis-openedx:6379",
            "10.0.0.1:6379",
        ),
    ],
)
def test_other_servers(other: str) -> None:
    assert not REDIS.is_same(Endpoint(addresses=(other,)), "openedx")


def test_a_broker_is_more_than_its_server() -> None:
    assert not REDIS.is_same(REDIS.replace(database=1), "openedx")
    assert not REDIS.is_same(REDIS.replace(key_prefix="a:"), "openedx")
    sentinels = Endpoint(addresses=("a.openedx:1", "b.openedx:1"), sentinel_master="m")
    assert sentinels.is_same(sentinels.replace(addresses=("b:1", "a.openedx.svc:1")), "openedx")
    assert not sentinels.is_same(sentinels.replace(addresses=("b:1",)), "openedx")


def test_servers_of_the_pod() -> None:
    for host in ("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]", "::1"):
        assert is_of_the_pod(f"{host}:6379")
        assert one_name(host, "openedx") == "localhost"
    for host in ("redis", "127.0.0.1.example.com", "[::2]", "localhost.openedx"):
        assert not is_of_the_pod(f"{host}:6379")
    assert one_name("[2001:DB8::1]", "openedx") == one_name("2001:db8::1", "") == "[2001:db8::1]"
