"""Replaces the settings volume of a pod by one that holds our settings module, too."""

from __future__ import annotations

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.manifests.name_hashes import is_generated_name, stem_of
from kustomizer.manifests.tree import is_null, list_at, lookup, plain_value
from kustomizer.openedx.settings_source import KINDS, SettingsVolume, beside, extended, field_of
from kustomizer.openedx.workers import environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.settings_module import SettingsFile
    from kustomizer.openedx.settings_source import SettingsSource


def find_volume(template: dict[str, Any], file: SettingsFile, *, container: int | None = None) -> SettingsVolume | None:
    """Return the settings volume of ``file``'s service in a pod template, None where the pod mounts none.

    ``container`` is the index of the container that has to mount it; without it any container will do.
    """
    readers = list(containers(template)) if container is None else [lookup(template, "spec", "containers", container)]
    single_file: SettingsVolume | None = None
    of_that_name: SettingsVolume | None = None
    for index, volume in enumerate(lookup(template, "spec", "volumes") or ()):
        if not any(isinstance(lookup(volume, field), dict) for field in (*KINDS, "projected")):
            continue
        settings = SettingsVolume(index=index, tree=volume, path=file.name)
        for mount in (mount for reader in readers for mount in mounts(reader, settings.name)):
            path = _path_at(mount, file)
            if path and not _is_single_file(mount, file):
                return settings.replace(path=path)
            if path and single_file is None:
                single_file = settings.replace(path=path)
            # Tutor's own files aren't those of a package elsewhere.
            names = (str(lookup(source, "configMap", "name") or "") for source in settings.sources)
            is_tutors = file.is_tutors_package and any(is_generated_name(name, file.config_map) for name in names)
            if of_that_name is None and is_tutors:
                of_that_name = settings
    return single_file or of_that_name


def _path_at(mount: Any, file: SettingsFile) -> str:
    """Return which file of a volume a mount puts where Python looks for the settings; empty where none."""
    if not is_null(lookup(mount, "subPathExpr")):
        return ""
    sub = "" if is_null(lookup(mount, "subPath")) else str(lookup(mount, "subPath")).strip("/")
    if _is_single_file(mount, file):
        return sub
    mount_path = str(lookup(mount, "mountPath") or "").rstrip("/")
    # A subPath there that is called like the file would be a file in the place of a directory.
    is_package = mount_path.endswith(f"/{file.package_path}") and not sub.endswith(".py")
    return "/".join(filter(None, (sub, file.name))) if is_package else ""


def _is_single_file(mount: Any, file: SettingsFile) -> bool:
    """Tell whether a mount is the settings file alone."""
    place = str(lookup(mount, "mountPath") or "").rstrip("/")
    return not is_null(lookup(mount, "subPath")) and place.endswith(f"/{file.package_path}/{file.name}")


