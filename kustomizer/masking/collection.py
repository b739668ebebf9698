"""Gathers the secrets of two builds: the values in places that hold secrets."""

from __future__ import annotations

import json
import re
from typing import Any

from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.resource import LAST_APPLIED, Resource, Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.masking import places
from kustomizer.masking.brackets import Span
from kustomizer.masking.names import is_secret, is_secret_below
from kustomizer.masking.values import decode, pieces, readings

WORD_LISTS = frozenset({"args", "command"})

# Objects other than ConfigMaps and Secrets are searched only where their text holds one of these.
_SIGNS = (
    *("pass", "pwd", "secret", "token", "auth", "cred", "cookie", "jwk", "salt", "dsn", "pepper", "otp", "psk"),
    *("_key", "-key", "ikey", "private", "identified", "mariadb", "mysql", "mongo", "redis-cli", "curl", "users"),
    *("basic", "bearer", "slack", "eyj", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("xox", "_live_", "sk-", "npm_", "pypi-", "dckr"),
    *("@", "$", "{s", "kty", " >", "?"),
)
_CONFIG_KINDS = frozenset({"ConfigMap", "Secret"})
_READ_ANYWAY = frozenset({"ScaledObject"})
"""Kinds of which a large site has many, and that the rules parse all the same."""
# Where an object's text, YAML or JSON, gives a value to a name.
_KEYS = re.compile(
    r"""^[ \t-]*["']?([A-Za-z_][\w.-]*)["']?:[ \t]+\S|[{,]\s*["']([A-Za-z_][\w.-]*)["']\s*:""", re.MULTILINE
)
_NAMES = re.compile(r"""\bname["']?:\s*["']?([A-Za-z_][\w.-]*)""")
_OPTIONS = re.compile(
    r"""(?<![\w-])--?([A-Za-z][\w.-]*)|\b(requirepass|masterauth|mysql|mariadb|mongo|redis-cli|curl)\b"""
)
# {key: db.password, value: …}, and password: {value: …}
_KEYED = re.compile(
    r"""\bkey["']?:\s*["']?([A-Za-z_][\w.-]*)["']?,?\s*["']?value["']?:|\b([A-Za-z_][\w.-]*)["']?:[\s{]+["']?value["']?:"""
)
_VALUE = re.compile(r"""\bvalue["']?:""")
_NEAR = 300


class Collector:
    """The values in the secret places of two builds, and the names that must not be mistaken for them."""

    def __init__(self, before: Resources, after: Resources) -> None:
        """Gather from two builds; an object that is the same in both is read once."""
        self.values: set[str] = set()
        self.names: set[str] = set()
        self.secrets: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        """The fields that were looked at, by name and text: workers have most in common."""
        self.spans: dict[tuple[str, bool], list[Span]] = {}
        """The spans of secrets by text: finding them is the most expensive step."""
        texts = {resource.text for resource in before}
        for resource in before:
            self._resource(resource)
        for resource in after:
            if not resource.text or resource.text not in texts:
                self._resource(resource)

    def _resource(self, resource: Resource) -> None:
        self.names |= {resource.name, resource.namespace, resource.kind}
        if resource.kind == "Secret":
            self.secrets |= {resource.name, stem_of(resource.name)}
        if _may_hold_secrets(resource):
            # A tree that nobody else asks for mustn't stay in memory: most objects don't change.
            is_kept = resource.is_parsed or resource.kind in _READ_ANYWAY
            copy = resource if is_kept else Resource(resource.text, indent=resource.indent)
            self._object(plain_value(copy.tree), resource.kind)

    def _object(self, tree: Any, kind: str) -> None:
        if not isinstance(tree, dict):
            return
        for key, value in tree.items():
            if kind in _CONFIG_KINDS and key in {"data", "stringData", "binaryData"} and isinstance(value, dict):
                self.names |= {str(name) for name in value}
                for name, content in value.items():
                    self._content(
                        str(name), content, kind, encoded=(kind, key) == ("Secret", "data") or key == "binaryData"
                    )
            else:
                self._field(key, value)

    def _content(self, name: str, content: Any, kind: str, *, encoded: bool) -> None:
        text = decode(content) if encoded and isinstance(content, str) else content
        if not isinstance(text, str):
            return
        if kind == "Secret" or is_secret(name):
            self._secret(text)
            self.values |= pieces(text)
        self._text(text, code=name.endswith(places.CODE))

    def _secret(self, value: Any) -> None:
        if places.is_value(str(value)):
            self.values |= readings(str(value))

    def _text(self, text: str, *, code: bool = False) -> None:
        if (text, code) in self.spans:
            return
        spans = self.spans[text, code] = places.in_text(text, code=code)
        for start, end in spans:
            secret = text[start:end]
            self.values |= readings(secret) | (pieces(secret) if "PRIVATE KEY" in secret else set())

    def _field(self, name: str, value: Any) -> None:
        if name == LAST_APPLIED and isinstance(value, str):
            try:
                applied = json.loads(value)
            except ValueError:
                self._text(value)
            else:
                self._object(applied, str(applied.get("kind")) if isinstance(applied, dict) else "")
        elif name in WORD_LISTS and isinstance(value, list) and all(isinstance(word, str) for word in value):
            for word, spans in zip(value, places.in_words(value), strict=True):
                for start, end in spans:
                    self._secret(word[start:end])
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and is_secret(name):
            self._secret(value)
        elif isinstance(value, list) and is_secret(name):
            for item in value:
                self._field(name, item)
        elif isinstance(value, dict):
            self._mapping(value, name)
        else:
            self._node(value)

    def _mapping(self, mapping: dict[str, Any], name: str = "") -> None:
        if isinstance(mapping.get("name"), str):
            self.names.add(mapping["name"])
        named = places.name_of_value(mapping, name)
        for key, value in mapping.items():
            called = named if key == "value" else key
            below = name if isinstance(value, (str, int, float)) and is_secret_below(name, key) else called
            if type(value) is not str:
                self._field(below, value)
            elif (below, value) not in self._known:
                self._known.add((below, value))
                self._field(below, value)

    def _node(self, node: Any) -> None:
        if isinstance(node, dict):
            self._mapping(node)
        elif isinstance(node, list):
            for item in node:
                self._node(item)
        elif isinstance(node, str):
            self._text(node)


def _may_hold_secrets(resource: Resource) -> bool:
    # To walk through a tree that is there takes less time than to search the text.
    if not resource.text or resource.is_parsed or resource.kind in _CONFIG_KINDS | _READ_ANYWAY:
        return True
    small = resource.text.lower()
    # A backslash may hide a letter of any of these.
    return "\\" in small or (any(sign in small for sign in _SIGNS) and _holds_secrets(resource.text))


def _holds_secrets(text: str) -> bool:
    """Tell whether an object's text may hold a secret: what refers to one needn't be parsed."""
    if LAST_APPLIED in text or places.in_text(text):
        return True
    if any(is_secret(match.group(1) or match.group(2)) for match in _KEYS.finditer(text)):
        return True
    if any(match.group(2) or is_secret(match.group(1)) for match in _OPTIONS.finditer(text)):
        return True
    if any(is_secret(match.group(1) or match.group(2)) for match in _KEYED.finditer(text)):
        return True
    return any(
        is_secret(match.group(1)) and _VALUE.search(text, max(0, match.start() - _NEAR), match.end() + _NEAR)
        for match in _NAMES.finditer(text)
    )
