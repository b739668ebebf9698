"""Renews our parts of an overlay: guard, schema, name references, and the form in which kustomize calls the function.

The configuration itself stays as it is, and so do the operator's own additions: a file that holds more than `init`
would write is left alone, and a note says so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kustomizer.config.model import CeleryWorkers
from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.config.worker import DEFAULT
from kustomizer.errors import UserError
from kustomizer.kustomize.kustomization import kustomization_file, objects, read_kustomization
from kustomizer.kustomize.programs import FUNCTIONS, OWN_COMMAND
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import list_at, lookup, plain_value
from kustomizer.overlay import templates
from kustomizer.overlay.config_file import ConfigFile, find_config
from kustomizer.overlay.yaml_edit import append_item
from kustomizer.record import Record
from kustomizer.system.files import read_text, write_file

_ANNOTATIONS = ("metadata", "annotations")
_OLD_ANNOTATION = FUNCTIONS[1]
_EXEC = f"exec: {{path: {OWN_COMMAND}}}"


class Refreshed(Record):
    """The files that were written, and a sentence for each thing that was left as it is."""

    written: Sequence[Path]
    notes: Sequence[str]


def refresh(overlay: Path, *, kubectl: bool | None) -> Refreshed:
    """Renew ``overlay`` in place; ``kubectl`` says in which form the function is called, None keeps the present one.

    Raises UserError, and writes nothing, where the overlay or its configuration can't be read or changed.
    """
    return _Refresh(overlay, kubectl=kubectl).run()


class _Refresh:
    def __init__(self, overlay: Path, *, kubectl: bool | None) -> None:
        self._overlay = overlay
        self._kubectl = kubectl
        self._texts: dict[Path, str] = {}
        self._notes: list[str] = []

    def run(self) -> Refreshed:
        kustomization = kustomization_file(self._overlay)
        tree = read_kustomization(self._overlay)
        config = find_config(self._overlay)
        loaded = config.load()
        config = self._formed(config)
        self._texts[config.path] = config.text
        # Its first comment may name the command that builds it.
        old, new = templates.BY_KUBECTL, templates.BY_KUSTOMIZE
        if templates.FUNCTION_ANNOTATION not in (lookup(config.own, *_ANNOTATIONS) or {}):
            old, new = new, old
        text = read_text(kustomization).replace(old, new)
        listed = os.path.relpath(config.path.resolve(), self._overlay.resolve())
        if not any(kind == loaded.ref.kind for kind, _ in self._transformers(tree)):
            text = append_item(text, "transformers", listed)
        if (self._overlay / templates.SCHEMA_FILE).exists() or templates.SCHEMA_FILE in config.text:
            self._texts[self._overlay / templates.SCHEMA_FILE] = templates.schema_text()
        text = self._with_guard(text, tree, loaded)
        text = self._with_name_references(text, tree)
        self._texts[kustomization] = text
        changed = {path: text for path, text in self._texts.items() if not path.exists() or read_text(path) != text}
        for path, text in changed.items():
            write_file(path, text)
        return Refreshed(written=list(changed), notes=self._notes)

    def _formed(self, config: ConfigFile) -> ConfigFile:
        """Return the configuration with or without the annotation of an exec function."""
        annotations = lookup(config.own, *_ANNOTATIONS) or {}
        spelled = [name for name in (templates.FUNCTION_ANNOTATION, _OLD_ANNOTATION) if name in annotations]
        if self._kubectl is None or self._kubectl is not bool(spelled):
            return config
        if not self._kubectl:
            if config.base is not None:
                return config
            return config.set((*_ANNOTATIONS, templates.FUNCTION_ANNOTATION), _EXEC)
        if len(annotations) == len(spelled):
            return config.remove(_ANNOTATIONS)
        for name in spelled:
            config = config.remove((*_ANNOTATIONS, name))
        return config

    def _transformers(self, tree: dict[str, Any]) -> list[tuple[str, str]]:
        """Return kind and name of each object that the kustomization lists under ``transformers:``."""
        return [
            (str(lookup(transformer, "kind") or ""), str(lookup(transformer, "metadata", "name") or ""))
            for entry in list_at(tree, "transformers")
            for transformer in objects(self._overlay, str(entry))
        ]

    def _with_guard(self, text: str, tree: dict[str, Any], config: CeleryWorkers) -> str:
        services = [service for service in OPEN_EDX_SERVICES if service in config.services()]
        path, guard = self._overlay / templates.GUARD_FILE, templates.settings_guard(services[0] if services else "")
        if path.exists() and self._looks_for_a_copy(path, config):
            return text
        if not services:
            if path.exists() and _shape(read_text(path)) == _shape(guard):
                self._notes.append(f"{path} fails every build, since lms and cms aren't split: take it out")
            return text
        if path.exists():
            if _shape(read_text(path)) == _shape(guard):
                self._texts[path] = guard
            else:
                self._notes.append(f"{path} holds something else than the guard of `init`: left as it is")
            return text
        if any(name == templates.GUARD_NAME for _, name in self._transformers(tree)):
            # It is listed from elsewhere, as the overlays of this repository do.
            return text
        self._texts[path] = guard
        return append_item(text, "transformers", templates.GUARD_FILE)

    def _looks_for_a_copy(self, path: Path, config: CeleryWorkers) -> bool:
        """Tell whether a guard is the one of workers that mount no settings of ours, and name a copy that there is."""
        copies = [
            templates.copy_guard(service, variant)
            for service, workers in config.spec.workers.items()
            for variant in workers
            if variant != DEFAULT
        ]
        present = read_text(path)
        if not copies or _shape(present) != _shape(copies[0]):
            return False
        self._texts[path] = present if present in copies else copies[0]
        return True

    def _with_name_references(self, text: str, tree: dict[str, Any]) -> str:
        path = self._overlay / templates.NAME_REFERENCES_FILE
        new_references = _references(templates.NAME_REFERENCES)
        if path.exists():
            present = _references(read_text(path))
            if all(entry in new_references for entry in present):
                self._texts[path] = templates.NAME_REFERENCES
            elif missing := [entry for entry in new_references if entry not in present]:
                kinds = ", ".join(sorted({kind for kind, _ in missing}))
                self._notes.append(f"{path} has entries of yours, and lacks ours for {kinds}: left as it is")
            return text
        if tree.get("configurations"):
            return text
        self._texts[path] = templates.NAME_REFERENCES
        return append_item(text, "configurations", templates.NAME_REFERENCES_FILE)


def _shape(text: str) -> Any:
    """Return the content of a guard, without the name of what it looks for."""
    try:
        documents = [plain_value(document) for document in full_reader.read_all(text)]
    except UserError:
        return None
    for document in documents:
        for replacement in list_at(document, "replacements"):
            selects = [lookup(target, "select") for target in list_at(replacement, "targets")]
            for selector in (lookup(replacement, "source"), *selects):
                if isinstance(selector, dict):
                    selector.pop("name", None)
    return documents


def _references(text: str) -> list[tuple[str, Any]]:
    """Return each kind that is referred to by name, with one place of the reference."""
    tree = plain_value(full_reader.read(text))
    listed = lookup(tree, "nameReference")
    if not isinstance(listed, list) or set(tree) != {"nameReference"}:
        return [("something else", text)]
    return [(str(lookup(entry, "kind")), place) for entry in listed for place in (lookup(entry, "fieldSpecs") or [])]
