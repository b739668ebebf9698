"""Flower's options, which are environment variables: what we set, and what of the user's own settings matters to us."""

from __future__ import annotations

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.tree import plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower

PORT = 5555
PORT_NAME = "metrics"

BASIC_AUTH_VARIABLE = "BASIC_AUTH_CREDENTIALS"
"""Holds ``user:password``. A name that tutor-contrib-celery doesn't use: see kustomizer.transform.flower.objects."""

# The UI's memory of tasks. Flower's own default, 100,000, was seen to take 431 MiB, these 91 MiB.
_MAX_TASKS = 10_000
# Open edX's reports run for up to an hour; the top one of prometheus_client's default buckets is 10 s.
_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_BASE_MEMORY = 128
_TASKS_PER_MIB = 160
_MEMORY_STEP = 128


def environment(flower: Flower) -> list[dict[str, Any]]:
    """Return what we set, before the user's own settings."""
    entries: list[dict[str, Any]] = []
    if flower.basic_auth is not None:
        given = flower.basic_auth.existing_secret
        reference = {"secretKeyRef": {"name": given.name, "key": given.key}}
        entries.append({"name": BASIC_AUTH_VARIABLE, "valueFrom": reference})
        entries.append({"name": "FLOWER_BASIC_AUTH", "value": f"$({BASIC_AUTH_VARIABLE})"})
    values = {
        "FLOWER_MAX_TASKS": str(_MAX_TASKS),
        # A Service named flower puts FLOWER_PORT=tcp://... into the pods of its namespace, which Flower crashes on.
        "FLOWER_PORT": str(PORT),
        "FLOWER_TASK_RUNTIME_METRIC_BUCKETS": ",".join(f"{bound:g}" for bound in _BUCKETS),
        # A `_created` series beside each counter, which nobody reads.
        "PROMETHEUS_DISABLE_CREATED_SERIES": "True",
    }
    return [*entries, *({"name": name, "value": value} for name, value in values.items())]


def url_prefix(flower: Flower) -> str:
    """Return what goes before every path, ``/metrics`` and ``/healthcheck`` among them (flower/app.py)."""
    given = _stated(flower, "FLOWER_URL_PREFIX")
    return "/" + given.strip("/") if given else ""


def memory_limit(flower: Flower) -> str:
    """Return a limit that the number of tasks kept fits in, about 4 KiB for each."""
    given = _stated(flower, "FLOWER_MAX_TASKS")
    tasks = int(given) if given.isdecimal() else _MAX_TASKS
    needed = _BASE_MEMORY + tasks // _TASKS_PER_MIB
    return f"{-(-needed // _MEMORY_STEP) * _MEMORY_STEP}Mi"


def check_environment(flower: Flower) -> None:
    """Raise UserError where ``env`` moves what probes and ServiceMonitor have to know."""
    problems = []
    for index, entry in enumerate(flower.env or []):
        field = f"spec.flower.env[{index}]"
        if entry["name"] == "FLOWER_PORT" and plain_value(entry.get("value")) != str(PORT):
            remedy = "Leave it out; what is outside of the cluster is set by spec.flower.expose"
            problems.append(Problem(message=f"Flower's port is {PORT}", field=field, remedy=remedy))
        if entry["name"] == "FLOWER_URL_PREFIX" and entry.get("valueFrom") is not None:
            message = "the probes and the ServiceMonitor have to know the prefix"
            problems.append(Problem(message=message, field=field, remedy="State it as value"))
    if problems:
        raise UserError(*problems)


def _stated(flower: Flower, name: str) -> str:
    for entry in flower.env or []:
        if entry["name"] == name:
            return str(entry.get("value") or "")
    return ""
