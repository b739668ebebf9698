"""Changes to a configuration that an operator asks for by name: a worker, a setting of one, a task's route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kustomizer.config.load import worker_settings
from kustomizer.config.model import CeleryWorkers
from kustomizer.config.values import did_you_mean, join
from kustomizer.config.worker import DEFAULT, deployment_name
from kustomizer.errors import INFO, WARNING, Problem, UserError
from kustomizer.manifests.tree import lookup
from kustomizer.openedx.workers import KNOWN_QUEUES
from kustomizer.overlay.advice import advice
from kustomizer.overlay.config_file import ConfigFile
from kustomizer.overlay.yaml_edit import apply
from kustomizer.record import Record

Settings = Mapping[tuple[str, ...], Any]


class ConfigEdit(Record):
    """A changed configuration file, its changes in words, and warnings about them."""

    file: ConfigFile
    done: Sequence[str]
    notes: Sequence[Problem] = ()


def add_worker(file: ConfigFile, service: str, variant: str, settings: Settings) -> ConfigEdit:
    """Add a worker with ``settings``, by their paths in it. Raises UserError where it is there or wouldn't be right."""
    before = file.load()
    if service in before.spec.workers and variant in before.spec.workers[service]:
        refuse(f"spec.workers.{service}.{variant} is there already", f"Change it: queue set {service} {variant} ...")
    worker: dict[str, Any] = {}
    for path, value in settings.items():
        worker = apply(worker, path, value)
    changed = file.set(("spec", "workers", service, variant), worker)
    after = changed.load()
    queues = ", ".join(after.queues(service, variant))
    done = [f"added {_name(service, variant)}: Deployment {deployment_name(service, variant)} consumes {queues}"]
    done += [f"set {_name(service, variant, *path)} to {_shown(value)}" for path, value in settings.items()]
    return ConfigEdit(file=changed, done=done, notes=_notes(after, service, variant, settings))


def change_worker(
    file: ConfigFile, service: str, variant: str, settings: Settings, unset: Sequence[Sequence[str]] = ()
) -> ConfigEdit:
    """Change settings of a worker, and take those at the paths ``unset`` out.

    Raises UserError where there is no such worker or setting, or it wouldn't be right.
    """
    before = file.load()
    _known(before, service, variant)
    if not settings and not unset:
        refuse("nothing to set", "Name a setting, as --max-replicas 5; queue set --help lists them")
    changed, done = file, []
    for path in unset:
        changed = _unset(changed, ("spec", "workers", service, variant), path)
        done.append(f"took {_name(service, variant, *path)} out")
    values = {}
    for path, value in settings.items():
        full = ("spec", "workers", service, variant, *path)
        old = lookup(before.given, *full[1:])
        if old != value:
            values[full] = value
            was = "" if old is None else f" (it was {_shown(old)})"
            done.append(f"set {_name(service, variant, *path)} to {_shown(value)}{was}")
    changed = changed.set_all(values)
    after = changed.load()
    return ConfigEdit(file=changed, done=done, notes=_notes(after, service, variant, settings))


def _unset(file: ConfigFile, worker: Sequence[str], path: Sequence[str]) -> ConfigFile:
    name = ".".join(path)
    value = lookup(file.load().given, *worker[1:], *path)
    if value is None and lookup(file.own, *worker, *path) is None:
        set_fields = ", ".join(_fields(lookup(file.own, *worker))) or "none"
        remedy = did_you_mean(name, list(_fields(lookup(file.own, *worker)))) or f"What it has: {set_fields}"
        refuse(f"{_name(*worker[2:])} has no {name}", remedy)
    at = [*worker, *path]
    # What is left empty goes, too, up to the worker itself.
    while len(at) > len(worker) + 1 and len(lookup(file.own, *at[:-1]) or "") == 1 and not file.base:
        at.pop()
    return file.remove(at)


def _fields(settings: Any, above: str = "") -> Iterator[str]:
    for key, value in (settings if isinstance(settings, dict) else {}).items():
        yield f"{above}{key}"
        yield from _fields(value, f"{above}{key}.")


def remove_worker(file: ConfigFile, service: str, variant: str) -> ConfigEdit:
    """Take a worker out. Raises UserError where there is none, or tasks are routed to it."""
    before = file.load()
    _known(before, service, variant)
    if variant == DEFAULT:
        refuse(
            f"{service}-worker is Tutor's own, which every split service keeps",
            "To take a setting of it back, edit the file",
        )
    queues = before.queues(service, variant)
    routed = [
        f"{sender} {task}"
        for sender, table in before.spec.routing.items()
        for task, to in table.items()
        if to.queue in queues
    ]
    if routed:
        first = f"Send them elsewhere first, as: tutor-kustomizer route {routed[0]} QUEUE"
        refuse(f"tasks are routed to {', '.join(queues)}: {', '.join(routed)}", f"{first} (or --remove)")
    changed = file.remove(("spec", "workers", service, variant))
    after = changed.load()
    name = deployment_name(service, variant)
    notes = list(_without_consumer(after, service))
    if service in KNOWN_QUEUES:
        notes.insert(0, _drain(name, queues))
    return ConfigEdit(file=changed, done=[f"removed {_name(service, variant)}: Deployment {name} goes"], notes=notes)


