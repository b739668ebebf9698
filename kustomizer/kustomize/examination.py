"""Finds out which programs a build of an overlay would run, before any of them runs.

It reads every kustomization that takes part, and every extension (generator, transformer, validator) that one lists. An
extension that kustomize itself changes first (by a patch, a replacement, a transformer of its directory) is asked of
kustomize, with plugins off. What can't be known for sure is refused.
"""

from __future__ import annotations

import os

from kustomizer import is_configuration
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.certain_yaml import Uncertain, read_heads, read_one, text_of
from kustomizer.kustomize.elsewhere import checkout_of, is_outside, is_remote, remote_paths
from kustomizer.kustomize.fields import BUILT, DIRECTORIES, EXTENSIONS, NAMES
from kustomizer.kustomize.programs import HELM, Program, changes_spec_alone, program_of
from kustomizer.kustomize.two_configurations import Stack, in_files, several_in
from kustomizer.manifests.tree import is_null
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from kustomizer.kustomize.programs import Permissions

    Ask: TypeAlias = "Callable[[Sequence[str]], str]"
    """Returns the objects that kustomize makes of extensions, which are directories and texts."""

_HELM_FIELDS = ("helmCharts", "helmChartInflationGenerator")
_LOOKED_AT = frozenset({*DIRECTORIES, *_HELM_FIELDS, "openapi"})
_AS_IT_IS = frozenset({"apiVersion", "kind", "resources", "patches"})
"""The fields of a kustomization of extensions whose outcome is known without asking kustomize."""
_PATH_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+ ")
_TRUST = "Whoever trusts it, and all who can change it, gives"


class Listed(Record):
    """A list of extensions in a kustomization: ``field`` of ``file``, in ``directory``."""

    directory: str
    file: str
    field: str


class Examined(Record):
    """What takes part in a build of an overlay: it runs nothing but our function, and what was allowed."""

    overlay: str
    """Its path without links, as all paths here."""
    paths: Mapping[Listed, str]
    """The lists that name our function by the path of a file, and that path."""
    legacy: frozenset[str]
    """The API versions and kinds of legacy plugins that aren't ours."""
    trees: Mapping[str, Sequence[Any]]
    """The kustomizations in each directory that takes part."""


def examine(overlay: str, permissions: Permissions, ask: Ask) -> Examined:
    """Return what takes part in a build of ``overlay``. Raises UserError for what isn't allowed or can't be known."""
    directory = os.path.realpath(overlay)
    examiner = _Examiner(permissions, "" if permissions.outside else checkout_of(directory))
    examiner.directory(directory)
    examiner.settle(ask)
    return Examined(overlay=directory, paths=examiner.paths, legacy=frozenset(examiner.legacy), trees=examiner.trees)


