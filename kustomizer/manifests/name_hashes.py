"""Computes the suffix that kustomize adds to the name of a generated ConfigMap or Secret.

https://github.com/kubernetes-sigs/kustomize/blob/kustomize/v5.8.1/api/hasher/hasher.go: the first ten digits of the
SHA-256 of some JSON, with other letters for what could spell a word. The name in that JSON is always empty (it looks up
a field of the name ``metadata/name``), so that equal data has an equal suffix under any name.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERATED_KINDS = ("ConfigMap", "Secret")
"""The kinds that kustomize generates, with a hash at the end of the name."""
_LENGTH = 10
_LETTERS = str.maketrans("013ae", "ghkmt")

# What encoding/json's appendString escapes besides what Python's does, with HTML escaping on, as json.Marshal has it.
_MORE_ESCAPES = [(mark, f"\\u{ord(mark):04x}") for mark in "<>&\u2028\u2029"]
# Before Go 1.22 (https://github.com/golang/go/commit/3ccafc8) there was no short form of these two.
_OLD_ESCAPES = {"\b": "\\u0008", "\f": "\\u000c"}


class _Unhashable(Exception):  # noqa: N818 - never leaves this module
    """The object holds what no ConfigMap or Secret may hold."""


def is_kustomizes(suffix: str, tree: dict[str, Any]) -> bool:
    """Tell whether some kustomize adds ``suffix`` to the name of this ConfigMap or Secret, given as plain values."""
    return suffix in suffixes(tree)


def suffixes(tree: dict[str, Any]) -> tuple[str, ...]:
    """Return the possible suffixes: one, or two where it depends on the Go version that built kustomize.

    None at all for an object that isn't a ConfigMap or a Secret, or has values that such an object can't have.
    """
    if tree.get("kind") not in GENERATED_KINDS:
        return ()
    try:
        hashed = _hashed(tree)
        encoded = [_json(hashed, old=False), *([_json(hashed, old=True)] if _has_old(hashed) else [])]
    except _Unhashable:
        return ()
    import hashlib  # noqa: PLC0415 - OpenSSL takes 20 ms to load, and often nothing generated has changed

    return tuple(hashlib.sha256(text.encode()).hexdigest()[:_LENGTH].translate(_LETTERS) for text in encoded)


def _hashed(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are hashed. A missing field is an empty string or left out, as in kustomize."""
    is_secret = tree["kind"] == "Secret"
    fields = {"kind": tree["kind"], "name": "", "data": _field(tree, "data")}
    if is_secret:
        fields["type"] = _field(tree, "type")
    more = "stringData" if is_secret else "binaryData"
    if isinstance(tree.get(more), dict):
        fields[more] = tree[more]
    return fields


def _field(tree: dict[str, Any], name: str) -> Any:
    value = tree.get(name)
    return "" if value is None else value


def _json(value: Any, *, old: bool) -> str:
    """Return ``value`` as Go's json.Marshal writes it: keys sorted by their bytes, and no blanks."""
    return "".join(_parts(value, old=old))


def _parts(value: Any, *, old: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield _quoted(value, old=old)
    elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
        yield "{"
        for position, key in enumerate(sorted(value, key=lambda key: key.encode("utf-8", "surrogatepass"))):
            yield "," if position else ""
            yield _quoted(key, old=old)
            yield ":"
            yield from _parts(value[key], old=old)
        yield "}"
    elif value is None:
        yield "null"
    else:
        raise _Unhashable


def _quoted(text: str, *, old: bool) -> str:
    # YAML can hold half of a surrogate pair, which isn't UTF-8.
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _Unhashable
    if old:
        parts = re.split("([\b\f])", text)
        quoted = "".join([_OLD_ESCAPES.get(part) or encode_basestring(part)[1:-1] for part in parts])
    else:
        quoted = encode_basestring(text)[1:-1]
    for mark, escape in _MORE_ESCAPES:
        quoted = quoted.replace(mark, escape)
    return f'"{quoted}"'


def _has_old(value: Any) -> bool:
    """Tell whether ``value`` has a character that older Go versions escape in another way."""
    if isinstance(value, dict):
        return any(_has_old(key) or _has_old(item) for key, item in value.items())
    return isinstance(value, str) and any(mark in value for mark in _OLD_ESCAPES)
