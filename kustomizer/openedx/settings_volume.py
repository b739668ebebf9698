"""Replaces Tutor's settings volume of a pod by one that holds our settings module, too."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.manifests.resource import is_generated_name, stem_of
from kustomizer.manifests.tree import is_null, lookup, plain_value
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX
from kustomizer.openedx.workers import environment
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.settings_module import SettingsFile


class SettingsVolume(Record):
    """The volume that holds a service's settings in a pod: Tutor's, or ours from an earlier run."""

    index: int
    tree: dict[str, Any]
    is_ours: bool

    @property
    def name(self) -> str:
        """The volume's name in the pod."""
        return str(self.tree.get("name"))


def find_volume(template: dict[str, Any], file: SettingsFile, *, container: int | None = None) -> SettingsVolume | None:
    """Return the settings volume of ``file``'s service in a pod template, None where the pod mounts none.

    ``container`` is the index of the container that has to mount it; without it any will do.
    """
    all_containers = list(containers(template))
    readers = all_containers if container is None else [lookup(template, "spec", "containers", container)]
    of_that_name: SettingsVolume | None = None
    for index, volume in enumerate(lookup(template, "spec", "volumes") or ()):
        is_ours = lookup(volume, "name") == file.volume and our_source(volume) is not None
        name = str(lookup(volume, "configMap", "name") or "")
        if not is_ours and not name:
            continue
        settings = SettingsVolume(index=index, tree=volume, is_ours=is_ours)
        settings_mounts = [mount for reader in readers for mount in mounts(reader, settings.name)]
        if settings_mounts and (is_ours or any(_is_place_of(mount, file) for mount in settings_mounts)):
            return settings
        # Tutor's own files aren't those of a package elsewhere.
        is_tutors = is_generated_name(name, file.config_map) and file.is_tutors_package
        if settings_mounts and is_tutors and of_that_name is None:
            of_that_name = settings
    return of_that_name


def _is_place_of(mount: Any, file: SettingsFile) -> bool:
    """Tell whether a directory is mounted where Python looks for the settings, whatever it is called."""
    place = str(lookup(mount, "mountPath") or "").rstrip("/")
    return "subPath" not in mount and place.endswith(f"/{file.package_path}")


def our_source(volume: dict[str, Any]) -> dict[str, Any] | None:
    """Return the part of a volume that names our ConfigMap."""
    source = lookup(volume, "projected", "sources", 1, "configMap")
    return source if isinstance(lookup(source, "name"), str) else None


def is_in_projection(template: dict[str, Any], file: SettingsFile) -> bool:
    """Tell whether a projected volume of the pod's own holds Tutor's settings."""
    return any(
        is_generated_name(str(lookup(source, "configMap", "name")), file.config_map)
        for volume in lookup(template, "spec", "volumes") or ()
        for source in lookup(volume, "projected", "sources") or ()
    )


