"""tools/make_dist.py: what may be released, and what the archives hold; tests/acceptance/test_wheel.py installs."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from installing import InstallError
from make_dist import build, check_contents, check_release

from tests import parts, sites

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CHANGELOG = "# Changelog\n\n## 1.2.3, 2026-11-30\n\n- New.\n\n## 1.2.2, 2026-10-01\n"


def test_a_release_agrees_with_its_tag() -> None:
    check_release("1.2.3", CHANGELOG, "v1.2.3")


def test_a_try_needs_neither_tag_nor_changelog() -> None:
    check_release("1.2.3", "", "")


@pytest.mark.parametrize(
    ("version", "changelog", "tag", "said"),
    [
        ("1.2.3", CHANGELOG, "v1.2.4", "release v1.2.3"),
        ("1.2.3", CHANGELOG, "1.2.3", "release v1.2.3"),
        ("1.2.4", CHANGELOG, "v1.2.4", "isn't that of 1.2.4"),
        ("1.2.2", CHANGELOG, "v1.2.2", "isn't that of 1.2.2"),
        ("1.2.3", CHANGELOG.replace("2026-11-30", "not released yet"), "v1.2.3", "has no date"),
        ("1.2.3", CHANGELOG.replace(", 2026-11-30", ""), "v1.2.3", "has no date"),
        ("1.2.3", "# Changelog\n", "v1.2.3", "isn't that of 1.2.3"),
    ],
)
def test_what_is_refused(version: str, changelog: str, tag: str, said: str) -> None:
    with pytest.raises(InstallError, match=said):
        check_release(version, changelog, tag)


def archives(directory: Path, names: Iterable[str], *, wheel: Iterable[str]) -> tuple[Path, Path]:
    sdist, zipped = directory / "a-1.tar.gz", directory / "a-1.whl"
    with tarfile.open(sdist, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"a-1/{name}"), io.BytesIO())
    with zipfile.ZipFile(zipped, "w") as file:
        for name in (*wheel, "a-1.dist-info/METADATA"):
            file.writestr(name, "")
    return sdist, zipped


TRACKED = ("README.md", "kustomizer/a.py")


def test_what_is_committed_is_what_is_packed(tmp_path: Path) -> None:
    check_contents(*archives(tmp_path, (*TRACKED, "PKG-INFO"), wheel=["kustomizer/a.py"]), set(TRACKED))


@pytest.mark.parametrize(
    ("names", "wheel", "said"),
    [
        (
            (*TRACKED, "tutor/config.yml"),
            ["kustomizer/a.py"],
            r"a-1\.tar\.gz holds what isn't committed: tutor/config.yml",
        ),
        (["README.md"], ["kustomizer/a.py"], r"a-1\.tar\.gz lacks: kustomizer/a.py"),
        (TRACKED, ["kustomizer/a.py", "README.md"], r"a-1\.whl holds what isn't committed: README.md"),
        (TRACKED, [], r"a-1\.whl lacks: kustomizer/a.py"),
    ],
)
def test_more_or_less_is_refused(names: Iterable[str], wheel: Iterable[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=said):
        check_contents(*archives(tmp_path, names, wheel=wheel), set(TRACKED))


def test_this_checkout_is_built(tmp_path: Path) -> None:
    parts.installers()
    listed = sites.run("git", "-C", sites.ROOT, "ls-files", "--cached", "--others", "--exclude-standard").decode()
    # A file that was deleted and not committed is listed all the same.
    there = {name for name in listed.splitlines() if (sites.ROOT / name).is_file()}
    check_contents(*build(tmp_path), there)
