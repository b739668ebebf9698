"""What a file says not to show: read strictly, whatever `check` or `diff` then finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kustomizer.errors import UserError
from kustomizer.findings.ignores import IGNORE_FILE, Ignore, ignores_of, read_ignores

if TYPE_CHECKING:
    from pathlib import Path

RULES = ("image-change", "missing-object")


def read(directory: Path, text: str) -> tuple[Ignore, ...]:
    path = directory / "ignores.yaml"
    path.write_text(text)
    return read_ignores(path, RULES)


def test_a_file(tmp_path: Path) -> None:
    text = "ignore:\n- {rule: image-change, reason: nightly}\n- resource: '*/*'\n  field: metadata\n  reason: stamped\n"
    assert read(tmp_path, text) == (
        Ignore(rule="image-change", reason="nightly"),
        Ignore(resource="*/*", field="metadata", reason="stamped"),
    )
    assert read(tmp_path, "") == ()
    assert read(tmp_path, "ignore: []\n") == ()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("ignore: [{rule: image-change}]", "ignore[0].reason"),
        ("ignore: [{rule: image-change, reason: ''}]", "ignore[0].reason"),
        ("ignore: [{rule: image-change, reason: 3}]", "ignore[0].reason"),
        ("ignore: [{reason: a}]", "ignore[0]"),
        ("ignore: [{rule: image-changed, reason: a}]", "ignore[0].rule"),
        ("ignore: [{resource: lms, reason: a}]", "ignore[0].resource"),
        ("ignore: [{fields: a, field: b, reason: a}]", "ignore[0].fields"),
        ("ignore: [a]", "ignore[0]"),
        ("ignore: a", "ignore"),
        ("ignored: []", "ignored"),
        ("- a", "ignore"),
    ],
)
def test_what_is_not_known_is_an_error(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(UserError) as raised:
        read(tmp_path, text)
    assert [problem.field for problem in raised.value.problems] == [field]
    assert "ignores.yaml" in str(raised.value)


@pytest.mark.parametrize("text", ["ignore: [", "a: b\na: c", "a: &a [*a]"])
def test_what_is_no_yaml_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"ignores\.yaml"):
        read(tmp_path, text)


def test_what_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "ignores.yaml").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"ignores\.yaml"):
        read_ignores(tmp_path / "ignores.yaml", RULES)


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may take silence for a file that was heeded."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / IGNORE_FILE).mkdir()
    with pytest.raises(UserError, match=rf"{IGNORE_FILE}: can't be read: Is a directory"):
        ignores_of(None, None, RULES)


def test_the_working_directory_comes_before_the_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    assert ignores_of(None, overlay, RULES) == ()
    (overlay / IGNORE_FILE).write_text("ignore: [{rule: image-change, reason: overlay}]")
    assert [each.reason for each in ignores_of(None, overlay, RULES)] == ["overlay"]
    assert ignores_of(None, None, RULES) == ()
    (tmp_path / IGNORE_FILE).write_text("ignore: [{rule: image-change, reason: here}]")
    assert [each.reason for each in ignores_of(None, overlay, RULES)] == ["here"]
    (tmp_path / "other.yaml").write_text("")
    assert ignores_of(tmp_path / "other.yaml", overlay, RULES) == ()