def containers(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each container of a pod template, init containers too."""
    for field in ("initContainers", "containers"):
        yield from lookup(template, "spec", field) or ()


def mounts(container: dict[str, Any], volume: str) -> list[dict[str, Any]]:
    """Return the container's mounts of ``volume``."""
    mounted = lookup(container, "volumeMounts")
    return [mount for mount in mounted if lookup(mount, "name") == volume] if isinstance(mounted, list) else []


def obstacle(
    template: dict[str, Any],
    volume: SettingsVolume,
    file: SettingsFile,
    tutors: Resource | None,
    *,
    container: int | None = None,
) -> str:
    """Return why our settings can't take effect in a pod that mounts ``volume``; empty where they can.

    ``tutors`` is Tutor's settings ConfigMap. ``container`` is the one that has to load them. Without it any container
    will do; one of the other service, which mounts this service's settings for its own reasons, is no obstacle.
    """
    if not volume.is_ours:
        if tutors is None or file.name not in files(tutors):
            return f"the build has no ConfigMap {file.config_map} with a {file.name} for ours to extend"
        items = lookup(volume.tree, "configMap", "items")
        if items and not any(lookup(item, "path") == file.name for item in items):
            return f"volume {volume.name} leaves {file.name} out (items)"
    mounting = [candidate for candidate in containers(template) if mounts(candidate, volume.name)]
    for reader in mounting:
        if any("subPath" in mount or "subPathExpr" in mount for mount in mounts(reader, volume.name)):
            return f"container {reader.get('name')} mounts single files of {file.config_map} (subPath)"
    readers = mounting if container is None else [lookup(template, "spec", "containers", container)]
    covered = next(filter(None, (_covered(reader, volume, file) for reader in readers)), "")
    if covered:
        return covered
    modules = [environment(reader, "DJANGO_SETTINGS_MODULE") for reader in readers]
    foreign = [module for module in modules if module and module != file.module]
    if container is None:
        others = tuple(f"{service}." for service in OPEN_EDX_SERVICES if service != file.service)
        foreign = [module for module in foreign if not module.startswith(others)]
    if len(foreign) == len(modules):
        return f"its DJANGO_SETTINGS_MODULE is {foreign[0]}, which never loads {file.module}"
    return ""


def _covered(reader: Any, volume: SettingsVolume, file: SettingsFile) -> str:
    """Return how a container hides the file in ``volume`` behind another one; empty where it doesn't."""
    own = {f"{str(lookup(mount, 'mountPath')).rstrip('/')}/{file.name}" for mount in mounts(reader, volume.name)}
    mounted = lookup(reader, "volumeMounts")
    for mount in mounted if isinstance(mounted, list) else ():
        path = str(lookup(mount, "mountPath")).rstrip("/")
        if path in own:
            return f"container {lookup(reader, 'name')} mounts another file over it: {path}"
    return ""


def tutors_config_map(
    resources: Resources, file: SettingsFile, namespace: str, volume: SettingsVolume | None = None
) -> Resource | None:
    """Return the settings ConfigMap of the service, as the build has it: the one in ``volume``, or Tutor's."""
    name = lookup(volume.tree, "configMap", "name") if volume is not None and not volume.is_ours else None
    if volume is not None and volume.is_ours:
        name = lookup(volume.tree, "projected", "sources", 0, "configMap", "name")
    return next(iter(resources.generated("ConfigMap", str(name or file.config_map), namespace)), None)


def settled(resources: Resources, ours: Resource) -> Resource:
    """Return the ConfigMap of an earlier build's output that has a hash and holds what ``ours`` does, else ``ours``."""
    for resource in resources.generated("ConfigMap", ours.name, ours.namespace):
        data = lookup(resource.tree, "data")
        if stem_of(resource.name) != resource.name and plain_value(data) == plain_value(ours.tree["data"]):
            return resource
    return ours


def files(config_map: Resource) -> list[str]:
    """Return the names of the files in a ConfigMap."""
    return [str(key) for field in ("data", "binaryData") for key in lookup(config_map.tree, field) or ()]


def mount_ours(
    template: dict[str, Any],
    volume: SettingsVolume,
    file: SettingsFile,
    *,
    config_map: str,
    tutors: Resource | None,
) -> None:
    """Change the pod template so that it mounts our ``config_map``, and Tutor's file beside it under another name."""
    source = our_source(volume.tree) if volume.is_ours else None
    if source is not None:
        source["name"] = config_map
        return
    keys = files(tutors) if tutors is not None else []
    template["spec"]["volumes"][volume.index] = _projected(volume.tree["configMap"], file, config_map, keys)
    for container in containers(template):
        for mount in mounts(container, volume.name):
            mount["name"] = file.volume


def _projected(tutors: dict[str, Any], file: SettingsFile, config_map: str, keys: Sequence[str]) -> dict[str, Any]:
    items = tutors.get("items") or [{"key": key, "path": key} for key in keys]
    source: dict[str, Any] = {"name": tutors["name"], "items": [_renamed(item, file) for item in items]}
    if not is_null(tutors.get("optional")):
        source["optional"] = tutors["optional"]
    ours = {"name": config_map, "items": [{"key": file.name, "path": file.name}]}
    projected: dict[str, Any] = {"sources": [{"configMap": source}, {"configMap": ours}]}
    if not is_null(tutors.get("defaultMode")):
        projected["defaultMode"] = tutors["defaultMode"]
    return {"name": file.volume, "projected": projected}


def _renamed(item: dict[str, Any], file: SettingsFile) -> dict[str, Any]:
    path = item["path"]
    return {**item, "path": TUTORS_FILE_PREFIX + path if path == file.name else path}
