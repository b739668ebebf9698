"""Reads an object's identity from its text, without parsing it: a build may have ten thousand objects."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Header: TypeAlias = "tuple[str, str, str, str]"
    """apiVersion, kind, namespace and name, empty where there is none."""

_NULLS = frozenset({"null", "Null", "NULL"})
_IN_NAMES = str.maketrans("", "", "./:_-")
_known_names: set[str] = set()
"""Versions, kinds and namespaces that were found to be plain names: a build has few of them."""


def scan_header(text: str, indent: int) -> Header | None:
    """Return the header of an object in the form that kustomize writes; None where a parser is needed."""
    return _usual(text, indent) or _any(text, indent)


def _usual(text: str, indent: int) -> Header | None:
    """Read a header in which kind comes right before the metadata, and the namespace right after the name.

    kustomize sorts keys, so most headers are like that. The result is that of :func:`_any`.
    """
    margin = "\n" + " " * indent
    inner = f"{margin}  "
    metadata = text.find(f"{margin}metadata:{inner}")
    kind = text.rfind("\n", 0, metadata) if metadata > 0 else -1
    first = indent + len("apiVersion: ")
    if kind < 0 or not text.startswith(f"{margin}kind: ", kind) or not text.startswith("apiVersion: ", indent):
        return None
    start = metadata + len(margin) + len("metadata:")
    name = text.find(f"{inner}name: ", start)
    name_end = text.find(f"{inner}namespace: ", name + 1) if name > 0 else -1
    if name_end < 0 or text.count("\n", start, name_end) != text.count(inner, start, name_end):
        return None
    end = text.find("\n", name_end + 1)
    end = end if end >= 0 else len(text)
    first_end = text.find("\n", first)
    if text.startswith((f"{inner} ", "\n\n"), end) or text.startswith((f"{margin} ", "\n\n"), first_end):
        # The scalar may continue there.
        return None
    api_version = text[first:first_end]
    kind_text = text[kind + len(margin) + len("kind: ") : metadata]
    namespace = text[name_end + len(inner) + len("namespace: ") : end]
    name_text = text[name + len(inner) + len("name: ") : name_end]
    if _is_known(api_version) and _is_known(kind_text) and _is_known(namespace) and _is_name(name_text):
        return (api_version, kind_text, namespace, name_text)
    return None


def _is_known(token: str) -> bool:
    if token in _known_names:
        return True
    if not _is_name(token):
        return False
    _known_names.add(token)
    return True


def _any(text: str, indent: int) -> Header | None:
    margin = "\n" + " " * indent
    text = margin + text[indent:]
    start = text.find(f"{margin}metadata:{margin}  ")
    if start < 0:
        return None
    start += len(margin) + len("metadata:")
    end = _end_of_block(text, start, indent)
    api_version = _token(text, margin, "apiVersion", 0, len(text))
    kind = _token(text, margin, "kind", 0, len(text))
    namespace = _token(text, f"{margin}  ", "namespace", start, end)
    name = _token(text, f"{margin}  ", "name", start, end)
    if not (_is_name(api_version) and _is_name(kind) and _is_name(name)):
        return None
    if not (_is_name(namespace) if namespace else not _states_namespace_otherwise(text, start, end)):
        return None
    return (api_version, kind, namespace, name)


def _end_of_block(text: str, start: int, indent: int) -> int:
    """Return where the block of lines that are indented by more than ``indent`` ends."""
    deeper = "\n" + " " * (indent + 1)
    position = start
    while position >= 0 and text.startswith((deeper, "\n\n"), position):
        position = text.find("\n", position + 1)
    return position if position >= 0 else len(text)


def _is_name(token: str) -> bool:
    """Tell whether every YAML reader takes ``token`` for this very string."""
    rest = token.translate(_IN_NAMES)
    return rest.isascii() and rest.isalnum() and token[0].isalpha() and token[-1].isalnum() and token not in _NULLS


def _states_namespace_otherwise(text: str, start: int, end: int) -> bool:
    """Tell whether the namespace may be written as kustomize doesn't: quoted, behind a question mark, merged in."""
    if text.find("<<", start, end) >= 0:
        return True
    asked = text.find("?", start, end) >= 0
    position = text.find("namespace", start, end)
    while position >= 0:
        position += len("namespace")
        if asked or text[position : position + 100].lstrip("'\" ").startswith(":"):
            return True
        position = text.find("namespace", position, end)
    return False


def _token(text: str, margin: str, key: str, start: int, end: int) -> str:
    head = f"{margin}{key}: "
    position = text.find(head, start, end)
    if position < 0:
        return ""
    position += len(head)
    stop = text.find("\n", position)
    if stop < 0:
        return text[position:]
    if text.startswith((f"{margin} ", "\n\n"), stop):
        # The scalar may continue there.
        return "?"
    return text[position:stop]
