"""The pool in which a worker runs its tasks."""

from __future__ import annotations

from kustomizer.openedx.own_settings import own_settings
from kustomizer.transform.deployments import command_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant


def pool_of(resources: Resources, emitted: EmittedWorker, variant: Variant) -> tuple[str, str]:
    """Return the pool that a worker's command line, a variable or the site's settings name, empty where nothing does.

    The second text says why that isn't sure; it is empty where it is.
    """
    named = command_line(emitted.command_line, variant).option("--pool")
    # Celery takes the settings' pool where the command line names the default one.
    if named and named != "prefork":
        return named, ""
    celery = own_settings(resources, emitted)
    if celery is None:
        return "", ""
    pool = celery.settings.setting("CELERYD_POOL", "prefork") if named else celery.pool
    return str(pool.likely.value or "") if pool.likely is not None else "", getattr(pool, "reason", "")
