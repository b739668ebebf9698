"""Reads what Tutor 16 to 22 emits for Celery: worker Deployments, their queues and the ConfigMaps they read.

``tests/acceptance/test_sites.py`` holds this module to real builds of each version.
"""

from __future__ import annotations

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.tree import command_words, is_null, list_at, lookup, number_at, string_list
from kustomizer.record import Record
from kustomizer.worker_command.worker import find_worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.worker_command.command_line import CommandLine

NAME_LABEL = "app.kubernetes.io/name"
"""The label by which Tutor tells the pods of its Deployments apart."""

CONFIG_MAP = "openedx-config"
"""The ConfigMap that holds ``lms.env.yml`` and ``cms.env.yml``."""

# The annotation by which a webhook (Bank-Vaults') gives a pod all variables that are at a path.
_INJECTED = "vault-env-from-path"

# Tutor 16 and 17 name no queues: their workers take whatever edx-platform's CELERY_QUEUES lists
# (lms/envs/production.py and cms/envs/production.py of the releases Palm and Quince).
KNOWN_QUEUES = {
    "lms": ("edx.lms.core.default", "edx.lms.core.high", "edx.lms.core.high_mem"),
    "cms": ("edx.cms.core.default", "edx.cms.core.high", "edx.cms.core.low"),
}

# A container's list in the pod, and its index.
Place = tuple[str, int]

DISKS = ("awsElasticBlockStore", "azureDisk", "cinder", "gcePersistentDisk", "iscsi", "rbd", "vsphereVolume")
"""Volumes without a claim that are attached to a node."""

# The path of the pod template, by kind; a Pod is one itself.
_POD_TEMPLATES = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ScaledJob": ("spec", "jobTargetRef", "template"),
}
_COMMON_POD_TEMPLATE = ("spec", "template")
# They have no pods, or pods that end once. What else has a pod template may run a worker, as Argo's Rollout.
_RUNS_NO_WORKER = frozenset({"CeleryWorkers", "ConfigMap", "Job", "Pod", "Secret"})
CELERYS_VISIBILITY_TIMEOUT = 3600
"""The seconds after which Redis hands an unacknowledged task out again, by default (kombu/transport/redis.py)."""
RECURRING = frozenset({"CronJob", "ScaledJob"})
"""Kinds whose pods end, and come again."""


class EmittedWorker(Record):
    """A service's Celery worker as Tutor and its plugins emitted it."""

    service: str
    resource: Resource
    container: int
    """The index of the container that runs Celery."""
    command_line: CommandLine
    listed: str = "containers"
    """The list that the container is in: a sidecar is one of the init containers."""

    @property
    def container_tree(self) -> Any:
        """The container that runs Celery."""
        return lookup(pod_template(self.resource), "spec", self.listed, self.container)

    @property
    def field(self) -> str:
        """The path of that container."""
        return f"{pod_field(self.resource)}.{self.listed}[{self.container}]"

    @property
    def deployment(self) -> str:
        """The Deployment's name."""
        return self.resource.name

    @property
    def queues(self) -> tuple[str, ...] | None:
        """The queues that it consumes, None where only the application's own settings name them."""
        named = self.command_line.queues
        if named is not None:
            return named
        known = KNOWN_QUEUES.get(self.service)
        if known is None:
            return None
        excluded = self.command_line.excluded_queues or ()
        return tuple(queue for queue in known if queue not in excluded)


def grace_period(deployment: Resource) -> int:
    """Return the seconds that a Deployment's pods get to finish, 0 where the manifest leaves that to Kubernetes."""
    return number_at(pod_template(deployment), "spec", "terminationGracePeriodSeconds") or 0


def pod_template(resource: Resource) -> dict[str, Any] | None:
    """Return the tree of the pod template within ``resource``, None where it has none."""
    template = lookup(resource.tree, *_POD_TEMPLATES.get(resource.kind, _COMMON_POD_TEMPLATE))
    return template if isinstance(template, dict) and isinstance(lookup(template, "spec", "containers"), list) else None


