"""Knows and computes the suffix that kustomize adds to the name of a generated ConfigMap or Secret.

https://github.com/kubernetes-sigs/kustomize/blob/kustomize/v5.8.1/api/hasher/hasher.go: the first ten digits of the
SHA-256 of some JSON, with other letters for what could spell a word. The name in that JSON is always empty (it looks up
a field of the name ``metadata/name``), so that equal data has an equal suffix under any name.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

GENERATED_KINDS = ("ConfigMap", "Secret")
"""The kinds that kustomize generates, with a hash at the end of the name."""
_LENGTH = 10
_LETTERS = str.maketrans("013ae", "ghkmt")
_HASH_LETTERS = frozenset("2456789bcdfghkmt")

# What encoding/json's appendString escapes, with HTML escaping on, as json.Marshal has it: what texts often have, the
# backslash first, since the others are written with one; and what they hardly ever have.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
_RARE_ESCAPES = {"\r": "\\r", "\t": "\\t", "\u2028": "\\u2028", "\u2029": "\\u2029"}
# Before Go 1.22 (https://github.com/golang/go/commit/3ccafc8) there was no short form of these two.
_OLD_MARKS = "\b\f"
# Python's own SHA-256; hashlib takes OpenSSL's, which costs 3.5 ms and more to load.
_SHA256 = "_sha2" if sys.version_info >= (3, 12) else "_sha256"


class _Unhashable(Exception):  # noqa: N818 - never leaves this module
    """The object holds what no ConfigMap or Secret may hold."""


def stem_of(name: str) -> str:
    """Return ``name`` without the hash that kustomize adds to the name of a generated ConfigMap or Secret."""
    stem, _, suffix = name.rpartition("-")
    return stem if stem and len(suffix) == _LENGTH and _HASH_LETTERS.issuperset(suffix) else name


def is_generated_name(name: str, stem: str) -> bool:
    """Tell whether ``name`` is ``stem``, with or without the hash that kustomize adds."""
    return name == stem or (name.startswith(stem) and stem_of(name) == stem)


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
    return tuple(_sha256(text.encode())[:_LENGTH].translate(_LETTERS) for text in encoded)


def _sha256(data: bytes) -> str:
    try:
        module = __import__(_SHA256)
    except ImportError:  # a Python that was built to use OpenSSL's alone
        module = __import__("hashlib")
    return str(module.sha256(data).hexdigest())


def _hashed(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that are hashed. A missing field is an empty string or left out, as in kustomize."""
    is_secret = tree["kind"] == "Secret"
    fields = {"kind": tree["kind"], "name": "", "data": "" if tree.get("data") is None else tree["data"]}
    if is_secret:
        fields["type"] = "" if tree.get("type") is None else tree["type"]
    more = "stringData" if is_secret else "binaryData"
    if isinstance(tree.get(more), dict):
        fields[more] = tree[more]
    return fields


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
    # A look for a mark costs a hundredth of str.translate.
    for mark, escape in _ESCAPES.items():
        if mark in text:
            text = text.replace(mark, escape)
    if not text.isprintable():
        escapes = {mark: f"\\u{ord(mark):04x}" for mark in map(chr, range(0x20))} | _RARE_ESCAPES
        escapes |= {} if old else {"\b": "\\b", "\f": "\\f"}
        for mark, escape in escapes.items():
            text = text.replace(mark, escape)
    return f'"{text}"'


def _has_old(value: Any) -> bool:
    """Tell whether ``value`` has a character that older Go versions escape in another way."""
    if isinstance(value, dict):
        return any(_has_old(key) or _has_old(item) for key, item in value.items())
    return isinstance(value, str) and any(mark in value for mark in _OLD_MARKS)