def containers(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each container of a pod template, init containers too."""
    for field in ("initContainers", "containers"):
        yield from list_at(template, "spec", field)


def mounts(container: dict[str, Any], volume: str) -> list[dict[str, Any]]:
    """Return the container's mounts of ``volume``."""
    return [mount for mount in list_at(container, "volumeMounts") if lookup(mount, "name") == volume]


def obstacle(
    template: dict[str, Any],
    volume: SettingsVolume,
    file: SettingsFile,
    source: SettingsSource,
    *,
    container: int | None = None,
) -> str:
    """Return why our settings can't take effect in a pod that mounts ``volume``; empty where they can.

    ``source`` is where the settings file comes from. ``container`` is the one that has to load it. Without it any
    container will do; one of the other service, which mounts this service's settings for its own reasons, is no
    obstacle.
    """
    if source.obstacle and not volume.is_ours:
        return source.obstacle
    mounting = [candidate for candidate in containers(template) if mounts(candidate, volume.name)]
    readers = mounting if container is None else [lookup(template, "spec", "containers", container)]
    for reader in mounting:
        if any(_is_odd(mount, volume, reader) for mount in mounts(reader, volume.name)):
            return f"container {reader.get('name')} mounts single files of {file.config_map} (subPath)"
    covered = next(filter(None, (_covered(reader, volume) for reader in readers)), "")
    if covered:
        return covered
    modules = [environment(reader, "DJANGO_SETTINGS_MODULE") for reader in readers]
    foreign = [module for module in modules if module and module != file.module]
    if container is None:
        other_packages = tuple(f"{service}." for service in OPEN_EDX_SERVICES if service != file.service)
        foreign = [module for module in foreign if not module.startswith(other_packages)]
    if len(foreign) == len(modules):
        return f"its DJANGO_SETTINGS_MODULE is {foreign[0]}, which never loads {file.module}"
    return ""


def _is_odd(mount: Any, volume: SettingsVolume, reader: Any) -> bool:
    """Tell whether the mount is of the settings file alone, or of a path that can't be known.

    Our file would take its place, and Tutor's could not be put next to it.
    """
    if not is_null(lookup(mount, "subPathExpr")):
        return True
    if not _is_of_file(mount, volume):
        return False
    mount_path = str(lookup(mount, "mountPath") or "").rstrip("/")
    mounted = lookup(reader, "volumeMounts")
    other_paths = [str(lookup(other, "mountPath") or "").rstrip("/") for other in mounted if other is not mount]
    # Nothing can be added to a directory that is a volume itself.
    return not mount_path.endswith(".py") or any(mount_path.startswith(f"{directory}/") for directory in other_paths)


def _is_of_file(mount: Any, volume: SettingsVolume) -> bool:
    sub = lookup(mount, "subPath")
    return not is_null(sub) and str(sub).strip("/") == volume.path


def _covered(reader: Any, volume: SettingsVolume) -> str:
    """Return how a container hides the file in ``volume`` behind another one; empty where it doesn't."""
    name = volume.path.rpartition("/")[2]
    own = {f"{str(lookup(mount, 'mountPath')).rstrip('/')}/{name}" for mount in mounts(reader, volume.name)}
    for mount in list_at(reader, "volumeMounts"):
        path = str(lookup(mount, "mountPath")).rstrip("/")
        if path in own:
            return f"container {lookup(reader, 'name')} mounts another file over it: {path}"
    return ""


def settled(resources: Resources, ours: Resource) -> Resource:
    """Return the ConfigMap of an earlier build's output that has a hash and holds what ``ours`` does, else ``ours``."""
    for resource in resources.generated("ConfigMap", ours.name, ours.namespace):
        data = lookup(resource.tree, "data")
        if stem_of(resource.name) != resource.name and plain_value(data) == plain_value(ours.tree["data"]):
            return resource
    return ours


def mount_ours(
    template: dict[str, Any], volume: SettingsVolume, file: SettingsFile, *, config_map: str, source: SettingsSource
) -> None:
    """Change the pod template so that it mounts our ``config_map``, and Tutor's file beside it under another name."""
    if volume.ours is not None:
        volume.ours["name"] = config_map
        return
    source_of_ours = {"name": config_map, "items": [{"key": file.name, "path": volume.path}]}
    sources = extended(volume, source, source_of_ours)
    name = volume.name
    if "projected" in volume.tree:
        projected = {**volume.tree["projected"], "sources": sources}
        template["spec"]["volumes"][volume.index] = {**volume.tree, "projected": projected}
    else:
        # Server-side apply refuses a volume that keeps its name and becomes one of another kind.
        name = file.volume
        mode = lookup(volume.tree, field_of(volume.tree), "defaultMode")
        modes = {} if is_null(mode) else {"defaultMode": mode}
        template["spec"]["volumes"][volume.index] = {"name": name, "projected": {"sources": sources, **modes}}
    for container in containers(template):
        for mount in mounts(container, volume.name):
            mount["name"] = name
            if _is_of_file(mount, volume):
                path = str(mount["mountPath"]).rstrip("/")
                container["volumeMounts"].append({**mount, "mountPath": beside(path), "subPath": volume.tutors_path})
