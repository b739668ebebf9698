"""What a split sets in vain, where the site's settings change the configuration of Celery's application itself."""

from __future__ import annotations

from kustomizer.errors import WARNING
from kustomizer.openedx.celery.app_conf import OVERRULED
from kustomizer.openedx.celery.values import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.errors import Problem
    from kustomizer.openedx.celery.view import CeleryView

_OURS = {
    "BROKER_TRANSPORT_OPTIONS": "visibility timeouts and in-flight keys",
    "CELERY_ACKS_LATE": "late acknowledgement",
}


def check_overruled(celery: CeleryView) -> Iterator[Problem]:
    """Yield warnings about what a split sets in vain."""
    for name, what in _OURS.items():
        value = celery.settings.setting(name)
        if isinstance(value, Unknown) and value.reason == OVERRULED:
            message = f"{OVERRULED}: the split's {what} may have no effect on {celery.service}"
            yield value.source.problem(message, f"Set {name} in the place of it", severity=WARNING)
