"""What kustomizations are made of, and what in them bears on objects that are added later, read without a YAML parser.

Tutor's is no block of keys as kustomize writes them: it has comments, empty lines and indentation of all depths. What
is asked for here stands at its margin nevertheless; PyYAML takes longer to import than a small site to build.
"""

from __future__ import annotations

import os

from kustomizer import block_yaml
from kustomizer.errors import UserError
from kustomizer.kustomization_fields import GENERATORS, NAMES, entries
from kustomizer.record import Record
from kustomizer.tree import lookup, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

ANYWHERE = frozenset(
    {
        *("apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels"),
        *("commonAnnotations", "images", "replicas", "generatorOptions", "configurations"),
        *("patches", "patchesStrategicMerge", "patchesJson6902", "replacements"),
        *GENERATORS,
    }
)
"""Fields that have done their work before a transformer of an outer kustomization, but for what is read here."""
WITH_DIRECTORIES = ("resources", "components")
_AFFIXES = ("namePrefix", "nameSuffix")
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-")
"""Letters of a path or a name that means itself to every reader, unless it begins with a dash."""
FUNCTION = "config.kubernetes.io/function"
"""The annotation that makes an object a function."""
_BOOKKEEPING = ("config.kubernetes.io/", "config.k8s.io/")
_API_VERSION = "kustomize.config.k8s.io/v1"
_RENAMING = "allowNameChange"
_FAR = frozenset(":?\n\0")
"""What the address of a remote resource may have in it, and what no name of a file has."""
_DEEPEST = 99


class Unknown(Exception):  # noqa: N818 - not an error: kustomize builds the overlay as it is
    """A kustomization says something of which nobody knows here what it comes to."""


class Rules(Record):
    """What a kustomization and those below it say that kustomize still heeds when all transformers have run."""

    generated: set[str]
    """The names of generated ConfigMaps and Secrets, without a hash."""
    configurations: list[str]
    """The files that say where objects name others."""


class _NotPlain(Exception):  # noqa: N818 - a parser reads it then
    pass


def read_rules(directory: str, tree: Mapping[str, Any]) -> Rules:
    """Return the rules of the kustomization ``tree`` in ``directory``, and of what it is made of.

    Raises Unknown where something in it isn't known here, and OSError where a file isn't there.
    """
    rules = Rules(generated=set(), configurations=[])
    _collect(directory, tree, rules, depth=_DEEPEST)
    return rules


def _collect(directory: str, tree: Mapping[str, Any], rules: Rules, *, depth: int) -> None:
    # A name that changes is changed where others refer to it, too, and an object that is added refers to the old one.
    if not depth or any(tree.get(field) for field in _AFFIXES):
        raise Unknown
    for generator in (entry for field in GENERATORS for entry in tree.get(field) or ()):
        rules.generated.add(str(lookup(generator, "name")))
    rules.configurations.extend(os.path.realpath(f"{directory}/{entry}") for entry in entries(tree, "configurations"))
    for entry in entries(tree, *WITH_DIRECTORIES):
        path = local_path(directory, entry)
        if os.path.isdir(path):  # noqa: PTH112 - pathlib costs 5 ms to import
            below = read_outline(path)
            if not below.keys() <= {*ANYWHERE, *WITH_DIRECTORIES}:
                raise Unknown
            _collect(path, below, rules, depth=depth - 1)
        else:
            _refuse_bookkeeping(read_text(path))


def local_path(directory: str, entry: str) -> str:
    """Return where the file or directory is that a kustomization in ``directory`` names.

    Raises Unknown where kustomize may look for it elsewhere: far away, or at the other end of a link.
    """
    path = f"{directory}/{entry}"
    real = os.path.realpath(path)
    is_far = os.path.isdir(real) and "." in entry.lstrip("./").partition("/")[0]  # noqa: PTH112
    if (
        is_far
        or entry.startswith("/")
        or not _FAR.isdisjoint(entry)
        or real != os.path.realpath(os.path.normpath(path))
    ):
        raise Unknown
    return real


def _refuse_bookkeeping(text: str) -> None:
    """Raise Unknown where objects carry what kustomize writes for its own use: it heeds it, or takes it off."""
    known = sum(text.count(mark) for mark in (FUNCTION, _API_VERSION))
    if sum(text.count(mark) for mark in _BOOKKEEPING) > known:
        raise Unknown


