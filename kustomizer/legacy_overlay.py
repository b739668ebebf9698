"""Writes an overlay once more, so that kustomize calls the function through its legacy protocol.

kustomize writes and reads all resources twice for a KRM exec function and once for a legacy exec plugin: a fifth of a
build's time. It takes the one or the other by the annotation that names the function, and what it makes of the answer
is the same. So the kustomization is written elsewhere, its own files beside it and the directories that it names where
they are, and a patch gives the annotation of the configuration another name.

That is done where all that the kustomization says is known to mean the same there; the rest stays with kustomize.
"""

from __future__ import annotations

import os

from kustomizer import GROUP, KIND, block_yaml
from kustomizer.emit import emit
from kustomizer.errors import UserError
from kustomizer.kustomization_fields import NAMES, named_paths
from kustomizer.programs import which
from kustomizer.record import Record
from kustomizer.tree import lookup, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MOVED = f"{GROUP}/function"
"""The annotation's other name: the function hands it back, and so tells which program it names."""

# Fields whose meaning doesn't depend on where the kustomization lies, but for the files that they name.
_ANYWHERE = frozenset(
    {
        *("apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels"),
        *("commonAnnotations", "images", "replicas", "sortOptions", "generatorOptions", "configurations", "crds"),
        *("patches", "patchesStrategicMerge", "patchesJson6902", "replacements"),
        *("configMapGenerator", "secretGenerator"),
    }
)
_WITH_DIRECTORIES = ("resources", "components")
_FUNCTION = "config.kubernetes.io/function"
_OTHER_FUNCTIONS = ("config.k8s.io/function", "config.kubernetes.io/container", "config.k8s.io/container", "configFn")
"""What else makes an object a function (runtimeutil.GetFunctionSpec in kyaml)."""
_WRAPPER = f"""\
patches:
- target:
    group: {GROUP}
    kind: {KIND}
  patch: |
    - op: move
      from: /metadata/annotations/{_FUNCTION.replace("/", "~1")}
      path: /metadata/annotations/{MOVED.replace("/", "~1")}
"""
_PATH = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-")
_DEEPEST = 9


class LegacyOverlay(Record):
    """An overlay that was written once more: where, and the program that is its function."""

    directory: str
    function: str


class _Unknown(Exception):  # noqa: N818 - not an error: kustomize builds the overlay as it is
    """The overlay says something of which nobody knows here that it means the same elsewhere."""


def write_legacy_overlay(overlay: str, directory: str) -> LegacyOverlay | None:
    """Write ``overlay`` once more, into the new ``directory``. Returns None where kustomize has to build it itself.

    What kustomize would refuse may come back written: a build that fails has to be made again from ``overlay``.
    """
    try:
        return _Writer(os.path.realpath(overlay), directory).write()
    except (_Unknown, OSError, UnicodeDecodeError):
        return None


def is_function(config: str, overlay: str, function: str) -> bool:
    """Tell whether the moved annotation of the object ``config`` names the program ``function``, and nothing more."""
    try:
        path = _path(lookup(_tree(config), "metadata", "annotations", MOVED))
    except _Unknown:
        return False
    return path is not None and _program(path, os.path.realpath(overlay)) == function


def _path(annotation: Any) -> str | None:
    """Return the path in an annotation that says nothing else."""
    if not isinstance(annotation, str):
        return None
    head, tail = "exec: {path: ", "}"
    inside = annotation.removeprefix(head).removesuffix(tail)
    # As most people write it; it takes the full parser otherwise.
    if annotation == head + inside + tail and _PATH.issuperset(inside):
        return inside
    tree = plain_value(_tree(str(annotation)))
    path = lookup(tree, "exec", "path")
    return path if isinstance(path, str) and tree == {"exec": {"path": path}} else None


