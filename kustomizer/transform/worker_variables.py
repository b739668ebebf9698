"""Environment variables that set options of a Celery worker, and that a copy must not inherit from Tutor's worker.

``CELERY_WORKER_EXCLUDE_QUEUES`` takes queues away that ``--queues`` names, and with ``CELERY_WORKER_AUTOSCALE`` Celery
ignores ``--concurrency``: Celery 5.2 to 5.7 were asked.
"""

from __future__ import annotations

from kustomizer.manifests.tree import is_null, list_at, lookup
from kustomizer.worker_command.options import list_words, read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant

AUTOSCALE = "CELERY_WORKER_AUTOSCALE"
BEAT = "CELERY_WORKER_BEAT"
EXCLUDE_QUEUES = "CELERY_WORKER_EXCLUDE_QUEUES"
PURGE = "CELERY_WORKER_PURGE"
_ALL = (AUTOSCALE, BEAT, EXCLUDE_QUEUES, PURGE)


def variables_of(resources: Resources, worker: EmittedWorker) -> frozenset[str]:
    """Return the variables for worker options that the worker's container sets, in ``env`` or by ``envFrom``."""
    container = worker.container_tree
    names = {str(lookup(entry, "name")) for entry in list_at(container, "env")}
    if is_null(lookup(container, "envFrom")) and names.isdisjoint(_ALL):
        return frozenset()
    from kustomizer.openedx.celery.environment import Environment  # noqa: PLC0415 - hardly any site sets one
    from kustomizer.openedx.celery.values import Known  # noqa: PLC0415 - as above

    environment = Environment(resources, worker.resource, "", container)
    values = {name: environment.get(name) for name in _ALL}
    # An empty variable is none; what a Secret elsewhere may hold is hardly ever one.
    return frozenset(
        name
        for name, value in values.items()
        if value is not None and (value.value != "" if isinstance(value, Known) else not value.may_be_unset)
    )


def without_rivals(variant: Variant, variables: frozenset[str]) -> Variant:
    """Return ``variant`` without those ``variables`` of Tutor's worker that would override its configuration."""
    settings = variant.settings
    given = {
        setting.option.name for item in read_all(list_words(settings.extra_args or ())) for setting in item.settings
    }
    has_concurrency = settings.concurrency is not None or "--concurrency" in given
    own = {str(entry["name"]) for entry in settings.env or ()}
    rivals = {EXCLUDE_QUEUES, *([AUTOSCALE] if has_concurrency else ())}
    return variant.replace(unset_variables=frozenset((rivals & variables) - own))


def unset(container: dict[str, Any], names: Collection[str]) -> None:
    """Remove variables from a container; one that ``envFrom`` may set as well is emptied."""
    if not names:
        return
    may_come_back = not is_null(lookup(container, "envFrom"))
    # A second run leaves each that is empty at its place.
    kept = [
        entry
        for entry in list_at(container, "env")
        if str(lookup(entry, "name")) not in names or (may_come_back and lookup(entry, "value") == "")
    ]
    if may_come_back:
        there = {str(lookup(entry, "name")) for entry in kept}
        kept += [{"name": name, "value": ""} for name in sorted(set(names) - there)]
    if kept or not is_null(lookup(container, "env")):
        container["env"] = kept
