"""Where each worker's Celery has its values from: `queues -v` and `queues -o json` show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kustomizer.openedx.celery.values import Known, Unknown
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.endpoint import server
from kustomizer.site.model import Site


def value_sources(site: Site) -> list[dict[str, Any]]:
    """Return, for each worker of lms and cms, what its Celery will do, and why; without passwords."""
    return [
        {
            "namespace": worker.resource.namespace,
            "deployment": worker.resource.name,
            "values": {name: _entry(name, value) for name, value in _values(worker.celery)},
        }
        for worker in site.open_edx_workers
        if worker.celery is not None
    ]


def value_lines(workers: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the same for a person."""
    for worker in workers:
        yield f"{worker['deployment']}:"
        for name, entry in worker["values"].items():
            value = f"not known: {entry['unknown']}" if "unknown" in entry else _shown(entry["value"])
            yield f"  {name}: {value} ({entry['source']})"


def _values(celery: CeleryView) -> Iterator[tuple[str, Known | Unknown]]:
    yield "broker", celery.broker
    yield "queues", celery.queues
    yield "defaultQueue", celery.default_queue
    yield "keyPrefix", celery.key_prefix
    yield "visibilityTimeout", celery.visibility_timeout
    yield "unackedKey", celery.transport_option("unacked_key", "unacked")
    yield "defaultPriority", celery.default_priority
    yield "acknowledgesLate", celery.acknowledges_late
    yield "concurrency", celery.concurrency
    yield "prefetchMultiplier", celery.prefetch_multiplier
    yield "scheduler", celery.scheduler


def _entry(name: str, value: Known | Unknown) -> dict[str, Any]:
    if isinstance(value, Known):
        return {"value": _plain(name, value.value), "source": str(value.source)}
    entry: dict[str, Any] = {"unknown": value.reason, "source": str(value.source)}
    if value.otherwise is not None:
        entry["otherwise"] = _plain(name, value.otherwise.value)
    return entry


def _plain(name: str, value: Any) -> Any:
    if name == "broker":
        if "://" in value.hosts[0][0]:
            return f"{value.transport}+{value.hosts[0][0]}"
        hosts = ",".join(server(host, port, "") for host, port in value.hosts)
        where = "?" if "virtual_host" in value.unknown else value.virtual_host
        return f"{value.transport}://{hosts}/{where}"
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "none" if value is None or value == "" else str(value)
