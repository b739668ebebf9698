"""The files of a split: new objects and settings as a kustomization, changes to Tutor's objects as PatchTransformers.

A PatchTransformer rather than ``patches:``, which Tutor's versions head differently and which run before the namespace
is set: these run behind all that env/kustomization.yml does, as the function does in an overlay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kustomizer.export.parts import File, parts_of
from kustomizer.export.secrets import EXAMPLE
from kustomizer.manifests.resource import Resource
from kustomizer.manifests.writer import emit
from kustomizer.overlay.templates import NAME_REFERENCES

_HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_MADE_BY = "# Made by the Tutor plugin kustomizer; `tutor config save` makes it again. Changes here are lost.\n"


def split_files(given: Iterable[Resource], made: Iterable[Resource]) -> dict[str, File]:
    """Return the files of the split that makes ``made`` out of ``given``, by path in its directory.

    There are none where the two are the same. Which of them hold a password isn't known yet. Raises UserError for what
    kustomize can't generate.
    """
    parts = parts_of(given, made)
    if not parts.files:
        return {}
    files = {path: file for path, file in parts.files.items() if not path.endswith(EXAMPLE)}
    transformers = _as_transformers(parts.patches, files)
    fields = {key: value for key, value in parts.fields().items() if key != "patches"}
    top = {**_HEAD, **fields, "configurations": ["name-references.yaml"]}
    files |= {
        "kustomization.yaml": File(text=_MADE_BY + emit(top)),
        "name-references.yaml": File(text=NAME_REFERENCES),
    }
    if transformers:
        files["patches/kustomization.yaml"] = File(text=emit({**_HEAD, "resources": transformers}))
    return dict(sorted(files.items()))


def _as_transformers(patches: Sequence[Mapping[str, Any]], files: dict[str, File]) -> list[str]:
    """Turn each patch into a PatchTransformer, in its own file; return their names."""
    names = []
    for patch in patches:
        path = patch["path"]
        name = path.removeprefix("patches/")
        tree: dict[str, Any] = {
            "apiVersion": "builtin",
            "kind": "PatchTransformer",
            "metadata": {"name": name.removesuffix(".yaml")},
            "patch": files[path].text,
        }
        if "target" in patch:
            tree["target"] = dict(patch["target"])
        files[path] = files[path].replace(text=emit(tree))
        names.append(name)
    return names
