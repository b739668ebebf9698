"""A number of replicas that is removed from a Deployment or a StatefulSet.

When the build is applied, the number falls to the default, 1, if whoever applies it has set the field before. An
autoscaler raises it again after a while. This was seen on a real cluster with client-side and server-side apply.

**Severity:** warning where the number was more than one.

**What to do:** without an autoscaler, state the number. When a worker changes from `replicas` to an autoscaler, apply
in a quiet hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.diff.workloads import changed
from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.tree import lookup, number_at
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import autoscalers

NOTHING = "and nothing in the build scales it up"


def check(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find the numbers that are removed."""
    for item in changed(objects, "Deployment", "StatefulSet"):
        old, new = sides.trees(item.id)
        before = number_at(old, "spec", "replicas")
        if before is None or before <= 1 or lookup(new, "spec", "replicas") is not None:
            continue
        target = (item.id.namespace, item.id.kind, item.id.name)
        scalers = [
            scaler for scaler in autoscalers(sides.after.site) if (scaler.namespace, *scale_target(scaler)) == target
        ]
        until = f"until {scalers[0].kind} {scalers[0].name} scales it again" if scalers else NOTHING
        message = f"states no replicas any more, {before} before: it falls to 1, {until}"
        remedy = "Apply it in a quiet hour" if scalers else "State the number"
        yield item.problem(message, remedy, field="spec.replicas", severity=WARNING)
