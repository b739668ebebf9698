"""Reads and writes kustomize's two protocols: a ResourceList, and a stream of documents.

The ResourceList is the KRM functions specification's
(https://github.com/kubernetes-sigs/kustomize/blob/master/cmd/config/docs/api-conventions/functions-spec.md).
"""

from __future__ import annotations

from kustomizer.errors import Problem, UserError
from kustomizer.manifests import canonical_reader
from kustomizer.manifests.call_annotations import without_call_ids
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import is_null, plain_value
from kustomizer.manifests.writer import emit
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_ITEM_INDENT = 2
_SEPARATOR = "---\n"
_HEADS = tuple(
    f"apiVersion: config.kubernetes.io/{version}\nkind: ResourceList\nitems:\n- "
    for version in ("v1", "v1beta1", "v1alpha1")
)
_CONFIG_KEY = "\nfunctionConfig:\n"
# Line breaks to YAML 1.1 and so to kustomize's reader; kustomize indents what follows them within a scalar.
_OTHER_BREAKS = ("\x85", "\u2028", "\u2029")
# libyaml and go-yaml let an anchor's name hold just these.
_NAME_OF_ANCHOR = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_BEFORE_ANCHOR = frozenset(" \t\n\r\f\v[{,")
_AFTER_ANCHOR = frozenset(" \t\n\r\f\v]},")


class Input(Record):
    """The function's input: the resources, the configuration's tree, and the text around the items."""

    resources: Sequence[Resource]
    config: Any
    head: str = ""
    tail: str = ""
    indent: int = 0
    reprinted: bool = False
    """Whether the full parser read everything. Comments are then lost unless kustomize puts them back."""


def decode(data: bytes) -> str:
    """Return ``data`` as text: UTF-8, with or without a byte order mark, any line ends."""
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError.of(f"the input is not UTF-8 text (byte {error.start})") from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_resource_list(data: bytes) -> Input:
    """Read a ResourceList. Where the text is as kustomize writes it, only the configuration is parsed."""
    return _split(data) or _parse(decode(data))


def _view(data: bytes) -> str:
    """Return the text of :func:`decode` with a character for each byte: others would take twice the memory."""
    view = data.decode("latin-1")
    return decode(data).encode().decode("latin-1") if "\r" in view or view.startswith("\xef\xbb\xbf") else view


def _split(data: bytes) -> Input | None:
    view = _view(data)
    head = next((head for head in _HEADS if view.startswith(head)), None)
    end = view.rfind(_CONFIG_KEY)
    if head is None or end < 0 or not view.endswith("\n"):
        return None
    start = len(head) - 2
    views = _items(view, start, end + 1)
    if any(item.count("\n") != item.count("\n  ") + 1 and _has_odd_line(item) for item in views):
        return None
    try:
        chunks, tail = [_text(item) for item in views], _text(view[end + 1 :])
        tree = canonical_reader.read(tail.removesuffix("\n").split("\n"))
    except (canonical_reader.NotCanonical, UnicodeDecodeError):
        return None
    if set(tree) - {"results"} != {"functionConfig"} or any(has_other_lines(text) for text in (*chunks, tail)):
        return None
    if "results" in tree:
        # kustomize has already shown the results of functions that ran before this one.
        tail, key, _ = tail.partition("\nresults:")
        if not key:
            return None
        tail += "\n"
    # An item may have an alias to another item's anchor. kustomize itself writes neither.
    anchors = _names_behind("&", view, start, end)
    names = anchors & _names_behind("*", view, start, end) if anchors else ()
    if any(sum(f"&{name}" in chunk or f"*{name}" in chunk for chunk in chunks) > 1 for name in names):
        return None
    resources = [Resource(chunk, indent=_ITEM_INDENT) for chunk in chunks]
    return Input(resources=resources, config=tree["functionConfig"], head=view[:start], tail=tail, indent=_ITEM_INDENT)


def _items(view: str, start: int, end: int) -> list[str]:
    """Return the items between two places of ``view``, each copied once: new memory costs the kernel's time."""
    items = []
    while start < end:
        stop = view.find("\n- ", start, end) + 1 or end
        items.append(view[start:stop])
        start = stop
    return items


def _text(view: str) -> str:
    """Return the text of ``view``, which has a character for each byte."""
    return view if view.isascii() else view.encode("latin-1").decode()


def _has_odd_line(item: str) -> bool:
    """Tell whether a line after the first is neither empty nor indented by two columns or more."""
    return not {line[:2] for line in item.split("\n")[1:]} <= {"", "  "}


def _names_behind(mark: str, text: str, start: int, end: int) -> set[str]:
    """Return the possible names of anchors (``&``) or aliases (``*``) between two places of ``text``."""
    names = set()
    position = text.find(mark, start, end)
    while position >= 0:
        first = last = position + 1
        while text[last] in _NAME_OF_ANCHOR:
            last += 1
        if last > first and text[position - 1] in _BEFORE_ANCHOR and text[last] in _AFTER_ANCHOR:
            names.add(text[first:last])
        position = text.find(mark, last, end)
    return names


def has_other_lines(text: str) -> bool:
    """Tell whether a line starts in the first column after a line break that isn't a newline."""
    if text.isascii():
        return False
    for mark in _OTHER_BREAKS:
        position = text.find(mark)
        while position >= 0:
            if not text.startswith(" ", position + 1):
                return True
            position = text.find(mark, position + 1)
    return False


