"""A site's Redis with the redis.conf that Tutor writes, on an address of its own; it can be stopped and started again.

Each site has the port that Tutor gives it, 6379, on another address of the loopback network.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import redis

from tests import parts, sites
from tests.processes import PATIENCE

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.control_plane.keeper import Keeper

PORT = 6379
CONFIGURATION = "apps/redis/redis.conf"


class Broker:
    """A Redis; as a context it is there, and gone afterwards."""

    def __init__(self, directory: Path, address: str, keeper: Keeper) -> None:
        """Use ``address``, which is one of 127.0.0.0/8; ``directory`` is where it keeps its data.

        ``keeper`` starts it, and ends it also when this process is killed.
        """
        self._keeper = keeper
        self.address = address
        self.url = f"redis://{address}:{PORT}/0"
        self.client = redis.Redis(host=address, port=PORT, decode_responses=True)
        self._directory = directory
        directory.mkdir(parents=True)
        given = (sites.site("22") / CONFIGURATION).read_text()
        text = re.sub(r"(?m)^dir .*$", f'dir "{directory}"', given) + f"\nbind {address}\nprotected-mode no\n"
        (directory / "redis.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Broker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._keeper.kill(self._process)

    def start(self) -> None:
        """Start it on the data that it has, and wait until it answers."""
        program = parts.program("redis-server")
        log = self._directory / "redis.log"
        self._process = self._keeper.start([program, self._directory / "redis.conf"], log=log, env=dict(os.environ))
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"redis-server isn't up:\n{log.read_text()}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Tell whether it answers, and no other one on the same address."""
        assert self._process is not None
        try:
            return int(self.client.info("server")["process_id"]) == self._process.pid
        except (redis.ConnectionError, redis.BusyLoadingError):
            return False

    def stop(self) -> None:
        """Ask it to stop, with SIGTERM, and wait until it has."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._keeper.kill(self._process)
        self._process = None

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
