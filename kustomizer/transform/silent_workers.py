"""Workers that the site has answer nobody, beside what of ours asks them."""

from __future__ import annotations

from kustomizer.errors import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.errors import Problem
    from kustomizer.openedx.celery.view import CeleryView

_REMOTE_CONTROL = "CELERY_ENABLE_REMOTE_CONTROL"


def check_answers(config: CeleryWorkers, celery: CeleryView) -> Iterator[Problem]:
    """Yield a warning where a service's workers have no remote control, and the configuration needs it."""
    losses = []
    if config.spec.flower is not None and config.spec.flower.enabled:
        losses.append("Flower shows nothing of what a worker has in hand, and can't stop a task")
    if config.spec.celery.restore_orphans.enabled:
        losses.append("restoreOrphans puts no task back")
    stated = celery.settings.setting(_REMOTE_CONTROL, True).likely if losses else None
    if stated is not None and not stated.value:
        message = f"{_REMOTE_CONTROL} is off, and workers of {celery.service} answer nobody: {'; '.join(losses)}"
        yield stated.source.problem(message, f"Take {_REMOTE_CONTROL} out", severity=WARNING)
