"""The two builds that are compared, made comparable: masked, and generated names without their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.diff.normalise import normalised
from kustomizer.diff.pairing import is_same_text
from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kustomizer.diff.model import ObjectId, Renaming
    from kustomizer.manifests.resource import Resource
    from kustomizer.masking.masking import Masks
    from kustomizer.site.model import Site


class Side(Record):
    """One of the two builds."""

    site: Site
    """As it was built: with its secrets, so for looking only; nothing of it is shown."""
    resources: Mapping[ObjectId, Resource]
    names: Mapping[str, str]
    """What generated names are called where only the object that is meant counts: their stems."""
    real_names: Mapping[str, str]
    """What generated names are called where the name itself counts: as model.HASH and model.SECRET say."""


class Sides(Record):
    """Both builds, and how objects of one are found in the other."""

    before: Side
    after: Side
    renamings: list[Renaming]
    masks: Masks
    made: dict[ObjectId, tuple[Any, Any]]
    """The trees that somebody has asked for: the comparison, and then one rule after the other."""

    def identities(self) -> list[ObjectId]:
        """Return every object of the two builds once."""
        return [*self.before.resources, *(each for each in self.after.resources if each not in self.before.resources)]

    def is_same(self, identity: ObjectId) -> bool:
        """Tell whether an object is certainly the same on both sides; this costs no parsing."""
        before, after = (side.resources.get(identity) for side in (self.before, self.after))
        return before is not None and after is not None and is_same_text(before, after)

    def trees(self, identity: ObjectId) -> tuple[Any, Any]:
        """Return an object as it is before and after, None where there is none: plain values, masked and normalised.

        Masked values are such that a secret that changed differs; :meth:`shown` makes of them what may be printed.
        The trees are for reading.
        """
        if identity not in self.made:
            self.made[identity] = (self._tree(self.before, identity), self._tree(self.after, identity))
        return self.made[identity]

    def has_one_name(self, identity: ObjectId) -> bool:
        """Tell whether an object that is on both sides has the same name in the cluster, its hash included."""
        return self.before.resources[identity].name == self.after.resources[identity].name

    def shown(self, before: Any, after: Any) -> tuple[Any, Any]:
        """Return what may be printed of two trees, or of two parts of trees: secrets as model.SECRET says."""
        return self.masks.shown(before, after)

    def _tree(self, side: Side, identity: ObjectId) -> Any:
        resource = side.resources.get(identity)
        if resource is None:
            return None
        tree = normalised(self.masks.tree(resource), side.names, side.real_names)
        metadata = tree.get("metadata")
        if isinstance(metadata, dict) and resource.name in side.names and not self._is_name_told(identity):
            metadata["name"] = side.real_names.get(resource.name, resource.name)
        return tree

    def _is_name_told(self, identity: ObjectId) -> bool:
        """Tell whether the name needn't be compared: it has a hash on both sides, or there is but one side."""
        found = [side.resources.get(identity) for side in (self.before, self.after)]
        pairs = zip(found, (self.before, self.after), strict=True)
        return all(resource.name in side.names for resource, side in pairs if resource is not None)
