"""Writes an overlay once more, so that kustomize builds all of it but what the function does.

For that kustomize takes less than half of the time that it takes to hand all resources to a function and read them
again. What has to be known to go on from there is read off the overlay: which program its function is, and what
kustomize would still do behind it. So the kustomization is written elsewhere, its own files beside it and the
directories that it names where they are, without its transformer; the configuration is built beside it.

That is done where all that the kustomization says is known to mean the same there; the rest stays with kustomize.
"""

from __future__ import annotations

import os

from kustomizer import KIND
from kustomizer.emit import emit
from kustomizer.kustomization_fields import NAMES, entries, named_paths
from kustomizer.kustomization_outline import (
    ANYWHERE,
    PLAIN,
    WITH_DIRECTORIES,
    Rules,
    Unknown,
    read_exactly,
    read_rules,
    read_text,
    read_tree,
)
from kustomizer.programs import read_file, which, write_file
from kustomizer.record import Record
from kustomizer.tree import lookup, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

GENERATED_KINDS = ("ConfigMap", "Secret")
"""What kustomize generates, with a hash behind the name."""
CONFIG_PREFIX = "tutor-kustomizer.config."
"""What kustomize puts before the name of a configuration that is built beside the site."""

_FUNCTION = "config.kubernetes.io/function"
_OTHER_FUNCTIONS = ("config.k8s.io/function", "config.kubernetes.io/container", "config.k8s.io/container", "configFn")
"""What else makes an object a function (runtimeutil.GetFunctionSpec in kyaml)."""
_OURS = ("celery-workers", "tutor-celery-workers")
"""What the function is called in a checkout, and where it was installed. Any other program may be anything."""
_DEEPEST = 9


class StagedOverlay(Record):
    """An overlay that was written once more without its function.

    ``directory`` holds it; ``functions`` are the programs that its configurations name, in order; ``guards`` the
    ConfigMaps that have to be there behind the function.
    """

    overlay: str
    directory: str
    functions: Sequence[str]
    guards: set[str]
    rules: Rules

    def write_remainder(self, resources: bytes, directory: str) -> None:
        """Write what kustomize has to build once more, behind the functions, into the new ``directory``."""
        os.mkdir(directory)  # noqa: PTH102
        write_file(f"{directory}/resources.yaml", resources)
        names = [f"rules-{at}.yaml" for at, _ in enumerate(self.rules.configurations)]
        for name, path in zip(names, self.rules.configurations, strict=True):
            write_file(f"{directory}/{name}", read_file(path))
        tree = {"resources": ["resources.yaml"], "configurations": names}
        write_file(f"{directory}/{NAMES[0]}", emit(tree).encode())

    def check_configs(self, configs: Sequence[str]) -> None:
        """Raise Unknown unless kustomize would call the functions for these configurations, and nothing else."""
        if len(configs) != len(self.functions) or not all(map(self._is_called, self.functions, configs)):
            raise Unknown

    def _is_called(self, function: str, config: str) -> bool:
        tree = read_tree(config)
        path = _path(lookup(tree, "metadata", "annotations", _FUNCTION))
        is_config = lookup(tree, "kind") == KIND and not any(mark in config for mark in _OTHER_FUNCTIONS)
        return is_config and path is not None and _program(path, self.overlay) == function

    def check_guards(self, names: set[str]) -> None:
        """Raise Unknown where a guard would find no ConfigMap of its name."""
        if not self.guards <= names:
            raise Unknown


def write_staged_overlay(overlay: str, directory: str) -> StagedOverlay:
    """Write ``overlay`` once more, into the new ``directory``.

    What kustomize would refuse may come back written: a build that fails has to be made again from ``overlay``.
    Raises Unknown, OSError or ValueError where kustomize has to build it itself.
    """
    return _Writer(os.path.realpath(overlay), directory).write()


