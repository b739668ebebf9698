"""Two configurations of one site: kustomize runs the function for each, the second time on what the first run made.

They may stand in one file, in two files that one kustomization lists, or in two kustomizations of which one is built
from the other. Two that are built side by side, for two sites, are none of these.
"""

from __future__ import annotations

import os

from kustomizer import KIND, is_configuration
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.certain_yaml import Uncertain, read_heads
from kustomizer.kustomize.fields import BUILT, entries
from kustomizer.system.wording import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_REMEDY = "Put what they say into one, and take the others out"


def several_in(text: str) -> Problem | None:
    """Return what is wrong with a file that holds ``text``, None where that is at most one configuration."""
    if text.count(KIND) < 2:  # noqa: PLR2004 - nearly every file is done with here
        return None
    heads = [(item.get("apiVersion"), item.get("kind")) for item in _objects(text) if isinstance(item, dict)]
    count = sum(is_configuration(*head) for head in heads)
    return several(count) if count > 1 else None


def several(count: int) -> Problem:
    """Return the problem of a file that holds so many configurations."""
    return Problem(
        message=f"the file holds {count} configurations of kind {KIND}, one after another",
        remedy=_REMEDY,
    )


class Stack:
    """The configurations that each kustomization lists as extensions, by the files that hold them."""

    def __init__(self) -> None:
        self._listed: dict[str, set[tuple[str, str]]] = {}

    def add(self, directory: str, file: str, name: object = "") -> None:
        """Note that the kustomization in ``directory`` lists the configuration ``name``, which ``file`` holds."""
        self._listed.setdefault(directory, set()).add((file, str(name)))

    def rivals(self, trees: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
        """Return the files and names of configurations that change the same resources, nothing where there is only one.

        ``trees`` has the kustomization in each directory that takes part, by its path without links.
        """
        if len(set().union(*self._listed.values())) < 2:  # noqa: PLR2004 - nearly every build is done with here
            return ()
        for directory in trees:
            # What is built from components is built from directories, too.
            is_here = any(part in self._listed for part in _built_from(directory, trees, ("components",)))
            parts = (self._listed.get(part, set()) for part in _built_from(directory, trees, BUILT))
            configurations: set[tuple[str, str]] = set().union(*parts)
            if is_here and len(configurations) > 1:
                return sorted(configurations)
        return ()


def in_files(configurations: Sequence[tuple[str, str]]) -> Problem:
    """Return the problem of configurations that change the same resources; each is given as a file and a name."""
    files = list(dict.fromkeys(file for file, _ in configurations))
    what = f"configuration of kind {KIND} for the same workers"
    if len(files) > 1:
        return Problem(message=f"{joined(files)} each hold a {what}", remedy=_REMEDY)
    message = f"{files[0]} lists more than one {what}: {', '.join(name for _, name in configurations)}"
    return Problem(message=message, remedy=_REMEDY)


def _built_from(directory: str, trees: Mapping[str, Any], fields: Sequence[str]) -> set[str]:
    """Return ``directory``, and the directories that it is built from by ``fields``."""
    visited, waiting = set(), [directory]
    while waiting:
        current = waiting.pop()
        if current not in visited:
            visited.add(current)
            paths = (os.path.realpath(f"{current}/{entry}") for entry in entries(trees.get(current) or {}, *fields))
            waiting += [path for path in paths if path in trees]
    return visited


def _objects(text: str) -> Sequence[Any]:
    try:
        return read_heads(text)
    except Uncertain:
        from kustomizer.manifests import full_reader  # noqa: PLC0415 - few files need it, and it is slow to import
        from kustomizer.manifests.tree import plain_value  # noqa: PLC0415
    try:
        return [plain_value(tree) for tree in full_reader.read_all(text)]
    except UserError:  # kustomize says what is wrong
        return ()
