"""Reads an object's identity and its entries from its text, without parsing it.

A build may have ten thousand objects, and the settings of a site take as long to parse as all else that is parsed.
"""

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


def scan_entries(text: str, indent: int, *fields: str) -> dict[str, str] | None:
    """Return the entries of these mappings of an object (``data``), as they are written; None where a parser is needed.

    Where a mapping is there, kustomize writes one entry or more of it, each key at the start of a line of its own.
    """
    margin = "\n" + " " * indent
    text = f"{margin}{text[indent:]}\n"
    entries: dict[str, str] = {}
    for field in fields:
        start = text.find(f"{margin}{field}:")
        if start >= 0:
            below = _entries_below(text, start + len(f"{margin}{field}:"), margin)
            if below is None:
                return None
            entries.update(below)
    return entries


def _entries_below(text: str, start: int, margin: str) -> dict[str, str] | None:
    inner = f"{margin}  "
    deeper = (f"{inner} ", f"{inner}\n", "\n\n")
    starts = []
    end = start
    while text.startswith((inner, "\n\n"), end):
        if not text.startswith(deeper, end):
            starts.append(end)
        end = text.find("\n", end + 1)
    # The next field of the object, or nothing; a comment wouldn't end the mapping.
    after = text[end + len(margin) : end + len(margin) + 1]
    if starts[:1] != [start] or (after and not (after.isalpha() and text.startswith(margin, end))):
        return None
    entries = {}
    for position, stop in zip(starts, [*starts[1:], end], strict=True):
        name, _, value = text[position + len(inner) : stop].partition(":")
        plain = name.translate(_IN_NAMES)
        if not (plain.isascii() and plain.isalnum()) or value[:1] not in ("", " ", "\n"):
            return None
        entries[name] = value
    return entries


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
    has_complex_key = text.find("?", start, end) >= 0
    position = text.find("namespace", start, end)
    while position >= 0:
        position += len("namespace")
        if has_complex_key or text[position : position + 100].lstrip("'\" ").startswith(":"):
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