def running(template: Any) -> Iterator[tuple[Place, Any]]:
    """Yield the containers that run as long as the pod does, with their places; a sidecar may be an init container."""
    for field in ("containers", "initContainers"):
        for index, container in enumerate(list_at(template, "spec", field)):
            if field == "containers" or lookup(container, "restartPolicy") == "Always":
                yield (field, index), container


def starting(template: Any) -> Iterator[tuple[Place, Any]]:
    """Yield the init containers that have to end before those of :func:`running` start, with their places."""
    for index, container in enumerate(list_at(template, "spec", "initContainers")):
        if lookup(container, "restartPolicy") != "Always":
            yield ("initContainers", index), container


def pod_field(resource: Resource) -> str:
    """Return the path of the pod's specification within ``resource``, as messages write it."""
    return ".".join((*_POD_TEMPLATES.get(resource.kind, _COMMON_POD_TEMPLATE), "spec"))


def emitted_worker(resources: Resources, service: str) -> EmittedWorker:
    """Return the Celery worker of ``service``: the Deployment ``<service>-worker`` that runs one, in any namespace.

    Raises UserError where there is none, more than one, or one whose command line can't be edited.
    """
    name = f"{service}-worker"
    deployments = resources.find("Deployment", name)
    workers = [worker for resource in deployments for worker in _workers_in(service, resource)]
    sidecars = [
        f"{resource.ref} (init container {index})"
        for resource in deployments
        for (listed, index), item in running(pod_template(resource))
        if listed == "initContainers" and worker_line(item)
    ]
    if len(workers) == 1 and not sidecars:
        return workers[0]
    field = f"spec.workers.{service}"
    if not workers:
        for resource in deployments:
            _refuse_strings(resource)
        for worker in workers_of(resources):
            if worker.resource.name == name:
                raise UserError(_of_another_kind(worker, service))
        services = ", ".join(sorted(worker_services(resources))) or "none"
        # As superset-worker of aspects on Tutor 22, which runs `bash docker-bootstrap.sh worker`.
        why = ": its command line has no `celery … worker`; it may be started by a script" if deployments else ""
        message = f"the build has no Deployment {name} that runs a Celery worker{why}"
        remedy = f"{_instead(resources, name, service)}. Services that have one: {services}"
        raise UserError.of(message, field=field, remedy=remedy)
    containers = [f"{worker.resource.ref} (container {worker.container})" for worker in workers]
    places = ", ".join(sorted([*containers, *sidecars]))
    remedy = "Build one site at a time, with one worker container in the pod"
    message = f"more than one container runs the Celery worker of {service}: {places}"
    raise UserError.of(message, field=field, remedy=remedy)


def _instead(resources: Resources, name: str, service: str) -> str:
    """Say what to do where there is no worker: kustomize may have renamed it."""
    for resource in resources.of_kind("Deployment"):
        if resource.name != name and (resource.name.startswith(f"{name}-") or resource.name.endswith(f"-{name}")):
            return f"Move namePrefix or nameSuffix, which made {resource.name}, to a kustomization above this one"
    return f"Leave {service} out of spec.workers, or add its worker"


def _of_another_kind(worker: EmittedWorker, service: str) -> Problem:
    is_sidecar = worker.resource.kind == "Deployment"
    kind, whole = ("sidecar", "container of its own") if is_sidecar else (worker.resource.kind, "Deployment")
    message = f"the Celery worker of {service} is a {kind}: only a {whole} is split"
    remedy = f"Make it a {whole} as Tutor does, or leave {service} out of spec.workers"
    return worker.resource.problem(message, remedy, field=worker.field if is_sidecar else "kind")


def _refuse_strings(resource: Resource) -> None:
    """Raise UserError where a command is a string, which an API server refuses."""
    for index, container in enumerate(lookup(pod_template(resource), "spec", "containers") or ()):
        for field in ("command", "args"):
            if not is_null(lookup(container, field)) and string_list(container, field) is None:
                remedy = "Mend the patch that writes it: each word is an item"
                path = f"spec.template.spec.containers[{index}].{field}"
                raise UserError(resource.problem("isn't a list", remedy, field=path))


