"""What an exported overlay layers onto: the kustomization of the overlay it was made from, without the function.

It goes into a directory of its own, ``base``, so that all of it has been done where the exported patches begin, just as
it has where kustomize calls the function.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kustomizer import KIND, is_configuration
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.fields import DIRECTORIES, entries, is_kustomization
from kustomizer.kustomize.kustomization import (
    built_from,
    kustomization_file,
    named_directories,
    named_files,
    objects,
    read_kustomization,
)
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import lookup
from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GUARD = "the-function-has-run"

# Fields that go onto the top: kustomize heeds the one only there, the others come behind the function.
_ON_TOP = ("sortOptions", "validators")
BASE = "base"
AFTER = "after"
"""The directories of what comes before the patches, and of what comes behind them."""
_REFUSED = {
    "buildMetadata": "it writes into each object where it came from, which the export changes",
    "generators": "a generator may be another plugin",
    "helmCharts": "building charts needs a flag",
    "helmChartInflationGenerator": "building charts needs a flag",
    "secretGenerator": "its values would be copied into the export",
}
_REMEDY = "Move it into a kustomization that the overlay lists under `resources:`; the export then layers onto that"


class Base(Record):
    """The part of an overlay that works without the function.

    ``below`` is the kustomization under the exported patches, ``on_top`` what goes into the one that has them;
    ``files`` are those that they name, by path relative to the overlay.
    """

    overlay: Path
    below: Mapping[str, Any]
    on_top: Mapping[str, Any]
    files: Mapping[str, str]

    def kustomization(self, directory: Path) -> dict[str, Any]:
        """Return ``below`` for a base that lies in ``directory``: the directories that it names are elsewhere."""
        tree = dict(self.below)
        for field in DIRECTORIES:
            if field in tree:
                tree[field] = [self._from(directory, entry) for entry in tree[field]]
        return tree

    def top(self, directory: Path) -> dict[str, Any]:
        """Return ``on_top`` for a kustomization that lies in ``directory``, with ``files`` below ``after``."""
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
        """Yield the files that the two kustomizations name, by path in the export."""
        for part, place in ((self.below, BASE), (self.on_top, AFTER)):
            for name in named_files(self.overlay, part):
                yield f"{place}/{name}", self.files[name]

    def directories(self) -> Iterator[Path]:
        """Yield the directories that the base is built from, and those that they are built from."""
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
    ours = [position for position, entry in enumerate(transformers) if _is_ours(overlay, entry)]
    if len(ours) != 1:
        raise UserError(_no_single_function(overlay, path, len(ours)))
    below = {field: value for field, value in tree.items() if field not in _ON_TOP}
    below["resources"] = [entry for entry in entries(tree, "resources") if not _is_ours(overlay, entry)]
    below["transformers"] = transformers[: ours[0]]
    if not below["transformers"]:
        del below["transformers"]
    on_top = {field: tree[field] for field in _ON_TOP if field in tree}
    behind = [entry for entry in transformers[ours[0] + 1 :] if not _is_guard(overlay, entry)]
    if behind:
        on_top["transformers"] = behind
    files = {name: _text(overlay, name) for part in (below, on_top) for name in named_files(overlay, part)}
    _refuse_secrets(overlay, below, files)
    return Base(overlay=overlay, below=below, on_top=on_top, files=files)


def _no_single_function(overlay: Path, path: Path, number: int) -> Problem:
    if number > 1:
        message, remedy = f"lists {number} configurations", "Export an overlay that lists one"
    else:
        message = f"lists no {KIND} configuration of its own"
        nested = next(_nested(overlay), None)
        remedy = (
            f"{nested} does: export that directory, and list the export in its place"
            if nested
            else "List the configuration under `transformers:`"
        )
    return Problem(message=message, field=f"{path}: transformers", remedy=remedy)


def _nested(overlay: Path) -> Iterator[Path]:
    """Yield the kustomizations that ``overlay`` layers onto and that list the function."""
    for directory in filter(is_kustomization, built_from(overlay.resolve())):
        if any(_is_ours(directory, each) for each in entries(read_kustomization(directory), "transformers")):
            yield Path(os.path.relpath(directory))


def _is_ours(overlay: Path, entry: str) -> bool:
    found = [_is_configuration(each) for each in objects(overlay, entry)]
    if any(found) and not all(found):
        message = f"{entry} holds other objects beside the {KIND} configuration"
        raise UserError(Problem(message=message, field=str(overlay), remedy="Move them into a file of their own"))
    return any(found)


def _is_configuration(tree: Any) -> bool:
    return is_configuration(lookup(tree, "apiVersion"), lookup(tree, "kind"))


def _is_guard(overlay: Path, entry: str) -> bool:
    found = list(objects(overlay, entry))
    return bool(found) and all(lookup(each, "metadata", "name") == GUARD for each in found)


def _text(overlay: Path, name: str) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        message = f"names the file {name}, which isn't below it"
        raise UserError(Problem(message=message, field=str(overlay), remedy="Move the file into the overlay"))
    try:
        return (overlay / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(Problem(message=f"{overlay / name} is not UTF-8 text", remedy=_REMEDY)) from None


def _refuse_secrets(overlay: Path, below: Mapping[str, Any], files: Mapping[str, str]) -> None:
    """Raise UserError where a Secret's values may stand in what would be copied."""
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
