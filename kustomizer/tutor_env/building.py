"""Builds env/ from a copy beside it, with changes to its kustomization, while env/ itself stays as it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.plain_build import build_tutors, tutors_build
from kustomizer.kustomize.split_env import is_missing, split_directory
from kustomizer.kustomize.split_names import FILE
from kustomizer.system.files import read_text
from kustomizer.tutor_env.kustomization import as_tutors
from kustomizer.tutor_env.state import named_in

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
