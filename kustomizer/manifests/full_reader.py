"""Reads any YAML, JSON included, with libyaml, into the same tree as :mod:`kustomizer.manifests.canonical_reader`.

The tree is built from libyaml's events. PyYAML's constructors know tags that kustomize (go-yaml 3) doesn't know, and
fail on a plain ``=`` or ``<<``, which are strings there; its composer overflows the stack on deep nesting.
go-yaml is a port of libyaml, so the two agree on what a line break is (U+0085, U+2028 and U+2029 among others).
"""

from __future__ import annotations

from kustomizer.errors import UserError
from kustomizer.manifests.tree import Scalar, clone, is_null, plain_value
from kustomizer.manifests.writer import quote, quoted_scalar

try:
    import yaml
except ModuleNotFoundError:
    # generators/celery-workers starts Python without installed packages, which most builds don't need.
    import site

    site.main()
    try:
        import yaml
    except ModuleNotFoundError:
        raise UserError.of(
            "the input isn't in the form that kustomize writes, and this Python has no PyYAML to read it",
            remedy="Install it (`pip install pyyaml`), or run `make demo` once",
        ) from None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 150
"""How deep collections may nest; no Kubernetes schema comes near it."""
MAX_EXPANSION = 4_000_000
"""How many characters aliases may expand to; each node counts as ``_NODE_COST``."""

_NODE_COST = 16
_TAG = "tag:yaml.org,2002:"
_STRING_TAGS = frozenset({"!", f"{_TAG}str"})
_MERGE_TAG = f"{_TAG}merge"
_COLLECTION_TAGS = frozenset({None, "!", f"{_TAG}map", f"{_TAG}seq"})
_TYPED_TAGS: dict[str | None, tuple[type, ...]] = {
    f"{_TAG}null": (type(None),),
    f"{_TAG}bool": (bool,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": (int, float),
}

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_all(text: str) -> list[Any]:
    """Return the trees of all documents of ``text``; an empty document gives None.

    Raises UserError where the text isn't YAML, has a duplicate key, or expands to too much.
    """
    documents = []
    try:
        loader: Any = _Loader(text)
        try:
            while loader.check_event():
                event = loader.get_event()
                if isinstance(event, yaml.DocumentStartEvent):
                    root = _Composer(loader).node(0)
                    documents.append(None if is_null(root) else root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise UserError.of(f"not YAML: {problem}{where}") from None
    except yaml.reader.ReaderError as error:
        # str(error) would quote the input, which may hold a password.
        message = f"not YAML: {error.reason} (character {error.position})"
        raise UserError.of(message) from None
    return documents


def read(text: str) -> Any:
    """Return the tree of the only document of ``text``, None where there is none. Empty documents don't count."""
    documents = [document for document in read_all(text) if document is not None]
    if len(documents) > 1:
        raise UserError.of(f"expected one YAML document, found {len(documents)}")
    return documents[0] if documents else None


def has_shorthands(text: str) -> bool:
    """Tell whether ``text``, which :func:`read` has read, has an alias, a tag or a merge key.

    Other readers of YAML may make something else of these.
    """
    return any(
        isinstance(event, yaml.AliasEvent)
        or getattr(event, "tag", None) is not None
        or (isinstance(event, yaml.ScalarEvent) and _is_merge(event))
        for event in yaml.parse(text, Loader=_Loader)
    )


class _Composer:
    """Builds the tree of one document, and counts what aliases add to it."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.cost = 0
        self.expansion = 0
        self.anchors: dict[str, tuple[Any, int] | None] = {}

    def node(self, depth: int) -> Any:
        return self.node_of(self.loader.get_event(), depth)

    def node_of(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        if depth > MAX_DEPTH:
            raise _refusal(f"collections nest deeper than {MAX_DEPTH} levels", event)
        if event.anchor:
            # An alias inside of its own anchor would make the node a part of itself.
            self.anchors[event.anchor] = None
        before = self.cost
        self.cost += _NODE_COST
        node: Any
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event)
            self.cost += len(node)
        else:
            if event.tag not in _COLLECTION_TAGS:
                raise _refusal("a collection has a tag that Kubernetes doesn't know", event)
            node = self.mapping(depth) if isinstance(event, yaml.MappingStartEvent) else self.sequence(depth)
        if event.anchor:
            self.anchors[event.anchor] = (node, self.cost - before)
        return node

    def alias(self, event: Any) -> Any:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            problem = "is a part of what it stands for" if event.anchor in self.anchors else "has no anchor before it"
            raise _refusal(f"an alias {problem}", event)
        node, cost = anchored
        self.cost += cost
        self.expansion += cost
        if self.expansion > MAX_EXPANSION:
            raise _refusal(f"aliases expand to more than {MAX_EXPANSION:,} characters", event)
        return clone(node)

    def sequence(self, depth: int) -> list[Any]:
        result = []
        while not isinstance(event := self.loader.get_event(), yaml.SequenceEndEvent):
            result.append(self.node_of(event, depth + 1))
        return result

    def mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := self.loader.get_event(), yaml.MappingEndEvent):
            key = self.node_of(event, depth + 1)
            value = self.node(depth + 1)
            if not isinstance(key, Scalar):
                raise _refusal("a key is not a scalar", event)
            if isinstance(event, yaml.ScalarEvent) and _is_merge(event):
                for source in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(source, dict):
                        raise _refusal("the merge key '<<' takes mappings", event)
                    merged.update(source)
            elif key in result:
                raise _refusal(f"the key {str(key)!r} stands there twice", event)
            else:
                result[key] = value
        return {**merged, **result}


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text: str = event.value
    plain = not event.style
    tag: str | None = event.tag
    if tag in _TYPED_TAGS:
        plain = isinstance(plain_value(Scalar(text, text, plain=True)), _TYPED_TAGS[tag])
        if not plain:
            raise _refusal(f"a value isn't what its tag !!{str(tag).removeprefix(_TAG)} says", event)
    elif tag in _STRING_TAGS or tag == _MERGE_TAG:
        plain = False
    elif tag is not None:
        raise _refusal("a value has a tag that Kubernetes doesn't know", event)
    if plain and not isinstance(plain_value(Scalar(text, text, plain=True)), str):
        return Scalar(text, text, plain=True)
    # A scalar that needs no quotes within brackets may need them elsewhere: `[-]`.
    return Scalar(text, quote(text) if plain else quoted_scalar(text))


def _is_merge(event: yaml.ScalarEvent) -> bool:
    return event.value == "<<" and (event.tag == _MERGE_TAG or (event.tag is None and not event.style))


def _refusal(message: str, event: Any) -> UserError:
    return UserError.of(f"{message} (line {event.start_mark.line + 1})")


def read_as_pyyaml(text: str) -> Any:
    """Return what PyYAML's own safe loader reads, YAML 1.1 and all, as Open edX does with its configuration.

    Raises UserError without a word of the text, which may hold passwords.
    """
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UserError.of("can't be read as YAML") from None
