"""A volume, a variable, a probe or a strategy that keeps its name and becomes another kind of thing.

`kubectl apply --server-side` merges the new kind into the old one, whose fields somebody else owns, and then refuses
both together ("may not specify more than 1 volume type", "may not be specified when `value` is not empty"), with
`--force-conflicts`, too. So does Flux. Client-side apply, which Tutor uses, accepts it. `strategy: Recreate` is refused
because the default `rollingUpdate` stays beside it. All of this was seen on a real cluster.

**Severity:** warning: it depends on how the build is applied.

**What to do:** give the volume another name, and let the mounts follow; take variables from `envFrom`; in place of
`Recreate` use a rolling update with `maxSurge: 0` and `maxUnavailable: 1`. Or apply this one object client-side,
once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kustomizer.diff.model import Key, ObjectChange, path_text
from kustomizer.diff.sides import Sides
from kustomizer.diff.workloads import changed, containers, listed, named, templates
from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.tree import lookup, text_at

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = frozenset({"exec", "httpGet", "tcpSocket", "grpc"})


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find volumes, variables, probes and strategies that change their kind."""
    for item in changed(objects):
        both = templates(sides, item)
        if both is None:
            continue
        before, after, path = both
        yield from _volumes(item, before, after, path)
        for kind, name, container in containers(after):
            model = named(before, f"spec.{kind}").get(name, {})
            at = f"{path}spec.{path_text((kind, Key(fields=(('name', name),))))}"
            yield from _variables(item, model, container, at)
            yield from _probes(item, model, container, at)
        yield from _strategy(item, *sides.trees(item.id))


def _volumes(item: ObjectChange, before: Any, after: Any, path: str) -> Iterator[Problem]:
    older = named(before, "spec.volumes")
    for name, volume in named(after, "spec.volumes").items():
        old, new = (sorted(volume_fields.keys() - {"name"}) for volume_fields in (older.get(name, {}), volume))
        if old and new and old != new:
            message = f"volume {name} was {listed(old)} and becomes {listed(new)} under the same name"
            yield _problem(item, f"{path}spec.volumes[{name}]", message, "Give the volume another name")


def _variables(item: ObjectChange, before: Any, after: Any, at: str) -> Iterator[Problem]:
    older = named(before, "env")
    sources = {name: (_source(older.get(name)), _source(entry)) for name, entry in named(after, "env").items()}
    names = [name for name, (was, now) in sources.items() if was and now and was != now]
    if names:
        message = f"{listed(names)} {'come' if len(names) > 1 else 'comes'} from elsewhere under the same name"
        remedy = "Take it from envFrom, under the same name, and drop the entry"
        yield _problem(item, f"{at}.env", message, remedy)


def _probes(item: ObjectChange, before: Any, after: Any, at: str) -> Iterator[Problem]:
    for field in _PROBES:
        old, new = (sorted(_HANDLERS & set(lookup(container, field) or ())) for container in (before, after))
        if old and new and old != new:
            message = f"the probe was {listed(old)} and becomes {listed(new)}"
            yield _problem(item, f"{at}.{field}", message, "Apply this object client-side, once")


def _strategy(item: ObjectChange, before: Any, after: Any) -> Iterator[Problem]:
    old, new = (text_at(tree, "spec", "strategy", "type") or "RollingUpdate" for tree in (before, after))
    if item.id.kind == "Deployment" and new == "Recreate" != old:
        remedy = "Use a rolling update with maxSurge: 0 and maxUnavailable: 1"
        yield _problem(item, "spec.strategy.type", "the strategy becomes Recreate, and rollingUpdate stays", remedy)


def _source(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    source = entry.get("valueFrom")
    if isinstance(source, dict):
        return next(iter(sorted(source)), "")
    return "value" if entry.get("value") not in (None, "") else ""


def _problem(item: ObjectChange, field: str, message: str, remedy: str) -> Problem:
    message += ": server-side apply refuses it, client-side apply takes it"
    return item.problem(message, remedy, field=field, severity=WARNING)
