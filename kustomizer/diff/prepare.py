"""Makes two builds comparable: pairs their objects, and collects their secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from kustomizer.diff.model import ObjectId, Renaming
from kustomizer.diff.pairing import Pairing, Renamed, is_proven, pair
from kustomizer.diff.sides import Side, Sides
from kustomizer.errors import Problem
from kustomizer.manifests.equality import is_same_text
from kustomizer.manifests.pods import pod_template, strings
from kustomizer.manifests.resource import Resource, Resources, stem_of
from kustomizer.manifests.tree import plain_value
from kustomizer.masking.masking import Masks
from kustomizer.site.model import Site

Warnings: TypeAlias = tuple[Sequence[Problem], Sequence[Problem]]


def prepare(before: Resources, after: Resources, warnings: Warnings = ((), ()), stale: Sequence[Problem] = ()) -> Sides:
    """Return the two builds with their objects paired and their secrets known; ``warnings`` are the function's.

    ``stale`` is what was found out about the files of the build after. Objects that are the same on both sides aren't
    parsed.
    """
    after = _sharing(before, after)
    pairing = pair(before, after)
    sides = [
        Side(site=Site(resources, said, found), resources=objects, names=names, real_names=real_names)
        for resources, said, found, objects, names, real_names in zip(
            (before, after),
            warnings,
            ((), stale),
            (pairing.before, pairing.after),
            pairing.names,
            pairing.real_names,
            strict=True,
        )
    ]
    return Sides(
        before=sides[0],
        after=sides[1],
        renamings=list(_renamings(pairing)),
        masks=Masks.of(before, after),
        made={},
    )


def _sharing(before: Resources, after: Resources) -> Resources:
    """Return ``after`` with equal objects taken from ``before``, so that each is parsed once at most."""
    twins = ((before.get(item.identity), item) for item in after)
    return Resources(old if old is not None and is_same_text(old, item) else item for old, item in twins)


def _renamings(pairing: Pairing) -> Iterator[Renaming]:
    rolled = _rolled(pairing)
    for renamed in pairing.renamed:
        old, new = renamed.pair.before, renamed.pair.after
        if old is not None and new is not None:
            yield Renaming(
                id=renamed.id,
                before=_shown_name(old),
                after=_shown_name(new),
                proven=renamed.pair.proven,
                rolls=tuple(rolled.get(renamed.id, ())),
            )


def _shown_name(resource: Resource) -> str:
    """Return the name without a hash that tells about the content."""
    return stem_of(resource.name) if resource.kind == "Secret" or is_proven(resource) else resource.name


def _rolled(pairing: Pairing) -> Mapping[ObjectId, Sequence[ObjectId]]:
    """Return, by generated ConfigMap or Secret, the changed workloads whose pods refer to it."""
    by_name: dict[tuple[str, str], list[Renamed]] = {}
    for renamed in pairing.renamed:
        if renamed.pair.after is not None:
            by_name.setdefault((renamed.id.namespace, renamed.pair.after.name), []).append(renamed)
    rolled: dict[ObjectId, list[ObjectId]] = {}
    if not by_name:
        return rolled
    for identity, resource in sorted(pairing.after.items(), key=lambda item: item[0].order):
        old = pairing.before.get(identity)
        if old is None or is_same_text(old, resource) or not resource.mentions("containers"):
            continue
        names = {*strings(plain_value(pod_template(resource.tree)))}
        for name in names:
            for renamed in by_name.get((resource.namespace, name), ()):
                rolled.setdefault(renamed.id, []).append(identity)
    return rolled
