"""Changes single values in YAML text and leaves every other character as it is: a diff shows the touched lines only.

A round trip through objects would lose the spacing of flow collections and move comments. So ruamel.yaml only finds the
place of each value, and the text is changed there. Aliases and complex keys may make a change go wrong: the caller
finds that by reading the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from kustomizer import KIND, is_configuration_or_patch
from kustomizer.errors import UserError
from kustomizer.manifests.writer import quote, quoted_scalar

WIDTH = 100
"""A flow collection that would be wider is written in block style."""

# A string to every YAML reader, and never written in quotes: 500m, 2Gi.
_QUANTITY = re.compile(r"[1-9][0-9]*(m|[KMGT]i?)")


def document(text: str, kind: str) -> Any:
    """Return the node of the document of this ``kind`` in ``text``, None where there is none."""
    return next((node for node in documents(text) if isinstance(node, MappingNode) and is_of(node, kind)), None)


def is_of(node: MappingNode, kind: str) -> bool:
    """Tell whether the object at ``node`` has this ``kind``; for our configuration's, its API group has to be ours."""
    api_version, found = (pair and pair[1].value for pair in (entry(node, "apiVersion"), entry(node, "kind")))
    return bool(found == kind) and (kind != KIND or is_configuration_or_patch(api_version, kind))


