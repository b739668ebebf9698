"""An overlay without plugins: plain kustomize that gives the same resources as an overlay with the function.

What the function was given and what it made during a real build are compared object by object: a changed one becomes a
patch, a new one a file, and ConfigMaps and Secrets whose names carry a hash become kustomize's own generators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.emit import emit
from kustomizer.errors import Problem, UserError
from kustomizer.export_base import BASE
from kustomizer.export_clear_text import passwords_in_file
from kustomizer.export_patches import operations, same
from kustomizer.export_secrets import EXAMPLE, are_public, env_file, example_file, ignore_file, secret_values
from kustomizer.function import GROUP, KIND
from kustomizer.overlay import NAME_REFERENCES
from kustomizer.record import Record
from kustomizer.resources import NEEDS_HASH_SUFFIX, is_internal_annotation
from kustomizer.tree import lookup, plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from kustomizer.export_base import Base
    from kustomizer.report import Run
    from kustomizer.resources import Resource

MADE_BY = "# Made by `tutor-kustomizer export`; make it again after each `tutor config save`.\n"
"""How a kustomization.yaml that may be replaced begins."""


class File(Record):
    """A file of the export: one that ``is_private`` holds the values of a Secret, and nothing else."""

    text: str
    is_private: bool = False
    passwords: Sequence[str] = ()
    """What else holds a password in clear text, by name."""

    @property
    def mode(self) -> int:
        """Who may read it."""
        return 0o600 if self.is_private or self.passwords else 0o644


class Export(Record):
    """Everything in the exported overlay that doesn't depend on where it is put."""

    base: Base
    kustomization: Mapping[str, Any]
    files: Mapping[str, File]
    """Files by path, without the two kustomizations."""
    to_fill_in: Sequence[str]

    def contents(self, directory: Path, *, include_secrets: bool) -> dict[str, File]:
        """Return the files of the export in ``directory``, by path relative to it.

        Raises UserError where a file that has to be there holds a password, and secrets are not to be included.
        """
        below = self.base.kustomization(directory / BASE)
        top = {**self.kustomization, **self.base.top(directory)}
        files = {
            "kustomization.yaml": File(text=MADE_BY + emit(top)),
            f"{BASE}/kustomization.yaml": File(text=emit(_headed(below))),
            **self.files,
        }
        written = {path: _looked_through(path, file) for path, file in sorted(files.items())}
        if not include_secrets:
            written = {path: file for path, file in written.items() if not file.is_private}
            problems = [_in_clear_text(path, file) for path, file in written.items() if file.passwords]
            if problems:
                raise UserError(*problems)
        return written


def _looked_through(path: str, file: File) -> File:
    return file if file.is_private else file.replace(passwords=passwords_in_file(path, file.text))


def _in_clear_text(path: str, file: File) -> Problem:
    message = f"would hold passwords in clear text: {', '.join(file.passwords)}"
    remedy = "Put them into a Secret in the cluster (valueFrom.secretKeyRef), or add --include-secrets"
    return Problem(message=message, field=path, remedy=remedy)


def _headed(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **tree}


def export(base: Base, run: Run) -> Export:
    """Return the export of an overlay with this ``base``, in whose build the function did what ``run`` says."""
    given, made = _by_identity(run.given), _by_identity(run.made)
    parts = _Parts()
    for identity, resource in given.items():
        if identity not in made:
            if not _is_configuration(resource):
                parts.delete(resource)
        elif not same(_object(resource), _object(made[identity])):
            parts.patch(resource, made[identity])
    for identity, resource in made.items():
        if identity not in given:
            parts.add(resource)
    if not parts.files:
        raise UserError(Problem(message="the function changed nothing in this overlay: there is nothing to export"))
    return parts.export(base)


def _by_identity(resources: Iterable[Resource]) -> dict[tuple[str, str, str, str], Resource]:
    return {resource.identity: resource for resource in resources}


def _is_configuration(resource: Resource) -> bool:
    return resource.kind == KIND and resource.api_version.startswith(f"{GROUP}/")


def _object(resource: Resource) -> Any:
    """Return the object as plain values, without kustomize's bookkeeping."""
    tree = plain_value(resource.tree)
    annotations = lookup(tree, "metadata", "annotations")
    if isinstance(annotations, dict):
        tree["metadata"]["annotations"] = {
            key: value for key, value in annotations.items() if not is_internal_annotation(key)
        }
    return tree


