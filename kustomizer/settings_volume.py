"""Puts our settings module where a pod finds Tutor's, in the place of Tutor's settings volume."""

from __future__ import annotations

from kustomizer.record import Record
from kustomizer.settings import TUTORS_FILE_PREFIX
from kustomizer.tree import is_null, lookup
from kustomizer.tutor import environment, is_generated_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from kustomizer.resources import Resource, Resources
    from kustomizer.settings import SettingsFile


class SettingsVolume(Record):
    """The volume of a pod through which it reads a service's settings: Tutor's, or ours from an earlier run."""

    index: int
    tree: dict[str, Any]
    is_ours: bool

    @property
    def name(self) -> str:
        """The volume's name in the pod."""
        return str(self.tree.get("name"))


def find_volume(template: dict[str, Any], file: SettingsFile) -> SettingsVolume | None:
    """Return the settings volume of ``file``'s service in a pod template, None where the pod mounts none."""
    for index, volume in enumerate(lookup(template, "spec", "volumes") or ()):
        if is_generated_name(str(lookup(volume, "configMap", "name")), file.config_map):
            return SettingsVolume(index=index, tree=volume, is_ours=False)
        if lookup(volume, "name") == file.volume and lookup(volume, "projected", "sources"):
            return SettingsVolume(index=index, tree=volume, is_ours=True)
    return None


def containers(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each container of a pod template, init containers too."""
    for field in ("initContainers", "containers"):
        yield from lookup(template, "spec", field) or ()


def mounts(container: dict[str, Any], volume: str) -> list[dict[str, Any]]:
    """Return the container's mounts of ``volume``."""
    return [mount for mount in container.get("volumeMounts") or () if lookup(mount, "name") == volume]


def obstacle(template: dict[str, Any], volume: SettingsVolume, file: SettingsFile, tutors: Resource | None) -> str:
    """Say why our settings can't take effect in a pod that mounts ``volume``; empty where they can.

    ``tutors`` is Tutor's settings ConfigMap.
    """
    if not volume.is_ours and (tutors is None or file.name not in files(tutors)):
        return f"the build has no ConfigMap {file.config_map} with a {file.name} for ours to extend"
    for container in containers(template):
        found = mounts(container, volume.name)
        if any("subPath" in mount or "subPathExpr" in mount for mount in found):
            return f"container {container.get('name')} mounts single files of {file.config_map} (subPath)"
        module = environment(container, "DJANGO_SETTINGS_MODULE") if found else None
        if module and module != file.module and module.startswith(f"{file.service}."):
            return f"its DJANGO_SETTINGS_MODULE is {module}, which never loads {file.module}"
    return ""


def tutors_config_map(resources: Resources, file: SettingsFile, namespace: str) -> Resource | None:
    """Return Tutor's settings ConfigMap of the service, as the build has it."""
    for resource in resources.of_kind("ConfigMap"):
        if resource.namespace == namespace and is_generated_name(resource.name, file.config_map):
            return resource
    return None


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
    """Change the pod template so that it reads our ``config_map`` with Tutor's file under another name beside it."""
    if volume.is_ours:
        source = lookup(volume.tree, "projected", "sources", 1, "configMap")
        if not is_generated_name(str(source["name"]), config_map):
            source["name"] = config_map
        return
    keys = files(tutors) if tutors is not None else []
    template["spec"]["volumes"][volume.index] = _projected(volume.tree["configMap"], file, config_map, keys)
    for container in containers(template):
        for mount in mounts(container, volume.name):
            mount["name"] = file.volume


def _projected(given: dict[str, Any], file: SettingsFile, config_map: str, keys: Sequence[str]) -> dict[str, Any]:
    items = given.get("items") or [{"key": key, "path": key} for key in keys]
    tutors: dict[str, Any] = {"name": given["name"], "items": [_renamed(item, file) for item in items]}
    if not is_null(given.get("optional")):
        tutors["optional"] = given["optional"]
    ours = {"name": config_map, "items": [{"key": file.name, "path": file.name}]}
    projected: dict[str, Any] = {"sources": [{"configMap": tutors}, {"configMap": ours}]}
    if not is_null(given.get("defaultMode")):
        projected["defaultMode"] = given["defaultMode"]
    return {"name": file.volume, "projected": projected}


def _renamed(item: dict[str, Any], file: SettingsFile) -> dict[str, Any]:
    path = item["path"]
    return {**item, "path": TUTORS_FILE_PREFIX + path if path == file.name else path}
