"""The file and the line that code scanning and annotations point to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from kustomizer import KIND
from kustomizer.errors import Problem, ResourceRef
from kustomizer.findings.named_line import named_line
from kustomizer.manifests.resource import Resource
from kustomizer.record import Record


class Place(Record):
    """A line of a file."""

    path: str
    line: int = 1


class Source(Record):
    """What was checked, and where each part of it is written: a build's output, or an overlay's files."""

    whole: Place
    """Where a finding is shown that is about nothing else."""
    objects: Mapping[ResourceRef, Place] = {}
    """In an overlay they are known by kind and name alone: namespace and API come with the build."""
    fields: Mapping[str, Place] = {}
    """The fields of the configuration."""
    made: Mapping[str, str] = {}
    """Names of objects that the function makes or changes, and the field of the configuration that is about them."""
    texts: Mapping[str, str] = {}
    """What is in an overlay's files."""

    def place(self, problem: Problem) -> Place:
        """Return where a problem is caused."""
        about = problem.resource
        if about is None and not problem.field and self.texts:
            path, line = named_line(str(problem), self.texts, self.whole.path)
            return Place(path=path, line=line)
        if about is None or about.kind == KIND:
            return self._field(problem.field)
        by_name = self.objects.get(about) or self.objects.get(ResourceRef(kind=about.kind, name=about.name))
        if by_name is not None:
            return by_name
        names = [name for name in self.made if about.name == name or about.name.startswith(f"{name}-")]
        return self._field(self.made[max(names, key=len)]) if names else self.whole

    def _field(self, path: str) -> Place:
        """Return where the field is written, or the nearest one above it."""
        above = [field for field in self.fields if path == field or path.startswith((f"{field}.", f"{field}["))]
        return self.fields[max(above, key=len)] if above else self.whole


def file_source(path: Path, text: str, resources: Iterable[Resource]) -> Source:
    """Return the source of a file that holds ``text``, the resources in its order."""
    shown = relative(path)
    places: dict[ResourceRef, Place] = {}
    offset, line = 0, 1
    for resource in resources:
        position = text.find(resource.text.strip("\n"), offset) if resource.text.strip() else -1
        if position >= 0:
            line += text.count("\n", offset, position)
            offset = position
            places[resource.ref] = Place(path=shown, line=line)
    return Source(whole=Place(path=shown), objects=places)


def relative(path: Path) -> str:
    """Return the path as code hosts know it: below the working directory, where it is."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
