"""Adds Flower, which shows workers and tasks and has metrics of them for Prometheus.

Names, port and labels are those of tutor-contrib-celery's Flower, so that a site that has it sees an update in place.
Server-side apply determines the rest of the form: it refuses an ``env`` entry that changes from ``value`` to
``valueFrom``. Two pods would double every count.
"""

from __future__ import annotations

import binascii

from kustomizer.config.flower import Flower
from kustomizer.errors import WARNING, Problem, UserError
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.endpoint import Endpoint
from kustomizer.openedx.workers import emitted_worker
from kustomizer.transform.broker_access import CONFIG_FILE, BrokerAccess, access
from kustomizer.transform.broker_secrets import missing_key, missing_keys, object_with_hash, url_secret
from kustomizer.transform.flower.options import PORT, PORT_NAME
from kustomizer.transform.flower.pod import CONFIG_DIRECTORY, pod_spec
from kustomizer.transform.one_pod import FLOWER, deployment, metadata, selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.broker import Brokers

CONFIG_MAP = "flower-celery-config"
SERVICE = "lms"
"""The service whose broker Flower watches; in Open edX cms has the same broker."""


def add_flower(resources: Resources, flower: Flower, brokers: Brokers) -> list[Problem]:
    """Add Flower's objects. Returns warnings; raises UserError for what can't be done."""
    worker = emitted_worker(resources, SERVICE).resource
    broker, problems = brokers.of(SERVICE, worker)
    problems += _different_brokers(brokers, broker, worker)
    reach = access(broker, CONFIG_DIRECTORY)
    _check_secrets(resources, flower, reach, worker)
    pod = pod_spec(flower, reach, worker, config_map=CONFIG_MAP)
    port = {"name": PORT_NAME, "port": PORT, "protocol": "TCP", "targetPort": PORT}
    exposing = {"type": "ClusterIP", "ports": [port], "selector": selector(worker, FLOWER)}
    service = Resource.beside(worker, "v1", "Service", metadata(worker, FLOWER), spec=exposing)
    added = [deployment(worker, FLOWER, pod, annotations=flower.pod_annotations), service]
    if reach.url:
        added.append(url_secret(worker, metadata(worker, FLOWER), reach.url))
    if reach.config:
        named = metadata(worker, FLOWER, name=CONFIG_MAP)
        added.append(object_with_hash(worker, "ConfigMap", named, {CONFIG_FILE: reach.config}))
    if flower.expose.enabled:
        from kustomizer.transform.flower.expose import expose  # noqa: PLC0415 - few sites do

        exposed, notes = expose(resources, flower, metadata(worker, FLOWER), worker)
        added += exposed
        problems += notes
    if flower.service_monitor.enabled or flower.dashboard.enabled:
        from kustomizer.transform.flower.monitoring import monitor  # noqa: PLC0415

        added += monitor(flower, worker)
    for resource in added:
        resources.add(resource, after=worker)
    return problems


def _different_brokers(brokers: Brokers, broker: Endpoint, worker: Resource) -> list[Problem]:
    """Return a warning where cms has another broker: Flower doesn't see its workers."""
    try:
        of_cms, _ = brokers.of("cms", worker)
    except UserError:
        # The build doesn't say which broker cms uses; where that matters, another step refuses it.
        return []
    if of_cms.is_same(broker, worker.namespace):
        return []
    message = "cms has another broker than lms: Flower sees the workers and tasks of lms only"
    remedy = "Give both services one broker in Tutor's configuration"
    return [worker.problem(message, remedy, field="spec.flower", severity=WARNING)]


def _check_secrets(resources: Resources, flower: Flower, reach: BrokerAccess, worker: Resource) -> None:
    """Raise UserError where an existing Secret lacks what Flower needs, as far as the build shows it."""
    problems = missing_keys(resources, reach, worker)
    if flower.basic_auth is not None:
        existing = flower.basic_auth.existing_secret
        field = "spec.flower.basicAuth.existingSecret"
        problems += missing_key(resources, existing.name, existing.key, worker, field)
        if not problems:
            problems += _unusable_credentials(resources, existing.name, existing.key, worker, field)
    if problems:
        raise UserError(*problems)


def _unusable_credentials(resources: Resources, name: str, key: str, worker: Resource, field: str) -> list[Problem]:
    """Return problems with credentials that let nobody in, or that Flower takes for two; the value isn't quoted."""
    for present in resources.find("Secret", name, worker.namespace):
        value = _value(present, key)
        if value is None:
            continue
        user, colon, password = value.partition(":")
        reason = ""
        if value != value.strip():
            reason = "begins or ends with white space, such as the newline that an editor leaves"
        elif not (user and colon and password):
            reason = "isn't user:password"
        elif "," in value:
            reason = "has a comma, at which Flower splits it into several"
        if reason:
            remedy = "Write user:password into it, with `printf %s` or as a line of an `envs` file"
            return [present.problem(f"{key} {reason} ({field})", remedy, field="data")]
    return []


def _value(present: Resource, key: str) -> str | None:
    stated = plain_value(lookup(present.tree, "stringData", key))
    if stated is not None:
        return str(stated)
    encoded = plain_value(lookup(present.tree, "data", key))
    if encoded is None:
        return None
    try:
        return binascii.a2b_base64(str(encoded)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
