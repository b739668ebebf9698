"""Flower's pod: it meets the restricted Pod Security Standard, and its probes let it survive a slow Redis."""

from __future__ import annotations

from kustomizer.config.layers import merge_by_name, merge_maps
from kustomizer.manifests.tree import clone, lookup
from kustomizer.transform.broker_access import certificate_volumes, config_volume, secret_variables
from kustomizer.transform.flower.options import (
    PORT,
    PORT_NAME,
    check_environment,
    environment,
    memory_limit,
    url_prefix,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower
    from kustomizer.manifests.resource import Resource
    from kustomizer.transform.broker_access import BrokerAccess

CONFIG_DIRECTORY = "/etc/flower"
# The image names its user `flower`, and `runAsNonRoot` can check a number only (its Dockerfile: adduser -u 1000).
_USER = 1000
_GRACE_PERIOD = 10


def pod_spec(flower: Flower, reach: BrokerAccess, worker: Resource, *, secret: str, config_map: str) -> dict[str, Any]:
    """Return the pod's spec; ``secret`` and ``config_map`` name our objects, where ``reach`` needs them."""
    check_environment(flower)
    mounted = [*([config_volume(reach, config_map)] if reach.config else ()), *certificate_volumes(reach)]
    env = [*environment(flower), *secret_variables(reach)]
    if reach.config:
        env.append({"name": "PYTHONPATH", "value": CONFIG_DIRECTORY})
    container: dict[str, Any] = {
        "name": "flower",
        "image": flower.image,
        "env": merge_by_name(env, flower.env),
        **({"envFrom": [{"secretRef": {"name": secret}}]} if reach.url else {}),
        "ports": [{"containerPort": PORT, "name": PORT_NAME}],
        "resources": merge_maps(_resources(flower), flower.resources),
        **_probes(flower),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    if mounted:
        container["volumeMounts"] = [mount for _, mount in mounted]
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "enableServiceLinks": False,
        "securityContext": {
            "runAsGroup": _USER,
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": _GRACE_PERIOD,
    }
    if mounted:
        pod["volumes"] = [volume for volume, _ in mounted]
    placement = {
        "imagePullSecrets": flower.image_pull_secrets,
        "nodeSelector": flower.node_selector,
        "tolerations": flower.tolerations,
    }
    for field, configured in placement.items():
        emitted = lookup(worker.tree, "spec", "template", "spec", field)
        value = clone(emitted) if configured is None else configured
        if value:
            pod[field] = value
    return pod


def _resources(flower: Flower) -> dict[str, Any]:
    return {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": memory_limit(flower)}}


def _probes(flower: Flower) -> dict[str, Any]:
    check = {"httpGet": {"path": f"{url_prefix(flower)}/healthcheck", "port": PORT_NAME}}
    return {
        # Flower 2.0.1 answers no request while it waits for Redis: a restart wouldn't help.
        "livenessProbe": {
            **check,
            "initialDelaySeconds": 15,
            "periodSeconds": 30,
            "timeoutSeconds": 10,
            "failureThreshold": 6,
        },
        "readinessProbe": {**check, "periodSeconds": 10, "timeoutSeconds": 5},
    }
