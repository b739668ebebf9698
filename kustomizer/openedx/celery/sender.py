"""The broker that a service's own pods send tasks to."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from kustomizer.manifests.tree import lookup
from kustomizer.openedx.celery.transport import first_set, unless_unset
from kustomizer.openedx.celery.view import CeleryView
from kustomizer.openedx.workers import EmittedWorker, environment, pod_template
from kustomizer.worker_command.command_line import CommandLine

if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.celery.values import Value


class SenderView(CeleryView):
    """What the Celery of a container does that sends tasks: no command of Celery's gives it options."""

    @functools.cached_property
    def broker_url(self) -> Value:
        """The URL that tasks are sent to, credentials and all."""
        write = (
            self.settings.variable("CELERY_BROKER_WRITE_URL"),
            unless_unset(self.settings.setting("BROKER_WRITE_URL")),
        )
        return first_set(*write, self.settings.variable("CELERY_BROKER_URL"), self.settings.setting("BROKER_URL"))


def sender_view(resources: Resources, service: Resource) -> SenderView | None:
    """Return the view of the container of ``service`` that runs Open edX, None where it can't be told apart."""
    containers = lookup(pod_template(service), "spec", "containers") or ()
    indexes = [index for index, container in enumerate(containers) if environment(container, "DJANGO_SETTINGS_MODULE")]
    if len(indexes) != 1 and len(containers) != 1:
        return None
    index = indexes[0] if indexes else 0
    line = CommandLine(command=None, args=())
    return SenderView(
        resources, EmittedWorker(service=service.name, resource=service, container=index, command_line=line)
    )
