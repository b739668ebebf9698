"""A site's Redis with the redis.conf that Tutor writes, on an address of its own; it can be stopped and started again.

Each site has the port that Tutor gives it, 6379, on another address of the loopback network.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import redis

from tests import sites

if TYPE_CHECKING:
    from pathlib import Path

PORT = 6379
SECONDS = 30
CONFIGURATION = "apps/redis/redis.conf"


class Broker:
    """A Redis; as a context it is there, and gone afterwards."""

    def __init__(self, directory: Path, address: str) -> None:
        """Use ``address``, which is one of 127.0.0.0/8; ``directory`` is where it keeps its data."""
        self.address = address
        self.url = f"redis://{address}:{PORT}/0"
        self.client = redis.Redis(host=address, port=PORT, decode_responses=True)
        self._directory = directory
        directory.mkdir(parents=True)
        given = (sites.site("22") / CONFIGURATION).read_text()
        text = re.sub(r"(?m)^dir .*$", f'dir "{directory}"', given) + f"\nbind {address}\n"
        (directory / "redis.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def start(self) -> None:
        """Start it on the data that it has, and wait until it answers."""
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError("no redis-server on PATH: run `make parts`")
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, str(self._directory / "redis.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self.client.ping()
                return
            except (redis.ConnectionError, redis.BusyLoadingError) as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_text = (self._directory / "redis.log").read_text()
                    raise RuntimeError(f"redis-server isn't up:\n{log_text}") from error
                time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to stop, with SIGTERM, and wait until it has."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(SECONDS)

    def left(self, task: str) -> dict[str, int]:
        """Return how many messages of tasks whose name begins so are in each queue and each hash of what is in flight.

        It fails with redis.ConnectionError while Redis is away.
        """
        found = {}
        for key in self.client.scan_iter("edx.*", _type="list"):
            found[key] = list(self.client.lrange(key, 0, -1))
        for key in self.client.scan_iter("unacked*", _type="hash"):
            found[key] = list(self.client.hvals(key))
        # The headers of Celery's messages are JSON; a body isn't.
        counts = {key: sum(f'"id": "{task}' in text for text in texts) for key, texts in sorted(found.items())}
        return {key: count for key, count in counts.items() if count}