class _Writer:
    def __init__(self, overlay: str, directory: str) -> None:
        self._overlay = overlay
        self._directory = directory

    def write(self) -> StagedOverlay:
        # As it is spelled: 1.10 is a number there, and refused.
        changed = dict(read_exactly(self._overlay))
        if not changed.keys() <= {*ANYWHERE, *WITH_DIRECTORIES, "transformers"}:
            raise Unknown
        before, configs, guards = self._transformers(_strings(changed.pop("transformers", [])))
        rules = read_rules(self._overlay, changed)
        for file in rules.configurations:
            _refuse_references_in_data(file)
        for path in ("", "/site", "/config"):
            os.mkdir(self._directory + path)  # noqa: PTH102 - pathlib costs 5 ms to import
        for field in WITH_DIRECTORIES:
            if field in changed:
                changed[field] = self._elsewhere(_strings(changed[field]), "site")
        if before:
            changed["transformers"] = self._elsewhere(before, "site")
        for path in named_paths({field: value for field, value in changed.items() if field in ANYWHERE}):
            self._copy(path, "site")
        self._kustomization("/site", changed)
        self._kustomization(
            "/config", {"resources": self._elsewhere([*configs], "config"), "namePrefix": CONFIG_PREFIX}
        )
        # The function is given the resources in this order.
        self._kustomization("", {"resources": ["site", "config"], "sortOptions": {"order": "fifo"}})
        return StagedOverlay(
            overlay=self._overlay,
            directory=self._directory,
            functions=[program for programs in configs.values() for program in programs],
            guards={*guards},
            rules=rules,
        )

    def _transformers(self, listed: Sequence[str]) -> tuple[list[str], dict[str, list[str]], list[str]]:
        """Return the transformers before the function, the configurations with their programs, and what guards name."""
        before: list[str] = []
        configs: dict[str, list[str]] = {}
        guards: list[str] = []
        for entry in listed:
            texts = [*self._texts(entry)]
            programs = [program for text in texts for program in self._functions_of(text)]
            if programs and not guards and entry not in configs:
                if len(programs) != sum(f"\n{text}".count("\nkind:") for text in texts):
                    raise Unknown
                configs[entry] = programs
            elif configs:
                guards += [_guarded(text) for text in texts]
                self._refuse_patches(entry)
            else:
                before.append(entry)
        if not configs:
            raise Unknown
        return before, configs, guards

    def _kustomization(self, place: str, tree: Mapping[str, Any]) -> None:
        write_file(f"{self._directory}{place}/{NAMES[0]}", emit(dict(tree)).encode())

    def _elsewhere(self, listed: Sequence[str], place: str) -> list[str]:
        """Return how a kustomization in ``place`` names files and directories of this one."""
        return [self._named(entry, place) for entry in listed]

    def _named(self, entry: str, place: str) -> str:
        path = f"{self._overlay}/{entry}"
        if os.path.isdir(path):  # noqa: PTH112
            real = os.path.realpath(path)
            # kustomize takes a directory that holds this one for a cycle.
            if f"{self._overlay}/".startswith(f"{real.rstrip('/')}/"):
                raise Unknown
            return os.path.relpath(real, os.path.realpath(f"{self._directory}/{place}"))
        self._copy(entry, place)
        return entry

    def _copy(self, entry: str, place: str) -> None:
        """Copy a file of this kustomization's own into ``place``, where it is named as it is here."""
        path = f"{self._overlay}/{entry}"
        if "\n" in entry or os.path.realpath(path) != os.path.normpath(path) or not _is_below(path, self._overlay):
            raise Unknown
        data = read_file(path)
        target = f"{self._directory}/{place}/{entry}"
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        write_file(target, data)

    def _texts(self, entry: str, depth: int = _DEEPEST) -> Iterator[str]:
        """Yield the text of each file with objects that an entry of ``transformers:`` comes from."""
        path = f"{self._overlay}/{entry}"
        if not os.path.isdir(path):  # noqa: PTH112
            yield read_text(path)
            return
        if not depth:
            raise Unknown
        tree = read_exactly(path)
        rules = read_rules(path, tree)
        # Rules would hold for the site's objects, too, where the configuration is built beside it.
        if not tree.keys() <= {*ANYWHERE, *WITH_DIRECTORIES} or rules.configurations:
            raise Unknown
        for below in entries(tree, *WITH_DIRECTORIES):
            yield from self._texts(f"{entry}/{below}", depth - 1)

    def _refuse_patches(self, entry: str) -> None:
        """Raise Unknown where an entry of ``transformers:`` is more than what its files hold."""
        path = f"{self._overlay}/{entry}"
        if os.path.isdir(path) and not read_exactly(path).keys() <= {"apiVersion", "kind", "resources"}:  # noqa: PTH112
            raise Unknown

    def _functions_of(self, text: str) -> Iterator[str]:
        """Yield the programs that a file's configurations name."""
        for document in f"\n{text}".split("\n---"):
            if any(mark in document for mark in _OTHER_FUNCTIONS):
                raise Unknown
            _, mark, rest = document.partition(_FUNCTION)
            if not mark:
                continue
            words = rest.partition("path:")[2].split(maxsplit=1)
            program = _program(words[0].strip("'\"{},"), self._overlay) if words else None
            # Another function would be called from another directory than it expects.
            if f"\nkind: {KIND}\n" not in document or _FUNCTION in rest or program is None:
                raise Unknown
            yield program


