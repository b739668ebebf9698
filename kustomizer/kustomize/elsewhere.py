"""Recognises what an overlay takes from outside of its checkout: other directories, and what kustomize would fetch.

kustomize fetches files over HTTP, and directories with Git, wherever a kustomization names an address:
https://github.com/kubernetes-sigs/kustomize/blob/master/examples/remoteBuild.md. `NewRepoSpecFromURL`
(api/internal/git) and `IsRemoteFile` (api/internal/loader) decide what is an address. Here a few more count as one.
"""

from __future__ import annotations

import os

from kustomizer import DIRECTORY
from kustomizer.manifests.tree import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_OF_TUTOR = "k8s/deployments.yml"
"""A file that Tutor writes into each env/."""
_PREFIXES = ("http:", "https:", "ssh:", "file:", "git:", "github.com/", "github.com:", "gh:")
_TEXTS = frozenset(
    {
        *("annotations", "commonAnnotations", "commonLabels", "helmCharts", "helmChartInflationGenerator", "imageTag"),
        *("imageTags", "images", "jsonOp", "labels", "literals", "metadata", "patch", "sourceValue", "value", "vars"),
    }
)
"""Fields of kustomizations, and of builtin transformers and generators, that hold no path."""


def checkout_of(directory: str) -> str:
    """Return the top of the Git checkout that holds ``directory``, empty where there is none."""
    while not os.path.lexists(f"{directory}/.git"):
        above = os.path.dirname(directory)  # noqa: PTH120 - pathlib costs 5 ms to import
        if above == directory:
            return ""
        directory = above
    return directory


def is_outside(directory: str, checkout: str) -> bool:
    """Tell whether ``directory`` is outside of ``checkout``, and neither written by Tutor nor part of this tool."""
    generators = f"{os.path.dirname(os.path.realpath(DIRECTORY))}/generators"  # noqa: PTH120
    if _is_in(directory, checkout) or _is_in(directory, generators):
        return False
    while not os.path.isfile(f"{directory}/{_OF_TUTOR}"):  # noqa: PTH113
        above = os.path.dirname(directory)  # noqa: PTH120
        if above == directory:
            return True
        directory = above
    return False


def _is_in(directory: str, other: str) -> bool:
    return f"{directory}/".startswith(f"{other.rstrip('/')}/")


def is_remote(path: str) -> bool:
    """Tell whether kustomize may take ``path`` for an address."""
    lower = path.strip().lower()
    user, at, _ = lower.partition("@")
    name = user.replace("-", "")
    return lower.startswith(_PREFIXES) or (bool(at) and name.isascii() and name.isalnum())


def remote_paths(node: Any) -> Iterator[str]:
    """Yield the addresses in a kustomization, or in a builtin transformer or generator."""
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
