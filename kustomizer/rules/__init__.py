"""The rules of `tutor-kustomizer check`: one module each, with its id, its page as docstring, and ``check``.

May import `site` and the layers below it (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kustomizer.errors import Problem
from kustomizer.findings.model import Finding
from kustomizer.findings.rule import DocumentedRule, documentation_of

# `as`: without it mypy takes these, on its second run, for names that the package doesn't mean to export.
from kustomizer.rules import (
    broker_address as broker_address,
    changed_selector as changed_selector,
    clear_text_password as clear_text_password,
    counted_queues as counted_queues,
    differing_brokers as differing_brokers,
    differing_images as differing_images,
    endless_init_container as endless_init_container,
    flower_without_password as flower_without_password,
    flux_substitution as flux_substitution,
    function_skipped as function_skipped,
    function_warning as function_warning,
    grace_period as grace_period,
    idle_queue as idle_queue,
    missing_object as missing_object,
    missing_target as missing_target,
    orphaned_queue as orphaned_queue,
    refused_autoscaler as refused_autoscaler,
    refused_build as refused_build,
    refused_resources as refused_resources,
    replicas_beside_autoscaler as replicas_beside_autoscaler,
    scale_to_zero as scale_to_zero,
    stale_env as stale_env,
    stale_hash as stale_hash,
    stopped_worker as stopped_worker,
    two_autoscalers as two_autoscalers,
    two_consumers as two_consumers,
    two_schedulers as two_schedulers,
    unknown_task as unknown_task,
)
from kustomizer.site.model import Site

_MODULES = (
    broker_address,
    changed_selector,
    clear_text_password,
    counted_queues,
    differing_brokers,
    differing_images,
    endless_init_container,
    flower_without_password,
    flux_substitution,
    function_skipped,
    function_warning,
    grace_period,
    idle_queue,
    missing_object,
    missing_target,
    orphaned_queue,
    refused_autoscaler,
    refused_build,
    refused_resources,
    replicas_beside_autoscaler,
    scale_to_zero,
    stale_env,
    stale_hash,
    stopped_worker,
    two_autoscalers,
    two_consumers,
    two_schedulers,
    unknown_task,
)


class Rule(DocumentedRule):
    """One rule."""

    check: Callable[[Site], Iterable[Problem]]


RULES = {
    module.ID: Rule(id=module.ID, documentation=documentation_of(module), check=module.check) for module in _MODULES
}
"""All rules by their id, in the order of their ids."""

FOR_FLUX = frozenset({flux_substitution.ID})
"""Rules that look only at a site that Flux applies."""

FOR_TASKS = frozenset({idle_queue.ID, unknown_task.ID})
"""Rules that look only at a site whose tasks are saved."""

BRIEF = frozenset({clear_text_password.ID})
"""Rules whose notes are about what Tutor writes, and alike: several of them are shown in one line."""


def check(site: Site) -> list[Finding]:
    """Return what all rules find in ``site``, the worst first."""
    findings = [Finding(rule=rule.id, problem=problem) for rule in RULES.values() for problem in rule.check(site)]
    return sorted(findings, key=lambda finding: finding.order)
