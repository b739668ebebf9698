"""The two builds that are compared, made comparable: masked, and generated names without their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kustomizer.diff.model import ObjectId, Renaming
    from kustomizer.resources import Resource
    from kustomizer.site import Site


class Side(Record):
    """One of the two builds."""

    site: Site
    """As it was built: with its secrets, so for looking only; nothing of it is shown."""
    resources: Mapping[ObjectId, Resource]


class Sides(Record):
    """Both builds, and how objects of one are found in the other."""

    before: Side
    after: Side
    renamings: list[Renaming]

    def trees(self, identity: ObjectId) -> tuple[Any, Any]:
        """Return an object as it is before and after, None where there is none: plain values, masked and normalised.

        Masked values are such that a secret that changed differs; they are shown as model.SECRET says.
        """
        raise NotImplementedError
