"""The dashboard's panels: what each measures, in PromQL, and what Flower can't know.

The expressions were run on a real Prometheus; `tests/acceptance/test_dashboard.py` does so again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

F = 'namespace="$namespace"'
NAMESPACES = "label_values(flower_worker_online, namespace)"


class Panel(NamedTuple):
    """One panel: its expressions by the legend of their series."""

    title: str
    description: str
    queries: Mapping[str, str]
    unit: str = "short"
    maximum: float | None = None


# A queue's own key, with any key prefix before it; kombu's bindings name queues as well.
_QUEUE_KEYS = 'key=~"(.*[^a-z0-9_.])?edx[.].+[.]core[.][^.]+"'
TRUE_LENGTH = (
    f"sum(celery_queue_length{{{F}}})"
    f" or sum(redis_key_size{{{F},{_QUEUE_KEYS}}})"
    f' or sum(keda_scaler_metrics_value{{{F},scaler=~"queued[0-9]+"}}'
    ' or keda_scaler_metrics_value{exported_namespace="$namespace",scaler=~"queued[0-9]+"})'
)
_SENT = f'flower_events_total{{{F},type="task-sent"}}'
_RECEIVED = f'flower_events_total{{{F},type="task-received"}}'
_SENT_BY_TASK = f"sum by(task)({_SENT})"
ESTIMATED_LENGTH = f"clamp_min(sum({_SENT}) - (sum({_RECEIVED}) or vector(0)), 0)"
_ESTIMATE = (
    "Flower itself only estimates: tasks sent less tasks received, since it started. The estimate drifts when workers "
    "put prefetched tasks back, and is wrong after a restart of Flower."
)


# Flower calls a worker offline when that says goodbye: one that was killed is online for ever, but its heartbeat, which
# comes every two seconds, counts no more.
_SILENT = f'(sum by(worker)(increase(flower_events_total{{{F},type="worker-heartbeat"}}[2m])) == 0)'
_ONLINE = f"max by(worker)(flower_worker_online{{{F}}})"


def _while_there(metric: str, by: str) -> str:
    """Return a worker's gauge while the worker is there: Flower keeps the last value of one that is gone."""
    return f"max by({by})({metric}{{{F}}}) and on(worker) ({_ONLINE} == 1) unless on(worker) {_SILENT}"


def _ratio(counted: str, other: str) -> str:
    def increase(kind: str) -> str:
        return f"sum by(task)(increase(flower_events_total{{{F},type{kind}}}[15m]))"

    finished = increase('=~"task-succeeded|task-failed"')
    return f"100 * ({increase(f'={counted!r}')} or 0 * {increase(f'={other!r}')}) / ({finished} > 0)".replace("'", '"')


def _rate(part: str) -> str:
    return f"sum by(worker,task)(rate(flower_task_runtime_seconds_{part}{{{F}}}[5m]))"


_TASK_AT_WORKER = "{{task}} at {{worker}}"

PANELS: Sequence[Panel] = (
    Panel(
        "Total Queue Length",
        "Tasks that wait in a queue: the true number where celery-exporter, redis_exporter or KEDA (for the workers "
        f"that it scales) is scraped. {_ESTIMATE}",
        {
            "queued": TRUE_LENGTH,
            "estimated from Flower's events": f"({ESTIMATED_LENGTH}) unless on() ({TRUE_LENGTH})",
        },
    ),
    Panel(
        "Queue Length by task name",
        f"Tasks that wait, by name, which no queue's length tells. {_ESTIMATE}",
        {"{{task}}": f"clamp_min({_SENT_BY_TASK} - (sum by(task)({_RECEIVED}) or 0 * {_SENT_BY_TASK}), 0)"},
    ),
    Panel(
        "Celery Worker Status",
        "1 while a worker is there, 0 when it has ended or its heartbeat has been missing for two minutes. A worker "
        "that KEDA scaled away stays at 0 until Flower restarts.",
        {"{{worker}}": f"({_ONLINE} unless on(worker) {_SILENT}) or 0 * {_SILENT}"},
        maximum=1,
    ),
    Panel(
        "Number of Tasks Currently Executing at Worker",
        "Tasks that each worker is running, while it is there.",
        {"{{worker}}": _while_there("flower_worker_number_of_currently_executing_tasks", "worker")},
    ),
    Panel(
        "Average Task Runtime at Worker",
        "Mean run time of the tasks that succeeded in the last five minutes; failed ones aren't measured by Flower.",
        {_TASK_AT_WORKER: f"{_rate('sum')} / ({_rate('count')} > 0)"},
        unit="s",
    ),
    Panel(
        "Task Prefetch Time at Worker",
        "The longest time in the last five minutes that a task, taken from its queue, waited in a worker.",
        {_TASK_AT_WORKER: f"max by(worker,task)(max_over_time(flower_task_prefetch_time_seconds{{{F}}}[5m]))"},
        unit="s",
    ),
    Panel(
        "Number of Tasks Prefetched at Worker",
        "Tasks that a worker took from its queue and has not begun, while the worker is there. Flower counts events: "
        "the number drifts when a worker is killed or puts tasks back.",
        {_TASK_AT_WORKER: _while_there("flower_worker_prefetched_tasks", "worker,task")},
    ),
    Panel(
        "Tasks Success Ratio",
        "Of the tasks that ended in the last fifteen minutes, the percentage that succeeded.",
        {"{{task}}": _ratio("task-succeeded", "task-failed")},
        unit="percent",
        maximum=100,
    ),
    Panel(
        "Tasks Failure Ratio",
        "Of the tasks that ended in the last fifteen minutes, the percentage that failed; a retry is no failure.",
        {"{{task}}": _ratio("task-failed", "task-succeeded")},
        unit="percent",
        maximum=100,
    ),
)
