"""Replaces every secret of two builds by a token, before anything is compared or printed.

What is secret is known by its place (the data of a Secret, what a name calls a password, the password of a URL) and,
once seen in such a place, by its value wherever else it stands. Each piece becomes a token that stands for just that
text: trees are equal where the real ones are, so that a password that changed is a change, and two that were swapped
are two. No token is printed; :meth:`Masks.shown` turns them into the words for a reader.

A password that is a short or a common word is masked in its place only. To mask `openedx` wherever it stands would
spoil the output, and would tell the password.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from kustomizer.manifests.resource import LAST_APPLIED, Resource, Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.masking import places
from kustomizer.masking.brackets import Span
from kustomizer.masking.collection import WORD_LISTS, Collector
from kustomizer.masking.marks import ABSENT, CHANGED_SECRET, SECRET
from kustomizer.masking.names import is_secret, is_secret_below
from kustomizer.masking.values import SecretValues, decode, is_distinctive

# Unicode promises that these two never are letters of a text; where one stands in a text all the same, it is escaped.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_ESCAPED = f"{_OPEN}x{_CLOSE}"
_TOKEN = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


class Masks:
    """The secrets of two builds, and the tokens that replace them."""

    def __init__(self, before: Resources, after: Resources) -> None:
        """Find what is secret in either build: it is masked in the other, too."""
        collected = Collector(before, after)
        names = "\n".join(sorted(collected.names)).lower()
        self._values = SecretValues(value for value in collected.values if is_distinctive(value, names))
        self.secrets = frozenset(collected.secrets)
        """The names of the builds' Secrets."""
        self._spans = collected.spans
        self._tokens: dict[Any, str] = {}
        self._texts: dict[tuple[str, bool], str] = {}
        self.fields: dict[tuple[str, str], Any] = {}
        """What strings become, by the name of their field and by what they are: workers have most in common."""

    def tree(self, resource: Resource) -> Any:
        """Return the object as plain values in which every secret piece is a token."""
        return _Walk(self, resource.kind).object(plain_value(resource.tree))

    def text(self, text: str, *, code: bool = False) -> str:
        """Return ``text`` with tokens for what is secret in it."""
        key = (text, code)
        if key not in self._texts:
            spans = self._spans.get(key)
            self._texts[key] = self.cut(text, places.in_text(text, code=code) if spans is None else spans)
        return self._texts[key]

    def cut(self, text: str, spans: list[Span]) -> str:
        """Return ``text`` with tokens for ``spans`` and for every known value."""
        parts, position = [], 0
        for start, end in places.merged([*spans, *self._values.spans(text)]):
            parts += [text[position:start].replace(_OPEN, _ESCAPED), self.token(text[start:end])]
            position = end
        parts.append(text[position:].replace(_OPEN, _ESCAPED))
        return "".join(parts)

    def token(self, secret: Any) -> str:
        """Return the token of ``secret``, always the same."""
        key = (type(secret).__name__, secret)
        return self._tokens.setdefault(key, f"{_OPEN}{len(self._tokens)}{_CLOSE}")

    def shown(self, before: Any, after: Any) -> tuple[Any, Any]:
        """Return what a reader sees of two trees, or parts of trees, at one place.

        Tokens become marks.SECRET; on the side of ``after`` they become marks.CHANGED_SECRET where another secret, or
        none, stood there before. Nothing stood there where ``before`` is ABSENT or None: then nothing has changed.
        """
        return _shown(before, before), _shown(after, before)


def _shown(node: Any, before: Any) -> Any:
    if isinstance(node, dict):
        values_before = before if isinstance(before, dict) else {}
        return {key: _shown(value, values_before.get(key, ABSENT)) for key, value in node.items()}
    if isinstance(node, list):
        items = before if isinstance(before, list) else []
        return [_shown(value, items[index] if index < len(items) else ABSENT) for index, value in enumerate(node)]
    if not isinstance(node, str) or _OPEN not in node:
        return node
    tokens = _TOKEN.findall(node)
    tokens_before = _TOKEN.findall(before) if isinstance(before, str) else None
    if tokens_before is None:
        same = [before is ABSENT or before is None] * len(tokens)
    elif len(tokens_before) == len(tokens):
        same = [token == known_token for token, known_token in zip(tokens, tokens_before, strict=True)]
    else:
        same = [token in tokens_before for token in tokens]
    words = iter(SECRET if is_same else CHANGED_SECRET for is_same in same)
    return _TOKEN.sub(lambda _match: next(words), node).replace(_ESCAPED, _OPEN)


