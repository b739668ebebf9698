"""Whether a site sets anything that its Celery heeds: a plain site's workers are known without reading its settings."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES, tutors_settings
from kustomizer.manifests.identity import scan_entries
from kustomizer.manifests.name_hashes import is_generated_name
from kustomizer.manifests.tree import is_null, list_at, lookup
from kustomizer.openedx.settings_module import settings_file
from kustomizer.openedx.workers import CONFIG_MAP, has_injected_variables, pod_template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.celery.view import CeleryView
    from kustomizer.openedx.workers import EmittedWorker

REDIS = frozenset({"redis", "rediss", "sentinel", ""})
"""Transports that are a Redis; the empty one isn't known, and Tutor's is a Redis."""

# Variables that Celery's command and Open edX's settings read; Tutor sets the service's name and its module.
_VARIABLES = ("CELERY", "BROKER", "APP", "CONFIG_MODULE", "LOADER", "LMS_CFG", "CMS_CFG")
# What stands in a settings file that sets something of Celery's, or may. Tutor's own hand globals() on once.
_IN_SETTINGS = (
    *("CELERY", "BROKER_", "PRIORITY_QUEUE", "HIGH_MEM_QUEUE", "exec(", "setattr(", "vars()", "locals()"),
    *('"priority', "'priority", "priority="),
)
# Celery's own application, whose conf counts before settings.
_APPLICATIONS = ("lib.celery", "s.celery", "current_app")
_IMPORTS = (".envs.production ", ".envs.devstack ", ".envs.test ")
# In a shell script, before the worker's options.
_IN_SCRIPT = ("CELERY", "BROKER", "source ", ". ", "-b", "--workdir", "$")
# In lms.env.yml, beside the five CELERY_BROKER_ lines that Tutor writes for its Redis.
_IN_ENV_FILE = ("CELERY_BROKER_TRANSPORT_OPTIONS", "USE_SSL", "PRIORITY_QUEUE", "HIGH_MEM_QUEUE", "BROKER_URL")
_REDIS_ALONE = ('redis"', "redis\\", "redis'", "redis\n")
# Tutor's own modules for other purposes, beside the one that a worker loads.
_OTHER_MODULES = frozenset({"development.py", "test.py"})


def own_settings(resources: Resources, worker: EmittedWorker) -> CeleryView | None:
    """Return the view of a worker's Celery, as it is without this function; None for a worker as Tutor has it."""
    key = ("celery", id(worker.resource), worker.field, worker.service)
    if key not in resources.memo:
        view = None
        # Of another application's worker its command line tells all that is known.
        if worker.service in OPEN_EDX_SERVICES and not _is_plain(resources, worker):
            from kustomizer.openedx.celery.view import CeleryView  # noqa: PLC0415 - most sites set nothing of their own

            view = CeleryView(resources, worker, without_ours=True)
        resources.memo[key] = view
    found: CeleryView | None = resources.memo[key]
    return found


def transport(resources: Resources, worker: EmittedWorker) -> str:
    """Return what kind of broker a worker of Open edX's connects to, empty where only a running pod knows."""
    celery = own_settings(resources, worker)
    if celery is None:
        return "redis"
    return celery.transport


def _is_plain(resources: Resources, worker: EmittedWorker) -> bool:
    container, namespace = worker.container_tree, worker.resource.namespace
    names = (settings_file(worker.service, {}).config_map, CONFIG_MAP)
    config_maps = (resources.generated("ConfigMap", name, namespace) for name in names)
    return (
        is_null(lookup(container, "envFrom"))
        and not has_injected_variables(worker.resource)
        and not any(_is_heeded(worker.service, entry) for entry in list_at(container, "env"))
        and _has_plain_command(worker)
        and _mounts_tutors(worker, container)
        and all(_is_plain_map(config_map) for found in config_maps for config_map in found[:1])
    )


def _is_heeded(service: str, entry: Any) -> bool:
    """Tell whether a variable may have Celery do anything else than Tutor's do."""
    name = str(lookup(entry, "name"))
    if name == "DJANGO_SETTINGS_MODULE":
        return bool(lookup(entry, "value") != tutors_settings(service))
    return name.startswith(_VARIABLES)


def _has_plain_command(worker: EmittedWorker) -> bool:
    line = worker.command_line
    if any(word.expands for item in line.items for word in item.words):
        return False
    if line.script is not None:
        from kustomizer.worker_command.shell_words import starters  # noqa: PLC0415 - read by it before

        return not any(mark in line.script.head for mark in _IN_SCRIPT) and not starters(line.script.head)
    if any(item.spelling == "--" for item in line.items):
        # Settings may stand behind it.
        return False
    before = [*(line.command or ()), *(line.args or ())][: line.place]
    return before in (["celery", f"--app={worker.service}.celery"], ["celery"])


def _mounts_tutors(worker: EmittedWorker, container: Any) -> bool:
    """Tell whether nothing else takes the place of the files that Tutor mounts."""
    service = worker.service
    files = {
        f"/openedx/edx-platform/{service}/envs/tutor": f"openedx-settings-{service}",
        "/openedx/config": CONFIG_MAP,
    }
    names = {
        str(lookup(volume, "name")): _config_map_of(volume)
        for volume in list_at(pod_template(worker.resource), "spec", "volumes")
        if is_null(lookup(volume, "configMap", "items"))
    }
    for mount in list_at(container, "volumeMounts"):
        mount_path = str(lookup(mount, "mountPath")).rstrip("/")
        name = files.get(mount_path)
        if name is None:
            if any(mount_path.startswith(path) or path.startswith(f"{mount_path}/") for path in files):
                return False
        elif not is_null(lookup(mount, "subPath")) or not is_generated_name(
            names.get(str(lookup(mount, "name")), ""), name
        ):
            return False
    return True


def _config_map_of(volume: Any) -> str:
    """Return the ConfigMap that a volume holds: Tutor's, where ours has been put beside it."""
    name = lookup(volume, "configMap", "name")
    if name is None and str(lookup(volume, "name")).startswith("celery-settings-"):
        name = lookup(volume, "projected", "sources", 0, "configMap", "name")
    return str(name)


def _is_plain_map(config_map: Resource) -> bool:
    is_env_file = config_map.name.startswith(CONFIG_MAP)
    text = config_map.text if is_env_file else _modules(config_map)
    if not text or "\\x" in text:
        return False
    if is_env_file:
        # However they are quoted and broken into lines.
        transports = [value.lstrip("\\\"' \n") for value in text.split("CELERY_BROKER_TRANSPORT:")[1:]]
        return (
            text.count("CELERY") == text.count("CELERY_BROKER_")
            and all(value.startswith(_REDIS_ALONE) for value in transports)
            and not any(mark in text for mark in _IN_ENV_FILE)
        )
    return (
        all(before.endswith(_IMPORTS) for before in text.split("import *")[:-1])
        and text.count("globals()") == text.count("FeaturesProxy(globals())") + text.count("globals().get(")
        and not any(mark in text for mark in (*_IN_SETTINGS, *_APPLICATIONS))
    )


def _modules(config_map: Resource) -> str:
    """Return the settings modules that a worker may load, as one text; the whole ConfigMap if it can't be split."""
    entries = scan_entries(config_map.text, config_map.indent, "data")
    if entries is None:
        return config_map.text
    return "\n".join([entry for name, entry in entries.items() if name not in _OTHER_MODULES])
