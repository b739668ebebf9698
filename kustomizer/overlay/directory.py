"""Writes the files of a new overlay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.kustomize.fields import NAMES
from kustomizer.system.files import write_new_files


def write_overlay(directory: Path, env: Path, texts: Mapping[str, str], *, force: bool) -> list[Path]:
    """Write the files of an overlay over ``env`` and return them. Raises UserError, and writes nothing, where it can't.

    Without ``force`` no file is overwritten.
    """
    if directory.resolve().is_relative_to(env.resolve()):
        message = f"{directory} lies in {env}, which Tutor writes and which the overlay is to layer onto"
        raise UserError.of(message, remedy="Name a directory outside of it")
    for name in NAMES:
        if name not in texts and (directory / name).exists():
            message = f"{directory / name} is there already, and kustomize takes one kustomization per directory"
            raise UserError.of(message, remedy="Name another directory, or remove it")
    return write_new_files(directory, texts, force=force)
