"""Runs the function on a site in env/, makes files with which plain kustomize gives the same, and checks that it does.

The files hold new objects and settings as a kustomization, and changes to Tutor's objects as PatchTransformers. These
run after all that env/kustomization.yml does, as the function does in an overlay. ``patches:`` would run before the
namespace is set, and Tutor's versions head that field differently.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kustomizer.config.values import join
from kustomizer.errors import Problem
from kustomizer.export.json_patch import operations
from kustomizer.export.parts import File, object_of, parts_of, with_passwords, write_files
from kustomizer.export.secrets import EXAMPLE
from kustomizer.kustomize.fields import HEAD
from kustomizer.manifests.equality import same
from kustomizer.manifests.name_hashes import GENERATED_KINDS, stem_of
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.writer import emit
from kustomizer.overlay.templates import NAME_REFERENCES
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.site.queue_table import queues_text
from kustomizer.site.queues import queues_of
from kustomizer.transform.pipeline import transform
from kustomizer.transform.split_mark import mark
from kustomizer.tutor_env.configuration import read_configuration
from kustomizer.tutor_env.state import SUMMARY

_WIDE = 10_000

_MADE_BY = "# Made by the Tutor plugin kustomizer; `tutor config save` makes it again. Changes here are lost.\n"


class Made(Record):
    """The resources that the function made, and the split's files."""

    source: str
    """Where the configuration comes from."""
    warnings: Sequence[Problem]
    resources: Resources
    files: Mapping[str, File]

    @property
    def has_patches(self) -> bool:
        """Whether the split changes objects of Tutor's."""
        return "patches/kustomization.yaml" in self.files

    def table(self) -> str:
        """Return who consumes and scales which queue."""
        return queues_text(queues_of(Site(self.resources)), _WIDE)

    def write(self, directory: Path) -> None:
        """Write the files into ``directory``, which is made, each for its owner alone."""
        write_files(directory, {path: file.replace(is_private=True) for path, file in self.files.items()})

    def write_with(self, summary: str, directory: Path) -> None:
        """Write the files and the split's ``summary``, those that hold a password for their owner alone."""
        write_files(directory, {**with_passwords(self.files), SUMMARY: File(text=summary)})


def made_of(data: bytes, root: Path, named: Path | None, added: Mapping[str, Any]) -> Made:
    """Run the function on ``data``, a build of env/ whose generated names have no hash.

    Raises UserError where it refuses the site, or kustomize can't make the same.
    """
    given, made = read_build(data), read_build(data)
    chosen = read_configuration(root, named, added, given)
    problems = transform(made, chosen.config)
    mark(made, chosen.config, chosen.source)
    return Made(source=chosen.source, warnings=problems, resources=made, files=split_files(given, made))


def split_files(given: Iterable[Resource], made: Iterable[Resource]) -> dict[str, File]:
    """Return the files of the split that turns ``given`` into ``made``, by path in its directory.

    There are none where the two are the same. Which files hold a password isn't known yet. Raises UserError for what
    kustomize can't generate.
    """
    parts = parts_of(given, made)
    if not parts.files:
        return {}
    files = {path: file for path, file in parts.files.items() if not path.endswith(EXAMPLE)}
    transformers = _as_transformers(parts.patches, files)
    fields = {key: value for key, value in parts.fields().items() if key != "patches"}
    top = {**HEAD, **fields, "configurations": ["name-references.yaml"]}
    files["kustomization.yaml"] = File(text=_MADE_BY + emit(top))
    files["name-references.yaml"] = File(text=NAME_REFERENCES)
    if transformers:
        files["patches/kustomization.yaml"] = File(text=emit({**HEAD, "resources": transformers}))
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


_REMEDY = (
    "Use an overlay in place of the split in env/ (KUSTOMIZER_OVERLAY), and please report it with the plugins' names"
)


def differences(built: bytes, made: Iterable[Resource]) -> Iterator[Problem]:
    """Yield the differences between ``built``, a build of env/, and ``made``, but for hashes in generated names."""
    expected = {_identity(resource): resource for resource in made}
    resources = list(read_build(built))
    names = _plain_names(resources, expected)
    seen = set()
    changed: dict[str, list[str]] = {}
    for resource in resources:
        identity = (resource.api_version, resource.kind, resource.namespace, names.get(resource.name, resource.name))
        seen.add(identity)
        wanted = expected.get(identity)
        if wanted is None:
            yield resource.problem("would be in env/ and isn't what the function made", _REMEDY)
        elif _text(resource, names) != wanted.render():
            tree = _renamed(object_of(resource), names)
            if not same(tree, object_of(wanted)):
                changes = operations(object_of(wanted), tree)
                paths = sorted({_field(str(change["path"])) for change in changes if change["op"] != "test"})
                changed.setdefault(", ".join(paths), []).append(str(resource.ref))
    for fields, objects in changed.items():
        message = f"would differ from what the function made in {fields}: something in env/ changes it again"
        yield Problem(message=f"{', '.join(objects)}: {message}", remedy=_REMEDY)
    for identity, resource in expected.items():
        if identity not in seen:
            yield resource.problem("would be missing in env/", _REMEDY)


def _field(pointer: str) -> str:
    """Return a JSON pointer as messages write a field's path; an item that is added to a list is named by the list."""
    keys = (key.replace("~1", "/").replace("~0", "~") for key in pointer.removesuffix("/-").split("/")[1:])
    return functools.reduce(join, (int(key) if key.isdecimal() else key for key in keys), "")


def _identity(resource: Resource) -> tuple[str, str, str, str]:
    return (resource.api_version, resource.kind, resource.namespace, resource.name)


def _plain_names(found: Iterable[Resource], expected: Mapping[tuple[str, str, str, str], Resource]) -> dict[str, str]:
    """Return the generated names that have a hash, each with its name without the hash."""
    return {
        resource.name: stem_of(resource.name)
        for resource in found
        if resource.kind in GENERATED_KINDS
        and _identity(resource) not in expected
        and (resource.api_version, resource.kind, resource.namespace, stem_of(resource.name)) in expected
    }


def _text(resource: Resource, names: Mapping[str, str]) -> str:
    """Return the object's text with its generated names as they are without a hash: equal texts needn't be parsed."""
    text = resource.text
    for name, stem in names.items():
        if name in text:
            text = text.replace(name, stem)
    return text


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value
