"""A Secret that changes, and the pods that read it.

Pods read a Secret when they start. A Secret that kustomize generates gets another name when its content changes, so the
pods that refer to it restart. Where a Secret keeps its name, its pods keep the old value until something restarts them.

**Severity:** info where the pods that refer to it restart, or no pod does; warning where pods keep the old value, and
where a Secret is removed that pods refer to. Its content is never shown, nor is the hash in its name.

**What to do:** apply the change, and restart what the message names: `kubectl rollout restart`. Give a new password to
its service in the cluster first.

**What isn't seen:** Secrets that aren't in the build; readers of a Secret other than a pod's own manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import DESTROY, ObjectChange, ObjectId
from kustomizer.diff.sides import Side, Sides
from kustomizer.diff.workloads import changed, listed, names_of
from kustomizer.errors import INFO, WARNING, Problem
from kustomizer.manifests.pods import pod_template, strings
from kustomizer.manifests.tree import plain_value

_CONTENT = frozenset({"data", "stringData"})


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find the Secrets that change, or are removed while pods need them."""
    renamed = {renaming.id: renaming for renaming in sides.renamings}
    for item in changed(objects, "Secret"):
        if not any(change.path[0] in _CONTENT for change in item.changes):
            continue
        if item.id in renamed:
            rolls = names_of(renamed[item.id].rolls)
            message = f"changes, and restarts {listed(rolls) if rolls else 'nothing'}"
            yield item.problem(message, field="data", severity=INFO)
            continue
        users = _users(sides.after, item.id)
        restarted = {
            other.id for other in changed(objects) if any("template" in change.path for change in other.changes)
        }
        stale = [user for user in users if user not in restarted]
        if stale:
            commands = "; ".join(f"kubectl rollout restart {user.kind.lower()} {user.name}" for user in stale[:3])
            names = listed(names_of(stale))
            yield item.problem(
                f"changes and keeps its name: {names} go on with the old value until they are restarted",
                f"Afterwards run `{commands}`" + (" and so on" if len(stale) > 3 else ""),  # noqa: PLR2004 - see above
                field="data",
                severity=WARNING,
            )
        else:
            message = f"changes, and restarts {listed(names_of(users))}" if users else "changes; no pod refers to it"
            yield item.problem(message, field="data", severity=INFO)
    for item in objects:
        if item.action == DESTROY and item.id.kind == "Secret":
            users = _users(sides.after, item.id, sides.before.resources[item.id].name)
            if users:
                message = f"goes, and {listed(names_of(users))} refer to it: without it their pods don't start"
                remedy = "Leave it in, or make sure that it is made in the cluster"
                yield item.problem(message, remedy, field="data", severity=WARNING)


def _users(side: Side, secret: ObjectId, name: str = "") -> list[ObjectId]:
    """Return the workloads whose pods refer to a Secret."""
    name = name or side.resources[secret].name
    return sorted(
        (
            identity
            for identity, resource in side.resources.items()
            if identity.namespace == secret.namespace
            and resource.mentions(name)
            and name in set(strings(plain_value(pod_template(resource.tree))))
        ),
        key=lambda identity: (identity.kind, identity.name),
    )
