"""The rules' pages of documentation, and the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.diff.rules import OWN_RULES
from kustomizer.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kustomizer.findings.rule import DocumentedRule

_HEAD = """\
# Rules of `tutor-kustomizer check`

What the command finds in a site that was built, with what it means and what to do. `tutor-kustomizer check --explain
RULE` prints a page.

| rule | finds |
| --- | --- |
"""
_DIFF_HEAD = """
# Rules of `tutor-kustomizer diff`

What the command finds in a change of the site, beside what the rules above find after the change and not before it.

| rule | finds |
| --- | --- |
"""


def pages() -> dict[str, str]:
    """Return each page of docs/rules by the name of its file."""
    both: list[DocumentedRule] = [*RULES.values(), *OWN_RULES.values()]
    readme = _HEAD + _rows(RULES.values()) + _DIFF_HEAD + _rows(OWN_RULES.values())
    return {"README.md": readme, **{f"{rule.id}.md": rule.page for rule in both}}


def _rows(rules: Iterable[DocumentedRule]) -> str:
    return "".join(f"| [{rule.id}]({rule.id}.md) | {rule.title} |\n" for rule in rules)