def _parse(text: str) -> Input:
    from kustomizer.manifests import full_reader  # noqa: PLC0415 - `import yaml` costs half of the function's time

    tree = full_reader.read(text)
    if not isinstance(tree, dict) or tree.get("kind") != "ResourceList":
        remedy = "Run the function with `kustomize build --enable-alpha-plugins --enable-exec`"
        raise UserError.of("the input is not a ResourceList", field="kind", remedy=remedy)
    items = tree.get("items")
    if is_null(items):
        items = []
    if not isinstance(items, list):
        raise UserError.of("is not a list", field="items")
    wrong = next((position for position, item in enumerate(items) if not isinstance(item, dict)), None)
    if wrong is not None:
        raise UserError.of("is not an object", field=f"items[{wrong}]")
    # kustomize has already shown the results of functions that ran before this one.
    rest = {key: value for key, value in tree.items() if key not in {"items", "functionConfig", "results"}}
    head = emit(rest) + "items:\n"
    config = tree.get("functionConfig")
    tail = emit({"functionConfig": config}) if config is not None else ""
    resources = [Resource.new(item, indent=_ITEM_INDENT) for item in items]
    return Input(resources=resources, config=config, head=head, tail=tail, indent=_ITEM_INDENT, reprinted=True)


def read_stream(data: bytes, config: bytes) -> Input:
    """Read a stream of documents, as kustomize's legacy exec plugins get it; ``config`` is the plugin's file."""
    from_file = read_document(decode(config))
    return Input(resources=_read_documents(data) or _parse_documents(decode(data)), config=from_file)


def _read_documents(data: bytes) -> list[Resource]:
    """Return the documents of a stream unparsed; none where only a parser can separate them."""
    view = f"\n{_view(data).removeprefix(_SEPARATOR)}"
    *views, last = view[1:].split(f"\n{_SEPARATOR}")
    views.append(last.removesuffix("\n"))
    # A block of text whose last line has no newline ends without one, which the canonical reader can't see.
    if view[-1] != "\n" or view.count("\n---") >= len(views) or "\n..." in view or "\n%" in view:
        return []
    try:
        texts = [_text(f"{document}\n") for document in views]
    except UnicodeDecodeError:
        return []
    return [] if any(map(has_other_lines, texts)) else [Resource(text) for text in texts if has_content(text)]


def _parse_documents(text: str) -> list[Resource]:
    from kustomizer.manifests import full_reader  # noqa: PLC0415 - `import yaml` costs half of the function's time

    trees = [tree for tree in full_reader.read_all(text) if tree is not None]
    wrong = next((position for position, tree in enumerate(trees) if not isinstance(tree, dict)), None)
    if wrong is not None:
        raise UserError.of(f"document {wrong + 1} of the input is not an object")
    return [Resource.new(tree, indent=0) for tree in trees]


def read_build(built: bytes | str) -> Resources:
    """Return the resources of a built site. Raises UserError where it isn't YAML, or has an object twice."""
    from kustomizer.manifests.lists import without_lists  # noqa: PLC0415 - the function itself reads no build

    data = built.encode() if isinstance(built, str) else built
    return Resources(without_lists(read_stream(data, b"{}").resources))


def has_marker(document: str) -> bool:
    """Tell whether a document has a directive, or a marker other than a plain ``---`` line."""
    lines = f"\n{document}"
    return "\n---" in lines or "\n..." in lines or "\n%" in lines


def has_content(document: str) -> bool:
    """Tell whether a document has more than empty lines and comments."""
    return document[:1].isalpha() or any(
        line.strip() and not line.lstrip().startswith("#") for line in document.split("\n")
    )


def read_document(text: str) -> Any:
    """Return the tree of one document."""
    try:
        if not text.endswith("\n"):
            raise canonical_reader.NotCanonical
        return canonical_reader.read(text.removeprefix("---\n").removesuffix("\n").split("\n"))
    except canonical_reader.NotCanonical:
        from kustomizer.manifests import full_reader  # noqa: PLC0415

        return full_reader.read(text)


def write_resource_list(given: Input, items: Iterable[Resource], problems: Sequence[Problem]) -> bytes:
    """Return the function's output: the items, the configuration, and the problems as ``results``.

    Items lose kustomize's per-call annotations, unless kustomize needs them to put comments back.
    """
    texts = [
        (item.render() if given.reprinted or item.is_reprinted else without_call_ids(item.render())).encode()
        for item in items
    ]
    head = given.head if texts else given.head.replace("items:\n", "items: []\n")
    results = [_result(problem) for problem in problems]
    tail = given.tail + (emit({"results": results}) if results else "")
    return b"".join([head.encode(), *texts, tail.encode()])


def _result(problem: Problem) -> dict[str, Any]:
    message = f"{problem.message}. {problem.remedy}" if problem.remedy else problem.message
    result: dict[str, Any] = {"message": message, "severity": problem.severity}
    if problem.resource is not None:
        ref = problem.resource
        names = {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
        result["resourceRef"] = {key: value for key, value in names.items() if value}
    if problem.field:
        result["field"] = {"path": problem.field}
    return result


def write_stream(items: Iterable[Resource]) -> bytes:
    """Return the output of a legacy exec plugin: the items as documents."""
    return _SEPARATOR.encode().join([item.render().encode() for item in items])


def plain_config(config: Any) -> dict[str, Any]:
    """Return the configuration as plain values."""
    value = plain_value(config)
    if not isinstance(value, dict):
        remedy = "List a CeleryWorkers object under `transformers:`"
        raise UserError.of("the input holds no configuration", field="functionConfig", remedy=remedy)
    return value
