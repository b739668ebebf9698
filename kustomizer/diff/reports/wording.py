"""The sentences that all reports have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kustomizer.diff.model import (
    ADD,
    CHANGE,
    DESTROY,
    REPLACE,
    AnyChange,
    ArgumentsChange,
    Comparison,
    ObjectChange,
    ObjectId,
    OrderChange,
    Path,
    Renaming,
    SharedChange,
    ValueChange,
    path_text,
)
from kustomizer.diff.reports.fields import is_one_line, one_line
from kustomizer.errors import ERROR, INFO, WARNING
from kustomizer.findings.model import Finding, count
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.masking.marks import Absent
from kustomizer.system.visible import visible
from kustomizer.system.wording import joined, noun_for, plural

SIGNS = {ADD: "+", CHANGE: "~", REPLACE: "-/+", DESTROY: "-"}
"""The sign before an object, as in Terraform's plans."""

NEEDS_DELETION = " is refused unless it is deleted first"
"""What follows the name of an object with a change that Kubernetes refuses."""

_NAMED_WORKERS = 3
_NAMED_JOBS = 3
_NAMED_OBJECTS = 12
_SHOWN_KEYS = 5


def summary(comparison: Comparison) -> str:
    """Return the last line: ``2 add, 5 change, 1 replace, 0 destroy; 1 error; 3 ignored``."""
    parts = [", ".join(f"{comparison.count(action)} {action}" for action in (ADD, CHANGE, REPLACE, DESTROY))]
    counts = count(comparison.findings)
    counted_findings = [
        f"{number} {severity}" if severity == INFO else plural(number, severity)
        for severity, number in ((severity, counts[severity]) for severity in (ERROR, WARNING, INFO))
        if number
    ]
    if counted_findings:
        parts.append(", ".join(counted_findings))
    ignored = sum(entry.changes + entry.findings for entry in comparison.ignored)
    if ignored:
        parts.append(f"{ignored} ignored")
    return "; ".join(parts)