def documents(text: str) -> list[Any]:
    """Return the nodes of the documents, which hold the place of each value. Raises UserError for what isn't YAML."""
    try:
        # Only the pure reader gives places on every platform: libyaml's may be missing.
        return list(YAML(pure=True).compose_all(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise UserError.of(f"not YAML: {getattr(error, 'problem', None) or error}{where}") from None


def entry(mapping: MappingNode, key: str) -> tuple[Any, Any] | None:
    """Return the nodes of ``key`` and its value in ``mapping``."""
    return next((pair for pair in mapping.value if pair[0].value == key), None)


def set_value(text: str, kind: str, path: Sequence[str], value: Any) -> str:
    """Return ``text`` with ``value`` at ``path`` of the document of ``kind``; maps on the way are made."""
    return set_values(text, kind, {tuple(path): value})


def set_values(text: str, kind: str, values: Mapping[tuple[str, ...], Any]) -> str:
    """Return ``text`` with each of ``values`` at its path, of which none begins with another; see :func:`set_value`."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        tree = apply(tree, path, _Value(value))
    position, parts = 0, []
    for edit in sorted(_edits(text, document(text, kind), tree), key=lambda edit: edit.start):
        parts.append(text[position : edit.start])
        if edit.is_line and not "".join(parts[-2:]).endswith("\n"):
            parts.append(_newline(text))
        parts.append(edit.text)
        position = edit.end
    return "".join([*parts, text[position:]])


class _Value(NamedTuple):
    """The value at the end of a path: a map on the way isn't one."""

    value: Any


class _Edit(NamedTuple):
    """What comes in the place of the characters from ``start`` to ``end``, as whole lines or within one."""

    start: int
    end: int
    text: str
    is_line: bool = False


def _edits(text: str, mapping: Any, tree: Mapping[str, Any]) -> Iterator[_Edit]:
    """Yield the changes of a map, those that are within it before those behind it."""
    pairs = {key.value: (key, value) for key, value in reversed(mapping.value)}
    added = {}
    for key, below in tree.items():
        if key not in pairs:
            added[key] = _whole(below)
            continue
        name, old = pairs[key]
        if isinstance(below, _Value) or not isinstance(old, MappingNode) or not old.value:
            yield _replacement(text, mapping, name, old, _whole(below))
        else:
            yield from _edits(text, old, below)
    if added:
        yield _addition(text, mapping, added)


def _whole(tree: Any) -> Any:
    return tree.value if isinstance(tree, _Value) else {key: _whole(below) for key, below in tree.items()}


def append_item(text: str, field: str, item: str) -> str:
    """Return ``text``, of one document, with ``item`` at the end of its list ``field``, which is made if need be.

    Raises UserError where the field holds something else than a list.
    """
    node: Any = next(iter(documents(text)), None)
    pair = entry(node, field) if isinstance(node, MappingNode) else None
    if pair is None or (isinstance(pair[1], ScalarNode) and pair[1].value in ("", "null", "~")):
        if pair is not None:
            key = pair[0]
            text = text[: key.start_mark.index] + text[_next_line(text, key.end_mark.index) :]
        return text + ("" if text.endswith("\n") or not text else _newline(text)) + f"{field}:\n- {_word(item)}\n"
    listed = pair[1]
    if not isinstance(listed, SequenceNode):
        raise UserError.of(f"`{field}:` isn't a list", remedy="Make it one")
    if listed.flow_style:
        end = text.rindex("]", 0, listed.end_mark.index)
        return f"{text[:end].rstrip()}{', ' if listed.value else ''}{flow(item)}{text[end:]}"
    position = _next_line(text, _block_end(text, listed))
    before = text[:position]
    if not before.endswith("\n"):
        before += _newline(text)
    return f"{before}{' ' * listed.start_mark.column}- {_word(item)}{_newline(text)}{text[position:]}"


def remove_key(text: str, kind: str, path: Sequence[str]) -> str:
    """Return ``text`` without the key at ``path``, nor the comment right above it; an emptied map becomes ``{}``."""
    node: Any = document(text, kind)
    for key in path[:-1]:
        node = _value(node, key)
    if len(node.value) == 1:
        return set_value(text, kind, path[:-1], {})
    index = next(index for index, pair in enumerate(node.value) if pair[0].value == path[-1])
    name, old = node.value[index]
    end = _end(text, name, old)
    if not node.flow_style:
        return text[: _comment_start(text, name)] + text[_next_line(text, end) :]
    if index + 1 < len(node.value):
        return text[: name.start_mark.index] + text[node.value[index + 1][0].start_mark.index :]
    before = node.value[index - 1]
    return text[: _end(text, *before)] + text[end:]


def flow(value: Any) -> str:
    """Return ``value`` in flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _word(value) if isinstance(value, str) else str(value)


def _word(text: str) -> str:
    if _QUANTITY.fullmatch(text):
        return text
    quoted = quote(text)
    return quoted_scalar(text) if "," in text and quoted == text else quoted


def _value(mapping: Any, key: str) -> Any:
    pair = entry(mapping, key)
    assert pair is not None  # noqa: S101 - the caller has read the document
    return pair[1]


def _end(text: str, key: Any, value: Any) -> int:
    """Return where the content of an entry ends, before comments and blank lines."""
    after: int = key.end_mark.index
    colon = text.index(":", after) + 1
    if value.start_mark.index < after:
        # An alias: the node stands where its anchor is.
        alias = re.compile(r"\s*\*[^\s,\[\]{}]+").match(text, colon)
        return alias.end() if alias else colon
    if isinstance(value, ScalarNode) or value.flow_style:
        return max(colon, len(text[: value.end_mark.index].rstrip()))
    return _block_end(text, value)


def _block_end(text: str, node: Any) -> int:
    if isinstance(node, MappingNode) and not node.flow_style:
        return max(_end(text, *pair) for pair in node.value)
    if isinstance(node, SequenceNode) and not node.flow_style:
        return max(_block_end(text, item) for item in node.value)
    return len(text[: node.end_mark.index].rstrip())


def _next_line(text: str, position: int) -> int:
    newline = text.find("\n", position)
    return newline + 1 if newline >= 0 else len(text)


def _comment_start(text: str, key: Any) -> int:
    """Return where the line of ``key`` starts, or the first of the comments right above it at the same column."""
    start: int = text.rfind("\n", 0, key.start_mark.index) + 1
    while start > 0:
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above:start]
        if not line.startswith(" " * key.start_mark.column + "#"):
            break
        start = above
    return start


def _step(node: Any) -> int:
    """Return by how much nested maps are indented in the document that ``node`` is in, as far as it shows."""
    for key, value in node.value:
        if isinstance(value, MappingNode) and not value.flow_style and value.value:
            step: int = value.value[0][0].start_mark.column - key.start_mark.column
            return max(2, step)
    return 2


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def block(key: str, value: Any, column: int, step: int) -> list[str]:
    """Return an entry as lines: in block style where maps are in it or it would be too wide."""
    margin = " " * column
    line = f"{margin}{_word(key)}: {flow(value)}"
    if not isinstance(value, dict) or not value:
        return [line]
    if len(line) <= WIDTH and not any(isinstance(item, dict) for item in value.values()):
        return [line]
    inner = (text for name, item in value.items() for text in block(name, item, column + step, step))
    return [f"{margin}{_word(key)}:", *inner]


def _addition(text: str, mapping: Any, added: Mapping[str, Any]) -> _Edit:
    """Return how entries are added to a map that has some."""
    end = _end(text, *mapping.value[-1]) if mapping.flow_style else _next_line(text, _block_end(text, mapping))
    if mapping.flow_style:
        return _Edit(end, end, "".join(f", {_word(key)}: {flow(value)}" for key, value in added.items()))
    column, step = mapping.value[0][0].start_mark.column, _step(mapping)
    lines = [line + _newline(text) for key, value in added.items() for line in block(key, value, column, step)]
    return _Edit(end, end, "".join(lines), is_line=True)


def _replacement(text: str, mapping: Any, key: Any, old: Any, value: Any) -> _Edit:
    colon: int = text.index(":", key.end_mark.index) + 1
    end = _end(text, key, old)
    if isinstance(value, list) and value and isinstance(old, SequenceNode) and not old.flow_style:
        margin: str = " " * old.start_mark.column
        items = (_newline(text) + margin).join(f"- {flow(item)}" for item in value)
        return _Edit(old.start_mark.index, end, items)
    lines = block(key.value, value, key.start_mark.column, _step(mapping))
    if mapping.flow_style or len(lines) == 1:
        return _Edit(colon, end, f" {flow(value)}")
    line_end = _next_line(text, end)
    behind = text[end:line_end].rstrip()
    inner = "".join(line + _newline(text) for line in lines[1:])
    return _Edit(colon, line_end, behind + _newline(text) + inner)


def apply(data: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Return what a document that holds ``data`` has to hold after :func:`set_value`."""
    head, rest = path[0], path[1:]
    below = data.get(head)
    return {**data, head: apply(below if isinstance(below, dict) else {}, rest, value) if rest else value}


def without(data: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """Return what a document that holds ``data`` has to hold after :func:`remove_key`."""
    head, rest = path[0], path[1:]
    if rest:
        return {**data, head: without(data[head], rest)}
    return {key: item for key, item in data.items() if key != head}
