"""What Prometheus has kept of Flower's metrics: how often each task ran, how long, and how much in each hour.

Flower's counters start with each worker's first event of a kind, at 1: ``increase`` alone wouldn't see that event, nor
any of a pod that ran one task (https://prometheus.io/docs/prometheus/latest/querying/functions/#increase). So a series
that began within the window counts with all it has, and only an older one with its increase.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kustomizer.cluster.web import Server
from kustomizer.manifests.tree import lookup
from kustomizer.tasks.numbers import DAY, HOUR, NODE, Measured, Numbers, RunTime, service_of, span

Key = tuple[str, str]

_EVENTS, _RUN_TIME = "flower_events_total", "flower_task_runtime_seconds"
_RAN_ON = f'label_replace({{}}, "ran_on", "$1", "worker", "{NODE}")'.replace("\\", "\\\\")
_POINTS = 500
"""At which it is asked whether there are samples: Prometheus answers 11,000 at the most."""
_QUOTED = re.compile(r'[\\"\n]')


class Prometheus:
    """Flower's metrics of one site in a Prometheus, over the last ``window`` seconds, an hour or more."""

    def __init__(self, server: Server, *, namespace: str, window: int) -> None:
        """Look which of its series are of the site in ``namespace``. Raises UserError where there are none."""
        self._server = server
        self._window = window
        self._now = time.time()
        self._filter = self._of_site(namespace)

    def numbers(self) -> tuple[Measured, dict[Key, Numbers]]:
        """Return what was measured of each task, by service and name; the service is empty where it isn't known."""
        days = self._covered() / DAY
        events = self._grown_by(_EVENTS, "type", matchers='type=~"task-(succeeded|failed)"')
        sums, buckets, hours = self._grown_by(f"{_RUN_TIME}_sum"), self._buckets(), self._hours()
        numbers = {}
        seconds = _by_task(sums)
        for (service, task), counted in sorted(_by_task(events).items()):
            succeeded, failed = (round(counted.get(f"task-{kind}", 0)) for kind in ("succeeded", "failed"))
            if succeeded + failed == 0:
                continue
            counts = buckets.get((service, task), {})
            numbers[service, task] = Numbers(
                per_day=(succeeded + failed) / days,
                runs=succeeded + failed,
                failed=failed,
                seconds=seconds.get((service, task), {}).get("", 0),
                median=_run_time(counts, 0.5),
                p95=_run_time(counts, 0.95),
                longest=_run_time(counts, 1),
                ran_on=_most(events, service, task),
                hours=hours.get((service, task), ()),
            )
        tops = [bound for counts in buckets.values() for bound in counts if bound != math.inf]
        top = max(tops, default=None)
        return Measured(source="Prometheus", days=days, window=self._window / DAY, top_bucket=top), numbers

    def _of_site(self, namespace: str) -> str:
        """Return the matcher of the site's own series."""
        series = self._query(f"count by (namespace) (present_over_time({_EVENTS}[{self._window}s]))")
        names = sorted(item["metric"].get("namespace", "") for item in series)
        if not names:
            raise self._server.problem(
                f"it has no metric {_EVENTS} of the last {span(self._window / DAY)}",
                "It comes from Flower, by a ServiceMonitor (docs/flower.md); or --window is too short",
            )
        if names == [""] or (len(names) == 1 and not namespace):
            return ""
        if namespace not in names:
            listed = ", ".join(name or "none" for name in names)
            raise self._server.problem(
                f"it has {_EVENTS} of namespace {listed}, and none of {namespace or 'no namespace'}",
                "Name the one that is meant with --namespace",
            )
        return f'namespace="{_QUOTED.sub(lambda match: chr(92) + match[0], namespace)}"'

    def _covered(self) -> float:
        """Return the seconds of the window in which Flower was scraped: every point of many that has a sample."""
        step = max(60, self._window // _POINTS)
        series = self._range(f"count({_EVENTS}{{{self._filter}}})", step=step)
        points = sum(len(item["values"]) for item in series)
        return self._window * min(1.0, max(1, points) / (self._window // step))

    def _grown_by(self, metric: str, more: str = "", *, matchers: str = "") -> dict[tuple[str, str, str], float]:
        """Return what a counter grew by in the window, by the queue in the worker's name, task and one more label."""
        labels = ", ".join(filter(None, ("ran_on", "task", more)))
        found = self._query(f"sum by ({labels}) ({self._growth(metric, self._window, matchers)})")
        return {(*_labels(item), item["metric"].get(more, "")): _value(item["value"][1]) for item in found}

    def _buckets(self) -> dict[Key, dict[float, float]]:
        """Return of each task how many runs took up to each bound of the histogram."""
        buckets: dict[Key, dict[float, float]] = {}
        for (ran_on, task, bound), count in self._grown_by(f"{_RUN_TIME}_bucket", "le").items():
            counts = buckets.setdefault((service_of(ran_on), task), {})
            counts[_value(bound)] = counts.get(_value(bound), 0.0) + count
        return buckets

    def _hours(self) -> dict[Key, tuple[float, ...]]:
        """Return of each task the run time that ended in each hour with samples."""
        series = self._range(f"sum by (ran_on, task) ({self._growth(f'{_RUN_TIME}_sum', HOUR)})", step=HOUR)
        scraped = self._range(f"count(present_over_time({_EVENTS}{{{self._filter}}}[{HOUR}s]))", step=HOUR)
        times = [at for item in scraped for at, _ in item["values"]]
        hours: dict[Key, tuple[float, ...]] = {}
        for item in series:
            ran_on, task = _labels(item)
            key = service_of(ran_on), task
            values = {at: _value(value) for at, value in item["values"]}
            summed = hours.get(key) or (0.0,) * len(times)
            hours[key] = tuple(total + max(0.0, values.get(at, 0.0)) for total, at in zip(summed, times, strict=True))
        return hours

    def _growth(self, metric: str, seconds: int, matchers: str = "") -> str:
        name = f"{metric}{{{','.join(filter(None, (self._filter, matchers)))}}}"
        # An hour: where Prometheus was away for a moment, what it knew before isn't new.
        began = f"max_over_time({name}[{seconds}s]) unless present_over_time({name}[{HOUR}s] offset {seconds}s)"
        whole = f"({began}) and resets({name}[{seconds}s]) == 0"
        return _RAN_ON.format(f"({whole} or increase({name}[{seconds}s]))")

    def _query(self, expression: str) -> list[dict[str, Any]]:
        return self._ask("/api/v1/query", {"query": expression, "time": f"{self._now:.3f}"})

    def _range(self, expression: str, *, step: int) -> list[dict[str, Any]]:
        # The window's start is no point of it: what is asked there is of before.
        start = self._now - self._window + step
        bounds = {"start": f"{start:.3f}", "end": f"{self._now:.3f}", "step": str(step)}
        return self._ask("/api/v1/query_range", {"query": expression, **bounds})

    def _ask(self, path: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = self._server.get(path, parameters)
        result = lookup(answer, "data", "result")
        if not isinstance(result, list):
            remedy = f"Is {self._server.option} the URL of a Prometheus?"
            raise self._server.problem("it answers, but not as Prometheus does", remedy)
        return result


def _run_time(counts: Mapping[float, float], share: float) -> RunTime | None:
    """Return the bounds of a histogram between which a share of the runs is done; None without any run."""
    total = counts.get(math.inf, 0.0)
    least = 0.0
    # Prometheus extrapolates: parts of a run are none, and differ a little between the bounds.
    if total < 0.5:  # noqa: PLR2004
        return None
    for bound in sorted(counts):
        if counts[bound] >= share * total - min(0.5, total / 1000):
            return RunTime(least=least, most=None if bound == math.inf else bound)
        least = bound
    return None


def _by_task(found: Mapping[tuple[str, str, str], float]) -> dict[Key, dict[str, float]]:
    """Return the sums over the workers of a service, by task and label."""
    sums: dict[Key, dict[str, float]] = {}
    for (ran_on, task, label), value in found.items():
        of_task = sums.setdefault((service_of(ran_on), task), {})
        of_task[label] = of_task.get(label, 0) + value
    return sums


def _most(events: Mapping[tuple[str, str, str], float], service: str, task: str) -> str:
    """Return the queue in the name of the worker of a service that ran a task most."""
    counts: Counter[str] = Counter()
    for (ran_on, name, _), value in events.items():
        if (service_of(ran_on), name) == (service, task):
            counts[ran_on] += round(value)
    return counts.most_common(1)[0][0]


def _labels(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["metric"].get("ran_on", ""), item["metric"].get("task", "")


def _value(text: str) -> float:
    value = float(text)
    return 0.0 if math.isnan(value) else value
