"""Takes everything secret out of the builds before anything is compared or printed.

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
from typing import TYPE_CHECKING

from kustomizer.diff import secret_places
from kustomizer.diff.model import ABSENT, CHANGED_SECRET, SECRET
from kustomizer.diff.secret_names import is_secret
from kustomizer.diff.secret_values import SecretValues, decode, is_distinctive, pieces, readings
from kustomizer.resources import stem_of
from kustomizer.tree import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from kustomizer.diff.secret_places import Span
    from kustomizer.resources import Resource, Resources

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Unicode promises that these two never are letters of a text; where one stands in a text all the same, it is escaped.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_ESCAPED = f"{_OPEN}x{_CLOSE}"
_TOKEN = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_WORD_LISTS = frozenset({"args", "command"})
_DIRECTIVES = frozenset({"requirepass", "masterauth"})
# What a resource's text has to hold before anybody looks for secrets in it.
_SIGNS = (
    *("assw", "ASSW", "ecret", "ECRET", "oken", "OKEN", "_KEY", "_key", "iKey", "-key", "pass", "PASS", "@", "AUTH"),
    *("PRIVATE", "rivate", "salt", "SALT", "DSN", "dsn", "pwd", "PWD", "$2", "jwk", "COOKIE"),
)
_CONFIG_KINDS = frozenset({"ConfigMap", "Secret"})
_IN_YAML = re.compile(
    r"""name:[ ]+["']?([A-Za-z_][\w.-]*)["']?\n\s+value:|^[\s-]*["']?([A-Za-z_][\w.-]*)["']?:[ ]+\S""", re.M
)


class Masks:
    """What is secret in two builds, and the tokens that stand for it."""

    def __init__(self, values: Iterable[str], names: str, secrets: Iterable[str]) -> None:
        self._values = SecretValues(value for value in values if is_distinctive(value, names))
        self._secrets = frozenset(secrets)
        self._tokens: dict[Any, str] = {}
        self._texts: dict[tuple[str, bool], str] = {}

    @classmethod
    def of(cls, before: Resources, after: Resources) -> Masks:
        """Return the masks for two builds: secrets of one are masked in the other, too."""
        collector = _Collector()
        seen = set()
        for resource in (*before, *after):
            if resource.text not in seen or not resource.text:
                seen.add(resource.text)
                collector.resource(resource)
        names = "\n".join(sorted(collector.names)).lower()
        return cls(collector.values, names, collector.secrets)

    def tree(self, resource: Resource) -> Any:
        """Return the object as plain values in which every secret piece is a token."""
        return _Walk(self, resource.kind).object(plain_value(resource.tree))

    def text(self, text: str, *, code: bool = False) -> str:
        """Return ``text`` with tokens for what is secret in it."""
        key = (text, code)
        if key not in self._texts:
            self._texts[key] = self.cut(text, [*secret_places.in_text(text, code=code)])
        return self._texts[key]

    def cut(self, text: str, spans: list[Span]) -> str:
        """Return ``text`` with tokens for ``spans`` and for every known value."""
        parts, position = [], 0
        for start, end in secret_places.merged([*spans, *self._values.spans(text)]):
            parts += [text[position:start].replace(_OPEN, _ESCAPED), self.token(text[start:end])]
            position = end
        parts.append(text[position:].replace(_OPEN, _ESCAPED))
        return "".join(parts)

    def token(self, secret: Any) -> str:
        """Return what stands for ``secret``, always the same."""
        key = (type(secret).__name__, secret)
        return self._tokens.setdefault(key, f"{_OPEN}{len(self._tokens)}{_CLOSE}")

    def names_a_secret(self, value: str) -> bool:
        """Tell whether ``value`` is the name of a Secret of the builds."""
        return value in self._secrets

    def shown(self, before: Any, after: Any) -> tuple[Any, Any]:
        """Return what a reader sees of two trees, or parts of trees, that stand at one place.

        Tokens become model.SECRET; on the side of ``after`` they become model.CHANGED_SECRET where another secret, or
        none, stood there before. Nothing stood there where ``before`` is ABSENT or None: then nothing has changed.
        """
        return _shown(before, before), _shown(after, before)


