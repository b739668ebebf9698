"""Runs the rules of `tutor-kustomizer check` on both builds, and yields the findings that are new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kustomizer.diff.model import DESTROY, ObjectChange
from kustomizer.diff.sides import Side, Sides
from kustomizer.errors import Problem
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import id_of
from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.resource import Resource
from kustomizer.masking.marks import ABSENT
from kustomizer.rules import RULES, clear_text_password, missing_object

# These rules look at single objects, and would parse all of them: here they look at changed objects only.
_BY_OBJECT = {id_of(module): module for module in (clear_text_password, missing_object)}
_REFERRED = frozenset({"ConfigMap", "Secret", "TriggerAuthentication"})


def new_findings(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Finding]:
    """Yield the findings of the build after only, with secrets masked and no hash of a Secret."""
    for rule in RULES:
        # Most rules find nothing: then there is nothing that the build before could have had as well.
        found = list(_check(rule, sides.after, objects))
        known = {_key(finding, sides.before) for finding in _check(rule, sides.before, objects)} if found else set()
        for finding in found:
            if _key(finding, sides.after) not in known:
                yield masked(finding.rule, finding.problem, sides)


def _check(rule: str, side: Side, objects: Sequence[ObjectChange]) -> Iterator[Finding]:
    if rule not in _BY_OBJECT:
        problems: Iterable[Problem] = RULES[rule].check(side.site)
    else:
        check = _BY_OBJECT[rule].check_resource
        problems = (problem for item in _concerned(side, objects) for problem in check(side.site, item))
    for problem in problems:
        yield Finding(rule=rule, problem=problem)


def _concerned(side: Side, objects: Sequence[ObjectChange]) -> Iterator[Resource]:
    """Yield the objects that change, and those that refer to destroyed objects."""
    changed = {item.id for item in objects}
    gone = [item.id for item in objects if item.action == DESTROY and item.id.kind in _REFERRED]
    for identity, resource in sorted(side.resources.items(), key=lambda pair: pair[1].identity):
        if identity in changed or any(
            identifier.namespace == identity.namespace and resource.mentions(identifier.name) for identifier in gone
        ):
            yield resource


def _key(finding: Finding, side: Side) -> tuple[str, ...]:
    about = finding.problem.resource
    names = (about.kind, about.namespace, stem_of(about.name)) if about else ("", "", "")
    message = finding.problem.message
    for name, stem in side.names.items():
        message = message.replace(name, stem)
    return (finding.rule, finding.severity, *names, message)


def masked(rule: str, problem: Problem, sides: Sides) -> Finding:
    """Return what a rule of `check` found, with secrets masked and no hash of a Secret."""
    about = problem.resource
    reference = about.replace(name=_without_secret_hashes(about.name, sides.after)) if about else None
    # These rules look at the builds with their secrets, and may quote them.
    texts = (sides.masks.shown(ABSENT, sides.masks.cut(text, []))[1] for text in (problem.message, problem.remedy))
    message, remedy = (_without_secret_hashes(text, sides.after) for text in texts)
    return Finding(rule=rule, problem=problem.replace(resource=reference, message=message, remedy=remedy))


def _without_secret_hashes(text: str, side: Side) -> str:
    for name in side.real_names:
        text = text.replace(name, stem_of(name))
    return text
