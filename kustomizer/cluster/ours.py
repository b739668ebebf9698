"""Recognises what we emit among a cluster's objects, by what nobody else emits.

tutor-contrib-celery gives its workers, ScaledObjects and Flower the same names, and an operator may have objects of any
name: a name alone says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import lookup, mapping, mappings, plain_value
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX, MADE_BY
from kustomizer.openedx.targeting import scale_target
from kustomizer.openedx.workers import NAME_LABEL
from kustomizer.site.counted_lists import is_ours
from kustomizer.transform.alerts.prometheus_rule import GROUPS, NAME as ALERTS
from kustomizer.transform.one_pod import FLOWER, RESTORER

_OF_RESTORER = ("ConfigMap", "Deployment", "Role", "RoleBinding", "Secret", "ServiceAccount")
_LABELS = "app.kubernetes.io/"
_BROKER = "-worker-broker"
_CREDENTIALS = frozenset({"username", "password", "sentinelPassword", "ca", "cert", "key"})
_OF_FLOWER = {
    "ConfigMap": ("flower-celery-config", "flower-dashboard"),
    **dict.fromkeys(("HTTPRoute", "Ingress", "Secret", "Service", "ServiceMonitor"), (FLOWER,)),
}


def ours_of(live: Resources) -> dict[str, list[Resource]]:
    """Return the objects of ours in ``live``, the objects of one namespace, by owner.

    An owner is the name of a worker's Deployment; or Flower, the alerts, the restorer, a worker's access to its broker.
    """
    owned: dict[str, list[Resource]] = {}
    for item in live:
        if owner := _owner(item):
            owned.setdefault(owner, []).append(item)
    deployments = {item.name: item for item in live.of_kind("Deployment")}
    for item in live.of_kind("PodDisruptionBudget"):
        if item.name in owned and _is_budget(item, deployments.get(item.name)):
            owned[item.name].append(item)
    for item in live if FLOWER in owned else ():
        if stem_of(item.name) in _OF_FLOWER.get(item.kind, ()) and _name_label(item) == FLOWER:
            owned[FLOWER].append(item)
    return owned


def is_worker(owner: str) -> bool:
    """Tell whether an owner is a worker, for which tasks may wait."""
    return owner not in (FLOWER, ALERTS, RESTORER) and not owner.endswith(_BROKER)


def _owner(item: Resource) -> str:
    """Return the owner of an object, as far as the object itself shows it; empty where it isn't known to be ours."""
    if item.kind in _OF_RESTORER and stem_of(item.name) == RESTORER and _name_label(item) == RESTORER:
        return RESTORER
    recognise = _RECOGNISED.get(item.kind)
    return recognise(item) if recognise else ""


def _deployment(item: Resource) -> str:
    """Recognise a copy by our settings, which it has beside Tutor's, and Flower by what we deny its pod.

    Tutor's own workers have such settings, too, and stay Tutor's.
    """
    spec = lookup(item.tree, "spec", "template", "spec")
    if "-worker-" in item.name and any(stem_of(name) == f"{item.name}{CONFIG_MAP_SUFFIX}" for name in _projected(spec)):
        return item.name
    is_flower = item.name == FLOWER and _name_label(item) == FLOWER
    denied = [plain_value(lookup(spec, name)) for name in ("automountServiceAccountToken", "enableServiceLinks")]
    return FLOWER if is_flower and denied == [False, False] else ""


def _projected(spec: object) -> Iterator[str]:
    """Yield the ConfigMaps of a pod's projected volumes."""
    for volume in mappings(lookup(spec, "volumes")):
        for source in mappings(lookup(volume, "projected", "sources")):
            yield str(lookup(source, "configMap", "name") or "")


def _settings(item: Resource) -> str:
    """Recognise our settings by their first line."""
    stem = stem_of(item.name)
    is_made = any(str(text).startswith(MADE_BY) for text in mapping(lookup(item.tree, "data")).values())
    return stem.removesuffix(CONFIG_MAP_SUFFIX) if is_made and stem.endswith(CONFIG_MAP_SUFFIX) else ""


def _credentials(item: Resource) -> str:
    """Recognise KEDA's access to the broker: named after the worker that it is labelled as, and nothing else in it."""
    worker = item.name.removesuffix("-broker")
    if not item.name.endswith(_BROKER) or _name_label(item) != worker:
        return ""
    references = mappings(lookup(item.tree, "spec", "secretTargetRef"))
    keys = {str(reference.get("parameter")) for reference in references} or set(mapping(lookup(item.tree, "data")))
    return item.name if keys and keys <= _CREDENTIALS else ""


def _alerts(item: Resource) -> str:
    groups = {group.get("name") for group in mappings(lookup(item.tree, "spec", "groups"))}
    return ALERTS if item.name == ALERTS and groups and groups <= {*GROUPS} else ""


_RECOGNISED: dict[str, Callable[[Resource], str]] = {
    "ConfigMap": _settings,
    "Deployment": _deployment,
    "PrometheusRule": _alerts,
    "ScaledObject": lambda item: scale_target(item)[1] if is_ours(item) else "",
    "Secret": _credentials,
    "TriggerAuthentication": _credentials,
}


def _is_budget(item: Resource, deployment: Resource | None) -> bool:
    """Tell whether a budget is the one of the worker of its name: it has the Deployment's labels and its selector."""
    if deployment is None:
        labels = mapping(lookup(item.tree, "spec", "selector", "matchLabels"))
        return _name_label(item) == item.name == labels.get(NAME_LABEL)
    same_selector = lookup(item.tree, "spec", "selector") == lookup(deployment.tree, "spec", "selector")
    return same_selector and _site_labels(item) == _site_labels(deployment)


def _site_labels(item: Resource) -> dict[str, object]:
    labels = mapping(lookup(item.tree, "metadata", "labels"))
    return {key: value for key, value in labels.items() if key.startswith(_LABELS)}


def _name_label(item: Resource) -> object:
    return lookup(item.tree, "metadata", "labels", NAME_LABEL)
