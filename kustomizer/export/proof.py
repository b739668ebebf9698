"""Builds an export, and compares it object by object with the build that it was made from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kustomizer.errors import Problem, UserError
from kustomizer.export.overlay import Export
from kustomizer.export.parts import write_files
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.plain_build import build_plainly
from kustomizer.manifests.equality import same
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.tree import plain_value
from kustomizer.masking.messages import without_secrets


def prove(export: Export, expected: str, kustomize: Kustomize) -> None:
    """Raise UserError where plain kustomize builds other resources from ``export`` than ``expected``."""
    # In a temporary directory: the build needs the values of Secrets, which may not be written into the export.
    with tempfile.TemporaryDirectory(prefix="tutor-kustomizer-") as temporary:
        directory = Path(temporary).resolve()
        write_files(directory, export.contents(directory, include_secrets=True))
        process = build_plainly(directory, kustomize)
        if process.status != 0:
            words = without_secrets(process.stderr_text.strip()).replace(str(directory), "the export")
            raise UserError.of(f"{kustomize.path} can't build what the export would be:\n{words}")
    differences = list(_differences(process.stdout, expected.encode()))
    if differences:
        raise UserError(
            *differences,
            Problem(
                message="nothing was written: plain kustomize gives other resources than the function does",
                remedy="Please report it, with the overlay's kustomization.yaml",
            ),
        )


def _differences(built: bytes, expected: bytes) -> Iterator[Problem]:
    ours, functions = _objects(built), _objects(expected)
    for identity, item in functions.items():
        if identity not in ours:
            yield Problem(message="would not be in the export's build", resource=item.ref)
        elif ours[identity].text != item.text and not same(plain_value(ours[identity].tree), plain_value(item.tree)):
            yield Problem(message="would differ in the export's build", resource=item.ref)
    for identity, item in ours.items():
        if identity not in functions:
            yield Problem(message="would be in the export's build alone", resource=item.ref)


def _objects(built: bytes) -> dict[Any, Any]:
    return {item.identity: item for item in read_build(built)}
