"""What must run once for a site and not in each copy of a worker: a scheduler (beat), or a purge at each start."""

from __future__ import annotations

from kustomizer.errors import INFO, WARNING, Problem, UserError
from kustomizer.manifests.resource import Resource, same_object
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.celery_programs import (
    AS_SIDECAR,
    endless,
    never_ends,
    runs_beat,
    runs_once as runs_program_once,
    takes_turns,
    watches_celery,
)
from kustomizer.openedx.own_settings import own_settings
from kustomizer.openedx.workers import Place, pod_template, running, starting
from kustomizer.record import Record
from kustomizer.transform.deployments import PROBES, give_name, write_command_line
from kustomizer.transform.model import has_one_pod, may_have_no_pod
from kustomizer.transform.worker_variables import BEAT, PURGE, unset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resources
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.transform.model import ServicePlan

_OPTIONS = ("--beat", "--schedule-filename", "--scheduler")
_OF_BEAT = ("--loglevel", "--schedule-filename", "--scheduler")


class Once(Record):
    """What a worker's pod runs that may run in one pod only."""

    in_worker: bool
    """Whether the worker itself runs the scheduler (``--beat``)."""
    purges: bool
    options: frozenset[str]
    """Those of ``--beat`` and ``--purge`` that its command line has: what a variable says, not every version heeds."""
    takes_turns: bool
    """Whether of several schedulers one works at a time."""
    containers: tuple[Place, ...]
    """The other containers that run one."""
    doubtful: tuple[Place, ...]
    """Containers that run something else of the application, in the worker's own image, or of Celery's."""
    endless: tuple[tuple[Place, str], ...]
    """Init containers that run something which never ends, and what that is."""
    variables: frozenset[str]
    """Variables that have the worker do one of these."""

    @property
    def has_scheduler(self) -> bool:
        """Whether a scheduler runs."""
        return self.in_worker or bool(self.containers)

    @property
    def is_sure(self) -> bool:
        """Whether a scheduler runs, whatever version of Celery the image has."""
        return bool(self.containers) or "--beat" in self.options

    @property
    def runs_scheduler(self) -> str:
        """What is said of its pod, that runs a scheduler."""
        return "runs a scheduler (beat)" if self.is_sure else f"may run a scheduler (beat; {_not_all(BEAT)})"


def once(resources: Resources, worker: EmittedWorker, variables: frozenset[str]) -> Once | None:
    """Return what the worker's pod runs once, None where there is nothing of the kind.

    ``variables`` are those that set options of the worker.
    """
    template = pod_template(worker.resource)
    containers = dict(running(template))
    scheduler = containers.pop(("containers", worker.container))
    image = plain_value(lookup(scheduler, "image"))
    beats = tuple(key for key, container in containers.items() if runs_beat(container))
    line = worker.command_line
    options = frozenset(option for option in ("--beat", "--purge") if line.has(option))
    in_worker = "--beat" in options or BEAT in variables
    schedulers = [*([scheduler] if in_worker else ()), *(containers[key] for key in beats)]
    celery = own_settings(resources, worker) if schedulers else None
    runs_once = Once(
        in_worker=in_worker,
        purges="--purge" in options or PURGE in variables,
        options=options,
        takes_turns=all(takes_turns(each, celery) for each in schedulers),
        containers=beats,
        doubtful=tuple(
            key
            for key, container in containers.items()
            if key not in beats and (_has_image(container, image) or runs_program_once(container))
        )
        # Before the pod starts, one may delete what waits.
        + tuple(key for key, item in starting(template) if watches_celery(item) == "celery purge"),
        endless=tuple(endless(template)),
        variables=variables & {BEAT, PURGE},
    )
    is_any = runs_once.has_scheduler or runs_once.purges or runs_once.doubtful or runs_once.endless
    return runs_once if is_any else None


def _has_image(container: Any, image: Any) -> bool:
    return bool(image) and plain_value(lookup(container, "image")) == image


def check(config: CeleryWorkers, plan: ServicePlan, found: Once) -> list[Problem]:
    """Return what the copies leave out, as notes. Raises UserError where the default worker can't keep it."""
    emitted = plan.emitted
    field, problem = emitted.field, emitted.resource.problem
    moved = config.spec.scheduler is not None and config.spec.scheduler.enabled
    if found.has_scheduler and not moved:
        _check_pods(plan, found)
    copies = ", ".join(variant.deployment for variant in plan.variants[1:])
    names = ", ".join(variant.deployment for variant in plan.variants)
    notes = [
        problem(never_ends(program, names), AS_SIDECAR, field=_path(place), severity=WARNING)
        for place, program in found.endless
    ]
    if copies and found.has_scheduler and not moved:
        message = f"{found.runs_scheduler}, which stays in it alone: {copies} run none"
        notes.append(problem(message, field=field, severity=INFO))
    if copies and found.purges:
        purges = "deletes what waits when it starts (--purge)"
        if "--purge" not in found.options:
            purges = f"may delete what waits when it starts ({PURGE})"
        message = f"{purges}: {copies} don't"
        notes.append(problem(message, field=field, severity=INFO))
    image = plain_value(lookup(emitted.container_tree, "image"))
    for place in found.doubtful if copies else ():
        container = lookup(pod_template(emitted.resource), "spec", *place)
        program = runs_program_once(container)
        own = _has_image(container, image) and program != "celery purge"
        what = "has the worker's image and isn't a worker" if own else f"runs {program}"
        message = f"container {lookup(container, 'name')} {what}: it runs in each pod of {copies}, too"
        remedy = "Give it a Deployment or a Job of its own where it has to run once"
        notes.append(problem(message, remedy, field=_path(place), severity=WARNING))
    return notes