class _Walk:
    """Makes one object's tree one with tokens."""

    def __init__(self, masks: Masks, kind: str) -> None:
        self.masks = masks
        self.kind = kind

    def object(self, tree: Any) -> Any:
        if not isinstance(tree, dict):
            return self.node(tree)
        result = {}
        for key, value in tree.items():
            if self.kind == "Secret" and key in {"data", "stringData"}:
                result[key] = self.secret_data(value, encoded=key == "data")
            elif self.kind == "ConfigMap" and key in {"data", "binaryData"} and isinstance(value, dict):
                files = self.file if key == "data" else self.binary_file
                result[key] = {name: files(name, content) for name, content in value.items()}
            else:
                result[key] = self.field(key, value)
        return result

    def secret_data(self, data: Any, *, encoded: bool) -> Any:
        if not isinstance(data, dict):
            return data if data is None else self.masks.token(json.dumps(data, sort_keys=True))
        masked: dict[str, Any] = {}
        for name, value in data.items():
            content = _bytes(value) if encoded else None
            # Line breaks in base64 are none of what it stands for.
            masked[name] = self.masks.token(json.dumps(value) if content is None else content)
        return masked

    def file(self, name: str, content: Any) -> Any:
        if not isinstance(content, str):
            return self.field(name, content)
        if is_secret(name) and places.is_value(content):
            return self.masks.token(content)
        return self.masks.text(content, code=name.endswith(places.CODE))

    def binary_file(self, name: str, content: Any) -> Any:
        text = decode(content) if isinstance(content, str) else None
        if isinstance(content, str) and (is_secret(name) or (text is not None and _OPEN in self.masks.text(text))):
            return self.masks.token(content)
        return self.field(name, content)

    def field(self, name: str, value: Any) -> Any:
        if type(value) is not str:
            return self.any_field(name, value)
        key = (name, value)
        if key not in self.masks.fields:
            self.masks.fields[key] = self.any_field(name, value)
        return self.masks.fields[key]

    def any_field(self, name: str, value: Any) -> Any:
        if name == LAST_APPLIED:
            return self.masks.token(json.dumps(value))
        if name in WORD_LISTS and isinstance(value, list) and all(isinstance(word, str) for word in value):
            return [self.masks.cut(word, spans) for word, spans in zip(value, places.in_words(value), strict=True)]
        is_scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        if is_scalar and is_secret(name) and places.is_value(str(value)) and str(value) not in self.masks.secrets:
            return self.masks.token(value)
        if isinstance(value, list) and is_secret(name):
            return [self.field(name, item) for item in value]
        if isinstance(value, dict):
            return self.mapping(value, name)
        return self.node(value)

    def mapping(self, mapping: dict[str, Any], name: str = "") -> dict[str, Any]:
        """Return a mapping, the field of this name where it has one, with tokens."""
        named = places.name_of_value(mapping, name)
        result = {}
        for key, value in mapping.items():
            called = named if key == "value" else key
            # What is called `passwords` says of all in it what it is.
            below = name if isinstance(value, (str, int, float)) and is_secret_below(name, key) else called
            result[key] = self.field(below, value)
        return result

    def node(self, node: Any) -> Any:
        if isinstance(node, dict):
            return self.mapping(node)
        if isinstance(node, list):
            return [self.node(item) for item in node]
        return self.masks.text(node) if isinstance(node, str) else node


def _bytes(value: Any) -> bytes | None:
    try:
        return base64.b64decode("".join(value.split()), validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
