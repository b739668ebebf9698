"""The settings module of a split worker: it runs Tutor's own module and adds Celery settings to it.

Tutor's ConfigMap stays as it is, since `tutor k8s do` names it by the hash of Tutor's own build. Instead of Tutor's
volume the pod mounts a projected one, in which ours has the name of Tutor's file and Tutor's file has another one. The
projected volume has *a new name*: server-side apply refuses a volume that keeps its name and changes its kind.
"""

from __future__ import annotations

from kustomizer.config.types import tutors_settings
from kustomizer.manifests.name_hashes import suffixes
from kustomizer.manifests.resource import NEEDS_HASH_SUFFIX, Resource
from kustomizer.openedx.workers import site_metadata
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TUTORS_FILE_PREFIX = "tutor_"
"""Prefix of Tutor's settings file where ours has taken its name."""
MADE_BY = "# Made by tutor-kustomizer from the CeleryWorkers configuration."
"""The first line of each module of ours."""
CONFIG_MAP_SUFFIX = "-celery-settings"
"""The end of the names of our ConfigMaps, before the hash; before it stands the worker's name, or the service's."""


class CelerySettings(Record):
    """A worker's own Celery settings, besides the routing.

    ``unacked_suffix`` gives the worker in-flight keys of its own; times are seconds.
    """

    unacked_suffix: str = ""
    visibility_timeout: int | None = None
    late: bool = True
    """Whether tasks are acknowledged when they are done."""
    reject_on_worker_lost: bool | None = None
    retry_on_worker_lost: bool | None = None
    soft_shutdown_timeout: int | None = None
    is_watched: bool = False
    """Whether the worker tells its liveness probe that its consumer moves."""


class SettingsFile(Record):
    """A Django settings module of a service, as a pod finds it: ``lms.envs.tutor.production``, ``production.py``."""

    service: str
    module: str

    @property
    def name(self) -> str:
        """The file's name in the settings ConfigMap."""
        return self.module.rpartition(".")[2] + ".py"

    @property
    def package_path(self) -> str:
        """The directory that holds it, from where Python looks for it: ``lms/envs/tutor``."""
        return self.module.rpartition(".")[0].replace(".", "/")

    @property
    def is_tutors_package(self) -> bool:
        """Whether it is beside Tutor's own settings."""
        return self.package_path == f"{self.service}/envs/tutor"

    @property
    def config_map(self) -> str:
        """The ConfigMap that Tutor generates for the service."""
        return f"openedx-settings-{self.service}"

    @property
    def volume(self) -> str:
        """The name of the projected volume that takes the place of Tutor's."""
        return f"celery-settings-{self.service}"


def settings_file(service: str, modules: Mapping[str, str]) -> SettingsFile:
    """Return the settings module of ``service``: the one that the configuration names, or Tutor's."""
    return SettingsFile(service=service, module=modules.get(service, tutors_settings(service)))


# https://man7.org/linux/man-pages/man7/pid_namespaces.7.html. Celery's handler is there before the worker takes a task
# (celery/apps/worker.py, `Worker.on_start`). Other programs in its pod may have something in hand, and get none. 143 is
# what SIGTERM leaves of any process that hears it.
_STOP = """
# A worker that is told to stop while it starts ends at once. The kernel keeps SIGTERM from the first process of a
# container until that has a handler, and Celery sets its own, in place of this one, only when Django is loaded.
if _os.getpid() == 1 and "worker" in _sys.argv and _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
    _signal.signal(_signal.SIGTERM, lambda *_: _os._exit(143))
"""


def head(name: str, *, for_worker: bool) -> str:
    """Return the statements that our settings file ``name`` begins with: they run Tutor's.

    ``for_worker`` adds those by which a worker hears that it has to stop while Tutor's are loaded.
    """
    imports = ["import os as _os", "import signal as _signal", "import sys as _sys"] if for_worker else []
    lines = [
        MADE_BY,
        *imports,
        "from pathlib import Path as _Path",
        _STOP if for_worker else "",
        f"_tutor = _Path(__file__).with_name({TUTORS_FILE_PREFIX + name!r})",
        'exec(compile(_tutor.read_bytes(), str(_tutor), "exec"), globals())',
    ]
    return "\n".join(lines)


