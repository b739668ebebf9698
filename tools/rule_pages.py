"""Write docs/rules, a page for each rule and the list of them, from the rules' docstrings: `make docs`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kustomizer.diff.findings import OWN_RULES
from kustomizer.findings.rule import Rule
from kustomizer.rules.registry import RULES

DIRECTORY = Path(__file__).resolve().parent.parent / "docs/rules"

_HEAD = """\
# Rules of `tutor-kustomizer check`

The findings of the command in a built site. Each page says what a finding means and what to do.
`tutor-kustomizer check --explain RULE` prints a page.

| rule | finds |
| --- | --- |
"""
_DIFF_HEAD = """
# Rules of `tutor-kustomizer diff`

The findings of the command in a change of a site. It also reports new findings of the rules above.

| rule | finds |
| --- | --- |
"""


def pages() -> dict[str, str]:
    """Return each page of docs/rules by the name of its file."""
    readme = _HEAD + _rows(RULES.values()) + _DIFF_HEAD + _rows(OWN_RULES.values())
    return {"README.md": readme, **{f"{rule.id}.md": rule.page for rule in [*RULES.values(), *OWN_RULES.values()]}}


def _rows(rules: Iterable[Rule]) -> str:
    return "".join(f"| [{rule.id}]({rule.id}.md) | {rule.title} |\n" for rule in rules)


if __name__ == "__main__":
    for name, text in pages().items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")