def _check_pods(plan: ServicePlan, found: Once) -> None:
    """Raise UserError where a scheduler would stay in a worker that may have several pods, or none."""
    emitted, default = plan.emitted, plan.variants[0]
    if found.takes_turns:
        wrong = "no pods: each periodic task would be sent by none then" if may_have_no_pod(emitted, default) else ""
    else:
        wrong = "any number of pods but one: each periodic task would be sent by all of them, or by none"
        wrong = "" if has_one_pod(emitted, default) else wrong
    if not wrong:
        return
    message = f"{emitted.deployment} {found.runs_scheduler} and may have {wrong}"
    remedy = f"Set spec.scheduler.enabled: true to give it a Deployment of its own, or let {default.path} have "
    remedy += "one pod (replicas: 1, keda.enabled: false)"
    if not found.is_sure:
        remedy += f", or take {BEAT} out where no scheduler is meant"
    raise UserError(emitted.resource.problem(message, remedy, field=emitted.field))


def _not_all(variable: str) -> str:
    return f"not every version of Celery's command heeds {variable}"


def _path(place: Place) -> str:
    return f"spec.template.spec.{place[0]}[{place[1]}]"


def leave_out(tree: dict[str, Any], worker: EmittedWorker, found: Once, *, purge: bool = True) -> None:
    """Take out of a Deployment's tree what must not run in it; ``worker`` is the worker in it."""
    pod = tree["spec"]["template"]["spec"]
    container = pod["containers"][worker.container]
    line = worker.command_line
    for option in (*_OPTIONS, *(("--purge",) if purge else ())):
        line = line.without_option(option)
    write_command_line(container, line)
    unset(container, found.variables if purge else found.variables - {PURGE})
    for listed, index in sorted(found.containers, reverse=True):
        del pod[listed][index]


def add_scheduler(resources: Resources, config: CeleryWorkers, emitted: EmittedWorker, found: Once) -> None:
    """Add a Deployment with the scheduler that ran in the worker; before it is taken out there."""
    scheduler = config.spec.scheduler
    tree = emitted.resource.copy_tree()
    name = f"{emitted.service}-beat"
    pod = tree["spec"]["template"]["spec"]
    by_itself = found.containers and not found.in_worker
    listed, index = found.containers[0] if by_itself else ("containers", emitted.container)
    container = pod[listed][index]
    if found.in_worker:
        _run_beat(container, emitted)
        unset(container, found.variables)
    container["name"] = name
    for probe in PROBES:
        container.pop(probe, None)
    if scheduler is not None and scheduler.resources:
        container["resources"] = scheduler.resources
    # A proxy that it connects through goes with it; what may run once or watches Celery stays where it is.
    for place, number in sorted({("containers", emitted.container), *found.containers, *found.doubtful}, reverse=True):
        del pod[place][number]
    pod["containers"].insert(0, container)
    if listed == "initContainers":
        del container["restartPolicy"]
    give_name(tree, name)
    # A rolling update starts the new pod while the old one still ends: two schedulers.
    tree["spec"] |= {"replicas": 1, "strategy": {"type": "Recreate"}}
    new = Resource.new(tree, indent=emitted.resource.indent)
    present = resources.get(new.identity)
    if present is not None and not same_object(present.tree, tree):
        message = f"is there already, and {emitted.deployment} runs a scheduler, too: the one would have the other's "
        message += "name"
        remedy = "Take the worker's out (--beat), and leave spec.scheduler out, or take this Deployment out"
        raise UserError(present.problem(message, remedy, field="metadata.name"))
    resources.add(new, after=emitted.resource)


def without_scheduler(resources: Resources, config: CeleryWorkers) -> list[Problem]:
    """Return the warning that nothing of the build runs a scheduler, though the configuration asks for one."""
    for deployment in resources.of_kind("Deployment", "StatefulSet"):
        if any(runs_beat(container) for _, container in running(pod_template(deployment))):
            return []
    message = "no worker that is split runs a scheduler, so that none gets a Deployment of its own"
    remedy = "Give one of Tutor's workers the option --beat (LMS_WORKER_COMMAND in Tutor), or leave it out"
    return [config.problem(message, remedy, field="spec.scheduler.enabled", severity=WARNING)]


def _run_beat(container: dict[str, Any], emitted: EmittedWorker) -> None:
    line = emitted.command_line
    words = [*(line.command or ()), *(line.args or ())]
    kept = [
        setting.option.write(setting.value)
        for item in line.items
        for setting in item.settings
        if setting.option.name in _OF_BEAT
    ]
    options = [word.replace("--schedule-filename", "--schedule") for word in kept]
    run = [*words[: line.place], "beat", *options]
    # `command` takes the place of the image's own program, `args` doesn't: each word stays where it was.
    split = len(line.command or ())
    if line.command is not None:
        container["command"] = run[:split] if split <= line.place else run
    container["args"] = run[split:] if split <= line.place else []
    if not container["args"]:
        del container["args"]
