"""Reads a committed file that lists what not to show of a comparison, each entry with its reason.

::

    ignore:
      - rule: image-change
        resource: Deployment/notes
        reason: The image is built anew every night.
      - resource: "*/*"
        field: metadata.annotations["app.kubernetes.io/version"]
        reason: Tutor stamps its version on everything.

Reports count what is ignored, and show the reasons. An error is never ignored, nor is a change of its object.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kustomizer.diff.model import Ignored, ObjectId, path_text
from kustomizer.diff.rules import RULES
from kustomizer.errors import ERROR, Problem, ResourceRef, UserError
from kustomizer.manifests import full_reader
from kustomizer.manifests.protocols import decode
from kustomizer.manifests.resource import stem_of
from kustomizer.manifests.tree import plain_value
from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from kustomizer.diff.model import AnyChange, ObjectChange
    from kustomizer.findings.model import Finding

IGNORE_FILE = ".tutor-kustomizer-diff.yaml"
"""The file's name, beside the overlay or in the working directory."""

_KEYS = ("rule", "resource", "field", "reason")


class Ignore(Record):
    """An entry of the file. An empty pattern matches everything; ``*`` matches any characters."""

    reason: str
    rule: str = ""
    resource: str = ""
    """``Kind/name`` or ``Kind/namespace/name``."""
    field: str = ""
    """A field's path as reports show it; fields below it match, too."""

    def takes_change(self, identity: ObjectId, change: AnyChange | None) -> bool:
        """Tell whether the entry matches a change of an object; None stands for the whole object."""
        if self.rule or not self._is_about(identity.kind, identity.namespace, identity.name):
            return False
        return not self.field or (change is not None and _is_below(self.field, path_text(change.path)))

    def takes_finding(self, finding: Finding) -> bool:
        """Tell whether the entry matches a finding; it never matches an error."""
        if finding.severity == ERROR or (self.rule and self.rule != finding.rule):
            return False
        about, field = finding.problem.resource, finding.problem.field
        if self.resource and (about is None or not self._is_about(about.kind, about.namespace, about.name)):
            return False
        return not self.field or _is_below(self.field, field)

    def _is_about(self, kind: str, namespace: str, name: str) -> bool:
        if not self.resource:
            return True
        parts = self.resource.split("/")
        names = [kind, namespace, name] if len(parts) > 2 else [kind, name]  # noqa: PLR2004 - kind, namespace, name
        names[-1] = stem_of(names[-1])
        return all(_matches(pattern, name) for pattern, name in zip(parts, names, strict=True))


class Kept(Record):
    """The part of a comparison that isn't ignored."""

    objects: Sequence[ObjectChange]
    findings: Sequence[Finding]
    ignored: Sequence[Ignored]
    """One for each entry, in their order, also for those that matched nothing."""


def read_ignores(path: Path) -> tuple[Ignore, ...]:
    """Return the entries of a file. Raises UserError where it can't be read, or isn't right."""
    try:
        tree = plain_value(full_reader.read(decode(path.read_bytes())))
    except UserError as error:
        raise UserError(
            *(problem.replace(resource=ResourceRef(kind=str(path))) for problem in error.problems)
        ) from None
    problems: list[Problem] = []
    entries = list(_entries(tree, problems))
    if problems:
        raise UserError(*(problem.replace(resource=ResourceRef(kind=str(path))) for problem in problems))
    return tuple(entries)


def without_ignored(objects: Sequence[ObjectChange], findings: Sequence[Finding], ignores: Sequence[Ignore]) -> Kept:
    """Return a comparison without what the entries match; the first entry that matches counts it."""
    changes, counts = [0] * len(ignores), [0] * len(ignores)
    kept_findings = []
    for finding in findings:
        taker = next((index for index, ignore in enumerate(ignores) if ignore.takes_finding(finding)), None)
        if taker is None:
            kept_findings.append(finding)
        else:
            counts[taker] += 1
    in_error = {_key(finding) for finding in findings if finding.severity == ERROR}
    kept_objects = []
    for item in objects:
        if (item.id.kind, item.id.namespace, item.id.name) in in_error:
            kept_objects.append(item)
            continue
        left: list[AnyChange] = []
        whole = item.changes or (None,)
        for change in whole:
            takers = (index for index, ignore in enumerate(ignores) if ignore.takes_change(item.id, change))
            taker = next(takers, None)
            if taker is not None:
                changes[taker] += 1
            elif change is not None:
                left.append(change)
        if left or (not item.changes and taker is None):
            kept_objects.append(item.replace(changes=tuple(left)))
    ignored = [
        Ignored(reason=ignore.reason, changes=changes[index], findings=counts[index])
        for index, ignore in enumerate(ignores)
    ]
    return Kept(objects=tuple(kept_objects), findings=tuple(kept_findings), ignored=tuple(ignored))


def _key(finding: Finding) -> tuple[str, str, str]:
    about = finding.problem.resource
    return (about.kind, about.namespace, about.name) if about else ("", "", "")


def _entries(tree: Any, problems: list[Problem]) -> Iterator[Ignore]:
    if tree is None:
        return
    if not isinstance(tree, dict) or not isinstance(tree.get("ignore", []), list):
        problems.append(_problem("ignore", "is to be a list of what to ignore", "See docs/diff.md"))
        return
    for key in tree:
        if key != "ignore":
            problems.append(_problem(key, "isn't known", "The file has one field, `ignore`"))
    for index, entry in enumerate(tree.get("ignore", [])):
        at = f"ignore[{index}]"
        if not isinstance(entry, dict):
            problems.append(_problem(at, "is to have a reason, and rule, resource or field", "See docs/diff.md"))
            continue
        entry_problems = list(_wrong(at, entry))
        problems += entry_problems
        if not entry_problems:
            yield Ignore(**entry)


def _wrong(at: str, entry: dict[str, Any]) -> Iterator[Problem]:
    for key, value in entry.items():
        if key not in _KEYS:
            yield _problem(f"{at}.{key}", "isn't known", f"An entry has {', '.join(_KEYS)}")
        elif not isinstance(value, str) or not value.strip():
            yield _problem(f"{at}.{key}", "is to be a text", "Give it one, or leave the field out")
    if "reason" not in entry:
        yield _problem(f"{at}.reason", "is missing", "Say why nobody has to see this")
    if not {"rule", "resource", "field"} & entry.keys():
        yield _problem(at, "would ignore everything", "Name a rule, a resource or a field")
    rule = entry.get("rule")
    if isinstance(rule, str) and rule.strip() and rule not in RULES:
        yield _problem(f"{at}.rule", f"there is no rule {rule}", "docs/rules/README.md lists them")
    resource = entry.get("resource")
    if isinstance(resource, str) and resource.strip() and resource.count("/") not in {1, 2}:
        yield _problem(f"{at}.resource", "is to be Kind/name or Kind/namespace/name", "`*` stands for any letters")


def _problem(field: str, message: str, remedy: str) -> Problem:
    return Problem(field=field, message=message, remedy=remedy)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.DOTALL) is not None


def _is_below(pattern: str, path: str) -> bool:
    # fnmatch would take the brackets in a path for a set of characters.
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*") + r"(?:[.\[].*)?", path, re.DOTALL) is not None
