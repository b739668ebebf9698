"""Finds passwords that stand in clear text in what an export would write, such as in a copied worker's environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer import clear_text, full_yaml
from kustomizer.tree import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def passwords_in_file(path: str, text: str) -> list[str]:
    """Return the names of what holds a password in a file of this name."""
    if not path.endswith((".yaml", ".yml")):
        return clear_text.in_file(path, text)
    return sorted({name for tree in full_yaml.read_all(text) for name in passwords_in(plain_value(tree))})


def passwords_in(node: Any, key: str = "") -> Iterator[str]:
    """Yield the names of what holds a password below ``node``, plain values; never the password itself."""
    if isinstance(node, dict):
        if isinstance(node.get("name"), str) and isinstance(node.get("value"), str):
            yield from _in_setting(node["name"], node["value"])
        for name, value in node.items():
            yield from passwords_in(value, str(name))
    elif isinstance(node, list):
        yield from clear_text.in_words([word for word in node if isinstance(word, str)])
        for value in node:
            yield from passwords_in(value)
    elif isinstance(node, str):
        yield from clear_text.in_file(key, node)


def _in_setting(name: str, value: str) -> Iterator[str]:
    if clear_text.is_secret_name(name) and clear_text.is_secret_value(value):
        yield name
