"""Makes the split of a fresh env/: builds a copy, runs the function on it, writes what it made, and holds it to that.

kustomize runs twice. While it does, everything is imported and done that needn't wait for it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.split_names import PLACE
from kustomizer.record import Record
from kustomizer.tutor_env.building import building, copied
from kustomizer.tutor_env.kustomization import with_split, without_entry, without_hashes
from kustomizer.tutor_env.state import digest_of_text


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
            from kustomizer.tutor_env.made import made_of  # noqa: PLC0415 - while kustomize builds

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
            wrong = list(made.differences(built()))
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
