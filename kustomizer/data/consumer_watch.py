"""`livenessProbe: Celery`: while the worker's consumer moves, a file is kept young, and the probe looks at its age.

A worker that lost its connection may be alive, answer a ping, and ask Redis for nothing more (kombu#2492, kombu#2629).
The file isn't there while the worker connects or stops: then the probe finds nothing wrong.
"""

import os as _os
from contextlib import suppress as _suppress
from pathlib import Path as _Path
from typing import Any as _Any

from celery import bootsteps as _bootsteps, signals as _signals

_WATCHED = _Path(_os.environ.get("TMPDIR", "/tmp"), "celery-consumer")  # noqa: S108


class _ConsumerWatch(_bootsteps.StartStopStep):  # type: ignore[misc]
    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: _Any, **options: _Any) -> None:
        super().__init__(consumer, **options)
        self.polled = False
        self.timer: _Any = None

    def start(self, consumer: _Any) -> None:
        channel = consumer.task_consumer.channel
        # Only kombu's Redis transport has these.
        read = getattr(channel, "handlers", {}).get("BRPOP")
        if read is None or not hasattr(channel, "active_queues"):
            return

        def watched(*args: _Any, **options: _Any) -> _Any:
            self.polled = True
            return read(*args, **options)

        channel.handlers["BRPOP"] = watched
        self.polled = True
        self.look(channel)
        self.timer = consumer.timer.call_repeatedly(5, self.look, (channel,))

    def look(self, channel: _Any) -> None:
        from celery.worker.state import reserved_requests  # noqa: PLC0415

        # An idle worker asks Redis each second; one that has all the tasks it may have doesn't.
        is_full = reserved_requests and not channel.qos.can_consume()
        if self.polled or is_full or not channel.active_queues:
            with _suppress(OSError):
                _WATCHED.touch()
        self.polled = False

    def stop(self, consumer: _Any) -> None:
        if self.timer is not None:
            self.timer.cancel()
        with _suppress(OSError):
            _WATCHED.unlink()

    shutdown = terminate = stop


@_signals.celeryd_init.connect(weak=False)  # type: ignore[untyped-decorator]
def _watch_consumer(instance: _Any = None, **_: _Any) -> None:
    instance.app.steps["consumer"].add(_ConsumerWatch)
