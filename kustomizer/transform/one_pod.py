"""A Deployment of one pod beside Tutor's own: Flower, and the program that puts back what killed workers left.

Server-side apply determines its strategy: it refuses one that changes to ``Recreate`` over a running site.
"""

from __future__ import annotations

from kustomizer.manifests.resource import Resource
from kustomizer.openedx.workers import NAME_LABEL, of_the_site, site_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.transform.broker_access import BrokerAccess, VolumeAndMount

FLOWER = "flower"
RESTORER = "celery-restore-orphans"
USER = 1000
"""The images' user: they name it, and ``runAsNonRoot`` can check a number only."""
_GRACE_PERIOD = 10


def metadata(worker: Resource, program: str, *, name: str = "") -> dict[str, Any]:
    """Return the metadata of an object of the program, labelled as Tutor labels its own."""
    found = site_metadata(worker, name=name or program)
    found["labels"][NAME_LABEL] = program
    return found


def selector(worker: Resource, program: str) -> dict[str, Any]:
    """Return the labels that select the program's pods, as Tutor selects the worker's; they can't be changed later."""
    return {**of_the_site(worker, "spec", "selector", "matchLabels"), NAME_LABEL: program}


def deployment(
    worker: Resource, program: str, pod: dict[str, Any], *, annotations: dict[str, str] | None = None
) -> Resource:
    """Return the Deployment of ``pod``, with ``annotations`` besides those that Tutor gives every pod."""
    template: dict[str, Any] = {"labels": of_the_site(worker, "spec", "template", "metadata", "labels")}
    template["labels"][NAME_LABEL] = program
    noted = {**of_the_site(worker, "spec", "template", "metadata", "annotations"), **(annotations or {})}
    if noted:
        template["annotations"] = noted
    spec = {
        # No new pod before the old one is gone.
        "replicas": 1,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
        "selector": {"matchLabels": selector(worker, program)},
        "template": {"metadata": template, "spec": pod},
    }
    return Resource.beside(worker, "apps/v1", "Deployment", metadata(worker, program), spec=spec)


def pod_spec(
    container: dict[str, Any], mounted: Sequence[VolumeAndMount], *, user: int, account: str = ""
) -> dict[str, Any]:
    """Return the spec of a pod that meets the restricted Pod Security Standard, with these volumes and their mounts.

    Only with an ``account`` it talks to the API server.
    """
    container["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    pod: dict[str, Any] = {
        "automountServiceAccountToken": bool(account),
        "containers": [container],
        "enableServiceLinks": False,
        "securityContext": {
            "runAsGroup": user,
            "runAsNonRoot": True,
            "runAsUser": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"serviceAccountName": account} if account else {}),
        "terminationGracePeriodSeconds": _GRACE_PERIOD,
    }
    if mounted:
        container["volumeMounts"] = [mount for _, mount in mounted]
        pod["volumes"] = [volume for volume, _ in mounted]
    return pod


def secret_environment(reach: BrokerAccess, program: str) -> dict[str, Any]:
    """Return the container's field that takes the broker's URL from our own Secret, where there is one."""
    return {"envFrom": [{"secretRef": {"name": program}}]} if reach.url else {}