def without_stop(text: str) -> str:
    """Return our settings file ``text`` without the statements on SIGTERM, which set nothing; other texts as they are.

    Lines keep their numbers.
    """
    return text.replace(_STOP, "\n" * _STOP.count("\n"), 1) if text.startswith(MADE_BY) else text


def head_of(text: str, name: str) -> str:
    """Return the lines of :func:`head` that ``text`` begins with, where it is a file ``name`` of ours; else none."""
    heads = (f"{head(name, for_worker=for_worker)}\n" for for_worker in (True, False))
    return next((lines for lines in heads if text.startswith(lines)), "")


def render(file: SettingsFile, *, routing: Mapping[str, str], worker: CelerySettings | None) -> str:
    """Return the text of our settings module; each name and number in it is a Python literal.

    Tutor's file runs in this module's own namespace, where a star import would leave the ``FeaturesProxy(globals())``
    of Tutor 22 bound to another one.
    """
    lines = [head(file.name, for_worker=worker is not None)]
    if worker is not None:
        lines += ["", *_worker_lines(worker)]
    if routing:
        lines += ["", render_routing(routing)]
    if worker is not None and worker.is_watched:
        from kustomizer.openedx.consumer_watch import statements  # noqa: PLC0415 - few workers have the probe

        lines += ["", statements().rstrip()]
    return "\n".join([*lines, ""])


def render_routing(routing: Mapping[str, str]) -> str:
    """Return the statement that routes tasks to queues; Tutor's own settings may hold the same one."""
    return "\n".join(_update("EXPLICIT_QUEUES", {task: {"queue": queue} for task, queue in routing.items()}))


def _worker_lines(worker: CelerySettings) -> list[str]:
    lines = [f"CELERY_ACKS_LATE = {worker.late!r}"]
    if worker.reject_on_worker_lost is not None:
        lines.append(f"CELERY_REJECT_ON_WORKER_LOST = {worker.reject_on_worker_lost!r}")
    if worker.retry_on_worker_lost is not None:
        lines.append(f"CELERY_RETRY_ON_WORKER_LOST = {worker.retry_on_worker_lost!r}")
    if worker.soft_shutdown_timeout is not None:
        lines.append(f"CELERYD_SOFT_SHUTDOWN_TIMEOUT = {worker.soft_shutdown_timeout!r}")
    options: dict[str, object] = {}
    if worker.unacked_suffix:
        # All three: if workers share some of them, messages are stranded (kombu/transport/redis.py).
        for key in ("unacked", "unacked_index", "unacked_mutex"):
            options[f"{key}_key"] = f"{key}{worker.unacked_suffix}"
    if worker.visibility_timeout is not None:
        options["visibility_timeout"] = worker.visibility_timeout
    if options:
        lines += _update("BROKER_TRANSPORT_OPTIONS", options)
    return lines


def _update(name: str, entries: Mapping[str, object]) -> list[str]:
    return [
        f"{name} = {{",
        f"    **(globals().get({name!r}) or {{}}),",
        *(f"    {key!r}: {value!r}," for key, value in entries.items()),
        "}",
    ]


def config_map(
    name: str,
    file: SettingsFile,
    text: str,
    *,
    owner: Resource,
    annotations: Mapping[str, str],
    is_named: bool = False,
) -> Resource:
    """Return the ConfigMap ``name`` that holds our settings module, labelled like ``owner``.

    Its name gets a hash suffix, so that a change rolls the pods that read it. kustomize adds the suffix, and searches
    all objects for references to each such ConfigMap; with ``is_named`` the name has the same suffix from the start.
    """
    metadata = site_metadata(owner, name=name)
    metadata["annotations"] |= annotations
    tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {file.name: text}}
    known = suffixes(tree) if is_named else ()
    if len(known) == 1:
        metadata["name"] = f"{name}-{known[0]}"
        if not metadata["annotations"]:
            del metadata["annotations"]
    else:
        metadata["annotations"][NEEDS_HASH_SUFFIX] = "enabled"
    return Resource.new(tree, indent=owner.indent)
