"""``livenessProbe: Celery``: a probe for a worker that runs and consumes nothing more."""

from __future__ import annotations

from kustomizer.openedx.pod_program import pod_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.values import JsonMap

DIRECTORY = "/tmp"  # noqa: S108 - in the worker's container
"""Where it keeps a file young while its consumer moves, unless TMPDIR names another directory."""
OBSERVED_POOLS = ("prefork", "processes", "threads")
"""Pools beside which the worker's own loop goes on while tasks run."""

_MINUTES = 3


def probe() -> JsonMap:
    """Return the probe: one ``find`` in a shell, which says something only about a file that is there and old."""
    old = f'find "${{TMPDIR:-{DIRECTORY}}}/celery-consumer" -mmin +{_MINUTES} 2>/dev/null'
    return {
        "exec": {"command": ["sh", "-c", f'test -z "$({old})"']},
        "periodSeconds": 30,
        "timeoutSeconds": 10,
        "failureThreshold": 3,
    }


def statements() -> str:
    """Return what the worker's settings module gets for the probe."""
    return pod_program("consumer_watch")
