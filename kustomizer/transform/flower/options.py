"""Flower's options, which are environment variables: those that we set, and the user's own that matter to us."""

from __future__ import annotations

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.digits import whole_number
from kustomizer.manifests.tree import plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower

PORT = 5555
PORT_NAME = "metrics"

BASIC_AUTH_VARIABLE = "BASIC_AUTH_CREDENTIALS"
"""Holds ``user:password``. tutor-contrib-celery doesn't use the name: see kustomizer.transform.flower.objects."""

# Tasks that the UI remembers. Flower's default, 100,000, was seen to take 431 MiB, this number 91 MiB.
_MAX_TASKS = 10_000
# Open edX's reports run for up to an hour; the top one of prometheus_client's default buckets is 10 s.
_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_BASE_MEMORY = 128
_TASKS_PER_MIB = 160
_MEMORY_STEP = 128


def environment(flower: Flower) -> list[dict[str, Any]]:
    """Return the ``env`` entries that we set; the user's own are merged over them."""
    entries: list[dict[str, Any]] = []
    if flower.basic_auth is not None:
        secret = flower.basic_auth.existing_secret
        reference = {"secretKeyRef": {"name": secret.name, "key": secret.key}}
        entries.append({"name": BASIC_AUTH_VARIABLE, "valueFrom": reference})
        entries.append({"name": "FLOWER_BASIC_AUTH", "value": f"$({BASIC_AUTH_VARIABLE})"})
    values = {
        "FLOWER_MAX_TASKS": str(_MAX_TASKS),
        # A Service named flower puts FLOWER_PORT=tcp://... into the pods of its namespace; Flower crashes on that.
        "FLOWER_PORT": str(PORT),
        "FLOWER_TASK_RUNTIME_METRIC_BUCKETS": ",".join(f"{bound:g}" for bound in _BUCKETS),
        # Leaves out the `_created` series of each counter, which nobody reads.
        "PROMETHEUS_DISABLE_CREATED_SERIES": "True",
    }
    return [*entries, *({"name": name, "value": value} for name, value in values.items())]


def url_prefix(flower: Flower) -> str:
    """Return the prefix of every path, ``/metrics`` and ``/healthcheck`` among them (flower/app.py)."""
    prefix = _stated(flower, "FLOWER_URL_PREFIX")
    return "/" + prefix.strip("/") if prefix else ""


def memory_limit(flower: Flower) -> str:
    """Return a memory limit for the number of tasks kept, about 4 KiB for each."""
    stated = _stated(flower, "FLOWER_MAX_TASKS")
    tasks = whole_number(stated)
    needed = _BASE_MEMORY + (_MAX_TASKS if tasks is None else tasks) // _TASKS_PER_MIB
    return f"{-(-needed // _MEMORY_STEP) * _MEMORY_STEP}Mi"


def check_environment(flower: Flower) -> None:
    """Raise UserError where ``env`` changes a port or path that probes and ServiceMonitor have to know."""
    problems = []
    for index, entry in enumerate(flower.env or []):
        field = f"spec.flower.env[{index}]"
        if entry["name"] == "FLOWER_PORT" and plain_value(entry.get("value")) != str(PORT):
            remedy = "Leave it out; spec.flower.expose is for access from outside the cluster"
            problems.append(Problem(message=f"Flower's port is {PORT}", field=field, remedy=remedy))
        if entry["name"] == "FLOWER_URL_PREFIX" and entry.get("valueFrom") is not None:
            message = "the probes and the ServiceMonitor have to know the prefix"
            problems.append(Problem(message=message, field=field, remedy="Give it as value, not as valueFrom"))
    if problems:
        raise UserError(*problems)


def _stated(flower: Flower, name: str) -> str:
    return next((str(entry.get("value") or "") for entry in flower.env or [] if entry["name"] == name), "")
