"""A Tutor site with a Redis of its own kind, as tests of Celery have it: who consumes what, and what is sent."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from tests import celery_site
from tests.builds import QUEUES
from tests.celery_site import Site
from tests.pods import Objects
from tests.redis_server import SITE_HOST, RedisServer, redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.builds import Build, Builds

HIGH = QUEUES["lms-worker-high"]
IN_FLIGHT_OF_HIGH = "unacked.lms-worker-high"
GRADES = "lms.djangoapps.grades.tasks.compute_all_grades_for_course"
AGGREGATORS = "lms.djangoapps.grades.tasks.update_aggregators"


class Broker(NamedTuple):
    """What a site's Redis is like; ``prefix`` goes before each key."""

    username: str = ""
    password: str = ""
    database: int = 0
    tls: bool = False
    prefix: str = ""
    priorities: tuple[int, ...] = ()
    """Of each, a queue has a list of its own, and tasks have the last but one."""


BROKERS = {
    "plain": Broker(),
    "password and database": Broker(password="p@ss/w:rd#1", database=3),
    "prefix": Broker(prefix="site-1:"),
    "tls": Broker(tls=True),
    "everything": Broker(username="edx", password="p@ss/w:rd#1", database=3, tls=True, prefix="site-1:"),
}


class Place(NamedTuple):
    """A running Redis, and the ``env`` directory of a Tutor site that uses it."""

    server: RedisServer
    broker: Broker
    env: Path
    builds: Builds

    @contextlib.contextmanager
    def site(self, directory: Path, **more: Any) -> Iterator[Site]:
        """Build the site with the recommended configuration and ``more``, over an empty Redis."""
        cluster = []
        if self.server.ca:
            more["broker"] = {"tls": {"ca": {"name": "redis-ca", "key": "ca.crt"}}}
            cluster.append(secret("redis-ca", {"ca.crt": self.server.ca.read_text()}))
        built = self.builds.through_exec(self.env, celery_site.specification(**more))
        with (
            self.server.client(self.broker.database) as client,
            Site(directory / "site", objects(built, *cluster), client, self.broker.prefix) as site,
        ):
            client.flushall()
            yield site


def objects(built: Build, *others: dict[str, Any]) -> Objects:
    return Objects([*(item.tree for item in built.documents), *others])


def secret(name: str, values: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


@contextlib.contextmanager
def place(directory: Path, broker: Broker, builds: Builds, patches: Mapping[str, str] | None = None) -> Iterator[Place]:
    given = {"username": broker.username, "password": broker.password}
    with redis_server(directory / "redis", **given, tls=broker.tls) as server:
        settings = {
            "REDIS_HOST": SITE_HOST,
            "REDIS_PORT": server.port,
            "REDIS_USERNAME": broker.username,
            # Open edX puts it into a URL as it is.
            "REDIS_PASSWORD": quote(broker.password, safe=""),
            "OPENEDX_CELERY_REDIS_DB": broker.database,
        }
        env: dict[str, object] = {}
        if broker.prefix:
            env["CELERY_BROKER_TRANSPORT_OPTIONS"] = {"global_keyprefix": broker.prefix}
        if broker.priorities:
            env["CELERY_BROKER_TRANSPORT_OPTIONS"] = {"priority_steps": [*broker.priorities], "sep": ":"}
            env["CELERY_DEFAULT_PRIORITY"] = broker.priorities[-2]
        if server.ca:
            env["BROKER_USE_SSL"] = {"ssl_ca_certs": str(server.ca)}
        yield Place(server, broker, celery_site.render(directory / "tutor", settings, env, patches), builds)


def task(name: str, mark: str, **options: Any) -> dict[str, Any]:
    return {"name": name if "." in name else f"work.tasks.{name}", "args": [mark], **options}
