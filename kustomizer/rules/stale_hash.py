"""A ConfigMap that was changed after its name got the hash of its content.

The hash is there so that a change gives the ConfigMap a new name, and the pods that read it are replaced. A change that
keeps the name reaches running pods late or never: what a pod has read stays in force until somebody restarts it.

kustomize adds its hashes last, behind every patch. The function itself names the settings ConfigMaps of the copies
(`lms-worker-high-celery-settings-…`): each one that kustomize has to name makes the build slower. A patch by an outer
layer comes behind that. The same happens where a patch changes the output of an earlier build.

**Severity:** warning.

**What to do:** for one of these, say it in the configuration instead of a patch, or set `spec.settings.names:
Kustomize`; for any other, patch it in the kustomization that generates it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kustomizer.errors import Problem
from kustomizer.kustomize.stale_hashes import stale_config_maps
from kustomizer.site.model import Site


def check(site: Site) -> Iterator[Problem]:
    """Find the ConfigMaps whose name has another hash than their content."""
    return stale_config_maps(site.resources.of_kind("ConfigMap"))
