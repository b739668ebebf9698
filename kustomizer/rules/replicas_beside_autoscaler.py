"""A number of replicas in the manifest of a Deployment that an autoscaler scales.

Each time the build is applied the Deployment falls back to that number, in the middle of a burst too, until the
autoscaler looks again ([kedacore/keda#5572](https://github.com/kedacore/keda/issues/5572)).

**Severity:** warning.

**What to do:** leave `replicas` out of the worker's configuration, or of the patch that sets it. When the field
leaves a Deployment that runs, the number falls to 1 for a moment, so do it in a quiet hour.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.tree import is_null, lookup
from kustomizer.openedx.targeting import scale_target
from kustomizer.site.model import Site, autoscalers


def check(site: Site) -> Iterator[Problem]:
    """Find the stated replicas of what is scaled."""
    for autoscaler in autoscalers(site):
        for scaled in site.resources.find(*scale_target(autoscaler), autoscaler.namespace):
            if not is_null(lookup(scaled.tree, "spec", "replicas")):
                message = f"states its replicas, and {autoscaler.kind} {autoscaler.name} scales it: each apply takes "
                message += "it back to that number"
                yield scaled.problem(message, "Leave the field out", field="spec.replicas", severity=WARNING)
