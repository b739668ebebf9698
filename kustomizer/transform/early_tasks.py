"""Settings of the site by which tasks are acknowledged early, where a split has them acknowledged late."""

from __future__ import annotations

from kustomizer.errors import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.errors import Problem
    from kustomizer.openedx.celery.view import CeleryView

_LATE = "CELERY_ACKS_LATE"


def check_early(config: CeleryWorkers, celery: CeleryView) -> Iterator[Problem]:
    """Yield warnings about what the settings say of a service's tasks, and the split says otherwise."""
    late = config.spec.celery.late_acknowledgement
    if late is False:
        return
    stated = celery.settings.setting(_LATE).likely
    if late is None and stated is not None and stated.value is not None and not stated.value:
        message = f"{_LATE} is off, and the split turns it on: a task that a killed worker of {celery.service} had in "
        message += "hand is run again from its start"
        remedy = "Set spec.celery.lateAcknowledgement: false to keep it off, or true where it is meant"
        yield stated.source.problem(message, remedy, severity=WARNING)
    annotations = celery.settings.setting("CELERY_ANNOTATIONS").likely
    early = sorted({*_early(annotations.value)}) if annotations is not None else []
    if annotations is not None and early:
        message = f"CELERY_ANNOTATIONS has {', '.join(early)} acknowledged early: a worker that is killed loses such a "
        message += "task, and nothing counts it while it runs"
        remedy = "Take acks_late out there, or set spec.celery.lateAcknowledgement: false"
        yield annotations.source.problem(message, remedy, severity=WARNING)


def _early(annotations: Any) -> Iterator[str]:
    """Yield the tasks that ``annotations`` have acknowledged early: a table, or several; of patterns ``*`` counts."""
    for table in annotations if isinstance(annotations, (list, tuple)) else (annotations,):
        for task, options in table.items() if isinstance(table, dict) else ():
            if "*" in str(task) and task != "*":
                continue
            if isinstance(options, dict) and "acks_late" in options and not options["acks_late"]:
                yield str(task)
