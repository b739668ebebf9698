"""What works for one worker Deployment and may not for its copies: selectors and references of any kind."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.tree import command_words, list_at, lookup
from kustomizer.openedx.selectors import pod_labels, selects
from kustomizer.openedx.targeting import monitor_reaches
from kustomizer.openedx.workers import NAME_LABEL, pod_field, pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from kustomizer.manifests.resource import Resource

# Before a label's key in Cilium's policies; and labels that pods don't have.
_PREFIXES = ("k8s:", "any:")
_NAMESPACE = "io.kubernetes.pod.namespace"
_NOT_OF_PODS = ("io.kubernetes.", "io.cilium.")
# Fields that name a Deployment without its kind.
_NAMING = frozenset({"deployment", "deploymentName"})
_BETWEEN = str.maketrans(dict.fromkeys(";&|()'\"`,", " "))
_NO_SELECTORS = frozenset({"annotations", "metadata", "template"})
_NOT_FOR_THEM = "what it does for the worker, it doesn't for them"


def hazards(
    others: Sequence[Resource], exempting: Sequence[Resource], worker: Resource, copies: Sequence[Resource]
) -> Iterator[Problem]:
    """Yield warnings about objects that work for ``worker`` alone; ``exempting`` are those that may leave it out."""
    yield from selector_hazards(others, worker, copies)
    yield from exemption_hazards([*others, *exempting], worker, copies)
    yield from reference_hazards(others, worker, [copy.name for copy in copies])


def selector_hazards(resources: Sequence[Resource], worker: Resource, copies: Sequence[Resource]) -> Iterator[Problem]:
    """Yield a warning for each of ``resources`` that selects the pods of ``worker`` and not those of all its copies."""
    labels = pod_labels(worker)
    for resource in resources:
        near = _near(resource, worker.namespace)
        # A selector of Cilium's names a namespace, or means that of its object.
        selectors = [
            (path, selector)
            for path, selector in _selectors_of(resource)
            if ("" if isinstance(selector, str) else selector["namespace"]) in near
        ]
        missed = [
            copy.name
            for copy in copies
            if any(_holds(selector, labels) and not _holds(selector, pod_labels(copy)) for _, selector in selectors)
            and not any(_holds(selector, pod_labels(copy)) for _, selector in selectors)
        ]
        if missed:
            path = next(path for path, selector in selectors if _holds(selector, labels))
            selected, names = "Service" if resource.kind == "ServiceMonitor" else "pods", ", ".join(missed)
            message = f"selects the {selected} of {worker.name} and not those of {names}: {_NOT_FOR_THEM}"
            remedy = f"Widen it to them: {NAME_LABEL} In [{worker.name}, {names}]"
            yield resource.problem(message, remedy, field=path, severity=WARNING)


def _near(resource: Resource, namespace: str) -> set[str]:
    """Return what selectors that are about ``namespace`` name, which is nothing where that is their object's own."""
    is_monitor = resource.kind == "ServiceMonitor"
    if monitor_reaches(resource, namespace) if is_monitor else resource.namespace in ("", namespace):
        return {namespace, ""}
    return {namespace} - {""}


def exemption_hazards(resources: Sequence[Resource], worker: Resource, copies: Sequence[Resource]) -> Iterator[Problem]:
    """Yield a warning for each of ``resources`` that exempts the pods of ``worker`` alone, and not its copies'."""
    for resource in resources:
        if resource.namespace not in ("", worker.namespace):
            continue
        for path, selector in _selectors_of(resource):
            if _holds(selector, pod_labels(worker)) or not _excludes(selector, worker.name):
                continue
            caught = [copy.name for copy in copies if _holds(selector, pod_labels(copy))]
            if caught:
                names = ", ".join(caught)
                message = f"leaves out the pods of {worker.name} and not those of {names}"
                message += ": what it does to other pods, it does to them"
                remedy = f"Leave them out, too: {NAME_LABEL} NotIn [{worker.name}, {names}]"
                yield resource.problem(message, remedy, field=path, severity=WARNING)
                break


def _excludes(selector: Any, name: str) -> bool:
    if isinstance(selector, str):
        return _evaluated(selector, {NAME_LABEL: name}) is False and name in selector.replace("'", '"').split('"')
    return any(
        expression["key"] == NAME_LABEL
        and lookup(expression, "operator") == "NotIn"
        and name in list_at(expression, "values")
        for expression in selector["matchExpressions"]
    )