class _Examiner:
    def __init__(self, permissions: Permissions, checkout: str) -> None:
        self.permissions = permissions
        self.checkout = checkout
        """All directories have to be in it; empty where they may be anywhere."""
        self.problems: list[Problem] = []
        self.trees: dict[str, list[Any]] = {}
        self.paths: dict[Listed, str] = {}
        self.legacy: set[str] = set()
        self.configurations = Stack()
        self.has_schema = ""
        self.unsettled: list[tuple[Listed, list[str]]] = []
        """The extensions, by list, that kustomize has to be asked about; lists of directories below come first."""
        self.files: dict[str, str] = {}
        """The file of each text among these extensions."""

    def settle(self, ask: Ask) -> None:
        for listed, extensions in self.unsettled:
            if self.has_schema:
                self.refuse(self.has_schema, "a schema of its own may change what is made of plugins")
            self.raise_problems()
            try:
                items = read_heads(self.asked(ask, extensions))
            except Uncertain as error:
                raise UserError.of(f"{shown(listed.file)}: {listed.field} can't be read: {error}") from None
            for item in items:
                self.extension(item, listed, listed.file)
        rivals = self.configurations.rivals({directory: trees[0] for directory, trees in self.trees.items() if trees})
        if rivals:
            self.problems.append(in_files([(shown(file), name) for file, name in rivals]))
        self.raise_problems()

    def asked(self, ask: Ask, extensions: list[str]) -> str:
        """Return what kustomize makes of extensions. Raises UserError, which names the user's files, where it fails."""
        try:
            return ask(extensions)
        except UserError as error:
            words = error.problems[0].message
            for number, extension in enumerate(extensions):
                if extension in self.files:
                    words = words.replace(f"'{number}.yaml'", f"'{shown(self.files[extension])}'")
            raise UserError(error.problems[0].replace(message=words)) from None

    def raise_problems(self) -> None:
        if self.problems:
            raise UserError(*dict.fromkeys(self.problems))

    def refuse(self, file: str, why: str, remedy: str = "") -> None:
        remedy = remedy or "Write it in a plainer way: what can't be told for sure is not built"
        self.problems.append(Problem(message=f"{shown(file)}: {why}", remedy=remedy))

    def directory(self, directory: str) -> None:
        """Read the kustomization in ``directory``, a path without links."""
        if directory in self.trees:
            return
        self.trees[directory] = []
        if self.checkout and is_outside(directory, self.checkout):
            message = f"it lies outside of the checkout {self.checkout}, and isn't what Tutor writes"
            self.refuse(directory, message, f"{_TRUST} --allow-outside")
            return
        for name in NAMES:
            file = f"{directory}/{name}"
            if os.path.lexists(file):
                tree = self.kustomization(directory, file)
                self.trees[directory].append(tree)

    def kustomization(self, directory: str, file: str) -> Any:
        try:
            tree = read_one(text_of(file, directory))
        except Uncertain as error:
            self.refuse(file, str(error))
            return None
        if type(tree) is not dict:
            return None  # kustomize says what is wrong
        self.fields(file, tree)
        for field in BUILT:
            for entry in self.entries(tree, file, field):
                if not is_remote(entry) and os.path.isdir(f"{directory}/{entry}"):  # noqa: PTH112 - pathlib costs 5 ms
                    self.directory(os.path.realpath(f"{directory}/{entry}"))
        for field in EXTENSIONS:
            self.extensions(Listed(directory=directory, file=file, field=field), self.entries(tree, file, field))
        return tree

    def fields(self, file: str, tree: dict[str, Any]) -> None:
        for field in tree:
            # kustomize takes `TRANSFORMERS` for `transformers`, and a long s for an s.
            if field not in _LOOKED_AT and field.casefold() in {known.casefold() for known in _LOOKED_AT}:
                self.refuse(file, f"the field {field!r} is not spelled as kustomize's documentation spells it")
        if "openapi" in tree:
            self.has_schema = file
        if any(not is_null(tree.get(field)) for field in _HELM_FIELDS):
            self.program(Program(name=HELM), os.path.dirname(file), file)  # noqa: PTH120
        self.remote(tree, file)

    def entries(self, tree: dict[str, Any], file: str, field: str) -> list[str]:
        listed = tree.get(field)
        if is_null(listed):
            return []
        if type(listed) is list and all(isinstance(entry, str) for entry in listed):
            return listed
        self.refuse(file, f"{field} is no list of texts")
        return []

    def extensions(self, listed: Listed, entries: list[str]) -> None:
        """Look at the extensions that a list names; note those that kustomize has to be asked about."""
        unsettled: list[str] = []
        for entry in entries:
            path = extension_path(entry, listed.directory)
            if is_remote(entry):
                continue
            if path and os.path.isdir(path):  # noqa: PTH112
                self.directory(path)
                items = self.as_they_are(path)
                if items is None:
                    unsettled.append(path)
                for item, file in items or ():
                    self.extension(item, listed, file)
            elif path and not os.path.lexists(path):
                continue  # kustomize says what is wrong
            else:
                self.text(path, entry, listed, unsettled)
        if unsettled:
            self.unsettled.append((listed, unsettled))

    def text(self, path: str, entry: str, listed: Listed, unsettled: list[str]) -> None:
        """Look at extensions in the file ``path``; without a path ``entry`` itself is their text."""
        try:
            text = text_of(path, listed.directory) if path else entry
        except Uncertain as error:
            self.refuse(path, str(error))
            return
        self.single(text, path or listed.file)
        try:
            items = read_heads(text)
        except Uncertain:
            unsettled.append(text)
            self.files[text] = path or listed.file
            return
        for item in items:
            self.extension(item, listed, path or listed.file)

    def single(self, text: str, file: str) -> None:
        """Refuse several configurations in one file."""
        problem = several_in(text)
        if problem is not None:
            self.refuse(file, problem.message, problem.remedy)

    def as_they_are(self, directory: str) -> list[tuple[Any, str]] | None:
        """Return the objects that ``directory`` builds, each with its file; None where kustomize has to be asked."""
        trees = self.trees[directory]
        if len(trees) != 1 or type(trees[0]) is not dict or not _AS_IT_IS.issuperset(trees[0]):
            return None
        items: list[tuple[Any, str]] = []
        try:
            for patch in trees[0].get("patches") or ():
                if not changes_spec_alone(patch, directory):
                    return None
            for entry in trees[0].get("resources") or ():
                path = os.path.realpath(f"{directory}/{entry}")
                if os.path.isdir(path):  # noqa: PTH112
                    below = self.as_they_are(path) if path in self.trees else None
                    if below is None:
                        return None
                    items += below
                else:
                    text = text_of(path, directory)
                    self.single(text, path)
                    items += [(item, path) for item in read_heads(text)]
        except Uncertain:
            return None
        return items

    def extension(self, item: Any, listed: Listed, file: str) -> None:
        try:
            program = program_of(item)
        except Uncertain as error:
            self.refuse(file, str(error))
            return
        if is_configuration(item["apiVersion"], item["kind"]):
            self.configurations.add(listed.directory, file, (item.get("metadata") or {}).get("name"))
        if program is None:
            self.remote(item, file)
        elif program.is_own:
            if program.is_path:
                self.paths[listed] = program.name
        else:
            self.program(program, listed.directory, file)

    def program(self, program: Program, directory: str, file: str) -> None:
        """Refuse ``program`` unless it is allowed."""
        if self.permissions.allow(program, directory):
            if program.is_legacy:
                self.legacy.add(program.name)
            return
        name = os.path.normpath(f"{directory}/{program.name}") if program.is_path else program.name
        self.refuse(file, f"the build would run {shown(name)}", f"{_TRUST} --allow-exec {shown(name)}")

    def remote(self, tree: Any, file: str) -> None:
        if not self.permissions.remote:
            for path in remote_paths(tree):
                message = f"the build would fetch {path}, which can't be looked at before"
                self.refuse(file, message, f"{_TRUST} --allow-remote")


def extension_path(entry: str, directory: str) -> str:
    """Return the path that an entry of a list of extensions names; empty where the entry is the text of an object."""
    return os.path.realpath(f"{directory}/{entry}") if _PATH_LETTERS.issuperset(entry) else ""


def shown(path: str) -> str:
    """Return ``path``, relative to the working directory where that is shorter."""
    if not path.startswith("/"):
        return path
    here = os.path.relpath(path)
    if "/" not in here:
        here = f"./{here}"
    return min(here, path, key=len)
