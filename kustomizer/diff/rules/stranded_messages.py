"""A worker that leaves an in-flight key behind, in which tasks may be.

While a task runs its message is in a hash in Redis (`unacked`, or one of the worker's own), and a worker with the
same key takes it up again where a pod dies. A worker that is removed, or gets another key with its new name, leaves
the old hash to nobody: tasks that were running or prefetched when its last pod was killed stay there for ever, and
so do those with a countdown.

**Severity:** warning: the hash may well be empty.

**What to do:** scale the worker to zero first and let it finish (`kubectl rollout status`); or apply, and then put
back what is left: `tutor-kustomizer in-flight list` shows it, `tutor-kustomizer in-flight restore WORKER` puts it
back on its queues.

**What isn't seen:** keys that code computes; another Redis database or key prefix, by which all keys change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.errors import WARNING, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kustomizer.diff.model import ObjectChange
    from kustomizer.diff.sides import Sides

ID = "stranded-messages"


def check(sides: Sides, _objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find the in-flight keys that no worker has afterwards."""
    kept = {(worker.resource.namespace, worker.unacked_key) for worker in sides.after.site.open_edx_workers}
    for worker in sides.before.site.open_edx_workers:
        key = (worker.resource.namespace, worker.unacked_key)
        if key in kept:
            continue
        kept.add(key)
        name = worker.resource.name
        yield Problem(
            message=f"has its tasks in flight in {worker.unacked_key}, and no worker has that key afterwards: "
            "what is there when its last pod stops is never run",
            severity=WARNING,
            resource=worker.resource.ref,
            field=worker.field,
            remedy=f"Let it finish first, or run `tutor-kustomizer in-flight restore {name}` afterwards",
        )
