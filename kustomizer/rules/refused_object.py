"""An object that `kubectl apply` refuses for what it is.

A `kind: List` without the field `items` is none to kubectl and kustomize: both take it for an object, and no API server
has one of that kind. `kubectl apply` ends with an error (`no matches for kind "List"`), and so does a sync of Argo CD.

**Severity:** error.

**What to do:** write `items: []`, or take the document out.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the lists that were no list to who took the others apart."""
    for resource in site.resources:
        if resource.kind.endswith("List") and not resource.name:
            message = f"has no items: kubectl takes it for an object, and no API server has a {resource.kind}"
            yield resource.problem(message, "Write `items: []`, or take the document out", field="items")
