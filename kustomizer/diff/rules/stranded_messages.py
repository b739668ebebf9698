"""A worker that leaves behind an in-flight key with tasks in it.

While a task runs, its message is in a hash in Redis (`unacked`, or one of the worker's own). When a pod dies, a worker
with the same key takes the task up again. No worker has the key any more where its worker is removed, or gets another
key with a new name. Tasks that were running, prefetched or waiting for a countdown when its last pod was killed stay in
the hash for ever.

**Severity:** warning: the hash may be empty.

**What to do:** scale the worker to zero first and let it finish (`kubectl rollout status`). Or apply, and put back the
tasks that are left: `tutor-kustomizer in-flight list` shows them, `tutor-kustomizer in-flight restore WORKER` puts them
back on their queues.

**What isn't seen:** keys that code computes; another Redis database or key prefix, by which all keys change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import ObjectChange
from kustomizer.diff.sides import Sides
from kustomizer.errors import WARNING, Problem


def check(sides: Sides, _objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find the in-flight keys that no worker has afterwards."""
    keys = {(worker.resource.namespace, worker.unacked_key) for worker in sides.after.site.open_edx_workers}
    for worker in sides.before.site.open_edx_workers:
        key = (worker.resource.namespace, worker.unacked_key)
        if key in keys:
            continue
        keys.add(key)
        name = worker.resource.name
        yield worker.resource.problem(
            f"has its tasks in flight in {worker.unacked_key}, and no worker has that key afterwards: "
            "what is there when its last pod stops is never run",
            f"Let it finish first, or run `tutor-kustomizer in-flight restore {name}` afterwards",
            field=worker.field,
            severity=WARNING,
        )
