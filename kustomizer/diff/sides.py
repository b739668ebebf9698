"""The two builds of a comparison: their secrets masked, their generated names without hashes, their queues in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kustomizer.diff.changes.arguments import order_queues
from kustomizer.diff.model import ObjectId, Renaming
from kustomizer.manifests.equality import is_same_text
from kustomizer.manifests.name_hashes import GENERATED_KINDS
from kustomizer.manifests.pods import containers, pod_template
from kustomizer.manifests.resource import Resource
from kustomizer.record import Record
from kustomizer.site.model import Site

if TYPE_CHECKING:
    # `check` knows the rules of `diff` by their names, and masks nothing.
    from kustomizer.masking.masking import Masks


class Side(Record):
    """One of the two builds."""

    site: Site
    """The build as it is, with its secrets. Nothing of it may be printed."""
    resources: Mapping[ObjectId, Resource]
    """The objects under names that can be compared."""
    names: Mapping[str, str]
    """Replacements for generated names in references: their stems."""
    real_names: Mapping[str, str]
    """Replacements for generated names where the name itself counts: a mark replaces the hash.

    The hash of an object with a password lets anybody try passwords against it.
    """


class Sides(Record):
    """Both builds, with their objects paired."""

    before: Side
    after: Side
    renamings: list[Renaming]
    masks: Masks
    made: dict[ObjectId, tuple[Any, Any]]
    """The trees made so far; the comparison and the rules share them."""

    def identities(self) -> list[ObjectId]:
        """Return every object of the two builds once."""
        return [
            *self.before.resources,
            *(identity for identity in self.after.resources if identity not in self.before.resources),
        ]

    def is_same(self, identity: ObjectId) -> bool:
        """Tell whether an object has the same text on both sides, without parsing it."""
        before, after = (side.resources.get(identity) for side in (self.before, self.after))
        return before is not None and after is not None and is_same_text(before, after)

    def trees(self, identity: ObjectId) -> tuple[Any, Any]:
        """Return an object before and after, None where there is none: plain values, masked and normalised.

        A changed secret has another mask; ``masks.shown`` makes masks printable. Callers don't change the trees.
        """
        if identity not in self.made:
            self.made[identity] = (self._tree(self.before, identity), self._tree(self.after, identity))
        return self.made[identity]

    def _tree(self, side: Side, identity: ObjectId) -> Any:
        resource = side.resources.get(identity)
        if resource is None:
            return None
        tree = normalised(self.masks.tree(resource), side.names, side.real_names)
        metadata = tree.get("metadata")
        if isinstance(metadata, dict) and resource.name in side.names:
            both = [one_side for one_side in (self.before, self.after) if identity in one_side.resources]
            # A name that has a hash on both sides, or on the only one, needn't be compared.
            if not all(one_side.resources[identity].name in one_side.names for one_side in both):
                metadata["name"] = side.real_names.get(resource.name, resource.name)
        return tree


# Matches whole words only, so that a file of one long word is scanned once.
_GENERATED = re.compile(r"(?<![-.a-z0-9])[-.a-z0-9]*-[2456789bcdfghkmt]{10}(?![-.a-z0-9])")
_POD_FIELDS = frozenset({"resources", "securityContext"})
_NOTHING: tuple[None, dict[str, Any]] = (None, {})
_EMPTY_OF_OBJECT = frozenset({"status"})
_EMPTY = {
    "metadata": frozenset({"annotations", "creationTimestamp", "labels"}),
    "spec": frozenset({"resources", "securityContext", "strategy", "updateStrategy"}),
    "containers": _POD_FIELDS,
    "initContainers": _POD_FIELDS,
    "template": frozenset({"metadata"}),
    "volumeClaimTemplates": frozenset({"status"}),
}
"""Fields, by the name of their parent, that mean nothing where they are null or empty.

`kubectl create --dry-run` prints such ones.
"""
_NO_FIELDS: frozenset[str] = frozenset()
# Their pods can't be changed: another name in them is another Job.
_FIXED = ("Job", "Pod")


def normalised(tree: dict[str, Any], names: Mapping[str, str], real_names: Mapping[str, str]) -> dict[str, Any]:
    """Return a copy of ``tree`` with the names of generated ConfigMaps and Secrets replaced, and with queues in order.

    ``names`` replace references to an object. ``real_names`` replace names that count themselves: in objects that
    can't be changed, and in files, in which kustomize updates no references. Empty fields that mean nothing are gone.
    """
    kind = tree.get("kind")
    is_real = kind in GENERATED_KINDS or kind in _FIXED
    result = _mapping(tree, real_names if is_real else names, _EMPTY_OF_OBJECT)
    if kind in GENERATED_KINDS and "metadata" in tree:
        result["metadata"] = _node(tree["metadata"], names, "metadata")
    for container in containers(pod_template(result)):
        order_queues(container)
    return result


def _mapping(mapping: dict[str, Any], names: Mapping[str, str], may_be_empty: frozenset[str]) -> dict[str, Any]:
    """Return a copy of ``mapping`` without those of the fields ``may_be_empty`` that are, and without those below."""
    result = {}
    for key, node in mapping.items():
        value = _node(node, names, key)
        if key not in may_be_empty or value not in _NOTHING:
            result[_renamed(key, names)] = value
    return result


def _node(node: Any, names: Mapping[str, str], field: str) -> Any:
    """Return a copy of the value of ``field``."""
    if isinstance(node, str):
        return _renamed(node, names)
    if isinstance(node, dict):
        return _mapping(node, names, _EMPTY.get(field, _NO_FIELDS))
    return [_node(value, names, field) for value in node] if isinstance(node, list) else node


def _renamed(text: str, names: Mapping[str, str]) -> str:
    if "-" not in text or not names:
        return text
    return _GENERATED.sub(lambda match: names.get(match.group(), match.group()), text)
