"""Every relative link of every page leads somewhere: the file is there, and so is the heading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests import sites

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDERS = ("docs", "overlays", "generators", "base", "diff-action", "gitlab", "benchmarks", "tests")
PAGES = sorted(
    [*sites.ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (sites.ROOT / folder).rglob("*.md"))]
)
_INLINE = r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)"
_REFERENCE = r"^\[[^\]]+\]: (\S+)$"
_HTML = r"<(?:a|img)[^>]+(?:href|src)=\"([^\"]+)\""
_LINK = re.compile(f"{_INLINE}|{_REFERENCE}|{_HTML}", re.MULTILINE)


def prose(text: str) -> str:
    """Return a page without what isn't read as Markdown: fenced blocks and code within a line."""
    return re.sub(r"`[^`\n]+`", "code", re.sub(r"(?ms)^( *)(```+|~~~+).*?^\1\2$", "", text))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and GitLab make them."""
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#+ +(.+?)(?: #+)?$", re.sub(r"(?ms)^```.*?^```$", "", page.read_text())):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = sum(1 for each in found if re.fullmatch(rf"{re.escape(anchor)}(?:-\d+)?", each))
        found.add(f"{anchor}-{number}" if number else anchor)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', page.read_text()))


def broken(page: Path) -> Iterator[str]:
    for groups in _LINK.findall(prose(page.read_text())):
        target = next(filter(None, groups))
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.is_relative_to(sites.ROOT) or not there.exists():
            yield f"{target}: no such file"
        elif anchor and (there.suffix != ".md" or anchor not in anchors(there)):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(sites.ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def test_what_is_broken_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# A page, `with` code\n[a](other.md) [b](#a-page-with-code) [c](#else) [d](page.md#a-page-with-code)\n"
        "`[e](in-code.md)` [f](https://example.com/#x) [g](..) ![h](image.svg)\n```\n[i](in-block.md)\n```\n"
    )
    assert list(broken(page)) == [
        "other.md: no such file",
        "#else: no such heading",
        "..: no such file",
        "image.svg: no such file",
    ]
