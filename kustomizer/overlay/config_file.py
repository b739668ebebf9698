"""The file that holds a configuration: where an overlay has it, and how it is changed in place.

An overlay may hold the whole configuration, or a patch of one from elsewhere (overlays/production does): the patch is
what is changed then, and what the two give together is what has to be right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kustomizer import KIND, OWN_FILE, is_configuration_or_patch
from kustomizer.config.layers import merge_maps
from kustomizer.config.load import load
from kustomizer.config.model import CeleryWorkers
from kustomizer.errors import UserError
from kustomizer.kustomize.kustomization import built_from, kustomization_in, listed_paths, patch_files, resource_files
from kustomizer.kustomize.two_configurations import Stack, in_files, several
from kustomizer.manifests.full_reader import read_all
from kustomizer.manifests.tree import plain_value
from kustomizer.record import Record
from kustomizer.system.files import read_text, write_file


class ConfigFile(Record):
    """A file with a configuration, or with a patch of one."""

    path: Path
    text: str
    base: dict[str, Any] | None = None
    """The configuration that it patches, None where it is a whole one."""

    @property
    def own(self) -> dict[str, Any]:
        """The object in the file itself."""
        return _config_in(self.text) or {}

    def load(self) -> CeleryWorkers:
        """Return the configuration with the patch. Raises UserError where it isn't right."""
        # In a whole configuration null has a meaning of its own; in a patch kustomize takes it out.
        return load(self.own if self.base is None else merge_maps(self.base, self.own))

    def set(self, path: Sequence[str], value: Any) -> ConfigFile:
        """Return the file with ``value`` at ``path``."""
        return self.set_all({tuple(path): value})

    def set_all(self, values: Mapping[tuple[str, ...], Any]) -> ConfigFile:
        """Return the file with each of ``values`` at its path, of which none begins with another."""
        from kustomizer.overlay.yaml_edit import apply, set_values  # noqa: PLC0415 - who reads needs no ruamel.yaml

        expected = self.own
        for path, value in values.items():
            expected = apply(expected, path, value)
        return self._changed(set_values(self.text, KIND, values), expected) if values else self

    def remove(self, path: Sequence[str]) -> ConfigFile:
        """Return the file without the value at ``path``; a patch gets a null there if its base has the value."""
        from kustomizer.overlay.yaml_edit import remove_key, without  # noqa: PLC0415 - see above

        own = self.own
        if _has(self.base or {}, path):
            return self.set(path, None)
        return self._changed(remove_key(self.text, KIND, path), without(own, path)) if _has(own, path) else self

    def write(self) -> None:
        """Write the file in one step, with the mode that it had."""
        write_file(self.path, self.text)

    def _changed(self, text: str, expected: dict[str, Any]) -> ConfigFile:
        try:
            is_right = _config_in(text) == expected
        except UserError:
            is_right = False
        if not is_right:
            raise UserError.of(
                f"{self.path} is written in a way that can't be changed in place (an alias, a complex key)",
                remedy="Change it by hand",
            )
        return self.replace(text=text)


def find_config(overlay: Path) -> ConfigFile:
    """Return the configuration of ``overlay``. Raises UserError where it has none, or more than one, of its own."""
    _refuse_several(overlay)
    own_file = overlay / OWN_FILE
    paths = [own_file] if _holds_config(own_file) else list(dict.fromkeys(configuration_files(overlay)))
    if not paths:
        remedy = "Name the overlay with --overlay, or the file with --file"
        raise UserError.of(f"{overlay} has no configuration of kind {KIND}", remedy=remedy)
    in_overlay = [path for path in paths if path.resolve().is_relative_to(overlay.resolve())]
    if not in_overlay:
        shared = os.path.normpath(paths[-1])
        message = f"{overlay} takes its configuration from {shared}, which other overlays may share"
        raise UserError.of(message, remedy=f"To change it for all: --file {shared}")
    config = config_file(in_overlay[-1])
    if len(in_overlay) > 1 and config.base is None:
        message = f"{overlay} has more than one configuration: {', '.join(map(str, in_overlay))}"
        raise UserError.of(message, remedy="Name one with --file")
    return config


def read_config(overlay: Path) -> CeleryWorkers:
    """Return the configuration that holds for ``overlay``, which others may share. Raises UserError without one."""
    _refuse_several(overlay)
    paths = list(configuration_files(overlay))
    if not paths:
        remedy = "Name the directory of an overlay, as `tutor-kustomizer init` writes one"
        raise UserError.of(f"{overlay} has no configuration of kind {KIND}", remedy=remedy)
    return config_file(paths[-1]).load()


def named_config(overlay: Path, file: Path | None) -> ConfigFile:
    """Return the configuration in ``file``, or else that of ``overlay``; raises UserError as these two do."""
    return find_config(overlay) if file is None else config_file(file)


def config_file(path: Path) -> ConfigFile:
    """Return the configuration in ``path``, with what it patches where a kustomization beside it says so."""
    text = read_text(path)
    if _config_of(path) is None:
        raise UserError.of(f"{path} holds no object of kind {KIND}")
    patches = patch_files(path.parent, kustomization_in(path.parent))
    if path.resolve() not in [patch.resolve() for patch in patches]:
        return ConfigFile(path=path, text=text)
    base: dict[str, Any] | None = None
    for layer in _layers(path.parent):
        if layer.resolve() == path.resolve():
            break
        base = merge_maps(base, _config_of(layer))
    return ConfigFile(path=path, text=text, base=base)


def configuration_files(overlay: Path) -> Iterator[Path]:
    """Yield the files of an overlay with a configuration or a patch of one, each before those that override it."""
    for path in listed_paths(overlay, kustomization_in(overlay), "transformers", "generators"):
        yield from _layers(path) if path.is_dir() else [path] if _holds_config(path) else []
    yield from _layers(overlay)


def _refuse_several(overlay: Path) -> None:
    """Raise UserError where several configurations would change the same workers, as a build does."""
    stack, trees = Stack(), {}
    for directory in dict.fromkeys(path.resolve() for path in built_from(overlay)):
        tree = trees[str(directory)] = kustomization_in(directory)
        for path in listed_paths(directory, tree, "transformers", "generators"):
            for file in filter(_holds_config, resource_files(path) if path.is_dir() else [path]):
                stack.add(str(directory), os.path.relpath(file))
    rivals = stack.rivals(trees)
    if rivals:
        raise UserError(in_files(rivals))


def _layers(directory: Path) -> Iterator[Path]:
    return filter(_holds_config, resource_files(directory, patches=True))


def _holds_config(path: Path) -> bool:
    return path.is_file() and path.suffix in {".yaml", ".yml", ".json"} and _config_of(path) is not None


def _config_in(text: str) -> dict[str, Any] | None:
    """Return the configuration in ``text``. Raises UserError where it holds two: it isn't known which is meant."""
    trees = map(plain_value, read_all(text) if KIND in text else ())
    configurations = [
        tree
        for tree in trees
        if isinstance(tree, dict) and is_configuration_or_patch(tree.get("apiVersion"), tree.get("kind"))
    ]
    if len(configurations) > 1:
        raise UserError(several(len(configurations)))
    return configurations[0] if configurations else None


def _config_of(path: Path) -> dict[str, Any] | None:
    text = read_text(path)
    try:
        return _config_in(text)
    except UserError as error:
        raise error.within(path) from None


def _has(data: Any, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(data, dict) or key not in data:
            return False
        data = data[key]
    return True
