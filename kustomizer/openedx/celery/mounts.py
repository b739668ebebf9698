"""Files that a container sees: which key of which ConfigMap or Secret is mounted at a path."""

from __future__ import annotations

from kustomizer.manifests.tree import is_null, lookup
from kustomizer.openedx.celery.environment import data_of, entries
from kustomizer.openedx.celery.values import Source, Unknown
from kustomizer.openedx.settings_source import KINDS
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources


class MountedFile(Record):
    """A file of a container, and the object that holds its text."""

    text: str
    owner: Resource
    key: str

    @property
    def source(self) -> Source:
        """The source of its text."""
        return Source(resource=self.owner.ref, field=f'data["{self.key}"]')

    def line(self, number: int) -> Source:
        """Return the source of a line."""
        return self.source.replace(line=number)


class Mounts:
    """What the volumes of a pod put into one of its containers."""

    def __init__(self, resources: Resources, owner: Resource, template: Any, container: Any) -> None:
        self._resources = resources
        self._owner = owner
        self._volumes = {str(lookup(volume, "name")): volume for volume in entries(lookup(template, "spec"), "volumes")}
        # A mount below another one hides that one's files.
        self._mounts = sorted(
            ((_path(lookup(mount, "mountPath")), mount) for mount in entries(container, "volumeMounts")),
            key=lambda place: -len(place[0]),
        )

    def file(self, path: str) -> MountedFile | Unknown | None:
        """Return the file at an absolute path, None where the image's own would be."""
        for place, mount in self._mounts:
            if path == place or path.startswith(f"{place}/"):
                return self._written_in_the_pod(mount) or self._file(mount, path[len(place) + 1 :])
        return None

    def module(self, name: str) -> MountedFile | Unknown | None:
        """Return the file of a Python module, wherever on Python's path its package is mounted."""
        package = name.split(".")
        for steps in ([*package[:-1], f"{package[-1]}.py"], [*package, "__init__.py"]):
            for place, mount in self._mounts:
                inside = _within(place, steps)
                file = None if inside is None else self._file(mount, inside)
                if file is not None:
                    return file
        return None

    def _written_in_the_pod(self, mount: Any) -> Unknown | None:
        """Say that a mount's files are what another container writes (an init container that puts them together)."""
        name = str(lookup(mount, "name"))
        if is_null(lookup(self._volumes.get(name), "emptyDir")):
            return None
        return self._unseen(f"volume {name} (emptyDir) holds files that only the pod itself writes")

    def _file(self, mount: Any, inside: str) -> MountedFile | Unknown | None:
        volume = self._volumes.get(str(lookup(mount, "name")))
        sub = lookup(mount, "subPath")
        if not is_null(sub):
            inside = "/".join(filter(None, (str(sub).strip("/"), inside)))
        return None if volume is None else self._in_volume(volume, inside)

    def _in_volume(self, volume: Any, inside: str) -> MountedFile | Unknown | None:
        sources = entries(lookup(volume, "projected"), "sources")
        if sources:
            # Of two that hold the same path the later one counts.
            files = [file for source in sources if (file := self._in_volume(source, inside)) is not None]
            return files[-1] if files else None
        for field, kind in KINDS.items():
            reference = lookup(volume, field)
            if isinstance(reference, dict):
                return self._in_object(kind, reference, inside)
        if any(not is_null(lookup(volume, field)) for field in ("emptyDir", "downwardAPI", "serviceAccountToken")):
            return None
        return self._unseen(f"volume {lookup(volume, 'name')} holds files that the build doesn't show")

    def _in_object(self, kind: str, reference: dict[str, Any], inside: str) -> MountedFile | Unknown | None:
        name_field = "secretName" if kind == "Secret" and "secretName" in reference else "name"
        name = lookup(reference, name_field)
        items = entries(reference, "items")
        keys = {str(lookup(item, "path")): str(lookup(item, "key")) for item in items}
        key = keys.get(inside) if items else inside
        if key is None:
            return None
        owner_and_data = data_of(self._resources, kind, str(name), self._owner.namespace)
        if owner_and_data is None:
            return self._unseen(f"{kind} {name} isn't in the build")
        resource, data = owner_and_data
        return MountedFile(text=str(data[key]), owner=resource, key=key) if key in data else None

    def _unseen(self, reason: str) -> Unknown:
        return Unknown(reason=reason, source=Source(resource=self._owner.ref, field="spec.template.spec.volumes"))


def _path(path: Any) -> str:
    parts: list[str] = []
    for part in str(path or "").split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def _within(place: str, steps: list[str]) -> str | None:
    """Return what is left of a relative path's ``steps`` below ``place``, which ends with the first ones; None else."""
    last = place[place.rfind("/") + 1 :]
    if last not in steps:
        return None
    for count in range(len(steps), 0, -1):
        if steps[count - 1] == last and place.endswith("/" + "/".join(steps[:count])):
            return "/".join(steps[count:])
    return None


def beside(name: str, level: int, module: str) -> str:
    """Return the absolute name of what ``from`` with ``level`` dots and ``name`` imports in ``module``."""
    if not level:
        return name
    package = module.split(".")[: -level or None]
    return ".".join([*package, *filter(None, [name])])
