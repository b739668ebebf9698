"""The volume of a pod that holds a service's settings, and which ConfigMap or Secret in it has the settings file."""

from __future__ import annotations

from kustomizer.manifests.identity import scan_entries
from kustomizer.manifests.tree import is_null, list_at, lookup
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.settings_module import SettingsFile

KINDS = {"configMap": "ConfigMap", "secret": "Secret"}
"""The fields of a volume, or of a source of a projected one, that hold an object's files."""
_FIELDS = ("data", "binaryData", "stringData")


class SettingsVolume(Record):
    """The volume that holds a service's settings in a pod: Tutor's, the site's own, or ours from an earlier run."""

    index: int
    tree: dict[str, Any]
    path: str
    """Where the settings file is in it."""

    @property
    def name(self) -> str:
        """The volume's name in the pod."""
        return str(self.tree.get("name"))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The sources of a projected volume; any other volume is its own only source."""
        sources = lookup(self.tree, "projected", "sources")
        return [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else [self.tree]

    @property
    def tutors_path(self) -> str:
        """The path to which the settings file moves when ours takes its place."""
        return beside(self.path)

    @property
    def ours(self) -> dict[str, Any] | None:
        """The part of it that names our ConfigMap, None where there is none yet."""
        sources = self.sources
        last = lookup(sources[-1], "configMap") if sources else None
        items = [item for source in sources for field in KINDS for item in lookup(source, field, "items") or ()]
        is_moved = any(lookup(item, "path") == self.tutors_path for item in items)
        is_ours = is_moved and [lookup(item, "path") for item in lookup(last, "items") or ()] == [self.path]
        return last if is_ours else None

    @property
    def is_ours(self) -> bool:
        """Whether an earlier run has put our file into it."""
        return self.ours is not None


class SettingsSource(Record):
    """The source of a volume that the settings file comes from."""

    index: int = 0
    """Its place among the volume's sources."""
    resource: Resource | None = None
    """The object, None where it is a Secret that the build hasn't got."""
    files: Sequence[str] = ()
    """The names of the files in it."""
    obstacle: str = ""
    """Why there is none that ours could extend; empty where there is."""


def find_source(resources: Resources, file: SettingsFile, namespace: str, volume: SettingsVolume) -> SettingsSource:
    """Return the source of ``volume`` that holds the file: Tutor's, or whoever's it is."""
    path = volume.tutors_path if volume.is_ours else volume.path
    unseen: list[int] = []
    # Of two sources with a file of one path the later one counts.
    for index, source in reversed(list(enumerate(volume.sources))):
        field, items = field_of(source), _items(source)
        resource = _object(resources, source, namespace)
        files = _files(resource)
        if field and resource is None and not items:
            unseen.append(index)
        elif path in (_paths(items) or files) and (resource is not None or field == "secret"):
            if unseen and not volume.is_ours:
                other = volume.sources[unseen[0]]
                reason = f"{KINDS[field_of(other)]} {_name(other)} isn't in the build, and may hold another {file.name}"
                return SettingsSource(obstacle=reason)
            return SettingsSource(index=index, resource=resource, files=files)
    # Without the file in the one Secret that isn't seen, the pod would have no settings at all.
    if len(unseen) == 1 and field_of(volume.sources[unseen[0]]) == "secret":
        return SettingsSource(index=unseen[0])
    if any(file.name in _files(_object(resources, source, namespace)) for source in volume.sources):
        return SettingsSource(obstacle=f"volume {volume.name} leaves {file.name} out (items)")
    reason = f"the build has no ConfigMap {file.config_map} with a {file.name} for ours to extend"
    return SettingsSource(obstacle=reason)


def extended(volume: SettingsVolume, found: SettingsSource, ours: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sources of ``volume`` with ``ours`` behind them, and the file of ``found`` under another name."""
    sources: list[dict[str, Any]] = []
    for index, source in enumerate(volume.sources):
        if index == found.index:
            sources += _renamed(source, found.files, volume)
        elif volume.path in _paths(_items(source)):
            # The file of `found` hid it, and an API server takes no path twice.
            field = field_of(source)
            items = [item for item in _items(source) if lookup(item, "path") != volume.path]
            sources += [{field: {**source[field], "items": items}}] if items else []
        else:
            sources.append(source)
    return [*sources, {"configMap": ours}]


def _renamed(source: dict[str, Any], files: Sequence[str], volume: SettingsVolume) -> Iterator[dict[str, Any]]:
    field = field_of(source)
    head: dict[str, Any] = {"name": _name(source)}
    optional = source[field].get("optional")
    options = {} if is_null(optional) else {"optional": optional}
    items = _items(source) or [{"key": key, "path": key} for key in files]
    if not items:
        # All that is in it, whatever it is called; ours hides the file there, which is mounted a second time.
        yield {field: {**head, **options}}
        items = [{"key": volume.path, "path": volume.path}]
    moved = [{**item, "path": volume.tutors_path} if item["path"] == volume.path else item for item in items]
    yield {field: {**head, "items": moved, **options}}


def field_of(source: Any) -> str:
    """Return the field of a volume or source that says which object it is of, empty where it is of none."""
    return next((field for field in KINDS if isinstance(lookup(source, field), dict)), "")


def _items(source: Any) -> list[dict[str, Any]]:
    """Return the files that a source names one by one, none where it has all of its object's."""
    items = list_at(source, field_of(source), "items")
    return [item for item in items if isinstance(item, dict) and "path" in item]


def _paths(items: list[dict[str, Any]]) -> list[str]:
    return [str(item["path"]) for item in items]


def _name(source: Any) -> str:
    reference = lookup(source, field_of(source))
    # A volume's Secret has another field for it than a projected one.
    return str(lookup(reference, "secretName") or lookup(reference, "name") or "")


def _object(resources: Resources, source: Any, namespace: str) -> Resource | None:
    kind = KINDS.get(field_of(source), "")
    return next(iter(resources.generated(kind, _name(source), namespace)), None) if kind else None


def _files(resource: Resource | None) -> list[str]:
    """Return the names of the files in a ConfigMap or Secret."""
    if resource is None:
        return []
    entries = None if resource.is_parsed else scan_entries(resource.text, resource.indent, *_FIELDS)
    if entries is not None:
        return list(entries)
    maps = (lookup(resource.tree, field) for field in _FIELDS)
    return [str(key) for entries in maps if isinstance(entries, dict) for key in entries]


def beside(path: str) -> str:
    """Return where Tutor's file is whose place ours takes at ``path``."""
    directory, slash, _ = path.rpartition("/")
    return f"{directory}{slash}{TUTORS_FILE_PREFIX}{path.rpartition('/')[2]}"
