"""Asks real Celery workers what they will do: a program that starts each one it is told, as far as its connection.

It reads cases from stdin, one a line as JSON: `argv`, `env` and `cwd` of a container. Each becomes a process of its own
with Celery's own command line, which is asked when Celery has set the worker up (the signal celeryd_after_setup) and
ends then, before it connects. It prints a line of JSON for each.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import traceback
from typing import Any


def ask(instance: Any, conf: Any) -> dict[str, Any]:
    """Return what the worker `instance` has settled on."""
    app = instance.app
    connection = app.connection_for_read()
    options = conf.broker_transport_options
    return {
        "broker_url": conf.broker_read_url,
        "broker": {
            "transport": connection.transport_cls,
            "host": connection.hostname,
            "port": connection.port,
            "username": connection.userid or "",
            "password": connection.password or "",
            "virtual_host": connection.virtual_host or "",
        },
        "queues": sorted(app.amqp.queues.consume_from),
        "defined": sorted(app.amqp.queues),
        "creates_queues": bool(conf.task_create_missing_queues),
        "runs_eagerly": bool(conf.task_always_eager),
        "default_queue": conf.task_default_queue,
        "transport_options": {str(key): value for key, value in options.items()},
        "visibility_timeout": options.get("visibility_timeout", 3600),
        "key_prefix": options.get("global_keyprefix", ""),
        "use_ssl": conf.broker_use_ssl,
        "default_priority": conf.task_default_priority,
        "lists": lists(options),
        "acknowledges_late": bool(conf.task_acks_late),
        "rejects_on_worker_lost": conf.task_reject_on_worker_lost,
        "soft_shutdown_timeout": getattr(conf, "worker_soft_shutdown_timeout", None),
        "concurrency": _concurrency(instance),
        "pool": _pool(instance),
        "prefetch_multiplier": instance.prefetch_multiplier,
        "scheduler": bool(instance.beat),
        "purges": bool(instance.purge),
        "routes": _routes(),
        **_names(),
    }


def lists(options: dict[str, Any]) -> list[str]:
    """Return the lists that kombu's Redis transport would look at for a queue `q`."""
    from kombu.transport.redis import Channel  # noqa: PLC0415

    channel: Any = object.__new__(Channel)
    # What its constructor reads from the options.
    for name in ("priority_steps", "sep"):
        if name in options:
            setattr(channel, name, options[name])
    return sorted({channel._q_for_pri("q", step) for step in channel.priority_steps})


def _pool(instance: Any) -> str:
    """Return the pool's name: celery.concurrency.solo is solo."""
    pool = instance.pool_cls if isinstance(instance.pool_cls, str) else instance.pool_cls.__module__
    return pool.rpartition(".")[2]


def _concurrency(instance: Any) -> Any:
    return 1 if "solo" in str(instance.pool_cls) else (instance.autoscale or [instance.concurrency])[0]


def _names() -> dict[str, Any]:
    from django.conf import settings  # noqa: PLC0415

    names = {"default": "DEFAULT", "high": "HIGH", "high_mem": "HIGH_MEM", "low": "LOW"}
    found = {
        variant: getattr(settings, f"{name}_QUEUE" if variant == "high_mem" else f"{name}_PRIORITY_QUEUE", None)
        for variant, name in names.items()
    }
    return {"names": {variant: name for variant, name in found.items() if name}}


def _routes() -> dict[str, str]:
    """Return the queues that the router of Open edX looks up, but for the stand-in's own."""
    from django.conf import settings  # noqa: PLC0415

    routes = dict(getattr(settings, "EXPLICIT_QUEUES", {}))
    return {task: route["queue"] for task, route in routes.items() if task != "work.tasks.on_high"}


def run(case: dict[str, Any]) -> None:
    """Be the process of one container."""
    os.environ.clear()
    os.environ.update(case["env"])
    os.chdir(case["cwd"])
    sys.path.insert(0, case["cwd"])
    # Celery looks for `-P gevent` in it.
    sys.argv = case["argv"]

    from celery import signals  # noqa: PLC0415
    from celery.bin.celery import main  # noqa: PLC0415

    def answer(sender: object, instance: Any, conf: Any, **_: object) -> None:
        tell(ask(instance, conf))
        os._exit(0)

    signals.celeryd_after_setup.connect(answer, weak=False)
    main()


def tell(answer: dict[str, Any]) -> None:
    """Print an answer, whatever Celery has put in the place of stdout."""
    os.write(OUTPUT, (json.dumps(answer, default=repr) + "\n").encode())


OUTPUT = os.dup(1)
COMMON = (
    *("celery.app.amqp", "celery.app.control", "celery.app.events", "celery.app.log", "celery.apps.worker"),
    *("celery.backends.cache", "celery.bin.celery", "celery.bin.worker", "celery.concurrency.prefork"),
    *("celery.concurrency.solo", "celery.events.state", "celery.fixups.django", "celery.loaders.app"),
    *("celery.worker.autoscale", "celery.worker.components", "celery.worker.consumer", "celery.worker.strategy"),
    *("django.conf", "django.core.cache.backends.locmem", "django.core.checks", "django.core.management"),
    *("django.core.management.commands.makemigrations", "django.core.management.commands.migrate"),
    *("django.db.models", "django.db.backends.dummy.base", "django.urls", "django.utils.log"),
    *("django.utils.translation.reloader", "django.views.csrf", "kombu.transport.redis"),
)


def serve() -> None:
    """Answer each case."""
    # What all of them import, once.
    for name in COMMON:
        importlib.import_module(name)
    # No child goes over what they share, which would copy it.
    gc.freeze()
    os.dup2(2, 1)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                run(json.loads(line))
            except SystemExit as error:
                tell({"error": f"it ended: {error.code}"})
            except BaseException:
                tell({"error": traceback.format_exc()})
            finally:
                with contextlib.suppress(OSError):
                    sys.stderr.flush()
                os._exit(1)
        os.waitpid(child, 0)


if __name__ == "__main__":
    serve()
