"""What is written in one step: the mode, links, and what is no file."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from kustomizer.errors import UserError
from kustomizer.system.files import write_file


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "site.yaml", "a: b\n")
    finally:
        os.umask(before)
    assert _mode(tmp_path / "site.yaml") == 0o600


def test_a_private_file_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.touch(mode=0o600)
    write_file(path, "a: b\n")
    assert (path.read_text(), _mode(path)) == ("a: b\n", 0o600)


def test_a_link_still_leads_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.yaml"
    link.symlink_to("there/site.yaml")
    for text in ("new\n", "changed\n"):
        write_file(link, text)
        assert link.is_symlink()
        assert (tmp_path / "there" / "site.yaml").read_text() == text


def test_what_is_no_file_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_file(pipe, "a: b\n")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    reader.join(10)
    assert read == ["a: b\n"]


def test_a_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be written: Is a directory"):
        write_file(tmp_path, "a: b\n")