def _refuse_references_in_data(file: str) -> None:
    """Raise Unknown where a configuration of kustomize's says that ConfigMaps or Secrets refer to something.

    By kustomize's own rules they don't, and no name is looked for in what they hold.
    """
    specs = [
        spec
        for reference in lookup(read_tree(read_text(file)), "nameReference") or ()
        for spec in lookup(reference, "fieldSpecs") or ()
    ]
    if any(lookup(spec, "kind") in {None, "", *GENERATED_KINDS} for spec in specs):
        raise Unknown


def _guarded(text: str) -> str:
    """Return the ConfigMap that a guard (generators/guard) looks for: a replacement of its name by its name.

    Raises Unknown where the text isn't a guard's: it may change anything.
    """
    tree = plain_value(read_tree(text))
    name = lookup(tree, "replacements", 0, "source", "name")
    here = {"kind": "ConfigMap", "name": name}
    replacement = {
        "source": {**here, "fieldPath": "metadata.name"},
        "targets": [{"select": here, "fieldPaths": ["metadata.name"]}],
    }
    guard = {"apiVersion": "builtin", "kind": "ReplacementTransformer", "replacements": [replacement]}
    if not isinstance(name, str) or {**tree, "metadata": None} != {**guard, "metadata": None}:
        raise Unknown
    return name


def _path(annotation: Any) -> str | None:
    """Return the path in an annotation that says nothing else."""
    if not isinstance(annotation, str):
        return None
    head, tail = "exec: {path: ", "}"
    inside = annotation.removeprefix(head).removesuffix(tail)
    # As most people write it; it takes the full parser otherwise.
    if annotation == head + inside + tail and PLAIN.issuperset(inside):
        return inside
    tree = plain_value(read_tree(str(annotation)))
    path = lookup(tree, "exec", "path")
    return path if isinstance(path, str) and tree == {"exec": {"path": path}} else None


def _program(path: str, overlay: str) -> str | None:
    """Return our function that the annotation's ``path`` names, as kustomize looks for it."""
    found = os.path.join(overlay, path) if "/" in path else which(path)  # noqa: PTH118
    real = os.path.realpath(found) if found and os.access(found, os.X_OK) else ""
    return real if real.rpartition("/")[2] in _OURS else None


def _strings(node: Any) -> list[str]:
    """Return a list of strings; kustomize refuses what is another one."""
    values = plain_value(node)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unknown
    return values


def _is_below(path: str, directory: str) -> bool:
    return os.path.normpath(path).startswith(f"{directory}/")