def reference_hazards(resources: Sequence[Resource], worker: Resource, copies: Sequence[str]) -> Iterator[Problem]:
    """Yield a warning for each of ``resources`` that names the Deployment ``worker`` and not all of its copies."""
    for resource in resources:
        if resource.namespace not in ("", worker.namespace):
            continue
        named = {name: path for path, name in (*_deployments(resource.tree, ""), *_for_kubectl(resource))}
        missed = [copy for copy in copies if copy not in named]
        if worker.name in named and missed:
            message = f"names Deployment {worker.name} and not {', '.join(missed)}: {_NOT_FOR_THEM}"
            remedy = "Name them in it, too, or make one for each of them where it is wanted; of an autoscaler beside "
            remedy += "KEDA, take it out"
            yield resource.problem(message, remedy, field=named[worker.name], severity=WARNING)


def _for_kubectl(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield the names that commands in the pods of a workload give kubectl, and the path of each."""
    for listed in ("containers", "initContainers"):
        for index, container in enumerate(list_at(pod_template(resource), "spec", listed)):
            words = " ".join(command_words(container)).translate(_BETWEEN).split()
            if any(word.rpartition("/")[2] == "kubectl" for word in words):
                # As in `kubectl rollout restart deployment/lms-worker`.
                yield from ((f"{pod_field(resource)}.{listed}[{index}]", word.rpartition("/")[2]) for word in words)


def _deployments(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the references to Deployments in an object of any kind, and the path of each."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _deployments(child, f"{path}[{index}]")
    elif isinstance(node, dict):
        if lookup(node, "kind") == "Deployment" and isinstance(lookup(node, "name"), str):
            yield path, str(lookup(node, "name"))
        if any(str(kind).startswith("deployments") for kind in list_at(node, "resources")):
            # A Role's.
            yield from ((f"{path}.resourceNames", str(name)) for name in list_at(node, "resourceNames"))
        if "Deployment" in list_at(node, "kinds"):
            # Kyverno's.
            yield from ((f"{path}.names", str(name)) for name in list_at(node, "names"))
        for key, child in node.items():
            if key in _NAMING and isinstance(child, str):
                yield f"{path}.{key}" if path else str(key), str(child)
            if key == "expr" and isinstance(child, str):
                # Prometheus': `kube_deployment_status_replicas{deployment="lms-worker"}`.
                yield from ((f"{path}.expr", text.partition('"')[0]) for text in child.split('deployment="')[1:])
            if key not in _NO_SELECTORS:
                yield from _deployments(child, f"{path}.{key}" if path else str(key))


def _selectors_of(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Yield the selectors in an object, those by which a workload's pods are placed among them."""
    yield from _selectors(resource.tree, "")
    yield from _selectors(lookup(pod_template(resource), "spec", "affinity"), f"{pod_field(resource)}.affinity")


def _selectors(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what looks like a label selector in an object of any kind, and its path; an expression as its text."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            yield from _selectors(child, f"{path}[{index}]")
    elif isinstance(node, dict):
        if "matchLabels" in node or "matchExpressions" in node:
            yield path, _of_pods(node)
        elif any(key.removeprefix(_PREFIXES[0]).removeprefix(_PREFIXES[1]) == NAME_LABEL for key in node):
            yield path, _of_pods({"matchLabels": node})
        for key, child in node.items():
            if key not in _NO_SELECTORS:
                yield from _selectors(child, f"{path}.{key}" if path else str(key))
    elif isinstance(node, str) and NAME_LABEL in node and node != NAME_LABEL:
        # Calico's: `app.kubernetes.io/name == 'lms-worker'`.
        yield path, str(node)


def _of_pods(selector: dict[str, Any]) -> dict[str, Any]:
    labels = lookup(selector, "matchLabels")
    expressions = list_at(selector, "matchExpressions")
    expected = {_key(key): value for key, value in labels.items()} if isinstance(labels, dict) else {}
    return {
        "namespace": str(expected.get(_NAMESPACE, "")),
        "matchLabels": {key: value for key, value in expected.items() if not key.startswith(_NOT_OF_PODS)},
        "matchExpressions": [
            {**expression, "key": _key(str(lookup(expression, "key")))}
            for expression in expressions
            if isinstance(expression, dict)
        ],
    }


def _key(key: str) -> str:
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _holds(selector: Any, labels: dict[str, str]) -> bool:
    if isinstance(selector, str):
        held = _evaluated(selector, labels)
        if held is not None:
            return held
        words = selector.replace("'", '"').split('"')
        return labels.get(NAME_LABEL, "") in words
    keys = {*selector["matchLabels"], *(expression["key"] for expression in selector["matchExpressions"])}
    # Selectors of what isn't pods hold for everything, or for nothing, and so do empty ones.
    return NAME_LABEL in keys and selects(selector, labels)


def _evaluated(selector: str, labels: dict[str, str]) -> bool | None:
    from kustomizer.openedx import calico  # noqa: PLC0415 - few sites have its policies

    return calico.holds(selector, labels)
