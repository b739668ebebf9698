"""The file and the line that code scanning and annotations point to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kustomizer import KIND, is_configuration_or_patch
from kustomizer.errors import Problem, ResourceRef
from kustomizer.manifests.resource import Resource
from kustomizer.record import Record


class Place(Record):
    """A line of a file."""

    path: str
    line: int = 1


class Locations(Record):
    """Where each part of what was checked is written: in a build's output, or in an overlay's files."""

    whole: Place
    """The place of a finding that is about no object and no field."""
    objects: Mapping[ResourceRef, Place] = {}
    """The objects. An overlay's have a kind and a name alone: namespace and API version come with the build."""
    fields: Mapping[str, Place] = {}
    """The fields of the configuration."""
    made: Mapping[str, str] = {}
    """Names of objects that the function makes or changes, and the field of the configuration that is about them."""
    texts: Mapping[str, str] = {}
    """The texts of an overlay's files."""

    def place(self, problem: Problem) -> Place:
        """Return the place of a problem."""
        about = problem.resource
        if about is None and not problem.field and self.texts:
            path, line = named_line(str(problem), self.texts, self.whole.path)
            return Place(path=path, line=line)
        if about is None or is_configuration_or_patch(about.api_version, about.kind):
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


def file_locations(path: Path, text: str, resources: Iterable[Resource]) -> Locations:
    """Return the locations in a file that holds ``text``, with the resources in its order."""
    shown = relative(path)
    places: dict[ResourceRef, Place] = {}
    offset, line = 0, 1
    for resource in resources:
        position = text.find(resource.text.strip("\n"), offset) if resource.text.strip() else -1
        if position >= 0:
            line += text.count("\n", offset, position)
            offset = position
            places[resource.ref] = Place(path=shown, line=line)
    return Locations(whole=Place(path=shown), objects=places)


def relative(path: Path) -> str:
    """Return the path as code hosts know it: relative to the working directory if it is below that."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


_CANT_BUILD = re.compile(r"\A\S+ can't build .*:\n")
_LINE = re.compile(r"\bline ([0-9]{1,9})\b")
_QUOTED = re.compile(r"[`'\"]([^`'\"\s]{3,})[`'\"]")
_PATH = re.compile(r"[\w.:+-]*/[\w./:@?=+-]*\w")
_WORD = re.compile(r"[\w.-]{4,}")


def named_line(message: str, texts: Mapping[str, str], first: str) -> tuple[str, int]:
    """Return the file of ``texts`` and the line that ``message`` is about; in doubt line 1 of ``first``."""
    message = _CANT_BUILD.sub("", message)
    file = _named_file(message, texts) or first
    line = _LINE.search(message)
    if line is not None and 0 < int(line[1]) <= texts.get(file, "").count("\n") + 1:
        return file, int(line[1])
    text = _without_comments(texts.get(file, ""))
    for word in _words(message):
        match = re.search(rf"(?m)^.*(?<![\w.-]){re.escape(word)}(?![\w-])", text)
        if match is not None:
            return file, text.count("\n", 0, match.start()) + 1
    return file, 1


def _named_file(message: str, texts: Mapping[str, str]) -> str | None:
    """Return the file that is named first, by its whole path if it can be."""
    places = [
        (position, -len(name), path)
        for path in texts
        for name in (path, path.rpartition("/")[2])
        if (position := _position(name, message)) is not None
    ]
    return min(places)[2] if places else None


def _position(name: str, message: str) -> int | None:
    match = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w/-]|\.\w)", message)
    return None if match is None else match.start()


def _words(message: str) -> Iterator[str]:
    """Yield the words of a message that may occur in the file: quoted ones, paths, the last parts of paths."""
    for pattern in (_QUOTED, _PATH):
        for found in pattern.finditer(message):
            word = found[found.lastindex or 0]
            yield word
            yield word.rpartition("/")[2] if not word.endswith("/") else word
    if KIND in message:
        yield f"kind: {KIND}"
    yield from (word for word in _WORD.findall(message) if not word.isalpha())


def _without_comments(text: str) -> str:
    """Return ``text`` with blanks in the place of its comments."""
    return re.sub(r"(?m)(?:^|(?<=\s))#.*$", lambda found: " " * len(found[0]), text)
