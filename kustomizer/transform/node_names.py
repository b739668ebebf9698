"""Problems with what names Celery's nodes and queues, pods of one name say, and with what probes and hooks do."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import ERROR, WARNING, Problem
from kustomizer.manifests.tree import lookup, text_at
from kustomizer.openedx.workers import environment, pod_template
from kustomizer.transform.deployments import PROBES, has_own_name, hostname
from kustomizer.transform.model import has_one_pod
from kustomizer.worker_command.command_line import names_host

TYPE_CHECKING = False
_BETWEEN = str.maketrans(dict.fromkeys(";&|()[]{}'\"`,", " "))
_DESTINATIONS = frozenset({"--destination", "-d"})

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import Variant


def node_names(config: CeleryWorkers, emitted: EmittedWorker, variants: Sequence[Variant]) -> Iterator[Problem]:
    """Yield the warnings about the workers that ``emitted`` is split into."""
    yield from _shared(config, emitted, variants)
    yield from _in_probes(emitted, variants)
    name = emitted.command_line.hostname or ""
    node = name.partition("%")[0].partition("$")[0]
    node = node if "@" in node else f"celery@{node}"
    line = emitted.command_line
    misnamed = [variant for variant in variants if hostname(line, variant) and not has_own_name(emitted, variant)]
    for field in PROBES:
        copies = [variant.deployment for variant in misnamed if not _states(variant, field)]
        if copies and node in str(lookup(emitted.container_tree, field)):
            message = f"asks for the node {node}, which in the pods of {', '.join(copies)} isn't their own"
            remedy = "End the worker's --hostname in @%h, and what it asks for in @$HOSTNAME, by a shell"
            yield emitted.resource.problem(message, remedy, field=f"{emitted.field}.{field}", severity=WARNING)


def _in_probes(emitted: EmittedWorker, variants: Sequence[Variant]) -> Iterator[Problem]:
    """Yield warnings about probes and hooks: a queue that a worker no longer takes, a command to all workers."""
    for field in PROBES:
        mine = [variant for variant in variants if not _states(variant, field)]
        words = str(lookup(emitted.container_tree, field)).replace("\\n", " ").translate(_BETWEEN).split()
        own = field if field in ("livenessProbe", "lifecycle") else "patch"
        for queue in emitted.queues or ():
            without = [variant.deployment for variant in mine if queue not in variant.queues]
            if without and queue in words:
                take = "no longer takes" if len(without) == 1 else "no longer take"
                message = f"names the queue {queue}, which {', '.join(without)} {take}: there it fails, or does nothing"
                remedy = "Have it name the pod's own node (celery@….$HOSTNAME) and no queue, or state the worker's own "
                yield emitted.resource.problem(
                    message, f"{remedy}{own}", field=f"{emitted.field}.{field}", severity=WARNING
                )
        if field == "lifecycle":
            yield from _runs_once(emitted, mine, words)
        program, control, *_ = [*(word for word in words if word in ("control", "celery")), "", ""]
        if (program, control) == ("celery", "control") and not _DESTINATIONS.intersection(_options(words)):
            names = ", ".join(variant.deployment for variant in mine)
            message = "`celery control` without --destination is heard by all workers of the site, and each pod of "
            remedy = "Name the pod's own node in it: --destination celery@….$HOSTNAME, by a shell"
            field_of = f"{emitted.field}.{field}"
            yield emitted.resource.problem(f"{message}{names} sends it", remedy, field=field_of, severity=WARNING)


def _runs_once(emitted: EmittedWorker, variants: Sequence[Variant], words: Sequence[str]) -> Iterator[Problem]:
    """Yield what a hook does in each pod of ``variants`` that one pod may do: run a scheduler, or delete what waits."""
    does = next((word for word in words if word in ("beat", "purge")), "")
    several = [item.deployment for item in variants if not item.is_default or not has_one_pod(emitted, item)]
    if not does or not several or not any(word.rpartition("/")[2] == "celery" for word in words):
        return
    message = f"starts `celery {does}` in each pod of {', '.join(several)}"
    of_own = f"state {variants[-1].path}.lifecycle, and that of each of these, without it"
    if does == "beat":
        message += ": each periodic task would be sent by all of them"
        remedy = f"Give the worker the option --beat in its place, and set spec.scheduler.enabled: true; or {of_own}"
    else:
        message += ": what waits is deleted whenever one starts"
        remedy = f"Take it out, or {of_own}"
    severity = ERROR if does == "beat" else WARNING
    yield emitted.resource.problem(message, remedy, field=f"{emitted.field}.lifecycle", severity=severity)


def _options(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words} | {word[:2] for word in words}


def _shared(config: CeleryWorkers, emitted: EmittedWorker, variants: Sequence[Variant]) -> Iterator[Problem]:
    of_pod = text_at(pod_template(emitted.resource), "spec", "hostname")
    line = emitted.command_line
    # Without the option a variable names the node.
    name = line.hostname or environment(emitted.container_tree, "CELERY_WORKER_HOSTNAME")
    is_fixed = not names_host(name)
    if not of_pod and not is_fixed:
        return
    # Copies of Open edX's workers have names of their own, which end in the pod's; those of others keep the name.
    all_alike = of_pod or emitted.service not in OPEN_EDX_SERVICES
    alike = [variant for variant in variants if all_alike or variant.is_default]
    several = [variant.deployment for variant in alike if not has_one_pod(emitted, variant)]
    if is_fixed and len(alike) > 1:
        several = [variant.deployment for variant in alike]
    restores = config.spec.celery.restore_orphans.enabled
    if not several and not restores:
        return
    names = ", ".join(several or [variant.deployment for variant in alike])
    stated, field, remedy = of_pod, "spec.template.spec.hostname", "Leave it out"
    if is_fixed:
        stated = f"--hostname={name}" if line.hostname else f"CELERY_WORKER_HOSTNAME={name}"
        field, remedy = emitted.field, "End it in the pod's name: --hostname=worker@%h"
    message = f"{stated} gives all pods of {names} one name: Flower, `inspect` and `in-flight` can't tell them apart"
    message += ", and restoreOrphans puts nothing back" if restores else ""
    yield emitted.resource.problem(message, remedy, field=field, severity=WARNING)


def _states(variant: Variant, field: str) -> bool:
    """Tell whether the configuration states a probe or hook of its own in this place."""
    own = {"livenessProbe": variant.settings.liveness_probe, "lifecycle": variant.settings.lifecycle}
    return own.get(field) is not None