class _Parts:
    """Collects the files and the fields of the kustomization that names them."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.patches: list[dict[str, Any]] = []
        self.resources: list[str] = []
        self.config_maps: list[dict[str, Any]] = []
        self.secrets: list[dict[str, Any]] = []

    def delete(self, resource: Resource) -> None:
        """Take an object of Tutor's out."""
        self.patches.append({"path": self._put("patches", resource, {"$patch": "delete", **_header(resource)})})

    def patch(self, before: Resource, after: Resource) -> None:
        """Change an object of Tutor's."""
        path = self._put("patches", before, list(operations(_object(before), _object(after))))
        group, _, version = before.api_version.rpartition("/")
        target = {
            "group": group,
            "version": version,
            "kind": before.kind,
            "namespace": before.namespace,
            "name": before.name,
        }
        self.patches.append({"path": path, "target": {key: value for key, value in target.items() if value}})

    def add(self, resource: Resource) -> None:
        """Add an object of ours."""
        if resource.kind == "Secret":
            self._add_secret(resource)
        elif resource.kind == "ConfigMap" and _is_hashed(resource):
            self._add_config_map(resource)
        else:
            self.resources.append(self._put("resources", resource, _tidied(_object(resource))))

    def _add_config_map(self, resource: Resource) -> None:
        tree = _object(resource)
        if set(tree) - {"apiVersion", "kind", "metadata", "data"}:
            raise UserError(Problem(message="can't be generated by kustomize", resource=resource.ref))
        paths = {key: f"settings/{resource.name}/{key}" for key in tree["data"]}
        self.files |= {path: File(text=tree["data"][key]) for key, path in paths.items()}
        self.config_maps.append({**_generated(resource, tree), "files": list(paths.values())})

    def _add_secret(self, resource: Resource) -> None:
        values = secret_values(resource)
        tree = _object(resource)
        path = f"secrets/{resource.name}.env"
        if are_public(values):
            self.files[path] = File(text=env_file(values))
        else:
            self.files[path] = File(text=env_file(values), is_private=True)
            self.files[path + EXAMPLE] = File(text=example_file(resource.name, values))
        entry = {**_generated(resource, tree), "envs": [path]}
        if tree.get("type"):
            entry["type"] = tree["type"]
        self.secrets.append(entry)

    def _put(self, directory: str, resource: Resource, tree: Any) -> str:
        path = f"{directory}/{resource.kind}-{resource.name}.yaml".lower()
        if path in self.files:
            path = f"{directory}/{resource.kind}-{resource.namespace}-{resource.name}.yaml".lower()
        if path in self.files:
            raise UserError(Problem(message=f"two objects would go into {path}", resource=resource.ref))
        self.files[path] = File(text=emit(tree))
        return path

    def export(self, base: Base) -> Export:
        """Return the whole."""
        fields = {
            "resources": [BASE, *self.resources],
            "patches": self.patches,
            "configMapGenerator": self.config_maps,
            "secretGenerator": self.secrets,
            "configurations": ["name-references.yaml"],
        }
        files = {"name-references.yaml": File(text=NAME_REFERENCES), **self.files}
        files |= {path: File(text=text) for path, text in base.file_contents()}
        to_fill_in = [path for path, file in self.files.items() if file.is_private]
        if to_fill_in:
            files[".gitignore"] = File(text=ignore_file(to_fill_in))
        return Export(
            base=base,
            kustomization=_headed({key: value for key, value in fields.items() if value}),
            files=files,
            to_fill_in=to_fill_in,
        )


def _header(resource: Resource) -> dict[str, Any]:
    metadata = {"namespace": resource.namespace, "name": resource.name}
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {key: value for key, value in metadata.items() if value},
    }


def _is_hashed(resource: Resource) -> bool:
    return bool(lookup(resource.tree, "metadata", "annotations", NEEDS_HASH_SUFFIX) == "enabled")


def _tidied(tree: dict[str, Any]) -> dict[str, Any]:
    if not tree["metadata"].get("annotations", True):
        del tree["metadata"]["annotations"]
    return tree


def _generated(resource: Resource, tree: dict[str, Any]) -> dict[str, Any]:
    """Return what the two generators have in common."""
    entry: dict[str, Any] = {"name": resource.name}
    if resource.namespace:
        entry["namespace"] = resource.namespace
    options = {field: tree["metadata"][field] for field in ("labels", "annotations") if tree["metadata"].get(field)}
    if not _is_hashed(resource):
        options["disableNameSuffixHash"] = True
    if options:
        entry["options"] = options
    return entry
