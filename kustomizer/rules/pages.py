"""The rules' pages of documentation, and the list of them."""

from __future__ import annotations

from kustomizer.rules import RULES

_HEAD = """\
# Rules of `tutor-kustomizer check`

What the command finds in a site that was built, with what it means and what to do. `tutor-kustomizer check --explain
RULE` prints a page.

| rule | finds |
| --- | --- |
"""


def pages() -> dict[str, str]:
    """Return each page of docs/rules by the name of its file."""
    rows = "".join(f"| [{rule.id}]({rule.id}.md) | {rule.title} |\n" for rule in RULES.values())
    return {"README.md": _HEAD + rows, **{f"{rule.id}.md": rule.page for rule in RULES.values()}}
