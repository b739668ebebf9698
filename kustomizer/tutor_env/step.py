"""Puts the split into a fresh env/: takes the one that is there, if it was made from the same, or has it made.

Until the last step, a rename, env/kustomization.yml names a directory that isn't there: whatever fails or is killed
before, env/ can't be built, and nobody applies half a split, or an older one.
"""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kustomizer import __version__
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.split_names import FILE, PLACE, PREFIX
from kustomizer.record import Record
from kustomizer.system.files import locked, write_file
from kustomizer.tutor_env.kustomization import read_fresh, with_split
from kustomizer.tutor_env.making import Fresh, make, sweep, usable
from kustomizer.tutor_env.state import (
    config_text,
    digest_of_added,
    digest_of_files,
    digest_of_text,
    named_in,
    read_summary,
)


class Split(Record):
    """What was done, for the operator."""

    source: str
    """Where the configuration comes from."""
    table: str
    """Who consumes and scales which queue."""
    warnings: Sequence[str]
    unchanged: bool = False
    """Whether the split was there already, made from the same."""


class Request(Record):
    """A site's env/ to be split: Tutor's root, the operator's configuration if any, and what other plugins add."""

    root: Path
    named: Path | None = None
    added: Mapping[str, Any] = {}


def save_split(request: Request, kustomize: Kustomize) -> Split:
    """Put the split into the env/ that Tutor has just rendered.

    Raises UserError, and leaves env/ such that it can't be built, where the function refuses the site, kustomize fails,
    the build with the split isn't what the function made, or a file can't be read or written.
    """
    env = request.root / "env"
    text = read_fresh(env)
    with usable(request.root), locked(env, required=True):
        sweep(request.root)
        files = list(named_in(env))
        inputs = {
            "files": digest_of_files(files),
            "fresh": digest_of_text(text),
            "configuration": digest_of_text(config_text(request.named)),
            "plugins": digest_of_added(request.added),
            "version": __version__,
            "builder": f"{kustomize.path} {kustomize.version}".strip(),
        }
        name = PREFIX + digest_of_text(json.dumps(inputs))[:16]
        summary = read_summary(env / PLACE / name)
        is_there = summary is not None
        if summary is None:
            fresh = Fresh(root=request.root, text=text, files=files, name=name, inputs=inputs)
            with _without_collection():
                summary = make(fresh, request.named, request.added, kustomize)
        # From here on env/ is built with the split; those that it was built with before go.
        write_file(env / FILE, with_split(text, name, patches=summary["patches"]))
        _remove_splits(env, kept=name)
        return Split(**{key: summary[key] for key in ("source", "table", "warnings")}, unchanged=is_there)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let no garbage be collected: each round walks through all that Tutor holds, and what is made here stays.

    Later rounds leave out what is there by then, and so does the one at the end of the process, which is near: these
    walks took a quarter of what a save takes more.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def remove_split(root: Path) -> Sequence[Path]:
    """Remove the splits that lie in an env/ which Tutor has just rendered without one: they hold passwords, too.

    Returns those that can't be removed. Raises UserError where that can't be told.
    """
    env = root / "env"
    with usable(root), locked(env, required=True):
        sweep(root)
        _remove_splits(env)
        with suppress(OSError):
            # Unless somebody else has put something there.
            (env / PLACE).rmdir()
        return sorted((env / PLACE).glob(f"{PREFIX}*"))


def _remove_splits(env: Path, *, kept: str = "") -> None:
    for path in (env / PLACE).iterdir():
        if path.name != kept and path.name.startswith((PREFIX, ".new-")):
            shutil.rmtree(path, ignore_errors=True)