class _Writer:
    def __init__(self, overlay: str, directory: str) -> None:
        self._overlay = overlay
        self._directory = directory
        self._functions: set[str] = set()

    def write(self) -> LegacyOverlay | None:
        # As it is spelled: 1.10 is a number there, and refused.
        changed = dict(_kustomization(self._overlay))
        if not changed.keys() <= {*_ANYWHERE, *_WITH_DIRECTORIES, "transformers"}:
            raise _Unknown
        os.mkdir(self._directory)  # noqa: PTH102 - pathlib costs 5 ms to import
        listed = _strings(changed.get("transformers"))
        transformers = [self._transformer(entry, f"transformer-{at}") for at, entry in enumerate(listed)]
        if len(self._functions) != 1:
            raise _Unknown
        for field in _WITH_DIRECTORIES:
            if field in changed:
                changed[field] = [self._elsewhere(entry, self._directory) for entry in _strings(changed[field])]
        changed["transformers"] = transformers
        for path in named_paths({field: value for field, value in changed.items() if field in _ANYWHERE}):
            self._copy(path, self._directory)
        _write(f"{self._directory}/{NAMES[0]}", emit(changed))
        return LegacyOverlay(directory=self._directory, function=self._functions.pop())

    def _elsewhere(self, entry: str, place: str) -> str:
        """Return how a kustomization in ``place`` names the file or directory ``entry`` of this one."""
        path = f"{self._overlay}/{entry}"
        if os.path.isdir(path):  # noqa: PTH112
            real = os.path.realpath(path)
            # kustomize takes a directory that holds this one for a cycle.
            if f"{self._overlay}/".startswith(f"{real.rstrip('/')}/"):
                raise _Unknown
            return os.path.relpath(real, os.path.realpath(place))
        self._copy(entry, place)
        return entry

    def _copy(self, entry: str, place: str) -> None:
        """Copy a file of this kustomization's own into ``place``, where it is named as it is here."""
        path = f"{self._overlay}/{entry}"
        if "\n" in entry or os.path.realpath(path) != os.path.normpath(path) or not _is_below(path, self._overlay):
            raise _Unknown
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
        target = f"{place}/{entry}"
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(data)

    def _transformer(self, entry: str, name: str) -> str:
        """Return what stands for a transformer: itself, or a kustomization that moves the annotation."""
        functions = {found for text in _texts(self._overlay, entry) for found in self._functions_of(text)}
        if not functions:
            return self._elsewhere(entry, self._directory)
        self._functions |= functions
        place = f"{self._directory}/{name}"
        os.mkdir(place)  # noqa: PTH102
        resource = self._elsewhere(entry, place)
        _write(f"{place}/{NAMES[0]}", emit({"resources": [resource]}) + _WRAPPER)
        return name

    def _functions_of(self, text: str) -> Iterator[str]:
        """Yield the programs that a file's configurations name."""
        for document in f"\n{text}".split("\n---"):
            if any(mark in document for mark in _OTHER_FUNCTIONS):
                raise _Unknown
            _, mark, rest = document.partition(_FUNCTION)
            if not mark:
                continue
            words = rest.partition("path:")[2].split(maxsplit=1)
            program = _program(words[0].strip("'\"{},"), self._overlay) if words else None
            # Another function's object would be called as it is, from another directory than it expects.
            if f"\nkind: {KIND}\n" not in document or _FUNCTION in rest or program is None:
                raise _Unknown
            yield program


def _texts(directory: str, entry: str, depth: int = _DEEPEST) -> Iterator[str]:
    """Yield the text of each file that an entry of ``transformers:`` comes from."""
    path = f"{directory}/{entry}"
    if not os.path.isdir(path):  # noqa: PTH112
        yield _read(path)
        return
    if not depth:
        raise _Unknown
    yield _read(_kustomization_file(path))
    for below in named_paths(_kustomization(path)):
        yield from _texts(path, below, depth - 1)


def _program(path: str, overlay: str) -> str | None:
    """Return the executable that the annotation's ``path`` names, as kustomize looks for it."""
    found = os.path.join(overlay, path) if "/" in path else which(path)  # noqa: PTH118
    return os.path.realpath(found) if found and os.access(found, os.X_OK) else None


def _kustomization_file(directory: str) -> str:
    found = [path for path in (f"{directory}/{name}" for name in NAMES) if os.path.exists(path)]  # noqa: PTH110
    if len(found) != 1:
        raise _Unknown
    return found[0]


def _kustomization(directory: str) -> dict[str, Any]:
    tree = _tree(_read(_kustomization_file(directory)))
    if not isinstance(tree, dict):
        raise _Unknown
    return tree


def _strings(node: Any) -> list[str]:
    """Return a list of strings; kustomize refuses what is another one."""
    values = plain_value(node)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _Unknown
    return values


def _tree(text: str) -> Any:
    """Return what a document holds, as it is spelled."""
    try:
        return block_yaml.read([line for each in text.removesuffix("\n").split("\n") for line in _block_lines(each)])
    except block_yaml.NotCanonical:
        from kustomizer import full_yaml  # noqa: PLC0415 - a twentieth of a small build

        try:
            return full_yaml.read(text)
        except UserError:
            raise _Unknown from None


def _block_lines(line: str) -> list[str]:
    """Return a line for the fast reader: without a comment, a short list in brackets as a list of lines.

    Only at the margin, where nothing that this reader knows goes on.
    """
    if line.startswith("#"):
        return []
    key, _, rest = line.partition(": [")
    items = rest.removesuffix("]").split(", ")
    plain = all(item and item[0] != "-" and _PATH.issuperset(item) for item in items)
    return [f"{key}:", *(f"- {item}" for item in items)] if plain and key.isalpha() and rest.endswith("]") else [line]


def _is_below(path: str, directory: str) -> bool:
    return os.path.normpath(path).startswith(f"{directory}/")


def _read(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
