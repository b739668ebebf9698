"""Tutor's template Jobs, which one of the two builds has and the other hasn't.

`env/` holds Jobs of which `tutor k8s do` and `init` make their own, each under a name of its own. Tutor never applies
the templates (it selects `component notin (job,namespace)`), and overlays leave them out. So no cluster has them, and
`diff env overlay` doesn't count them: nothing is destroyed, and nothing added. Where both builds have them they are
compared as everything else.

**Severity:** **info**.

**What to do:** nothing, unless somebody applied `env/` as it is, without Tutor's selector: the Jobs are in that cluster
then, and stay there. Delete them by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.diff.workloads import listed
from kustomizer.errors import INFO, Problem
from kustomizer.openedx.template_jobs import is_template_job


def check(sides: Sides, _objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Name those that are in one build alone, and therefore aren't among what changes."""
    for side, other, which in ((sides.before, sides.after, "before"), (sides.after, sides.before, "after")):
        jobs = [
            resource
            for identity, resource in side.resources.items()
            if identity not in other.resources and is_template_job(resource)
        ]
        if jobs:
            names = listed(sorted(job.name for job in jobs))
            yield Problem(
                message=f"{names} {'is' if len(jobs) == 1 else 'are'} in the build {which} alone, and not counted: "
                "Tutor's template Jobs, which Tutor never applies",
                severity=INFO,
                remedy="There is nothing to do, unless somebody applied env/ without Tutor's selector",
            )
