"""A reference to a ConfigMap, a Secret or a TriggerAuthentication that isn't in the build.

A pod that refers to nothing waits for ever in `CreateContainerConfigError` or `ContainerCreating`; a ScaledObject
whose authentication is missing isn't ready and scales nothing.

**Severity:**

- error where the build has the object under another name, in another namespace or in none: kustomize adds a hash to
  the names of what it generates and rewrites references, but not in objects that it doesn't know (a
  TriggerAuthentication's `secretTargetRef`), and not across namespaces;
- error for a name with a hash for which the build has nothing: nobody makes such an object by hand;
- warning for any other ConfigMap or TriggerAuthentication, info for a Secret: it may be made in the cluster, and has
  to be there before this is applied. References marked `optional` are left alone, and so are Secrets that a
  controller makes or copies: from an ExternalSecret, a SealedSecret, a Certificate or the like in the build, and by
  the annotations of Reflector and of kubernetes-replicator.

**What to do:** generate the object in the same namespace; for a TriggerAuthentication's Secret set
`generatorOptions: {disableNameSuffixHash: true}`; or make sure that it is in the cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kustomizer.errors import ERROR, INFO, WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping, mappings
from kustomizer.openedx.workers import pod_field, pod_template
from kustomizer.record import Record
from kustomizer.site.made_secrets import is_made
from kustomizer.site.model import Site

_HASHED = re.compile(r".+-(?=[a-z0-9]*[0-9])[2456789bcdfghkmt]{10}")
_SEVERITIES = {"ConfigMap": WARNING, "Secret": INFO, "TriggerAuthentication": WARNING}
_CLUSTER_WIDE = "ClusterTriggerAuthentication"


class _Reference(Record):
    kind: str
    name: str
    field: str


def check(site: Site) -> Iterator[Problem]:
    """Find the references to what isn't there, each object once for what refers to it."""
    for resource in site.resources:
        yield from check_resource(site, resource)


def check_resource(site: Site, resource: Resource) -> Iterator[Problem]:
    """Find the references of one object to what isn't there."""
    reported = set()
    for reference in _references(resource):
        key = (reference.kind, reference.name)
        if key not in reported and not site.resources.find(*key, resource.namespace):
            reported.add(key)
            if not is_made(site, *key, resource.namespace):
                yield _problem(site, resource, reference)


def _problem(site: Site, resource: Resource, reference: _Reference) -> Problem:
    kind, name = reference.kind, reference.name
    refers = f"refers to {kind} {name}"
    # A reference to what is generated in the same namespace, which kustomize didn't rewrite.
    hashed = [generated.name for generated in site.resources.generated(kind, name, resource.namespace)]
    homeless = [] if not resource.namespace else [item.name for item in site.resources.generated(kind, name, "")]
    elsewhere = sorted({namesake.namespace for namesake in site.resources.find(kind, name)})
    severity = ERROR
    if hashed:
        message = f"{refers}, and kustomize called that {hashed[0]}"
        remedy = "Set disableNameSuffixHash: true in its generator's options"
    elif homeless:
        called = "" if homeless[0] == name else f" as {homeless[0]}"
        message = f"{refers}, which the build has{called} in no namespace"
        remedy = f"Give it the namespace {resource.namespace}, in its metadata or in its generator's `namespace`"
    elif elsewhere and not resource.namespace:
        message = f"{refers}, which is in namespace {', '.join(elsewhere)}, and is in no namespace itself"
        remedy = f"Give this {resource.kind} the namespace"
    elif elsewhere:
        message = f"{refers}, which is in namespace {', '.join(elsewhere)}, not in its own"
        remedy = f"Make it in namespace {resource.namespace}"
    elif _HASHED.fullmatch(name):
        message = f"{refers}, a generated name, and the build has no such object"
        remedy = "Refer to the name without the hash, in the same kustomization as its generator"
    else:
        severity = _SEVERITIES[kind]
        message = f"{refers}, which isn't in this build"
        remedy = "Make sure that it is in the cluster before this is applied"
    return resource.problem(message, remedy, field=reference.field, severity=severity)


def _references(resource: Resource) -> Iterator[_Reference]:
    if resource.kind == "ScaledObject":
        for index, trigger in enumerate(mappings(lookup(resource.tree, "spec", "triggers"))):
            reference = mapping(trigger.get("authenticationRef"))
            if reference.get("name") and reference.get("kind") != _CLUSTER_WIDE:
                field = f"spec.triggers[{index}].authenticationRef.name"
                yield _Reference(kind="TriggerAuthentication", name=str(reference["name"]), field=field)
    elif resource.kind == "TriggerAuthentication":
        for kind, at in (("Secret", "secretTargetRef"), ("ConfigMap", "configMapTargetRef")):
            for index, reference in enumerate(mappings(lookup(resource.tree, "spec", at))):
                if reference.get("name"):
                    yield _Reference(kind=kind, name=str(reference["name"]), field=f"spec.{at}[{index}].name")
    else:
        yield from _of_pod(mapping(lookup(pod_template(resource), "spec")), pod_field(resource))


def _of_pod(pod: dict[str, Any], path: str) -> Iterator[_Reference]:
    for kind in ("initContainers", "containers"):
        for number, container in enumerate(mappings(pod.get(kind))):
            at = f"{path}.{kind}[{number}]"
            for index, entry in enumerate(mappings(container.get("env"))):
                yield from _named(mapping(entry.get("valueFrom")), "KeyRef", f"{at}.env[{index}].valueFrom")
            for index, source in enumerate(mappings(container.get("envFrom"))):
                yield from _named(source, "Ref", f"{at}.envFrom[{index}]")
    for index, volume in enumerate(mappings(pod.get("volumes"))):
        at = f"{path}.volumes[{index}]"
        yield from _named(volume, "", at, name_field="secretName")
        for number, source in enumerate(mappings(mapping(volume.get("projected")).get("sources"))):
            yield from _named(source, "", f"{at}.projected.sources[{number}]")
    for index, secret in enumerate(mappings(pod.get("imagePullSecrets"))):
        if secret.get("name"):
            field = f"{path}.imagePullSecrets[{index}].name"
            yield _Reference(kind="Secret", name=str(secret["name"]), field=field)


def _named(source: dict[str, Any], form: str, at: str, *, name_field: str = "name") -> Iterator[_Reference]:
    """Yield what a source names in its ``configMap`` or ``secret``, with ``form`` behind the word.

    ``name_field`` has the Secret's name.
    """
    for kind, member, key in (("ConfigMap", f"configMap{form}", "name"), ("Secret", f"secret{form}", name_field)):
        reference = mapping(source.get(member))
        if reference.get(key) and not reference.get("optional"):
            yield _Reference(kind=kind, name=str(reference[key]), field=f"{at}.{member}.{key}")
