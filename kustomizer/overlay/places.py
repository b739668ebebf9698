"""Finds the lines of an overlay's files: of the fields of its configuration, and of the objects that it holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml.nodes import MappingNode, SequenceNode

from kustomizer import KIND
from kustomizer.config.values import join
from kustomizer.config.worker import DEFAULT, deployment_name
from kustomizer.errors import ResourceRef, UserError
from kustomizer.findings.locations import Locations, Place, relative
from kustomizer.kustomize.fields import NAMES
from kustomizer.kustomize.kustomization import listed_paths, read_kustomization, resource_files
from kustomizer.overlay.config_file import configuration_files
from kustomizer.overlay.yaml_edit import documents, entry, is_of
from kustomizer.system.files import read_text

_PARTS = {"flower": "flower", "monitoring": "celery-workers"}
"""Parts of the configuration, and the names of the objects that the function makes for them."""


def overlay_locations(overlay: Path) -> Locations:
    """Return where the fields and objects of ``overlay`` are written; its kustomization for all others."""
    paths = [overlay / name for name in NAMES]
    whole = Place(path=relative(next((path for path in paths if path.is_file()), paths[0])))
    fields: dict[str, Place] = {}
    objects: dict[ResourceRef, Place] = {}
    texts: dict[str, str] = {}
    # The build says what is wrong with a file; this only looks for lines.
    for path in _files(overlay):
        with contextlib.suppress(UserError, OSError):
            texts[relative(path)] = text = read_text(path)
            objects |= _objects(path, text)
    with contextlib.suppress(UserError, OSError):
        for path in configuration_files(overlay):
            fields |= _fields(path)
    return Locations(whole=whole, objects=objects, fields=fields, made=_made(fields), texts=texts)


def _files(overlay: Path) -> Iterator[Path]:
    """Yield the files of ``overlay`` itself: its kustomization, and what that lists."""
    yield from (overlay / name for name in NAMES if (overlay / name).is_file())
    top = overlay.resolve()
    with contextlib.suppress(UserError, OSError):
        listed = listed_paths(overlay, read_kustomization(overlay), "transformers", "generators", "validators")
        for path in (*resource_files(overlay, patches=True), *listed):
            if path.is_file() and path.resolve().is_relative_to(top):
                yield path


def _objects(path: Path, text: str) -> dict[ResourceRef, Place]:
    shown = relative(path)
    places = {}
    for node in _mappings(text):
        kind, name = entry(node, "kind"), entry(_value(node, "metadata"), "name")
        if kind is not None and name is not None and not is_of(node, KIND):
            ref = ResourceRef(kind=str(kind[1].value), name=str(name[1].value))
            places[ref] = Place(path=shown, line=node.start_mark.line + 1)
    return places


def _fields(path: Path) -> dict[str, Place]:
    shown = relative(path)
    return {
        field: Place(path=shown, line=line)
        for node in _mappings(read_text(path))
        if is_of(node, KIND)
        for field, line in _lines(node, "")
    }


def _mappings(text: str) -> Iterator[MappingNode]:
    return (node for node in documents(text) if isinstance(node, MappingNode))


def _lines(node: Any, path: str) -> Iterator[tuple[str, int]]:
    """Yield the path of each field below ``node``, and its line from 1."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            below = join(path, name.value) if isinstance(name.value, str) else path
            yield below, name.start_mark.line + 1
            yield from _lines(value, below)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield f"{path}[{index}]", value.start_mark.line + 1
            yield from _lines(value, f"{path}[{index}]")


def _made(fields: dict[str, Place]) -> dict[str, str]:
    made = {name: f"spec.{part}" for part, name in _PARTS.items() if f"spec.{part}" in fields}
    for field in fields:
        match field.split("."):
            case ["spec", "workers", service]:
                # Findings about the service itself are about the queues that it sends to.
                made[service] = field
                made.setdefault(deployment_name(service, DEFAULT), field)
            case ["spec", "workers", service, variant]:
                made[deployment_name(service, variant)] = field
    return made


def _value(node: MappingNode, key: str) -> MappingNode:
    pair = entry(node, key)
    return pair[1] if pair is not None and isinstance(pair[1], MappingNode) else MappingNode("", [])
