"""Kills an export at every step: run as a program, since only a process without threads may fork.

``python -m tests.export.interrupted DIRECTORY`` prints how many steps there are, and fails where a file is gone.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from kustomizer.export.directory import write_export
from kustomizer.export.overlay import MADE_BY
from kustomizer.export.parts import File

STEPS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree"})
"""The audit events before which the process is killed."""
OLD = {
    "kustomization.yaml": File(text=MADE_BY + "resources: [base]\n"),
    "patches/a.yaml": File(text="a: 1\n"),
    "patches/gone.yaml": File(text="gone: 1\n"),
    "secrets/flower.env.example": File(text="url=\n"),
}
NEW = {
    **{name: OLD[name] for name in ("kustomization.yaml", "secrets/flower.env.example")},
    "patches/a.yaml": File(text="a: 2\n"),
    "resources/b.yaml": File(text="b: 1\n"),
}
MINE = {"README.md": "mine\n", "patches/mine.yaml": "mine\n", "secrets/flower.env": "url=redis://:secret@redis\n"}


def killed_at(step: int, directory: Path, files: Mapping[str, File]) -> bool:
    """Write ``files`` in a process of its own that is killed at a step; tell whether it came so far."""
    child = os.fork()
    if not child:
        left = step

        def count(event: str, _arguments: object) -> None:
            nonlocal left
            if event in STEPS:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        write_export(directory, files)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def prepared(directory: Path) -> None:
    """Make an export that has files of the user's in it."""
    shutil.rmtree(directory, ignore_errors=True)
    write_export(directory, OLD)
    for name, text in MINE.items():
        (directory / name).write_text(text)


def main(directory: Path) -> None:
    """Kill a first export and a second one at each step, and look at what is there then."""
    step = 0
    prepared(directory)
    while killed_at(step, directory, NEW):
        texts = {name: (directory / name).read_text() for name in MINE}
        assert texts == MINE, (step, texts)
        for name in OLD.keys() & NEW.keys():
            assert (directory / name).read_text() in (OLD[name].text, NEW[name].text), (step, name)
        assert write_export(directory, NEW) == [], step
        assert {name: (directory / name).read_text() for name in NEW} == {name: file.text for name, file in NEW.items()}
        assert not (directory / "patches/gone.yaml").exists(), step
        prepared(directory)
        step += 1
    print(step)
    new = directory.with_name("new")
    step = 0
    while killed_at(step, new, NEW):
        assert not new.exists() or (new / "resources/b.yaml").is_file(), step
        shutil.rmtree(new, ignore_errors=True)
        step += 1
    print(step)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
