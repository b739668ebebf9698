"""Brokers' URLs that hold another URL: they are shown without a password, and what kombu can't read is none."""

from __future__ import annotations

import pytest

from kustomizer.openedx.celery.broker_url import parsed


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("redis+socket:///run/redis.sock?virtual_host=1", "socket:///run/redis.sock"),
        ("redis+socket://:s3cret@/run/redis.sock", "socket:///run/redis.sock"),
        ("redis+socket://:s3cret?1@/run/redis.sock", "socket://"),
        ("redis+socket://:s3cret#1@/run/redis.sock", "socket://"),
        ("redis+socket://:s3cret/1@/run/redis.sock", "socket:///run/redis.sock"),
        ("sqla+mysql://user:s3cret@host/celery", "mysql://host/celery"),
    ],
)
def test_a_url_within_a_url_is_shown_without_its_password(url: str, host: str) -> None:
    broker = parsed(url)
    assert broker is not None
    assert broker.hosts == ((host, None),)


@pytest.mark.parametrize("url", ["redis+socket://[::1/redis.sock", "sqla+mysql://[::1/celery", "redis+redis://host"])
def test_what_kombu_cannot_read(url: str) -> None:
    assert parsed(url) is None
