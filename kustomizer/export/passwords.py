"""Finds passwords in clear text in the files of an export, such as in a copied worker's environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kustomizer.export.parts import File
from kustomizer.manifests import full_reader
from kustomizer.manifests.tree import plain_value
from kustomizer.masking import detection


def with_passwords(files: Mapping[str, File]) -> dict[str, File]:
    """Return ``files``, each with the names of the settings in it that hold a password."""
    return {
        path: file if file.is_private else file.replace(passwords=passwords_in_file(path, file.text))
        for path, file in files.items()
    }


def passwords_in_file(path: str, text: str) -> list[str]:
    """Return the names of the settings that hold a password in a file; ``path`` tells its format."""
    if not path.endswith((".yaml", ".yml")):
        return detection.in_file(path, text)
    return sorted({name for tree in full_reader.read_all(text) for name in passwords_in(plain_value(tree))})


def passwords_in(node: Any, key: str = "") -> Iterator[str]:
    """Yield the names of the settings below ``node`` that hold a password, never the password itself."""
    if isinstance(node, dict):
        if node.get("kind") == "PatchTransformer" and isinstance(node.get("patch"), str):
            yield from passwords_in(plain_value(full_reader.read(node["patch"])))
        if isinstance(node.get("name"), str) and isinstance(node.get("value"), str):
            yield from _in_setting(node["name"], node["value"])
        for name, value in node.items():
            yield from passwords_in(value, str(name))
    elif isinstance(node, list):
        yield from _in_operations([item for item in node if isinstance(item, dict) and "op" in item and "path" in item])
        yield from detection.in_words([word for word in node if isinstance(word, str)])
        for value in node:
            yield from passwords_in(value)
    elif isinstance(node, str):
        yield from detection.in_file(key, node)


def _in_operations(operations: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a JSON patch sets by its path: a variable's value alone stands behind a test of its name."""
    names: dict[str, str] = {}
    for operation in operations:
        holder, _, key = str(operation["path"]).rpartition("/")
        value = operation.get("value")
        if not isinstance(value, str):
            continue
        if operation["op"] == "test" and key == "name":
            names[holder] = value
        elif operation["op"] != "test":
            yield from _in_setting(names.get(holder, "") if key == "value" else key, value)
            yield from detection.in_file(key, value)


def _in_setting(name: str, value: str) -> Iterator[str]:
    if detection.is_secret_name(name) and detection.is_secret_value(value):
        yield name
