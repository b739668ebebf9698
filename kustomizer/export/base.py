"""The base of an exported overlay: the kustomization of the original overlay, without the function.

It goes into a directory of its own, ``base``. So kustomize has applied all of it before the exported patches, as it has
before it calls the function.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kustomizer import KIND, is_configuration
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.fields import DIRECTORIES, entries
from kustomizer.kustomize.kustomization import (
    built_from,
    kustomization_file,
    kustomization_in,
    named_directories,
    named_files,
    objects,
    read_kustomization,
)
from kustomizer.kustomize.two_configurations import in_files
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import lookup
from kustomizer.overlay.templates import GUARD_NAME
from kustomizer.record import Record

# Fields that go into the top kustomization: kustomize reads sortOptions only there, validators run after the function.
_ON_TOP = ("sortOptions", "validators")
BASE = "base"
AFTER = "after"
"""The directories for what kustomize applies before the patches, and after them."""
_REFUSED = {
    "buildMetadata": "it writes each object's origin into it, and the export has other origins",
    "generators": "a generator may run another function",
    "helmCharts": "building charts needs a flag",
    "helmChartInflationGenerator": "building charts needs a flag",
    "secretGenerator": "its values would be copied into the export",
}
_REMEDY = "Move it into a kustomization that the overlay lists under `resources:`; the export then layers onto that"


class Base(Record):
    """The part of an overlay that needs no function.

    ``below`` is the kustomization under the patches, ``on_top`` holds fields of the top kustomization. ``files``
    are the files that both name, by path relative to the overlay.
    """

    overlay: Path
    below: Mapping[str, Any]
    on_top: Mapping[str, Any]
    files: Mapping[str, str]

    def kustomization(self, directory: Path) -> dict[str, Any]:
        """Return ``below`` for a base in ``directory``: paths to other directories are relative to it."""
        tree = dict(self.below)
        for field in DIRECTORIES:
            if field in tree:
                tree[field] = [self._from(directory, entry) for entry in tree[field]]
        return tree

    def top(self, directory: Path) -> dict[str, Any]:
        """Return ``on_top`` for a kustomization in ``directory``, with ``files`` below ``after``."""
        tree = dict(self.on_top)
        for field in ("transformers", "validators"):
            if field in tree:
                tree[field] = [
                    f"{AFTER}/{entry}" if entry in self.files else self._from(directory, entry) for entry in tree[field]
                ]
        return tree

    def _from(self, directory: Path, entry: str) -> str:
        if "\n" in entry or not (self.overlay / entry).is_dir():
            return entry
        return os.path.relpath((self.overlay / entry).resolve(), directory)

    def file_contents(self) -> Iterator[tuple[str, str]]:
        """Yield the path in the export and the text of each file that the two kustomizations name."""
        for part, place in ((self.below, BASE), (self.on_top, AFTER)):
            for name in named_files(self.overlay, part):
                yield f"{place}/{name}", self.files[name]

    def directories(self) -> Iterator[Path]:
        """Yield the directories that the base is built from, directly or not."""
        for part in (self.below, self.on_top):
            for directory in named_directories(self.overlay, part):
                yield from built_from(directory)


def read_base(overlay: Path) -> Base:
    """Return the base for ``overlay``. Raises UserError where a part of it can't be exported."""
    path, tree = kustomization_file(overlay), read_kustomization(overlay)
    problems = [
        Problem(message=f"can't be exported: {reason}", field=f"{path}: {field}", remedy=_REMEDY)
        for field, reason in _REFUSED.items()
        if field in tree
    ]
    if problems:
        raise UserError(*problems)
    transformers = entries(tree, "transformers")
    positions = [position for position, entry in enumerate(transformers) if _is_ours(overlay, entry)]
    if len(positions) > 1:
        raise UserError(in_files([_place_and_name(overlay, path, transformers[position]) for position in positions]))
    if not positions:
        raise UserError(_no_function(overlay, path))
    below = {field: value for field, value in tree.items() if field not in _ON_TOP}
    below["resources"] = [entry for entry in entries(tree, "resources") if not _is_ours(overlay, entry)]
    below["transformers"] = transformers[: positions[0]]
    if not below["transformers"]:
        del below["transformers"]
    on_top = {field: tree[field] for field in _ON_TOP if field in tree}
    behind = [entry for entry in transformers[positions[0] + 1 :] if not _is_guard(overlay, entry)]
    if behind:
        on_top["transformers"] = behind
    files = {name: _file_text(overlay, name) for part in (below, on_top) for name in named_files(overlay, part)}
    _refuse_secrets(overlay, below, files)
    return Base(overlay=overlay, below=below, on_top=on_top, files=files)


def _no_function(overlay: Path, path: Path) -> Problem:
    nested = next(map(os.path.relpath, filter(_lists_function, built_from(overlay.resolve()))), None)
    return Problem(
        message=f"lists no {KIND} configuration of its own",
        field=f"{path}: transformers",
        remedy=f"{nested} does: export that directory, and list the export in its place"
        if nested
        else "List the configuration under `transformers:`",
    )


def _lists_function(directory: Path) -> bool:
    return any(_is_ours(directory, entry) for entry in entries(kustomization_in(directory), "transformers"))


def _is_ours(overlay: Path, entry: str) -> bool:
    are_ours = [is_configuration(lookup(tree, "apiVersion"), lookup(tree, "kind")) for tree in objects(overlay, entry)]
    if any(are_ours) and not all(are_ours):
        message = f"{entry} holds other objects beside the {KIND} configuration"
        raise UserError.of(message, field=str(overlay), remedy="Move them into a file of their own")
    return any(are_ours)


def _place_and_name(overlay: Path, kustomization: Path, entry: str) -> tuple[str, str]:
    """Return the file that holds a configuration, which may be the kustomization itself, and its name."""
    place = str(kustomization) if "\n" in entry else os.path.normpath(overlay / entry)
    return place, str(lookup(next(iter(objects(overlay, entry))), "metadata", "name"))


def _is_guard(overlay: Path, entry: str) -> bool:
    trees = list(objects(overlay, entry))
    return bool(trees) and all(lookup(tree, "metadata", "name") == GUARD_NAME for tree in trees)


def _file_text(overlay: Path, name: str) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        message = f"names the file {name}, which isn't below it"
        raise UserError.of(message, field=str(overlay), remedy="Move the file into the overlay")
    try:
        # read_text() would change \r\n to \n.
        return (overlay / name).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise UserError.of(f"{overlay / name} is not UTF-8 text", remedy=_REMEDY) from None


def _refuse_secrets(overlay: Path, below: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """Raise UserError where files or patches to be copied may hold a Secret's values."""
    texts = {str(overlay / name): text for name, text in files.items() if name.endswith((".yaml", ".yml", ".json"))}
    places = [where for where, text in texts.items() if _has_secret(text)]
    for field in ("patches", "patchesJson6902", "patchesStrategicMerge"):
        for entry in below.get(field) or ():
            inline = entry if isinstance(entry, str) else lookup(entry, "patch")
            if lookup(entry, "target", "kind") == "Secret" or ("\n" in str(inline) and _has_secret(str(inline))):
                places.append(f"{overlay}: {field}")
    if places:
        message = "holds a Secret, which would be copied into the export"
        raise UserError(*(Problem(message=message, field=place, remedy=_REMEDY) for place in dict.fromkeys(places)))


def _has_secret(text: str) -> bool:
    return any(lookup(tree, "kind") == "Secret" for tree in full_reader.read_all(text))
