"""What the rules find in a comparison of two builds.

The rules of `tutor-kustomizer diff` look at both builds. Those of `tutor-kustomizer check` look at one: they run on
both, and what they find in the second build only is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kustomizer.diff.model import DESTROY, ObjectChange
from kustomizer.diff.rules import lost_consumer, template_jobs
from kustomizer.diff.sides import Side, Sides
from kustomizer.errors import Problem
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import id_of, rules_in
from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.resource import Resource
from kustomizer.masking.marks import ABSENT
from kustomizer.rules import clear_text_password, function_warning, missing_object, orphaned_queue, stale_env
from kustomizer.rules.registry import RULES as CHECK_RULES

OWN_RULES = rules_in("kustomizer.diff.rules")
"""The rules that need two builds, by id."""
RULES = frozenset({*OWN_RULES, *CHECK_RULES})
"""The ids of all rules whose findings `diff` reports."""


def find(sides: Sides, objects: Sequence[ObjectChange]) -> list[Finding]:
    """Return the findings of all rules, the worst first, with secrets masked."""
    if not objects and not sides.renamings:
        # That nothing changes says little where the files weren't saved.
        unsaved = [masked(id_of(stale_env), problem, sides) for problem in stale_env.check(sides.after.site)]
        return unsaved + [
            Finding(rule=id_of(template_jobs), problem=item) for item in template_jobs.check(sides, objects)
        ]
    findings = [
        Finding(rule=rule.id, problem=problem) for rule in OWN_RULES.values() for problem in rule.check(sides, objects)
    ]
    lost = {queue for queue, _worker in lost_consumer.lost_queues(sides)}
    findings += [finding for finding in new_findings(sides, objects) if not _is_duplicate(finding, lost)]
    return sorted(findings, key=lambda finding: finding.order)


def _is_duplicate(finding: Finding, lost: set[str]) -> bool:
    """Tell whether lost-consumer reports the queue, or all of several queues, already."""
    if finding.rule == id_of(function_warning):
        queues = function_warning.queues_without_worker(finding.problem)
        return bool(queues) and queues <= lost
    return finding.rule == id_of(orphaned_queue) and any(f" {queue}," in finding.problem.message for queue in lost)


# These rules look at single objects, and would parse all of them: here they look at changed objects only.
_BY_OBJECT = {id_of(module): module for module in (clear_text_password, missing_object)}
_REFERRED = frozenset({"ConfigMap", "Secret", "TriggerAuthentication"})


def new_findings(sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Finding]:
    """Yield the findings of the build after only, with secrets masked and no hash of a Secret."""
    for rule in CHECK_RULES:
        # Most rules find nothing: then there is nothing that the build before could have had as well.
        found = list(_check(rule, sides.after, objects))
        known = {_key(finding, sides.before) for finding in _check(rule, sides.before, objects)} if found else set()
        for finding in found:
            if _key(finding, sides.after) not in known:
                yield masked(finding.rule, finding.problem, sides)


def _check(rule: str, side: Side, objects: Sequence[ObjectChange]) -> Iterator[Finding]:
    if rule not in _BY_OBJECT:
        problems: Iterable[Problem] = CHECK_RULES[rule].check(side.site)
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