def _workers_in(service: str, resource: Resource) -> list[EmittedWorker]:
    template = pod_template(resource)
    workers = []
    for index, container in enumerate(lookup(template, "spec", "containers") or ()):
        command_line = worker_line(container)
        if command_line is None:
            continue
        if command_line.uneditable:
            words = " ".join(command_words(container)).split()
            beat = "; a scheduler in the script becomes its option --beat" if "beat" in words else ""
            several = ": spec.workers makes a Deployment for each queue" if "multi" in words else ""
            message = f"the worker's command line can't be edited: {command_line.uneditable}"
            remedy = "Give the container `celery … worker` as its command or args, without a shell script"
            field = f"spec.template.spec.containers[{index}]"
            raise UserError(resource.problem(message, f"{remedy}{beat}{several}", field=field))
        if command_line.has("--detach"):
            message = "the worker goes to the background (--detach), and its container ends"
            field = f"spec.template.spec.containers[{index}]"
            raise UserError(resource.problem(message, "Take --detach out: Kubernetes keeps it running", field=field))
        workers.append(EmittedWorker(service=service, resource=resource, container=index, command_line=command_line))
    return workers


def emitted_in(service: str, resource: Resource) -> EmittedWorker | None:
    """Return the one Celery worker that ``resource`` runs, None where there is none or more."""
    workers = _workers_in(service, resource)
    return workers[0] if len(workers) == 1 else None


def worker_services(resources: Resources) -> list[str]:
    """Return the services whose Deployment ``<service>-worker`` runs a Celery worker."""
    return [
        resource.name.removesuffix("-worker")
        for resource in resources.of_kind("Deployment")
        if resource.name.endswith("-worker")
        and resource.mentions("celery")
        and any(map(worker_line, list_at(pod_template(resource), "spec", "containers")))
    ]


def has_injected_variables(owner: Resource) -> bool:
    """Tell whether a webhook gives the pods of ``owner`` variables that stand nowhere in the build."""
    # False is certain of the first, and parses nothing.
    return owner.mentions(_INJECTED) and _INJECTED in str(lookup(pod_template(owner), "metadata", "annotations"))


def worker_line(container: Any) -> CommandLine | None:
    """Return the command line of the Celery worker that a container starts, None where it starts none."""
    return find_worker(string_list(container, "command"), string_list(container, "args"))


def may_run_worker(resource: Resource) -> bool:
    """Tell whether a worker may run in the pods of ``resource``, whatever its kind. False is certain."""
    return resource.kind not in _RUNS_NO_WORKER and resource.mentions("celery") and resource.mentions("containers")


def workers_of(resources: Iterable[Resource]) -> Iterator[EmittedWorker]:
    """Yield each container of these resources that runs a Celery worker, editable or not."""
    for resource in resources:
        if not may_run_worker(resource):
            continue
        for (listed, index), item in running(pod_template(resource)):
            line = worker_line(item)
            if line is not None:
                service = environment(item, "SERVICE_VARIANT") or resource.name.partition("-worker")[0]
                yield EmittedWorker(
                    service=service, resource=resource, container=index, command_line=line, listed=listed
                )


def site_metadata(owner: Resource, *, name: str) -> dict[str, Any]:
    """Return the metadata of a new object, labelled as ``owner`` so that Tutor's selectors count it to the site."""
    return {
        "name": name,
        **({"namespace": owner.namespace} if owner.namespace else {}),
        "labels": of_the_site(owner, "metadata", "labels"),
        "annotations": of_the_site(owner, "metadata", "annotations"),
    }


def of_the_site(owner: Resource, *path: str) -> dict[str, Any]:
    """Return the labels or annotations at ``path`` of ``owner`` that Tutor gives every object of the site."""
    present = lookup(owner.tree, *path)
    labels = present if isinstance(present, dict) else {}
    return {key: value for key, value in labels.items() if key.startswith("app.kubernetes.io/")}


def environment(container: Any, name: str) -> str | None:
    """Return the value that the manifest gives an environment variable, None where it gives none."""
    found = None
    # Of two of one name the last counts.
    for entry in list_at(container, "env"):
        if lookup(entry, "name") == name:
            value = lookup(entry, "value")
            found = None if is_null(value) else str(value)
    return found
