"""Reads a committed file that lists what needn't be shown, each entry with its reason: `check` and `diff` share it.

::

    ignore:
      - rule: missing-object
        resource: Deployment/notes
        reason: Our operator makes the Secret in the cluster.
      - resource: "*/*"
        field: metadata.annotations["app.kubernetes.io/version"]
        reason: Tutor stamps its version on everything.

Reports count what is set aside, and show the reasons. An error takes an entry that names its rule and its object.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from kustomizer.errors import ERROR, Problem, ResourceRef, UserError
from kustomizer.findings.model import Finding
from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.protocols import decode
from kustomizer.manifests.tree import plain_value
from kustomizer.record import Record
from kustomizer.system.wording import plural

IGNORE_FILE = ".tutor-kustomizer-ignore.yaml"
"""The file's name, beside the overlay or in the working directory."""

_KEYS = ("rule", "resource", "field", "reason")
_SEE = "docs/ignoring.md has examples"


class Ignore(Record):
    """An entry of the file. An empty pattern matches everything; ``*`` matches any characters."""

    reason: str
    rule: str = ""
    resource: str = ""
    """``Kind/name`` or ``Kind/namespace/name``."""
    field: str = ""
    """A field's path as reports show it; fields below it match, too."""

    def takes(self, finding: Finding) -> bool:
        """Tell whether the entry matches a finding; an error only where it names both rule and object."""
        if finding.severity == ERROR and not (self.rule and self.resource):
            return False
        if self.rule and self.rule != finding.rule:
            return False
        about, field = finding.problem.resource, finding.problem.field
        if self.resource and (about is None or not self.is_about(about.kind, about.namespace, about.name)):
            return False
        return self.is_above(field)

    def is_about(self, kind: str, namespace: str, name: str) -> bool:
        """Tell whether the entry matches an object."""
        if not self.resource:
            return True
        parts = self.resource.split("/")
        names = [kind, namespace, name] if len(parts) > 2 else [kind, name]  # noqa: PLR2004 - kind, namespace, name
        names[-1] = stem_of(names[-1])
        return all(_matches(pattern, name) for pattern, name in zip(parts, names, strict=True))

    def is_above(self, path: str) -> bool:
        """Tell whether the entry matches a field: its own, or one below it."""
        if not self.field:
            return True
        return _matches(self.field, path, then=r"(?:[.\[].*)?")


class Ignored(Record):
    """An entry of the file, and how much it matched."""

    reason: str
    changes: int = 0
    findings: int = 0
    """All that it matched, errors too."""
    errors: int = 0
    is_stale: bool = False
    """Whether there is nothing any more that it could match."""

    @property
    def counts(self) -> str:
        """What it matched, in words."""
        others = self.findings - self.errors
        numbers = ((self.changes, "change"), (self.errors, "error"), (others, "finding"))
        counts = [plural(number, noun) for number, noun in numbers if number]
        return " and ".join(counts) or ("nothing any more, take the entry out" if self.is_stale else "nothing")


def without_ignored(
    findings: Sequence[Finding], ignores: Sequence[Ignore]
) -> tuple[tuple[Finding, ...], tuple[Ignored, ...]]:
    """Return the findings without those that the entries match, and of each entry, in their order, what it matched.

    The first entry that matches a finding counts it.
    """
    shown: list[Finding] = []
    matched: list[list[Finding]] = [[] for _ in ignores]
    for finding in findings:
        taker = next((index for index, ignore in enumerate(ignores) if ignore.takes(finding)), None)
        (shown if taker is None else matched[taker]).append(finding)
    ignored = []
    for ignore, findings_of in zip(ignores, matched, strict=True):
        errors = sum(finding.severity == ERROR for finding in findings_of)
        ignored.append(Ignored(reason=ignore.reason, findings=len(findings_of), errors=errors))
    return tuple(shown), tuple(ignored)


def ignores_of(file: Path | None, overlay: Path | None, rules: Container[str]) -> tuple[Ignore, ...]:
    """Return the entries of ``file``, or of the one in the working directory or in the directory ``overlay``.

    Raises UserError as :func:`read_ignores` does.
    """
    places = [Path(IGNORE_FILE), *([overlay / IGNORE_FILE] if overlay else [])]
    path = file or next((place for place in places if place.exists()), None)
    return read_ignores(path, rules) if path else ()


def read_ignores(path: Path, rules: Container[str]) -> tuple[Ignore, ...]:
    """Return the entries of a file. Raises UserError where it can't be read, isn't right, or names no rule of ours."""
    problems: list[Problem] = []
    try:
        from kustomizer.manifests import full_reader  # noqa: PLC0415 - `import yaml` is a third of a short command's time

        tree = plain_value(full_reader.read(decode(path.read_bytes())))
    except UserError as error:
        problems = list(error.problems)
    except OSError as error:
        problems = [Problem(message=f"can't be read: {error.strerror}", remedy=f"It is to be a file of YAML; {_SEE}")]
    else:
        entries = list(_entries(tree, rules, problems))
    if problems:
        raise UserError(*(problem.replace(resource=ResourceRef(kind=str(path))) for problem in problems))
    return tuple(entries)


def _entries(tree: Any, rules: Container[str], problems: list[Problem]) -> Iterator[Ignore]:
    if tree is None:
        return
    if not isinstance(tree, dict) or not isinstance(tree.get("ignore", []), list):
        problems.append(_problem("ignore", "is to be a list of what to ignore", _SEE))
        return
    for key in tree:
        if key != "ignore":
            problems.append(_problem(key, "isn't known", "The file has one field, `ignore`"))
    for index, entry in enumerate(tree.get("ignore", [])):
        at = f"ignore[{index}]"
        if not isinstance(entry, dict):
            problems.append(_problem(at, "is to have a reason, and rule, resource or field", _SEE))
            continue
        entry_problems = list(_wrong(at, entry, rules))
        problems += entry_problems
        if not entry_problems:
            yield Ignore(**entry)


def _wrong(at: str, entry: dict[str, Any], rules: Container[str]) -> Iterator[Problem]:
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
    if isinstance(rule, str) and rule.strip() and rule not in rules:
        yield _problem(f"{at}.rule", f"there is no rule {rule}", "docs/rules/README.md lists them")
    resource = entry.get("resource")
    if isinstance(resource, str) and resource.strip() and resource.count("/") not in {1, 2}:
        yield _problem(f"{at}.resource", "is to be Kind/name or Kind/namespace/name", "`*` stands for any letters")


def _problem(field: str, message: str, remedy: str) -> Problem:
    return Problem(field=field, message=message, remedy=remedy)


def _matches(pattern: str, text: str, *, then: str = "") -> bool:
    """Tell whether ``*`` for any characters makes the pattern the text, with what the expression ``then`` takes."""
    # fnmatch would take the brackets in a path for a set of characters.
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*") + then, text, re.DOTALL) is not None
