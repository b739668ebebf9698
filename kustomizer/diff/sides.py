"""The two builds of a comparison: their secrets masked, their generated names without hashes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kustomizer.diff.model import ObjectId, Renaming
from kustomizer.diff.normalise import normalised
from kustomizer.manifests.equality import is_same_text
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
    """Replacements for generated names where the name itself counts: a mark stands for the hash.

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
        if isinstance(metadata, dict) and resource.name in side.names and not self._has_hashes(identity):
            metadata["name"] = side.real_names.get(resource.name, resource.name)
        return tree

    def _has_hashes(self, identity: ObjectId) -> bool:
        """Tell whether the object's name needn't be compared: it has a hash on both sides, or on the only one."""
        resources = [side.resources.get(identity) for side in (self.before, self.after)]
        pairs = zip(resources, (self.before, self.after), strict=True)
        return all(resource.name in side.names for resource, side in pairs if resource is not None)