def route_task(file: ConfigFile, service: str, task: str, queue: str) -> ConfigEdit:
    """Send a task to a queue. Raises UserError where no worker consumes that."""
    before = file.load()
    consumed = consumed_queues(before)
    if queue not in consumed:
        remedy = did_you_mean(queue, consumed) or f"Queues that have one: {', '.join(consumed)}"
        refuse(f"no worker of this configuration consumes {queue}", remedy)
    old = before.spec.routing.get(service, {}).get(task)
    if old is not None and old.queue == queue:
        return ConfigEdit(file=file, done=[])
    changed = file.set(("spec", "routing", service, task, "queue"), queue)
    changed.load()
    was = f" (it went to {old.queue})" if old else ""
    return ConfigEdit(file=changed, done=[f"{task}, sent by {service}, goes to {queue}{was}"])


def remove_route(file: ConfigFile, service: str, task: str) -> ConfigEdit:
    """Leave a task's queue to Open edX. Raises UserError where it isn't routed."""
    routing = file.load().spec.routing
    table = routing.get(service, {})
    if task not in table:
        remedy = did_you_mean(task, list(table)) or f"Routed: {', '.join(table) or 'nothing'}"
        refuse(f"{task} isn't routed for {service}", remedy)
    path = ["spec", "routing", service, task]
    # What is left empty goes, too.
    while len(path) > 2 and len(lookup(file.own, *path[:-1]) or "") == 1 and not file.base:  # noqa: PLR2004 - spec.routing
        path.pop()
    changed = file.remove(path)
    changed.load()
    return ConfigEdit(file=changed, done=[f"{task}, sent by {service}, goes where Open edX sends it"])


def refuse(message: str, remedy: str) -> None:
    """Raise a UserError."""
    raise UserError.of(message, remedy=remedy)


def _known(config: CeleryWorkers, service: str, variant: str) -> None:
    if service not in config.spec.workers:
        split = ", ".join(config.services()) or "none"
        remedy = f"Services that are: {split}. To split it: tutor-kustomizer queue add {service} {variant}"
        refuse(f"{service} isn't split", remedy)
    variants = config.variants(service)
    if variant not in variants:
        remedy = did_you_mean(variant, variants) or f"There are {', '.join(variants)}"
        refuse(f"{service} has no worker {variant}", remedy)


def consumed_queues(config: CeleryWorkers) -> list[str]:
    """Return the queues that have a consumer: a worker's, those left with a default worker, and of unsplit services."""
    named = [
        queue
        for service in config.services()
        for variant in config.variants(service)
        for queue in config.queues(service, variant)
    ]
    keeps = config.spec.unassigned_queues == "KeepOnDefault"
    unassigned = [
        queue
        for service, queues in KNOWN_QUEUES.items()
        for queue in queues
        if keeps or service not in config.services()
    ]
    return list(dict.fromkeys([*named, *unassigned]))


def _without_consumer(config: CeleryWorkers, service: str) -> Iterator[Problem]:
    """Say which of Open edX's queues no worker would consume; the build looks at what Tutor really emitted."""
    orphans = [queue for queue in KNOWN_QUEUES.get(service, ()) if queue not in consumed_queues(config)]
    if service not in config.services() or not orphans or config.spec.unassigned_queues == "Ignore":
        return
    yield Problem(
        severity=WARNING,
        message=f"no worker consumes {', '.join(orphans)} now: the build is refused where Tutor's worker does",
        remedy="Add a worker, give them to one with --queues, or set unassignedQueues: KeepOnDefault in the file",
    )


def _notes(config: CeleryWorkers, service: str, variant: str, settings: Settings) -> list[Problem]:
    notes = list(_without_consumer(config, service))
    given = [path for path in settings if path[0] == "keda" and path != ("keda", "enabled")]
    if given and not worker_settings(config, service, variant).keda_enabled:
        message = f"KEDA isn't turned on for {service} {variant}, so that its settings have no effect"
        remedy = "Turn it on with --keda, or in spec.defaults for all"
        notes.append(Problem(severity=INFO, message=message, remedy=remedy))
    return [*notes, *advice(config, service, variant)]


def _drain(deployment: str, queues: Sequence[str]) -> Problem:
    key = f"unacked.{deployment}"
    return Problem(
        severity=WARNING,
        message=f"{deployment} keeps what it works on under its own key {key}; what is left there once it is gone, "
        "nobody puts back",
        remedy=f"Drain it before you apply this: give {', '.join(queues)} to another worker, and this one a queue that "
        f"nobody sends to; wait for its visibility timeout, and until `redis-cli HLEN {key}` is 0 "
        "(docs/keda.md, 'Taking a worker away')",
    )


def _name(*keys: str) -> str:
    path = "spec.workers"
    for key in keys:
        path = join(path, key)
    return path


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