def kustomization_file(directory: str) -> str:
    """Return the kustomization in ``directory``. Raises Unknown where there is none, or more than one."""
    found = [path for path in (f"{directory}/{name}" for name in NAMES) if os.path.lexists(path)]
    # Where a link leads to is kustomize's to allow.
    if len(found) != 1 or os.path.islink(found[0]):  # noqa: PTH114
        raise Unknown
    return found[0]


def _read_kustomization(directory: str) -> str:
    text = read_text(kustomization_file(directory))
    # A patch that renames an object renames it where others refer to it, but not in what is added behind it.
    if _RENAMING in text:
        raise Unknown
    _refuse_bookkeeping(text)
    return text


def read_text(path: str) -> str:
    """Return a file's text."""
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        return file.read()


def read_outline(directory: str) -> dict[str, Any]:
    """Return the fields of the kustomization in ``directory``, with the values of those that are read here.

    Of a generator there is no more than its name; the value of any other field is an empty string.
    """
    text = _read_kustomization(directory)
    try:
        return {field: _value(field, lines) for field, lines in _sections(text).items()}
    except _NotPlain:
        tree = plain_value(_parsed(text))
        if not isinstance(tree, dict):
            raise Unknown from None
        return tree


def read_exactly(directory: str) -> dict[str, Any]:
    """Return the kustomization in ``directory`` as it is spelled: 1.10 is a number there."""
    tree = read_tree(_read_kustomization(directory))
    if not isinstance(tree, dict):
        raise Unknown
    return tree


def read_tree(text: str) -> Any:
    """Return what a document holds, as it is spelled. Raises Unknown where it isn't YAML."""
    try:
        return block_yaml.read([line for each in text.removesuffix("\n").split("\n") for line in _block_lines(each)])
    except block_yaml.NotCanonical:
        return _parsed(text)


def _block_lines(line: str) -> list[str]:
    """Return a line for the fast reader: without a comment, a short list in brackets as a list of lines.

    Only at the margin, where nothing that this reader knows goes on.
    """
    if line.startswith("#"):
        return []
    key, _, rest = line.partition(": [")
    items = rest.removesuffix("]").split(", ")
    plain = all(item and item[0] != "-" and PLAIN.issuperset(item) for item in items)
    return [f"{key}:", *(f"- {item}" for item in items)] if plain and key.isalpha() and rest.endswith("]") else [line]


def _parsed(text: str) -> Any:
    from kustomizer import full_yaml  # noqa: PLC0415 - see above

    try:
        return full_yaml.read(text)
    except UserError:
        raise Unknown from None


def _sections(text: str) -> dict[str, list[str]]:
    """Return each field's lines, the rest of its own first."""
    sections: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped[0] == "#" or (line == "---" and not sections):
            continue
        if line[0] == " " or line.startswith("- "):
            if lines is None:
                raise _NotPlain
            lines.append(line)
            continue
        field, colon, rest = line.partition(":")
        if not colon or not field.isalnum() or field in sections or rest[:1].strip():
            raise _NotPlain
        lines = sections[field] = [rest.strip()]
    return sections


def _value(field: str, lines: Sequence[str]) -> Any:
    if field in {*WITH_DIRECTORIES, "configurations"}:
        return _list(lines)
    if field in GENERATORS:
        return [{"name": name} for name in _names(lines)]
    if field in _AFFIXES:
        return lines[0].strip("'\"") or "".join(lines[1:])
    return ""


def _list(lines: Sequence[str]) -> list[str]:
    first, *rest = lines
    if first:
        if rest or first[0] != "[" or first[-1] != "]":
            raise _NotPlain
        found = first[1:-1].split(", ")
    else:
        found = [_item(line) for line in rest]
    return [_plain(entry) for entry in found]


def _item(line: str) -> str:
    head, dash, entry = line.partition("- ")
    if head.strip() or not dash:
        raise _NotPlain
    return entry.strip()


def _names(lines: Sequence[str]) -> Iterator[str]:
    """Yield the name of each generator in a list of them."""
    first, *rest = lines
    if first or not rest:
        raise _NotPlain
    margin = rest[0].partition("-")[0]
    opening, going_on = f"{margin}- ", f"{margin}  "
    found: list[list[str]] = []
    for line in rest:
        if line.startswith(opening):
            found.append([])
        elif not line.startswith(going_on):
            raise _NotPlain
        if line.startswith("name: ", len(opening)):
            found[-1].append(_plain(line[len(opening) + len("name: ") :].strip()))
    for names in found:
        if len(names) != 1:
            raise _NotPlain
        yield names[0]


def _plain(text: str) -> str:
    if not text or text[0] == "-" or not PLAIN.issuperset(text):
        raise _NotPlain
    return text
