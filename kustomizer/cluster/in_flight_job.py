"""A Kubernetes Job that runs in the cluster what `kubectl exec` would run in a pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kustomizer.cluster.pods import ANSWER_SECONDS, program_text
from kustomizer.manifests.tree import Scalar, clone, lookup, mapping
from kustomizer.manifests.writer import emit
from kustomizer.masking.detection import is_secret_setting
from kustomizer.openedx.celery_programs import app_name
from kustomizer.openedx.workers import NAME_LABEL, pod_template
from kustomizer.site.model import SiteWorker

NAME = "celery-in-flight"
_COMMAND = "in-flight …"
_KEPT_SECONDS = 3600
# Fields of the worker's container that a program that runs once doesn't need, or mustn't have.
_CONTAINER_LEFT = (
    *("args", "command", "lifecycle", "livenessProbe", "name", "ports", "readinessProbe", "startupProbe"),
    # A sidecar's.
    "restartPolicy",
)
# Fields that place a pod among the worker's pods, and fields that only a worker needs.
_POD_LEFT = (
    *("affinity", "hostname", "topologySpreadConstraints"),
    *("containers", "initContainers", "restartPolicy", "terminationGracePeriodSeconds"),
)


def job(
    worker: SiteWorker, request: Mapping[str, Any], namespace: str, *, name: str = NAME, command: str = _COMMAND
) -> str:
    """Return a Job, as YAML, that runs the program with ``worker``'s image, environment and volumes.

    ``command`` is the one of ours that prints it. The Job's log is the answer in JSON. It has none of the labels by
    which the worker's pods are selected. A password that stands in the Deployment's environment is left out, and a
    comment says so.
    """
    template: dict[str, Any] = pod_template(worker.resource) or {}
    container = worker.emitted.container_tree
    program = program_text(app_name(container, worker.service), request)
    labels = mapping(lookup(worker.resource.tree, "metadata", "labels"))
    shared = {key: value for key, value in labels.items() if key.startswith("app.kubernetes.io/")}
    shared |= {NAME_LABEL: name}
    spec = {key: clone(value) for key, value in template["spec"].items() if key not in _POD_LEFT}
    only = {key: clone(value) for key, value in container.items() if key not in _CONTAINER_LEFT}
    secret = [entry for entry in only.get("env") or () if _is_secret(mapping(entry))]
    if secret:
        only["env"] = [entry for entry in only["env"] if entry not in secret]
    tree = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            # A name of its own for each: what a Job runs can't be changed.
            "generateName": f"{name}-",
            **({"namespace": namespace} if namespace else {}),
            "labels": shared,
        },
        "spec": {
            "activeDeadlineSeconds": ANSWER_SECONDS + 300,
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": dict(shared)},
                "spec": {
                    **spec,
                    "restartPolicy": "Never",
                    "containers": [{"name": name, **only, "command": ["python", "-c"], "args": [_block(program)]}],
                },
            },
        },
    }
    comments = "".join(
        f"# Left out, as its value stands in the Deployment: {mapping(entry).get('name')}\n" for entry in secret
    )
    return _head(name, command) + comments + emit(tree)


def _head(name: str, command: str) -> str:
    return f"""\
# Made by `tutor-kustomizer {command} --print-job`. It has no fixed name, so create it:
#   kubectl create -f FILE
# The answer, in JSON, is its log:
#   kubectl logs -l {NAME_LABEL}={name} --tail=-1
"""


def _is_secret(entry: Mapping[str, Any]) -> bool:
    return is_secret_setting(str(entry.get("name", "")), str(entry.get("value") or ""))


def _block(text: str) -> Scalar:
    """Return ``text`` as YAML's literal block, so that whoever applies it can read what will run."""
    lines = [f"  {line}" if line else "" for line in text.rstrip("\n").split("\n")]
    return Scalar(text, "\n".join(["|", *lines]))
