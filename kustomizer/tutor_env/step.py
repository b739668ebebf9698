"""Puts the split into a fresh env/: builds a copy, runs the function on it, writes what it made, and holds it to that.

Until the last step, a rename, env/kustomization.yml names a directory that isn't there: whatever fails or is killed
before, env/ can't be built, and nobody applies half a split, or an older one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kustomizer import __version__
from kustomizer.errors import Problem, UserError
from kustomizer.export.directory import write_files
from kustomizer.export.parts import File
from kustomizer.kustomize.build import build_tutors
from kustomizer.kustomize.split_env import FILE, PLACE, PREFIX, is_missing, split_directory
from kustomizer.manifests.protocols import read_build
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.site.queue_table import queues_text
from kustomizer.site.queues import queues_of
from kustomizer.system.files import read_text, write_file
from kustomizer.transform.pipeline import transform
from kustomizer.transform.split_mark import mark
from kustomizer.tutor_env.configuration import read_configuration
from kustomizer.tutor_env.copy import copy_env
from kustomizer.tutor_env.files import split_files
from kustomizer.tutor_env.kustomization import as_tutors, read_fresh, with_split, without_entry, without_hashes
from kustomizer.tutor_env.proof import differences
from kustomizer.tutor_env.state import SUMMARY, config_text, digest_of_files, digest_of_text, read_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kustomizer.kustomize.executable import Kustomize

_COPY = ".kustomizer-env-"
_WIDE = 10_000


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
    or the build with the split isn't what the function made.
    """
    env = request.root / "env"
    text = read_fresh(env)
    with _locked(env):
        _sweep(request.root)
        inputs = {
            "files": digest_of_files(env),
            "fresh": digest_of_text(text),
            "configuration": digest_of_text(config_text(request.named)),
            "plugins": digest_of_text(json.dumps(request.added, sort_keys=True, default=str)),
            "version": __version__,
            "builder": f"{kustomize.path} {kustomize.version}".strip(),
        }
        name = PREFIX + digest_of_text(json.dumps(inputs))[:16]
        summary = read_summary(env / PLACE / name)
        is_there = summary is not None
        if summary is None:
            summary = _make(request, kustomize, text, name, inputs)
        _finish(env, with_split(text, name, patches=summary["patches"]), name)
        return Split(**{key: summary[key] for key in ("source", "table", "warnings")}, unchanged=is_there)


def build_as_tutors(root: Path, kustomize: Kustomize) -> bytes:
    """Build env/ as Tutor would have written it without us, whether the split is in it, missing or not wanted.

    Raises UserError where there is nothing, or kustomize fails.
    """
    env = root / "env"
    if split_directory(env) is None and not is_missing(env):
        return build_tutors(env, kustomize)
    with tempfile.TemporaryDirectory(dir=root, prefix=_COPY) as temporary:
        copy_env(env, Path(temporary))
        return _build(Path(temporary), as_tutors(read_text(env / FILE)), env, kustomize)


def _make(request: Request, kustomize: Kustomize, text: str, name: str, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Make the split's directory in env/, proven, and return its summary; nothing names it yet."""
    env = request.root / "env"
    with tempfile.TemporaryDirectory(dir=request.root, prefix=_COPY) as temporary:
        copy = Path(temporary)
        copy_env(env, copy)
        data = _build(copy, without_hashes(without_entry(text)), env, kustomize)
        given, made = read_build(data), read_build(data)
        chosen = read_configuration(request.root, request.named, request.added, given)
        problems = transform(made, chosen.config)
        mark(made, chosen.config, chosen.source)
        files = split_files(given, made)
        has_patches = "patches/kustomization.yaml" in files
        final = with_split(text, name, patches=has_patches)
        write_files(copy / PLACE / name, files)
        built = read_build(_build(copy, final, env, kustomize))
        wrong = list(differences(built, made))
        if wrong:
            raise UserError(*wrong)
    summary = {
        "source": chosen.source,
        "table": queues_text(queues_of(Site(built)), _WIDE),
        "warnings": [str(problem) for problem in problems],
        "patches": has_patches,
        "inputs": dict(inputs),
        "kustomization": digest_of_text(final),
        "files": {path: digest_of_text(file.text) for path, file in files.items()},
    }
    _place(env / PLACE, name, {**files, SUMMARY: File(text=json.dumps(summary, indent=2) + "\n")})
    return summary


@contextmanager
def _locked(env: Path) -> Iterator[None]:
    """Let one process at a time write the split."""
    handle = os.open(env, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(root: Path) -> None:
    """Remove the copies that killed runs left: they hold passwords, as env/ does."""
    for path in root.glob(f"{_COPY}*"):
        shutil.rmtree(path, ignore_errors=True)


def _build(copy: Path, text: str, env: Path, kustomize: Kustomize) -> bytes:
    (copy / FILE).write_text(text, encoding="utf-8", newline="\n")
    try:
        return build_tutors(copy, kustomize)
    except UserError as error:
        problems = [problem.replace(message=problem.message.replace(str(copy), str(env))) for problem in error.problems]
        raise UserError(*problems) from None


def _place(parent: Path, name: str, files: Mapping[str, File]) -> None:
    """Write the split's directory under another name, and rename it when it is whole."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=parent, prefix=".new-"))
        try:
            write_files(new, files)
            new.chmod(0o755)
            if (parent / name).exists():
                # An earlier run was killed before env/ named it, or it was changed by hand since.
                shutil.rmtree(parent / name)
            new.rename(parent / name)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise UserError(Problem(message=f"{parent / name} can't be written: {error.strerror}")) from None


def _finish(env: Path, text: str, name: str) -> None:
    """Let env/ be built with the split, and remove those that it was built with before."""
    write_file(env / FILE, text)
    for path in (env / PLACE).iterdir():
        if path.name != name and path.name.startswith((PREFIX, ".new-")):
            shutil.rmtree(path, ignore_errors=True)
