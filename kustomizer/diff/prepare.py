"""Makes two builds comparable: pairs their objects, and collects their secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from kustomizer.diff.model import ObjectId, Renaming
from kustomizer.diff.pairing import Pair, is_proven, pair
from kustomizer.diff.sides import Side, Sides
from kustomizer.errors import Problem
from kustomizer.manifests.equality import is_same_text
from kustomizer.manifests.name_hashes import stem_of
from kustomizer.manifests.pods import pod_template, strings
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.masking.masking import Masks
from kustomizer.site.model import Site

Warnings: TypeAlias = tuple[Sequence[Problem], Sequence[Problem]]


def prepare(before: Resources, after: Resources, warnings: Warnings = ((), ()), stale: Sequence[Problem] = ()) -> Sides:
    """Return the two builds with their objects paired and their secrets known; ``warnings`` are the function's.

    ``stale`` is what was found out about the files of the build after. Objects that are the same on both sides aren't
    parsed.
    """
    # Equal objects are taken from the build before.
    twins = ((before.get(item.identity), item) for item in after)
    after = Resources(old if old is not None and is_same_text(old, item) else item for old, item in twins)
    side_before, side_after, renamed = pair(Site(before, warnings[0]), Site(after, warnings[1], stale))
    return Sides(
        before=side_before,
        after=side_after,
        renamings=list(_renamings(side_before, side_after, renamed)),
        masks=Masks.of(before, after),
        made={},
    )


def _renamings(before: Side, after: Side, renamed: Mapping[ObjectId, Pair]) -> Iterator[Renaming]:
    rolled = _rolled(before, after, renamed)
    for identity, match in renamed.items():
        if match.before is not None and match.after is not None:
            yield Renaming(
                id=identity,
                before=_shown_name(match.before),
                after=_shown_name(match.after),
                proven=match.proven,
                rolls=tuple(rolled.get(identity, ())),
            )


def _shown_name(resource: Resource) -> str:
    """Return the name without a hash that tells about the content."""
    return stem_of(resource.name) if resource.kind == "Secret" or is_proven(resource) else resource.name


def _rolled(before: Side, after: Side, renamed: Mapping[ObjectId, Pair]) -> Mapping[ObjectId, Sequence[ObjectId]]:
    """Return, by generated ConfigMap or Secret, the changed workloads whose pods refer to it."""
    by_name: dict[tuple[str, str], list[ObjectId]] = {}
    for identity, match in renamed.items():
        if match.after is not None:
            by_name.setdefault((identity.namespace, match.after.name), []).append(identity)
    rolled: dict[ObjectId, list[ObjectId]] = {}
    if not by_name:
        return rolled
    for identity, resource in sorted(after.resources.items(), key=lambda item: item[0].order):
        old = before.resources.get(identity)
        if old is None or is_same_text(old, resource) or not resource.mentions("containers"):
            continue
        for name in {*strings(plain_value(pod_template(resource.tree)))}:
            for config in by_name.get((resource.namespace, name), ()):
                rolled.setdefault(config, []).append(identity)
    return rolled
