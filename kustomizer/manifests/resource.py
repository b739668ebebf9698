"""The resources of a build. Each keeps its text and is parsed only when its tree is asked for."""

from __future__ import annotations

from kustomizer.errors import ResourceRef, Subject, UserError
from kustomizer.manifests import canonical_reader
from kustomizer.manifests.identity import scan_header
from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.tree import clone, is_null, lookup, plain_value
from kustomizer.manifests.writer import emit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Annotations that kustomize uses during a build (kyaml, api/internal/utils). A copy must not have them: with
# `previousNames: lms-worker` on two Deployments, references to lms-worker are ambiguous.
_INTERNAL_ANNOTATIONS = ("internal.config.kubernetes.io/", "config.kubernetes.io/", "config.k8s.io/")
# Escapes that can hide a letter in double quotes; kustomize writes them in texts with a byte order mark: "\\x61".
_HIDING = ("\\x", "\\u", "\\U", "\\/", "\\\n")
_KUSTOMIZE_ID = "kustomize.config.k8s.io/id"

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which client-side apply keeps a whole object, as JSON."""
NEEDS_HASH_SUFFIX = "internal.config.kubernetes.io/needsHashSuffix"
"""With the value ``enabled`` kustomize hashes a new ConfigMap or Secret like a generated one (5.0.0 and 5.8.1)."""


def is_internal_annotation(key: str) -> bool:
    """Tell whether kustomize put this annotation on a resource for its own use during the build."""
    return key == _KUSTOMIZE_ID or key.startswith(_INTERNAL_ANNOTATIONS)


class Resource(Subject):
    """One object of the build.

    ``text`` is the input; :meth:`render` returns it byte for byte unless :meth:`edit` was called.
    """

    __slots__ = ("_edited", "_header", "_hides", "_lossy", "_tree", "indent", "text")

    def __init__(self, text: str, *, indent: int = 0, tree: dict[str, Any] | None = None) -> None:
        self.text = text
        self.indent = indent
        self._tree = tree
        self._edited = not text
        self._lossy = False
        self._hides: bool | None = None
        self._header: tuple[str, str, str, str] | None = None

    @classmethod
    def new(cls, tree: dict[str, Any], *, indent: int) -> Resource:
        """Return a new resource; ``indent`` is that of its neighbours."""
        return cls("", indent=indent, tree=tree)

    @classmethod
    def beside(cls, owner: Resource, api_version: str, kind: str, metadata: dict[str, Any], **fields: Any) -> Resource:
        """Return a new resource with these ``fields``, indented as ``owner`` is."""
        tree = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
        return cls.new(tree, indent=owner.indent)

    @property
    def tree(self) -> dict[str, Any]:
        """The parsed object. Read it; to change it call :meth:`edit`."""
        if self._tree is None:
            self._tree = self._parse()
        return self._tree

    @property
    def is_parsed(self) -> bool:
        """Whether the tree is there already."""
        return self._tree is not None

    def edit(self) -> dict[str, Any]:
        """Return the tree to be changed; from now on :meth:`render` writes this tree.

        Don't change apiVersion, kind, namespace or name: that is another object.
        """
        self._edited = True
        return self.tree

    def _parse(self) -> dict[str, Any]:
        body = self.text if self.indent == 0 else " " * self.indent + self.text[self.indent :]
        try:
            tree = canonical_reader.read(body.removesuffix("\n").split("\n"), self.indent)
        except canonical_reader.NotCanonical:
            from kustomizer.manifests import full_reader  # noqa: PLC0415 - `import yaml` costs half of the function's time

            tree = full_reader.read(body)
            self._lossy = True
        if not isinstance(tree, dict):
            raise UserError.of("an item of the input is not an object")
        return tree

    @property
    def api_version(self) -> str:
        """``apiVersion`` as it is written, empty where there is none."""
        return self._head[0]

    @property
    def kind(self) -> str:
        """``kind`` as it is written, empty where there is none."""
        return self._head[1]

    @property
    def namespace(self) -> str:
        """``metadata.namespace``, empty where there is none."""
        return self._head[2]

    @property
    def name(self) -> str:
        """``metadata.name``, empty where there is none."""
        return self._head[3]

    @property
    def ref(self) -> ResourceRef:
        """The name of this resource in messages."""
        return ResourceRef(api_version=self.api_version, kind=self.kind, namespace=self.namespace, name=self.name)

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace and name: two manifests with the same are one object."""
        api_version, kind, namespace, name = self._head
        return (api_version.rpartition("/")[0], kind, namespace, name)

    @property
    def _head(self) -> tuple[str, str, str, str]:
        if self._header is None:
            scanned = scan_header(self.text, self.indent) if self._tree is None else None
            self._header = scanned or self._header_of_tree()
        return self._header

    def _header_of_tree(self) -> tuple[str, str, str, str]:
        tree = self.tree
        paths = (("apiVersion",), ("kind",), ("metadata", "namespace"), ("metadata", "name"))
        fields = (lookup(tree, *path) for path in paths)
        api_version, kind, namespace, name = ("" if is_null(field) else str(field) for field in fields)
        return (api_version, kind, namespace, name)

    def mentions(self, word: str) -> bool:
        """Tell whether the object may contain ``word``. False is certain, and nothing is parsed.

        A word consists of ASCII letters, digits and ``-./_``, so no line break can be within it.
        """
        if self._edited or word in self.text:
            return True
        if self._hides is None:
            self._hides = "\\" in self.text and any(mark in self.text for mark in _HIDING)
        return self._hides

    def render(self) -> str:
        """Return the text of the output, with a newline at the end."""
        if not self._edited:
            return self.text
        text = emit(self.tree, self.indent)
        return text if self.indent == 0 else "- " + text[self.indent :]

    @property
    def is_reprinted(self) -> bool:
        """Whether the output may have lost comments that the input had."""
        return self._edited and self._lossy

    def copy_tree(self) -> dict[str, Any]:
        """Return a deep copy of the tree for a new resource, without kustomize's own annotations."""
        tree: dict[str, Any] = clone(self.tree)
        drop_internal_annotations(tree)
        return tree


