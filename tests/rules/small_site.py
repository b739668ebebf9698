"""A small site, as text: what a rule needs to find something in it, or not to."""

from __future__ import annotations

import functools
import json
from typing import Any

from kustomizer.errors import Problem
from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resources
from kustomizer.rules.registry import RULES
from kustomizer.site.model import Site
from kustomizer.tasks.model import SiteTasks
from tests.builds import QUEUES

NAMESPACE = "openedx"


def resource(kind: str, name: str, *, namespace: str = NAMESPACE, api_version: str = "v1", **fields: Any) -> str:
    """Return an object as text; JSON is YAML."""
    tree = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        **fields,
    }
    return json.dumps(tree) + "\n"


def deployment(name: str, container: dict[str, Any], *, namespace: str = NAMESPACE, **spec: Any) -> str:
    """Return a Deployment; ``pod`` in ``spec`` is added to the pod's spec, ``labels`` are both labels and selector."""
    pod = {"containers": [{"name": name, "image": "openedx:22", **container}], **spec.pop("pod", {})}
    labels = spec.pop("labels", {"app.kubernetes.io/name": name})
    selector = spec.pop("selector", {"matchLabels": labels})
    template = {"metadata": {"labels": labels}, "spec": pod}
    return resource(
        "Deployment",
        name,
        namespace=namespace,
        api_version="apps/v1",
        spec={"selector": selector, "template": template, **spec},
    )


def service(name: str, *, container: dict[str, Any] | None = None, **more: Any) -> str:
    """Return the Deployment of lms or cms themselves."""
    return deployment(name, {"args": ["uwsgi"], **(container or {})}, **more)


def worker(name: str, queues: str = "", *args: str, grace: int | None = 600, **more: Any) -> str:
    """Return a Deployment that runs a Celery worker of lms or cms."""
    owner = name.partition("-")[0]
    words = ["celery", f"--app={owner}.celery", "worker", *([f"--queues={queues}"] if queues else []), *args]
    pod = {**({} if grace is None else {"terminationGracePeriodSeconds": grace}), **more.pop("pod", {})}
    container = {"args": words, **more.pop("container", {})}
    return deployment(name, container, pod=pod, **more)


def split_site(lms_settings: str = "", **instead: str) -> list[str]:
    """Return a site with a worker for each queue; ``instead`` takes the place of some (``lms_worker_high=""``).

    lms loads ``lms_settings``, where they are given.
    """
    workers = {name: worker(name, queue) for name, queue in QUEUES.items()}
    workers.update({name.replace("_", "-"): text for name, text in instead.items()})
    lms = routing_lms(lms_settings) if lms_settings else [service("lms")]
    return [*lms, service("cms"), *(text for text in workers.values() if text)]


def with_settings(name: str, queues: str, **more: Any) -> str:
    """Return a worker that mounts ``openedx-settings-<service>`` as Tutor does."""
    mounted = _mounted(name.partition("-")[0])
    mounted["container"] |= more.pop("container", {})
    return worker(name, queues, **mounted, **more)


def _mounted(owner: str) -> dict[str, Any]:
    volumes = [{"name": "settings", "configMap": {"name": f"openedx-settings-{owner}"}}]
    mounts = [{"name": "settings", "mountPath": f"/openedx/edx-platform/{owner}/envs/tutor/"}]
    return {"container": {"volumeMounts": mounts}, "pod": {"volumes": volumes}}


def settings(text: str, owner: str = "lms") -> str:
    """Return Tutor's ConfigMap of a service's settings."""
    return resource("ConfigMap", f"openedx-settings-{owner}", data={"production.py": text})


def routing_lms(text: str) -> list[str]:
    """Return lms with the settings ``text``."""
    return [service("lms", **_mounted("lms")), settings(text)]


def routed_by(text: str) -> dict[str, str]:
    """Return the queues of the tasks that the settings ``text`` of lms route."""
    return {route.task: route.queue for route in site(*routing_lms(text)).routes}


def scaled_object(target: str, **spec: Any) -> str:
    """Return a ScaledObject; its name is that of its target's, as ours are."""
    return resource(
        "ScaledObject",
        f"{target}-scaledobject",
        namespace=spec.pop("namespace", NAMESPACE),
        api_version="keda.sh/v1alpha1",
        spec={"scaleTargetRef": {"name": target}, **spec},
    )


def trigger(list_name: str, address: str = "redis.openedx:6379", **more: Any) -> dict[str, Any]:
    """Return a trigger on a list or hash in Redis."""
    return {"type": "redis", "metadata": {"address": address, "listName": list_name, "listLength": "40"}, **more}


def hpa(target: str) -> str:
    """Return a HorizontalPodAutoscaler."""
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    return resource("HorizontalPodAutoscaler", target, api_version="autoscaling/v2", spec={"scaleTargetRef": reference})


def site(*documents: str, tasks: SiteTasks | None = None) -> Site:
    """Return the site that these documents are, with what was saved of its tasks."""
    return Site(Resources(read_stream("---\n".join(documents).encode(), b"{}").resources), tasks=tasks)


def problems(rule: str, *documents: str, tasks: SiteTasks | None = None) -> list[Problem]:
    """Return what a rule finds."""
    return list(RULES[rule].check(site(*documents, tasks=tasks)))


def found(rule: str, *documents: str) -> list[tuple[str, str]]:
    """Return the severity of what a rule finds, and the resource's name."""
    return [(each.severity, each.resource.name if each.resource else "") for each in problems(rule, *documents)]


def finder(rule: str) -> functools.partial[list[tuple[str, str]]]:
    """Return :func:`found` for one rule."""
    return functools.partial(found, rule)
