"""What kustomize would fetch: over HTTP any file that a kustomization names, with Git any directory.

https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md; which addresses these are says
`NewRepoSpecFromURL` (api/internal/git) and `IsRemoteFile` (api/internal/loader). A few more than those count as remote.
"""

from __future__ import annotations

from kustomizer.manifests.tree import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PREFIXES = ("http:", "https:", "ssh:", "file:", "git:", "github.com/", "github.com:", "gh:")
_TEXTS = frozenset(
    {
        "annotations",
        "commonAnnotations",
        "commonLabels",
        "helmCharts",
        "helmChartInflationGenerator",
        "imageTag",
        "imageTags",
        "images",
        "jsonOp",
        "labels",
        "literals",
        "metadata",
        "patch",
        "sourceValue",
        "value",
        "vars",
    }
)
"""Fields of kustomizations and of builtin plugins in which nothing is a path."""


def is_remote(path: str) -> bool:
    """Tell whether kustomize takes ``path`` for an address."""
    lower = path.strip().lower()
    user, at, _ = lower.partition("@")
    name = user.replace("-", "")
    return lower.startswith(_PREFIXES) or (bool(at) and name.isascii() and name.isalnum())


def remote_paths(node: Any) -> Iterator[str]:
    """Yield what a kustomization, or a builtin plugin, names that isn't on this machine."""
    if type(node) is dict:
        for field, value in node.items():
            if field not in _TEXTS:
                yield from remote_paths(value)
    elif type(node) is list:
        for value in node:
            yield from remote_paths(value)
    # A generator names a file as KEY=PATH.
    elif type(node) is Scalar and any(map(is_remote, {node, node.partition("=")[2], node.rpartition("=")[2]})):
        yield str(node)
