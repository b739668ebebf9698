"""Build what is released into dist/, and check it: `make dist`. Nothing is published.

TAG in the environment is the tag that is released: it has to be the package's version, and CHANGELOG.md has to have a
section for it that is dated. Without one the build is a try. The wheel is built from the sdist, so that the sdist is
shown to be whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from installing import InstallError, main_guard, run, say

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def check_release(version: str, changelog: str, tag: str) -> None:
    """Refuse a tag that isn't the version's, and a version that the changelog doesn't tell of, with its date."""
    if not tag:
        return
    if tag != f"v{version}":
        raise InstallError(f"the tag is {tag}, and kustomizer/__init__.py says {version}: release v{version}")
    section = re.search(r"(?m)^## (\S+)(?:, (.*))?$", changelog)
    if section is None or section[1] != version:
        raise InstallError(f"CHANGELOG.md: the first section isn't that of {version}: write it")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", section[2] or ""):
        raise InstallError(f"CHANGELOG.md: the section of {version} has no date: write `## {version}, YYYY-MM-DD`")


def check_contents(sdist: Path, wheel: Path, tracked: set[str]) -> None:
    """Refuse archives that hold more or less than what is committed: a site's passwords may lie in a checkout."""
    with tarfile.open(sdist) as archive:
        packed = {member.name.partition("/")[2] for member in archive.getmembers() if not member.isdir()}
    _compare(sdist.name, packed - {"PKG-INFO"}, tracked)
    with zipfile.ZipFile(wheel) as zipped:
        names = {name for name in zipped.namelist() if ".dist-info/" not in name}
    _compare(wheel.name, names, {name for name in tracked if name.startswith("kustomizer/")})


def _compare(archive: str, packed: set[str], wanted: set[str]) -> None:
    for message, names in (("holds what isn't committed", packed - wanted), ("lacks", wanted - packed)):
        if names:
            raise InstallError(f"{archive} {message}: {', '.join(sorted(names)[:10])}")


def build(directory: Path) -> tuple[Path, Path]:
    """Build the sdist, and from it the wheel, into ``directory``; return both."""
    hatchling = (sys.executable, "-m", "hatchling", "build", "-d", directory)
    run([*hatchling, "-t", "sdist"], directory=ROOT)
    (sdist,) = directory.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(sdist) as archive:
            # Debian's Python 3.11 has no filters yet.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(scratch)  # noqa: S202 - it is our own, of a moment ago
        (source,) = Path(scratch).iterdir()
        run([*hatchling, "-t", "wheel"], directory=source)
    (wheel,) = directory.glob("*.whl")
    return sdist, wheel


def check_installed(wheel: Path, version: str) -> None:
    """Install the wheel, with what it requires, and ask both commands for an answer."""
    with tempfile.TemporaryDirectory() as scratch:
        run([sys.executable, "-m", "venv", scratch])
        binaries = Path(scratch) / "bin"
        run([binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel])
        answer = run([binaries / "tutor-kustomizer", "--version"])
        if version not in answer:
            raise InstallError(f"{wheel.name}: tutor-kustomizer --version says {answer.strip()}, and not {version}")
        run([binaries / "tutor-celery-workers", "--definition"])


def main() -> None:
    """Build and check."""
    text = (ROOT / "kustomizer" / "__init__.py").read_text()
    version = re.findall(r'(?m)^__version__ = "(.+)"$', text)[0]
    check_release(version, (ROOT / "CHANGELOG.md").read_text(), os.environ.get("TAG", ""))
    tracked = set(run(["git", "ls-files"], directory=ROOT).splitlines())
    with tempfile.TemporaryDirectory() as scratch:
        sdist, wheel = build(Path(scratch))
        check_contents(sdist, wheel, tracked)
        check_installed(wheel, version)
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        for archive in (sdist, wheel):
            shutil.move(archive, DIST / archive.name)
    sums = "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in sorted(DIST.iterdir()))
    (DIST / "SHA256SUMS").write_text(sums)
    say(f"Built and checked version {version}:")
    print(sums, end="")


if __name__ == "__main__":
    main_guard(main)