def by_remedy(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return the findings in groups of one severity, one rule and one remedy."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.severity, finding.rule, finding.problem.remedy), []).append(finding)
    return list(groups.values())


def by_message(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Return each message once, with the findings that have it."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.problem.message, []).append(finding)
    return list(groups.items())


def place_of(finding: Finding) -> list[str]:
    """Return the object and the field of a finding, without those that it doesn't name."""
    return [str(part) for part in (finding.problem.resource, finding.problem.field) if part]


def title(identity: ObjectId) -> str:
    """Return an object's name in reports: ``Deployment openedx/lms``."""
    return visible(str(identity))


def rolls(objects: Iterable[ObjectId]) -> str:
    """Return the names of what a change restarts; only the number of workers where they are many."""
    names = list(dict.fromkeys(visible(identity.name) for identity in objects))
    workers = [name for name in names if "-worker" in name]
    if len(workers) <= _NAMED_WORKERS:
        return joined(names)
    return joined([*(name for name in names if name not in workers), plural(len(workers), "worker")])


def restarts(objects: Sequence[ObjectId], quoted: Callable[[str], str] = str) -> str:
    """Return what a change restarts, and the Jobs that only read it: ``rolls lms; read by Job lms-job``."""
    jobs = [identity for identity in objects if identity.kind == "Job"]
    rolled = [identity for identity in objects if identity.kind != "Job"]
    parts = [f"rolls {quoted(rolls(rolled))}"] if rolled else []
    if jobs:
        shown = rolls(jobs) if len(jobs) <= _NAMED_JOBS else str(len(jobs))
        parts.append(
            f"read by {quoted(shown)} Jobs"
            if shown.isdigit()
            else f"read by {noun_for(len(jobs), 'Job')} {quoted(shown)}"
        )
    return "; ".join(parts) or "no pod refers to it"


def alike(renamings: Iterable[Renaming]) -> list[list[Renaming]]:
    """Return the renamings in groups that share a sentence; each guess is a group of its own."""
    groups: dict[tuple[object, ...], list[Renaming]] = {}
    for renaming in renamings:
        key = (renaming.id.kind, tuple(renaming.rolls)) if renaming.proven else (renaming.id,)
        groups.setdefault(key, []).append(renaming)
    return list(groups.values())


def renaming_text(renamings: Sequence[Renaming]) -> str:
    """Return the sentence of one group: ``ConfigMap openedx-config changed; rolls lms, cms and 6 workers``."""
    first = renamings[0]
    names = joined([visible(renaming.id.name) for renaming in renamings])
    text = f"{noun_for(len(renamings), visible(first.id.kind))} {names} changed"
    if not first.proven:
        before = visible(first.before)
        text += f" (a guess: the name before was {before}, and only how they begin says that they are one)"
    return f"{text}; {restarts(first.rolls)}"


def group_text(group: SharedChange) -> str:
    """Return ``app.kubernetes.io/version: 21.0.0 → 22.0.3, on 48 objects``."""
    return f"{change_text(group.change)}, on {plural(len(group.objects), 'object')}"


def change_text(change: AnyChange) -> str:
    """Return a change in one line, without values that don't fit."""
    name = path_name(change.path)
    if isinstance(change, ArgumentsChange):
        return f"{name}: {'; '.join(map(visible, change.notes)) or 'other arguments'}"
    if isinstance(change, OrderChange):
        return f"{name}: another order"
    if not isinstance(change, ValueChange):
        return f"{name}: {plural(len(change.hunks), 'place')} of the text"
    if isinstance(change.before, Absent):
        return f"{name}: {one_line(change.after)} is new" if is_one_line(change.after) else f"{name} is new"
    if isinstance(change.after, Absent):
        return f"{name}: {one_line(change.before)} goes" if is_one_line(change.before) else f"{name} goes"
    if is_one_line(change.before) and is_one_line(change.after):
        return f"{name}: {one_line(change.before)} → {one_line(change.after)}"
    return f"{name} changes"


def path_name(path: Path) -> str:
    """Return a field's path, or only the name of a label or an annotation."""
    last = path[-1] if path else ""
    if isinstance(last, str) and "/" in last and "data" not in path:
        # Tutor stamps both the object and its pods.
        return visible(last) + (" of its pods" if "template" in path else "")
    return visible(path_text(path))


def by_kind(objects: Iterable[ObjectId]) -> list[tuple[str, list[str]]]:
    """Return the names of the objects by kind, with namespaces where these differ."""
    objects = list(objects)
    several = len({identity.namespace for identity in objects if identity.namespace}) > 1
    names: dict[str, list[str]] = {}
    for identity in sorted(objects, key=lambda item: (item.kind, item.namespace, item.name, item.group)):
        name = f"{identity.namespace}/{identity.name}" if several and identity.namespace else identity.name
        names.setdefault(visible(identity.kind), []).append(visible(name))
    return list(names.items())


def names(objects: Sequence[ObjectId], *, full: bool) -> list[str]:
    """Return a line for each kind, ``Deployment: cms, lms``; without ``full`` only numbers where they are many."""
    kinds = by_kind(objects)
    if len(objects) > _NAMED_OBJECTS and not full:
        return [", ".join(f"{kind} {len(names_of_kind)}" for kind, names_of_kind in kinds)]
    return [f"{kind}: {', '.join(names_of_kind)}" for kind, names_of_kind in kinds]


def what(change: ObjectChange, comparison: Comparison) -> str:
    """Return a summary of an added or destroyed object, empty where its kind and name are enough."""
    tree = mapping(change.tree)
    spec = mapping(tree.get("spec"))
    kind = change.id.kind
    if kind in ("ConfigMap", "Secret"):
        keys = [key for field in ("data", "binaryData", "stringData") for key in mapping(tree.get(field))]
        return joined(list(map(visible, keys)), most=_SHOWN_KEYS) or "empty"
    if kind in ("ScaledObject", "HorizontalPodAutoscaler"):
        low, high = ("minReplicaCount", "maxReplicaCount") if kind == "ScaledObject" else ("minReplicas", "maxReplicas")
        limits = [f"{word} {one_line(spec[name])}" for word, name in (("from", low), ("to", high)) if name in spec]
        return " ".join(["scales", _word(lookup(spec, "scaleTargetRef", "name")), *limits])
    if kind == "Service":
        ports = [_word(port.get("port")) for port in mappings(spec.get("ports"))]
        return f"{noun_for(len(ports), 'port')} {joined(ports)}" if ports else ""
    if kind == "PersistentVolumeClaim":
        return _word(lookup(spec, "resources", "requests", "storage"))
    return _queues(change, comparison) or _images(spec)


def _queues(change: ObjectChange, comparison: Comparison) -> str:
    rows = comparison.queues[1 if change.action == "add" else 0]
    mine = [row for row in rows if (row.namespace, row.deployment) == (change.id.namespace, change.id.name)]
    if not mine or change.id.kind != "Deployment":
        return ""
    queues = [visible(row.queue) or "the queues that its settings name" for row in mine]
    return f"takes {joined(queues)}; {visible(str(mine[0].scaling))}"


def _images(spec: Any) -> str:
    template = lookup(spec, "jobTemplate", "spec", "template", "spec") or lookup(spec, "template", "spec")
    images = [_word(container.get("image")) for container in mappings(mapping(template).get("containers"))]
    return ", ".join(dict.fromkeys(image for image in images if image))


def _word(value: Any) -> str:
    return one_line(value) if value is not None and is_one_line(value) else ""
