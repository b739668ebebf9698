"""Makes the split of a fresh env/: builds a copy, runs the function on it, writes what it made, and holds it to that.

env/ itself stays as it is while a copy beside it is built, with changes to its kustomization. kustomize runs twice.
While it does, everything is imported and done that needn't wait for it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.plain_build import build_tutors, tutors_build
from kustomizer.kustomize.split_env import is_missing, split_directory
from kustomizer.kustomize.split_names import FILE, PLACE
from kustomizer.record import Record
from kustomizer.system.files import read_text
from kustomizer.tutor_env.kustomization import as_tutors, with_split, without_entry, without_hashes
from kustomizer.tutor_env.state import digest_of_text, named_in

_COPY = ".kustomizer-env-"


def build_as_tutors(root: Path, kustomize: Kustomize) -> bytes:
    """Build env/ as Tutor would have written it without us, whether the split is in it, missing or not wanted.

    Raises UserError where there is nothing, or kustomize fails.
    """
    env = root / "env"
    if split_directory(env) is None and not is_missing(env):
        return build_tutors(env, kustomize)
    text = as_tutors(read_text(env / FILE))
    with usable(root), copied(root, named_in(env)) as copy, building(copy, text, env, kustomize) as built:
        return built()


@contextmanager
def usable(root: Path) -> Iterator[None]:
    """Raise UserError where a file below ``root`` can't be read or written: no permission, or no room."""
    try:
        yield
    except OSError as error:
        place = error.filename or root
        raise UserError.of(f"{place} can't be read or written: {error.strerror or error}") from None


@contextmanager
def copied(root: Path, files: Iterable[tuple[str, Path]]) -> Iterator[Path]:
    """Make a copy of ``files`` of env/ beside it, where ``../`` means the same; it is gone in the end."""
    with tempfile.TemporaryDirectory(dir=root, prefix=_COPY) as temporary:
        target = Path(temporary)
        for name, path in files:
            copy = target / name
            if not copy.resolve().is_relative_to(target.resolve()):
                # A directory outside of env/, which is found from the copy, too.
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        yield target


@contextmanager
def building(copy: Path, text: str, env: Path, kustomize: Kustomize) -> Iterator[Callable[[], bytes]]:
    """Start to build ``copy`` with the kustomization ``text``; what is given waits for the outcome.

    Raises UserError, which names ``env``, where kustomize fails.
    """
    (copy / FILE).write_text(text, encoding="utf-8", newline="\n")
    try:
        with tutors_build(copy, kustomize) as built:
            yield built
    except UserError as error:
        problems = [problem.replace(message=problem.message.replace(str(copy), str(env))) for problem in error.problems]
        raise UserError(*problems) from None


def sweep(root: Path) -> None:
    """Remove the copies that killed runs left: they hold passwords, as env/ does."""
    for path in root.glob(f"{_COPY}*"):
        shutil.rmtree(path, ignore_errors=True)


class Fresh(Record):
    """An env/ that Tutor has just rendered, and the split that is to be made of it."""

    root: Path
    text: str
    """Its kustomization."""
    files: Sequence[tuple[str, Path]]
    """What it is built from, by name."""
    name: str
    """The name of the split's directory."""
    inputs: Mapping[str, str]
    """What tells what the split is made from."""


def make(fresh: Fresh, named: Path | None, added: Mapping[str, Any], kustomize: Kustomize) -> dict[str, Any]:
    """Make the split's directory in env/, proven, and return its summary; nothing names it yet."""
    env = fresh.root / "env"
    with copied(fresh.root, fresh.files) as copy:
        with building(copy, without_hashes(without_entry(fresh.text)), env, kustomize) as tutors:
            from kustomizer.tutor_env.made import differences, made_of  # noqa: PLC0415 - while kustomize builds

            made = made_of(tutors(), fresh.root, named, added)
        final = with_split(fresh.text, fresh.name, patches=made.has_patches)
        made.write(copy / PLACE / fresh.name)
        with building(copy, final, env, kustomize) as built, _new_directory(env / PLACE, fresh.name) as new:
            summary = {
                "source": made.source,
                "table": made.table(),
                "warnings": [str(problem) for problem in made.warnings],
                "patches": made.has_patches,
                "inputs": dict(fresh.inputs),
                "kustomization": digest_of_text(final),
                "files": {path: digest_of_text(file.text) for path, file in made.files.items()},
            }
            made.write_with(json.dumps(summary, indent=2) + "\n", new)
            wrong = list(differences(built(), made.resources))
            if wrong:
                raise UserError(*wrong)
    return summary


@contextmanager
def _new_directory(parent: Path, name: str) -> Iterator[Path]:
    """Give a directory in ``parent`` to write to, which gets its ``name`` when all is well, and else is removed."""
    parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=parent, prefix=".new-"))
    try:
        yield new
        new.chmod(0o755)
        if (parent / name).exists():
            # An earlier run was killed before env/ named it, or it was changed by hand since.
            shutil.rmtree(parent / name)
        new.rename(parent / name)
    finally:
        shutil.rmtree(new, ignore_errors=True)
