"""Reads any YAML, JSON included, into the same tree as :mod:`kustomizer.block_yaml`, by way of libyaml.

Nodes are composed and not constructed: PyYAML's constructors know tags that kustomize (go-yaml 3) doesn't, and stumble
over a plain ``=`` or ``<<``, which are strings there.
"""

from __future__ import annotations

import yaml

from kustomizer.emit import quoted_scalar
from kustomizer.errors import Problem, UserError
from kustomizer.tree import Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# YAML 1.1 (libyaml) takes these for line breaks, YAML 1.2 (and what kustomize writes) for letters. They are replaced
# by code points of the private use area while libyaml reads.
_BREAKS = {"\x85": "\uf785", "\u2028": "\uf7a8", "\u2029": "\uf7a9"}
_TO_LETTERS = str.maketrans(_BREAKS)
_TO_BREAKS = str.maketrans({letter: mark for mark, letter in _BREAKS.items()})

MAX_NODES = 5_000_000
"""Aliases may expand to so many nodes; 10,000 resources of Tutor's size have a tenth of that."""
MAX_DEPTH = 200
"""Collections may nest so deep; a Kubernetes schema ends long before."""

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_all(text: str) -> list[Any]:
    """Return the trees of all documents of ``text``; an empty document gives None.

    Raises UserError where the text isn't YAML, has a duplicate key, or expands without end.
    """
    shielded = any(mark in text for mark in _BREAKS)
    if shielded:
        text = text.translate(_TO_LETTERS)
    converter = _Converter(shielded=shielded)
    try:
        return [converter.node(root, 0) if root is not None else None for root in _compose(text)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise UserError(Problem(message=f"not YAML: {problem}{where}")) from None
    except yaml.reader.ReaderError as error:
        # str(error) would quote the input, which may hold a password.
        message = f"not YAML: {error.reason} (character {error.position})"
        raise UserError(Problem(message=message)) from None
    except RecursionError:
        raise UserError(Problem(message=f"collections nest deeper than {MAX_DEPTH} levels")) from None


def read(text: str) -> Any:
    """Return the tree of the one document of ``text``, None where it is empty."""
    documents = read_all(text)
    if len(documents) > 1:
        raise UserError(Problem(message=f"expected one YAML document, found {len(documents)}"))
    return documents[0] if documents else None


def _compose(text: str) -> Iterator[yaml.Node | None]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            yield loader.get_node()
    finally:
        loader.dispose()


class _Converter:
    """Turns composed nodes into the tree; counts them, since an alias costs as much as what it stands for."""

    def __init__(self, *, shielded: bool) -> None:
        self.shielded = shielded
        self.count = 0

    def node(self, node: yaml.Node, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES:
            raise UserError(Problem(message=f"aliases expand to more than {MAX_NODES:,} nodes"))
        if depth > MAX_DEPTH:
            raise UserError(Problem(message=f"collections nest deeper than {MAX_DEPTH} levels"))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.node(child, depth + 1) for child in node.value]
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - the third and last kind of node
        return self.scalar(node)

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise UserError(Problem(message=f"a key{_place(key_node)} is not a scalar"))
            value = self.node(value_node, depth + 1)
            if key_node.value == "<<" and not key_node.style:
                for source in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(source, dict):
                        raise UserError(Problem(message=f"the merge key '<<'{_place(key_node)} takes mappings"))
                    merged.update(source)
                continue
            key = self.scalar(key_node)
            if key in result:
                raise UserError(Problem(message=f"the key {str(key)!r}{_place(key_node)} stands there twice"))
            result[key] = value
        return {**merged, **result}

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        text: str = node.value
        if self.shielded:
            text = text.translate(_TO_BREAKS)
        if not node.style and "\n" not in text:
            return Scalar(text, text, plain=True)
        return Scalar(text, quoted_scalar(text))


def _place(node: yaml.Node) -> str:
    return f" in line {node.start_mark.line + 1}"
