"""A PersistentVolumeClaim, a StatefulSet or a Namespace that leaves the build.

`kubectl apply` leaves it in the cluster; Flux, Argo CD and `kubectl apply --prune` delete it where they prune. A
Namespace is deleted with everything in it, a claim with its data unless the volume's reclaim policy is `Retain`. The
volumes of a StatefulSet stay, but its service stops.

**Severity:** error for a PersistentVolumeClaim and a Namespace; warning for a StatefulSet.

**What to do:** if it is intended, back up the data first. If it isn't, look for the cause: a plugin that is off,
another namespace, a patch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import DESTROY, ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.errors import ERROR, WARNING, Problem

_LOSSES = {
    "PersistentVolumeClaim": (ERROR, "is deleted where what applies this prunes, and its data with it"),
    "Namespace": (ERROR, "is deleted where what applies this prunes, with everything in it"),
    "StatefulSet": (WARNING, "is deleted where what applies this prunes: what it serves stops, its volumes stay"),
}


def check(_sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find destroyed objects that hold data."""
    for item in objects:
        if item.action == DESTROY and item.id.kind in _LOSSES:
            severity, message = _LOSSES[item.id.kind]
            yield item.problem(message, "Make sure that it is meant, and that there is a backup", severity=severity)