def _shown(node: Any, before: Any) -> Any:
    if isinstance(node, dict):
        others = before if isinstance(before, dict) else {}
        return {key: _shown(value, others.get(key, ABSENT)) for key, value in node.items()}
    if isinstance(node, list):
        items = before if isinstance(before, list) else []
        return [_shown(value, items[index] if index < len(items) else ABSENT) for index, value in enumerate(node)]
    if not isinstance(node, str) or _OPEN not in node:
        return node
    tokens = _TOKEN.findall(node)
    known = _TOKEN.findall(before) if isinstance(before, str) else None
    if known is None:
        same = [before is ABSENT or before is None] * len(tokens)
    elif len(known) == len(tokens):
        same = [token == other for token, other in zip(tokens, known, strict=True)]
    else:
        same = [token in known for token in tokens]
    words = iter(SECRET if each else CHANGED_SECRET for each in same)
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
        if is_secret(name) and secret_places.is_value(content):
            return self.masks.token(content)
        return self.masks.text(content, code=name.endswith(secret_places.CODE))

    def binary_file(self, name: str, content: Any) -> Any:
        text = decode(content) if isinstance(content, str) else None
        if isinstance(content, str) and (is_secret(name) or (text is not None and _OPEN in self.masks.text(text))):
            return self.masks.token(content)
        return self.field(name, content)

    def field(self, name: str, value: Any) -> Any:
        if name == LAST_APPLIED:
            return self.masks.token(json.dumps(value))
        if name in _WORD_LISTS and isinstance(value, list) and all(isinstance(word, str) for word in value):
            return [self.masks.cut(word, spans) for word, spans in zip(value, _in_words(value), strict=True)]
        if isinstance(value, (str, int, float)) and self.is_secret_field(name, value):
            return self.masks.token(value)
        return self.node(value)

    def is_secret_field(self, name: str, value: Any) -> bool:
        if isinstance(value, bool) or not is_secret(name) or not secret_places.is_value(str(value)):
            return False
        return not self.masks.names_a_secret(str(value))

    def node(self, node: Any) -> Any:
        if isinstance(node, dict):
            named = node.get("name")
            if isinstance(named, str) and "value" in node:
                return {key: self.field(named if key == "value" else key, value) for key, value in node.items()}
            return {key: self.field(key, value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.node(each) for each in node]
        return self.masks.text(node) if isinstance(node, str) else node


def _in_words(words: list[str]) -> Iterator[list[Span]]:
    """Yield for each word of a command line where in it secrets stand."""
    takes_next = False
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if takes_next and secret_places.is_value(word):
            yield [(0, len(word))]
        elif equals and " " not in name and is_secret(name) and secret_places.is_value(value):
            yield [(len(word) - len(value), len(word))]
        else:
            yield secret_places.in_text(word)
        takes_next = (word.startswith("-") and not equals and is_secret(name)) or word in _DIRECTIVES


def _bytes(value: Any) -> bytes | None:
    try:
        return base64.b64decode("".join(value.split()), validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


class _Collector:
    """Gathers the values that stand in secret places, and the names that aren't to be mistaken for them."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.names: set[str] = set()
        self.secrets: set[str] = set()

    def resource(self, resource: Resource) -> None:
        self.names |= {resource.name, resource.namespace, resource.kind}
        if resource.kind == "Secret":
            self.secrets |= {resource.name, stem_of(resource.name)}
        if (
            resource.kind in _CONFIG_KINDS
            or (any(sign in resource.text for sign in _SIGNS) and _holds_secrets(resource.text))
            or not resource.text
        ):
            self.object(plain_value(resource.tree), resource.kind)

    def object(self, tree: Any, kind: str) -> None:
        if not isinstance(tree, dict):
            return
        for key, value in tree.items():
            if kind in _CONFIG_KINDS and key in {"data", "stringData", "binaryData"} and isinstance(value, dict):
                self.names |= {str(name) for name in value}
                for name, content in value.items():
                    self.content(str(name), content, kind, encoded=(kind, key) != ("ConfigMap", "data"))
            else:
                self.field(key, value)

    def content(self, name: str, content: Any, kind: str, *, encoded: bool) -> None:
        text = decode(content) if encoded and isinstance(content, str) else content
        if not isinstance(text, str):
            return
        if kind == "Secret" or is_secret(name):
            self.secret(text)
            self.values |= pieces(text)
        self.text(text, code=name.endswith(secret_places.CODE))

    def secret(self, value: Any) -> None:
        if secret_places.is_value(str(value)):
            self.values |= readings(str(value))

    def text(self, text: str, *, code: bool = False) -> None:
        for start, end in secret_places.in_text(text, code=code):
            found = text[start:end]
            self.values |= readings(found) | (pieces(found) if "PRIVATE KEY" in found else set())

    def field(self, name: str, value: Any) -> None:
        if name == LAST_APPLIED and isinstance(value, str):
            try:
                applied = json.loads(value)
            except ValueError:
                self.text(value)
            else:
                self.object(applied, str(applied.get("kind")) if isinstance(applied, dict) else "")
        elif name in _WORD_LISTS and isinstance(value, list) and all(isinstance(word, str) for word in value):
            for word, spans in zip(value, _in_words(value), strict=True):
                for start, end in spans:
                    self.secret(word[start:end])
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and is_secret(name):
            self.secret(value)
        else:
            self.node(value)

    def node(self, node: Any) -> None:
        if isinstance(node, dict):
            named = node.get("name")
            if isinstance(named, str):
                self.names.add(named)
            for key, value in node.items():
                self.field(named if key == "value" and isinstance(named, str) else key, value)
        elif isinstance(node, list):
            for each in node:
                self.node(each)
        elif isinstance(node, str):
            self.text(node)


def _holds_secrets(text: str) -> bool:
    """Tell whether an object's YAML may hold a secret: what refers to one needn't be parsed."""
    return (
        LAST_APPLIED in text
        or bool(secret_places.in_text(text))
        or any(is_secret(match.group(1) or match.group(2)) for match in _IN_YAML.finditer(text))
    )
