"""The file and the line that code scanning and annotations point to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kustomizer.kustomize.fields import NAMES
from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kustomizer.errors import ResourceRef
    from kustomizer.findings.model import Finding
    from kustomizer.manifests.resource import Resource


class Source(Record):
    """The file that was checked: a build's output, or an overlay's kustomization, shown at line 1."""

    path: str
    lines: Mapping[ResourceRef, int]

    def line(self, finding: Finding) -> int:
        """Return the line where the finding's resource begins."""
        resource = finding.problem.resource
        return self.lines.get(resource, 1) if resource is not None else 1


def file_source(path: Path, text: str, resources: Iterable[Resource]) -> Source:
    """Return the source of a file that holds ``text``, the resources in its order."""
    lines: dict[ResourceRef, int] = {}
    offset, line = 0, 1
    for resource in resources:
        position = text.find(resource.text.strip("\n"), offset) if resource.text.strip() else -1
        if position >= 0:
            line += text.count("\n", offset, position)
            offset = position
            lines[resource.ref] = line
    return Source(path=_relative(path), lines=lines)


def overlay_source(overlay: Path) -> Source:
    """Return the source of an overlay: its kustomization, in which built objects have no lines."""
    paths = [overlay / name for name in NAMES]
    path = next((path for path in paths if path.is_file()), paths[0])
    return Source(path=_relative(path), lines={})


def _relative(path: Path) -> str:
    """Return the path as code hosts know it: below the working directory, where it is."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
