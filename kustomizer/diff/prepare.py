"""Makes two builds comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.diff.model import ObjectId, Renaming
from kustomizer.diff.pairing import is_proven, is_same_text, pair
from kustomizer.diff.sides import Side, Sides
from kustomizer.manifests.pods import pod_template, strings
from kustomizer.manifests.resource import Resources, stem_of
from kustomizer.manifests.tree import plain_value
from kustomizer.masking.masking import Masks
from kustomizer.site.model import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kustomizer.diff.pairing import Pairing, Renamed
    from kustomizer.manifests.resource import Resource


def prepare(before: Resources, after: Resources) -> Sides:
    """Return the two builds with each object of one found in the other, and what is secret known.

    That a build holds an object twice is a UserError of Resources; what is the same on both sides isn't parsed.
    """
    after = _sharing(before, after)
    found = pair(before, after)
    sides = [
        Side(site=Site(resources), resources=objects, names=names, real_names=real_names)
        for resources, objects, names, real_names in zip(
            (before, after), (found.before, found.after), found.names, found.real_names, strict=True
        )
    ]
    return Sides(
        before=sides[0],
        after=sides[1],
        renamings=list(_renamings(found)),
        masks=Masks.of(before, after),
        made={},
    )


def _sharing(before: Resources, after: Resources) -> Resources:
    """Return ``after`` with the very objects of ``before`` where they are the same: each is parsed once at most."""
    twins = ((before.get(item.identity), item) for item in after)
    return Resources(old if old is not None and is_same_text(old, item) else item for old, item in twins)


def _renamings(found: Pairing) -> Iterator[Renaming]:
    rolled = _rolled(found)
    for renamed in found.renamed:
        old, new = renamed.pair.before, renamed.pair.after
        if old is not None and new is not None:
            yield Renaming(
                id=renamed.id,
                before=_told(old),
                after=_told(new),
                proven=renamed.pair.proven,
                rolls=tuple(rolled.get(renamed.id, ())),
            )


def _told(resource: Resource) -> str:
    return stem_of(resource.name) if resource.kind == "Secret" or is_proven(resource) else resource.name


def _rolled(found: Pairing) -> Mapping[ObjectId, Sequence[ObjectId]]:
    """Return by ConfigMap or Secret what runs pods that hold its name: of what there was already, and has changed."""
    by_name: dict[tuple[str, str], list[Renamed]] = {}
    for renamed in found.renamed:
        if renamed.pair.after is not None:
            by_name.setdefault((renamed.id.namespace, renamed.pair.after.name), []).append(renamed)
    rolled: dict[ObjectId, list[ObjectId]] = {}
    if not by_name:
        return rolled
    for identity, resource in sorted(found.after.items(), key=lambda item: _order(item[0])):
        old = found.before.get(identity)
        if old is None or is_same_text(old, resource) or not resource.mentions("containers"):
            continue
        held = {*strings(plain_value(pod_template(resource.tree)))}
        for name in held:
            for renamed in by_name.get((resource.namespace, name), ()):
                rolled.setdefault(renamed.id, []).append(identity)
    return rolled


def _order(identity: ObjectId) -> tuple[str, ...]:
    return (identity.group, identity.kind, identity.namespace, identity.name)
