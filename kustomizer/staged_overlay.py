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
from kustomizer.kustomization_fields import GENERATED_KINDS, NAMES, entries, named_paths
from kustomizer.kustomization_outline import (
    ANYWHERE,
    FUNCTION,
    PLAIN,
    WITH_DIRECTORIES,
    Rules,
    Unknown,
    local_path,
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

CONFIG_PREFIX = "tutor-kustomizer.config."
"""What kustomize puts before the name of a configuration that is built beside the site."""

_OTHER_FUNCTIONS = ("config.k8s.io/function", "config.kubernetes.io/container", "config.k8s.io/container", "configFn")
"""What else makes an object a function (runtimeutil.GetFunctionSpec in kyaml)."""
_OURS = b"from kustomizer.function import main\n"
"""A line of the function's program, in a checkout and where it was installed. Any other program may be anything."""
_DEEPEST = 9


class StagedOverlay(Record):
    """An overlay that was written once more without its function.

    ``directory`` holds it; ``functions`` are the programs that its configurations name, in order; ``guarded`` is the
    ConfigMap that has to be there behind the functions, if any has.
    """

    overlay: str
    directory: str
    functions: Sequence[str]
    guarded: str | None
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
        path = _path(lookup(tree, "metadata", "annotations", FUNCTION))
        is_config = lookup(tree, "kind") == KIND and not any(mark in config for mark in _OTHER_FUNCTIONS)
        return is_config and path is not None and _program(path, self.overlay) == function

    def check_guard(self, config_maps: Sequence[str]) -> None:
        """Raise Unknown where the guard wouldn't find one ConfigMap of its name."""
        if self.guarded is not None and config_maps.count(self.guarded) != 1:
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
        configs, guarded = self._transformers(_strings(changed.pop("transformers", [])))
        rules = read_rules(self._overlay, changed)
        for file in rules.configurations:
            _refuse_references_in_data(file)
        for path in ("", "/site", "/config"):
            os.mkdir(self._directory + path)  # noqa: PTH102 - pathlib costs 5 ms to import
        for field in WITH_DIRECTORIES:
            if field in changed:
                changed[field] = self._elsewhere(_strings(changed[field]), "site")
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
            guarded=guarded,
            rules=rules,
        )

    def _transformers(self, listed: Sequence[str]) -> tuple[dict[str, list[str]], str | None]:
        """Return the configurations with the programs that they name, and the ConfigMap that the guard looks for."""
        configs: dict[str, list[str]] = {}
        for at, entry in enumerate(listed):
            texts = [*self._texts(entry)]
            programs = [program for text in texts for program in self._functions_of(text)]
            if not programs and configs and at == len(listed) - 1:
                return configs, self._guarded_by(entry, texts)
            # Anything else may rename or hash what the function looks for, or change what it made.
            if not programs or entry in configs or len(programs) != sum(f"\n{text}".count("\nkind:") for text in texts):
                raise Unknown
            configs[entry] = programs
        if not configs:
            raise Unknown
        return configs, None

    def _guarded_by(self, entry: str, texts: Sequence[str]) -> str:
        """Return the ConfigMap that a guard looks for. Raises Unknown where ``entry`` may be anything else."""
        root, file = self._overlay, f"{self._overlay}/{entry}"
        if os.path.isdir(file):  # noqa: PTH112
            root = local_path(self._overlay, entry)
            tree = read_exactly(root)
            file = f"{root}/{''.join(entries(tree, 'resources'))}"
            if (
                not tree.keys() <= {"apiVersion", "kind", "resources"}
                or tree.get("kind", "Kustomization") != "Kustomization"
            ):
                raise Unknown
        # kustomize refuses files elsewhere.
        if len(texts) != 1 or not _is_own(file, root):
            raise Unknown
        return _guarded(texts[0])

    def _kustomization(self, place: str, tree: Mapping[str, Any]) -> None:
        write_file(f"{self._directory}{place}/{NAMES[0]}", emit(dict(tree)).encode())

    def _elsewhere(self, listed: Sequence[str], place: str) -> list[str]:
        """Return how a kustomization in ``place`` names files and directories of this one."""
        return [self._named(entry, place) for entry in listed]

    def _named(self, entry: str, place: str) -> str:
        real = local_path(self._overlay, entry)
        if os.path.isdir(real):  # noqa: PTH112
            # kustomize takes a directory that holds this one for a cycle.
            if f"{self._overlay}/".startswith(f"{real.rstrip('/')}/"):
                raise Unknown
            return os.path.relpath(real, os.path.realpath(f"{self._directory}/{place}"))
        self._copy(entry, place)
        return entry

    def _copy(self, entry: str, place: str) -> None:
        """Copy a file of this kustomization's own into ``place``, where it is named as it is here."""
        path = f"{self._overlay}/{entry}"
        if not _is_own(path, self._overlay):
            raise Unknown
        data = read_file(path)
        target = f"{self._directory}/{place}/{entry}"
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        write_file(target, data)

    def _texts(self, entry: str, depth: int = _DEEPEST) -> Iterator[str]:
        """Yield the text of each file with objects that an entry of ``transformers:`` comes from."""
        path = local_path(self._overlay, entry)
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

    def _functions_of(self, text: str) -> Iterator[str]:
        """Yield the programs that a file's configurations name."""
        for document in f"\n{text}".split("\n---"):
            if any(mark in document for mark in _OTHER_FUNCTIONS):
                raise Unknown
            _, mark, rest = document.partition(FUNCTION)
            if not mark:
                continue
            words = rest.partition("path:")[2].split(maxsplit=1)
            program = _program(words[0].strip("'\"{},"), self._overlay) if words else None
            # Another function would be called from another directory than it expects.
            if f"\nkind: {KIND}\n" not in document or FUNCTION in rest or program is None:
                raise Unknown
            yield program


def _refuse_references_in_data(file: str) -> None:
    """Raise Unknown where a configuration of kustomize's says that ConfigMaps or Secrets refer to something.

    By kustomize's own rules they don't, and no name is looked for in what they hold. Nor is it in our configuration,
    which is built beside the site here, and for which such rules don't hold there.
    """
    specs = [
        spec
        for reference in lookup(read_tree(read_text(file)), "nameReference") or ()
        for spec in lookup(reference, "fieldSpecs") or ()
    ]
    if any(lookup(spec, "kind") in {None, "", KIND, *GENERATED_KINDS} for spec in specs):
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
    if (
        not isinstance(name, str)
        or not lookup(tree, "metadata", "name")
        or {**guard, "metadata": tree["metadata"]} != tree
    ):
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
    real = os.path.realpath(found) if found and os.access(found, os.X_OK) else None
    return real if real is not None and _OURS in read_file(real) else None


def _strings(node: Any) -> list[str]:
    """Return a list of strings; kustomize refuses what is another one."""
    values = plain_value(node)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unknown
    return values


def _is_own(path: str, directory: str) -> bool:
    """Tell whether a file lies in ``directory`` or below it, and no link leads there."""
    normal = os.path.normpath(path)
    return normal.startswith(f"{directory}/") and os.path.realpath(path) == normal