def drop_internal_annotations(tree: dict[str, Any]) -> None:
    """Remove kustomize's own annotations from ``tree``, and the whole mapping if nothing else is in it."""
    metadata = tree.get("metadata")
    annotations = lookup(tree, "metadata", "annotations")
    if not isinstance(metadata, dict) or not isinstance(annotations, dict):
        return
    kept = {key: value for key, value in annotations.items() if not is_internal_annotation(key)}
    if kept:
        metadata["annotations"] = kept
    else:
        del metadata["annotations"]


class Resources:
    """All resources of a build, in order. A new one follows the resource that it belongs to."""

    def __init__(self, items: Iterable[Resource]) -> None:
        self._items = list(items)
        self._after: dict[int, list[Resource]] = {}
        self._removed: set[int] = set()
        self._by_identity: dict[tuple[str, str, str, str], Resource] = {}
        # To split a thousand queues takes thousands of look-ups.
        self._by_kind: dict[str, dict[int, Resource]] = {}
        self._by_stem: dict[tuple[str, str], dict[int, Resource]] = {}
        # What was worked out of them, for whoever asks again.
        self.memo: dict[tuple[object, ...], Any] = {}
        problems = []
        for item in self._items:
            _, kind, _, name = item._head
            if not name and kind.endswith("List") and not _has_items(item.tree):
                # kustomize takes lists apart, and leaves one without items as it is.
                continue
            if not kind or not name:
                missing = "metadata.name" if kind else "kind"
                problems.append(item.problem(f"an item of the input has no {missing}", field=missing))
            elif self._by_identity.setdefault(item.identity, item) is not item:
                remedy = "Leave one of the two out of the build"
                problems.append(item.problem("the input contains this object twice", remedy))
            self._index(item)
        if problems:
            raise UserError(*problems)

    def _index(self, item: Resource) -> None:
        _, kind, _, name = item._head
        self._by_kind.setdefault(kind, {})[id(item)] = item
        self._by_stem.setdefault((kind, stem_of(name)), {})[id(item)] = item

    def __iter__(self) -> Iterator[Resource]:
        for item in self._items:
            if id(item) in self._after:
                yield from self._with_followers(item)
            elif id(item) not in self._removed:
                yield item

    def _with_followers(self, item: Resource) -> Iterator[Resource]:
        if id(item) not in self._removed:
            yield item
        for follower in self._after.get(id(item), ()):
            yield from self._with_followers(follower)

    def of_kind(self, *kinds: str) -> list[Resource]:
        """Return the resources of these kinds, one kind after the other, new ones last."""
        return [item for kind in dict.fromkeys(kinds) for item in self._by_kind.get(kind, {}).values()]

    def find(self, kind: str, name: str, namespace: str | None = None) -> list[Resource]:
        """Return the resources of this kind and name, in ``namespace`` where one is given."""
        named = self._by_stem.get((kind, stem_of(name)), {}).values()
        return [item for item in named if item.name == name and (namespace is None or item.namespace == namespace)]

    def generated(self, kind: str, name: str, namespace: str) -> list[Resource]:
        """Return the resources of this kind and name in ``namespace``, with or without kustomize's hash in the name."""
        named = [*self.find(kind, name, namespace), *self._by_stem.get((kind, name), {}).values()]
        return [item for item in dict.fromkeys(named) if item.namespace == namespace]

    def get(self, identity: tuple[str, str, str, str]) -> Resource | None:
        """Return the resource with this group, kind, namespace and name."""
        return self._by_identity.get(identity)

    def remove(self, item: Resource) -> None:
        """Remove ``item`` from the build; resources that follow it stay where they are."""
        self._removed.add(id(item))
        self._by_identity.pop(item.identity, None)
        self._by_kind[item.kind].pop(id(item), None)
        self._by_stem[item.kind, stem_of(item.name)].pop(id(item), None)

    def add(self, item: Resource, *, after: Resource) -> None:
        """Add a new resource behind ``after`` and the resources that already follow it.

        Raises UserError where the build has a different object of that name; an equal one stays as it is.
        """
        present = self._by_identity.get(item.identity)
        if present is not None:
            if not same_object(present.tree, item.tree):
                message = "the build already has an object of this name, and a different one"
                remedy = "Rename or remove it, or give the worker another name"
                raise UserError(present.problem(message, remedy, field="metadata.name"))
            return
        self._by_identity[item.identity] = item
        self._index(item)
        self._after.setdefault(id(after), []).append(item)


def _has_items(tree: Any) -> bool:
    items = lookup(tree, "items")
    return not is_null(items) and items != []


def same_object(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Tell whether two trees are equal, apart from kustomize's own annotations."""
    first, second = clone(left), clone(right)
    for tree in (first, second):
        drop_internal_annotations(tree)
    return bool(plain_value(first) == plain_value(second))
