"""Adds Flower, which shows workers and tasks and has metrics of them for Prometheus.

Names, port and labels are those of tutor-contrib-celery's Flower, so that a site that has it sees an update in place.
Server-side apply determines the rest of the form: it refuses an ``env`` entry that changes from ``value`` to
``valueFrom``, and a strategy that changes to ``Recreate``.
"""

from __future__ import annotations

from kustomizer.config.flower import Flower
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.endpoint import Endpoint
from kustomizer.openedx.workers import NAME_LABEL, emitted_worker, of_the_site, site_metadata
from kustomizer.transform.broker_access import BrokerAccess, access
from kustomizer.transform.broker_secrets import object_with_hash, url_secret
from kustomizer.transform.flower.options import PORT, PORT_NAME
from kustomizer.transform.flower.pod import CONFIG_DIRECTORY, pod_spec
from kustomizer.transform.flower.secrets import check_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.broker import Brokers

NAME = "flower"
CONFIG_MAP = "flower-celery-config"
SERVICE = "lms"
"""The service whose broker Flower watches; in Open edX cms has the same broker."""


def add_flower(resources: Resources, flower: Flower, brokers: Brokers) -> list[Problem]:
    """Add Flower's objects. Returns warnings; raises UserError for what can't be done."""
    worker = emitted_worker(resources, SERVICE).resource
    broker, problems = brokers.of(SERVICE, worker)
    problems += _different_brokers(brokers, broker, worker)
    reach = access(broker, CONFIG_DIRECTORY)
    check_secrets(resources, flower, reach, worker)
    added = [_deployment(flower, reach, worker), _service(worker)]
    if reach.url:
        added.append(url_secret(_metadata(worker), reach.url, indent=worker.indent))
    if reach.config:
        metadata = _metadata(worker, name=CONFIG_MAP)
        added.append(object_with_hash("ConfigMap", metadata, {"celeryconfig.py": reach.config}, indent=worker.indent))
    if flower.expose.enabled:
        from kustomizer.transform.flower.expose import expose  # noqa: PLC0415 - few sites do

        exposed, notes = expose(resources, flower, _metadata(worker), worker)
        added += exposed
        problems += notes
    if flower.service_monitor.enabled or flower.dashboard.enabled:
        from kustomizer.transform.flower.monitoring import monitor  # noqa: PLC0415

        added += monitor(flower, worker)
    for resource in added:
        resources.add(resource, after=worker)
    return problems


def _metadata(worker: Resource, *, name: str = NAME) -> dict[str, Any]:
    """Return the metadata of an object of Flower's, labelled as Tutor labels its own."""
    metadata = site_metadata(worker, name=name)
    metadata["labels"][NAME_LABEL] = NAME
    return metadata


def _deployment(flower: Flower, reach: BrokerAccess, worker: Resource) -> Resource:
    template: dict[str, Any] = {"labels": of_the_site(worker, "spec", "template", "metadata", "labels")}
    template["labels"][NAME_LABEL] = NAME
    annotations = {
        **of_the_site(worker, "spec", "template", "metadata", "annotations"),
        **(flower.pod_annotations or {}),
    }
    if annotations:
        template["annotations"] = annotations
    tree = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(worker),
        "spec": {
            # Two pods would double every count: one replica, and no new pod before the old one is gone.
            "replicas": 1,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "selector": {"matchLabels": _selector(worker)},
            "template": {
                "metadata": template,
                "spec": pod_spec(flower, reach, worker, secret=NAME, config_map=CONFIG_MAP),
            },
        },
    }
    return Resource.new(tree, indent=worker.indent)


def _selector(worker: Resource) -> dict[str, Any]:
    """Return the labels that select Flower's pods, as Tutor selects the worker's; they can't be changed later."""
    return {**of_the_site(worker, "spec", "selector", "matchLabels"), NAME_LABEL: NAME}


def _service(worker: Resource) -> Resource:
    port = {"name": PORT_NAME, "port": PORT, "protocol": "TCP", "targetPort": PORT}
    spec = {"type": "ClusterIP", "ports": [port], "selector": _selector(worker)}
    tree = {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(worker), "spec": spec}
    return Resource.new(tree, indent=worker.indent)


def _different_brokers(brokers: Brokers, broker: Endpoint, worker: Resource) -> list[Problem]:
    """Return a warning where cms has another broker: Flower doesn't see its workers."""
    try:
        of_cms, _ = brokers.of("cms", worker)
    except UserError:
        # The build doesn't say which broker cms uses; where that matters, another step refuses it.
        return []
    if of_cms.is_same(broker, worker.namespace):
        return []
    return [
        Problem(
            message="cms has another broker than lms: Flower sees the workers and tasks of lms only",
            severity=WARNING,
            resource=worker.ref,
            field="spec.flower",
            remedy="Give both services one broker in Tutor's configuration",
        )
    ]
