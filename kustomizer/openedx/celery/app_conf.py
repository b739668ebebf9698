"""What a settings file does to the Celery application's own configuration, which counts before Django's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.python_values import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kustomizer.openedx.celery.scope import Scope

# Each of Celery's names that anything here asks for, and its old one, by which Open edX has it
# (celery/app/defaults.py).
SETTINGS = {
    "beat_schedule": "CELERYBEAT_SCHEDULE",
    "beat_scheduler": "CELERYBEAT_SCHEDULER",
    "broker_read_url": "BROKER_READ_URL",
    "broker_transport_options": "BROKER_TRANSPORT_OPTIONS",
    "broker_url": "BROKER_URL",
    "broker_use_ssl": "BROKER_USE_SSL",
    "broker_write_url": "BROKER_WRITE_URL",
    "task_acks_late": "CELERY_ACKS_LATE",
    "task_always_eager": "CELERY_ALWAYS_EAGER",
    "task_annotations": "CELERY_ANNOTATIONS",
    "task_create_missing_queues": "CELERY_CREATE_MISSING_QUEUES",
    "task_default_priority": "CELERY_DEFAULT_PRIORITY",
    "task_default_queue": "CELERY_DEFAULT_QUEUE",
    "task_queues": "CELERY_QUEUES",
    "task_reject_on_worker_lost": "CELERY_REJECT_ON_WORKER_LOST",
    "task_routes": "CELERY_ROUTES",
    "task_time_limit": "CELERYD_TASK_TIME_LIMIT",
    "worker_concurrency": "CELERYD_CONCURRENCY",
    "worker_enable_remote_control": "CELERY_ENABLE_REMOTE_CONTROL",
    "worker_pool": "CELERYD_POOL",
    "worker_prefetch_multiplier": "CELERYD_PREFETCH_MULTIPLIER",
    "worker_soft_shutdown_timeout": "CELERYD_SOFT_SHUTDOWN_TIMEOUT",
    "worker_state_db": "CELERYD_STATE_DB",
}
OVERRULED = "Celery's own conf is changed, which counts before settings"
_OLD_NAMES = frozenset(SETTINGS.values())
_APPLICATIONS = frozenset(
    {"openedx.core.lib.celery.APP", "lms.celery.APP", "cms.celery.APP", "celery.current_app", "celery.app.current_app"}
)

_ATTRIBUTES = frozenset({"APP", "current_app"})


class Configuration(Opaque):
    """The ``conf`` of Celery's application."""


class Application(Opaque):
    """Open edX's Celery application."""

    @property
    def conf(self) -> Configuration:
        """Its configuration."""
        return Configuration("it is Celery's configuration", self.line)


def application(module: str, name: str, line: int) -> Application | None:
    """Return Celery's application where that is what a module has under a name."""
    full = f"{module}.{name}"
    return Application(f"it is imported from {module}", line) if full in _APPLICATIONS else None


def attribute(scope: Scope, value: Opaque, name: str, line: int) -> Application | Configuration | None:
    """Return a module's application, or an application's ``conf``; note what is taken from one, and may be changed."""
    if isinstance(value, Application):
        return value.conf if name == "conf" else None
    if isinstance(value, Configuration):
        changed(scope, [name], line)
        return None
    return Application("it is Celery's application", line) if name in _ATTRIBUTES else None


def changed(scope: Scope, names: Iterable[Any] | None, line: int) -> None:
    """Note that ``names`` of a configuration are set, None being all of them.

    Whatever a settings file sets afterwards, by Django's way, counts no more.
    """
    given = None if names is None else list(names)
    if given is None or not all(isinstance(name, str) for name in given):
        lost: Iterable[str] = sorted(_OLD_NAMES)
    else:
        lost = [old for name in given if (old := SETTINGS.get(name, name)) in _OLD_NAMES]
    scope.lose_settings(lost, Opaque(OVERRULED, line))
