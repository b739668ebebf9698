"""A worker's selector that isn't the one that Tutor gives it.

A Deployment's selector is immutable: a build that changes it is refused on a running site, until somebody deletes the
Deployment, with its running tasks.

One build doesn't show what runs in the cluster. The rule finds what the build shows:

- a selector that doesn't select the Deployment's own pods, or that another Deployment has, too: **error**, the first
  is refused and the second lets two Deployments claim each other's pods;
- a selector of Tutor's worker or a copy of it that differs from that of the service's own Deployment (`lms-worker` from
  `lms`) in more than the label `app.kubernetes.io/name`: **warning**. Tutor selects both alike, so a patch or an
  overlay's labels reached only one.

**What to do:** leave selectors as Tutor emits them; add labels with `includeSelectors: false` and `includeTemplates:
true`.

**What isn't seen:** labels that an overlay adds to all selectors alike. That takes what runs, to compare with: `kubectl
apply --dry-run=server` is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.tree import lookup, mapping
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX
from kustomizer.openedx.workers import NAME_LABEL
from kustomizer.site.model import Site, SiteWorker

_FIELD = "spec.selector"


def check(site: Site) -> Iterator[Problem]:
    """Find the workers whose selector can't be right, or can't be Tutor's."""
    by_name: dict[str, Resource] = {}
    for worker in site.workers:
        resource = worker.resource
        selector = mapping(lookup(resource.tree, "spec", "selector"))
        labels = mapping(lookup(resource.tree, "spec", "template", "metadata", "labels"))
        wanted = mapping(selector.get("matchLabels"))
        unmatched = sorted(key for key, value in wanted.items() if labels.get(key) != value)
        if unmatched:
            message = f"doesn't select its own pods, whose labels differ in {', '.join(unmatched)}: it is refused"
            yield resource.problem(message, "Change the pods' labels back: a selector is immutable", field=_FIELD)
        twin = (
            by_name.setdefault(f"{resource.namespace} {sorted(selector.items())!r}", resource) if selector else resource
        )
        if twin is not resource:
            message = f"is the same as that of {twin.name}: each of the two claims the other's pods"
            remedy = f"Give each a {NAME_LABEL} of its own, in the selector and in the pods' labels"
            yield resource.problem(message, remedy, field=_FIELD)
        yield from _unlike_service(site, worker, wanted)


def _unlike_service(site: Site, worker: SiteWorker, wanted: dict[str, str]) -> Iterator[Problem]:
    resource = worker.resource
    is_named = resource.name == f"{worker.service}-worker" or resource.mentions(CONFIG_MAP_SUFFIX)
    is_tutors = resource.kind == "Deployment" and is_named
    # Whoever else runs a worker gave it the labels that they wanted.
    for owner in site.resources.find("Deployment", worker.service, resource.namespace) if is_tutors else ():
        model = mapping(lookup(owner.tree, "spec", "selector", "matchLabels"))
        differing = sorted(
            key
            for key in {*model, *wanted}
            if key != NAME_LABEL and model.get(key) != wanted.get(key) and worker.is_open_edx
        )
        if differing:
            message = f"differs from that of {owner.name} in {', '.join(differing)}, and Tutor's doesn't: a running "
            message += "site refuses the change"
            remedy = "Leave selectors as Tutor emits them; add labels without includeSelectors"
            yield resource.problem(message, remedy, field=_FIELD, severity=WARNING)
