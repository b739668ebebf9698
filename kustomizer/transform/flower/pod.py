"""Flower's pod: it meets the restricted Pod Security Standard, and its probes let it survive a slow Redis."""

from __future__ import annotations

from kustomizer.config.layers import merge_by_name, merge_maps
from kustomizer.manifests.tree import clone, lookup
from kustomizer.transform import one_pod
from kustomizer.transform.broker_access import certificate_volumes, config_volume, secret_variables
from kustomizer.transform.flower import options
from kustomizer.transform.one_pod import FLOWER, USER, secret_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower
    from kustomizer.manifests.resource import Resource
    from kustomizer.transform.broker_access import BrokerAccess

CONFIG_DIRECTORY = "/etc/flower"


def pod_spec(flower: Flower, reach: BrokerAccess, worker: Resource, *, config_map: str) -> dict[str, Any]:
    """Return the pod's spec; ``config_map`` is that of ``reach``, where it needs one."""
    options.check_environment(flower)
    mounted = [*([config_volume(reach, config_map)] if reach.config else ()), *certificate_volumes(reach)]
    env = [*options.environment(flower), *secret_variables(reach)]
    if reach.config:
        env.append({"name": "PYTHONPATH", "value": CONFIG_DIRECTORY})
    resources = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": options.memory_limit(flower)}}
    container: dict[str, Any] = {
        "name": FLOWER,
        "image": flower.image,
        "env": merge_by_name(env, flower.env),
        **secret_environment(reach, FLOWER),
        "ports": [{"containerPort": options.PORT, "name": options.PORT_NAME}],
        "resources": merge_maps(resources, flower.resources),
        **_probes(flower),
    }
    pod = one_pod.pod_spec(container, mounted, user=USER)
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


def _probes(flower: Flower) -> dict[str, Any]:
    check = {"httpGet": {"path": f"{options.url_prefix(flower)}/healthcheck", "port": options.PORT_NAME}}
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
