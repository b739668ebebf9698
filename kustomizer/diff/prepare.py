"""Makes two builds comparable: pairs their objects by group, kind, namespace and name, and collects their secrets.

kustomize appends a hash of the content to the name of a ConfigMap or Secret that it generates. Where it computes the
hashes of both names, one object has replaced the other; else the pair is a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from kustomizer.diff.model import CHANGED_HASH, HASH, ObjectId, Renaming
from kustomizer.diff.sides import Side, Sides
from kustomizer.errors import Problem
from kustomizer.manifests.equality import is_same_text
from kustomizer.manifests.name_hashes import GENERATED_KINDS, is_kustomizes, stem_of
from kustomizer.manifests.pods import pod_template, strings
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import lookup, mapping, plain_value
from kustomizer.masking.marks import CHANGED_SECRET, SECRET
from kustomizer.masking.masking import Masks
from kustomizer.record import Record
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
        masks=Masks(before, after),
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


class Pair(Record):
    """A ConfigMap or Secret before and after; at least one of the two is there."""

    before: Resource | None
    after: Resource | None
    proven: bool = False
    """Whether it is certain that the one has replaced the other."""

    @property
    def names(self) -> list[str]:
        """Its name on the sides where it is, before and after."""
        return [resource.name for resource in (self.before, self.after) if resource is not None]

    @property
    def is_renamed(self) -> bool:
        """Whether it has two names, one before and one after."""
        return len({*self.names}) > 1


_MOST_COMPARED = 10_000
"""So many pairs are compared; nobody has as many ConfigMaps of one stem, and they are other objects then."""
_MARKS = {"ConfigMap": (HASH, CHANGED_HASH), "Secret": (SECRET, CHANGED_SECRET)}


def pair(before: Site, after: Site) -> tuple[Side, Side, dict[ObjectId, Pair]]:
    """Find each object of one build in the other; return both builds, and the pairs whose names differ, by id."""
    sides: tuple[dict[ObjectId, Resource], ...] = ({}, {})
    families: dict[tuple[str, str, str], tuple[list[Resource], list[Resource]]] = {}
    for position, site in enumerate((before, after)):
        for resource in site.resources:
            group, kind, namespace, name = resource.identity
            if kind in GENERATED_KINDS and not group:
                families.setdefault((kind, namespace, stem_of(name)), ([], []))[position].append(resource)
            else:
                sides[position][ObjectId(group=group, kind=kind, namespace=namespace, name=name)] = resource
    names: tuple[dict[str, str], ...] = ({}, {})
    real_names: tuple[dict[str, str], ...] = ({}, {})
    renamed = {}
    for (kind, namespace, stem), (older, newer) in sorted(families.items(), key=lambda item: item[0]):
        old_names = {resource.name for resource in older}
        for name, match in _named(stem, _pairs(older, newer)):
            identity = ObjectId(group="", kind=kind, namespace=namespace, name=name)
            if match.is_renamed:
                renamed[identity] = match
            for position, partner in enumerate((match.before, match.after)):
                if partner is None:
                    continue
                sides[position][identity] = partner
                if partner.name != name:
                    names[position][partner.name] = name
                    is_old = position == 0 or partner.name in old_names
                    real_names[position][partner.name] = f"{name}-{_MARKS[kind][not is_old]}"
    return (
        Side(site=before, resources=sides[0], names=names[0], real_names=real_names[0]),
        Side(site=after, resources=sides[1], names=names[1], real_names=real_names[1]),
        renamed,
    )


def _pairs(before: Sequence[Resource], after: Sequence[Resource]) -> list[Pair]:
    """Pair objects whose names begin alike: first by the whole name, then by how much of their data is the same."""
    older = {resource.name: resource for resource in before}
    newer = {resource.name: resource for resource in after}
    same = sorted(older.keys() & newer.keys())
    pairs = [Pair(before=older.pop(name), after=newer.pop(name)) for name in same]
    certain = len(older) == len(newer) == 1
    for old_name, new_name in [(*older, *newer)] if certain else list(_likely(older, newer)):
        old, new = older.pop(old_name), newer.pop(new_name)
        pairs.append(Pair(before=old, after=new, proven=certain and is_proven(old) and is_proven(new)))
    pairs += [Pair(before=older[name], after=None) for name in sorted(older)]
    return pairs + [Pair(before=None, after=newer[name]) for name in sorted(newer)]


def is_proven(resource: Resource) -> bool:
    """Tell whether the name ends in the hash of the object's content."""
    stem = stem_of(resource.name)
    suffix = resource.name[len(stem) + 1 :]
    return bool(suffix) and is_kustomizes(suffix, plain_value(resource.tree))


def _likely(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Iterator[tuple[str, str]]:
    """Yield the names of objects, each once: first the two that have most in common, then by the alphabet."""
    if len(before) * len(after) > _MOST_COMPARED:
        return
    older, newer = ({name: {*_parts(item)} for name, item in side.items()} for side in (before, after))
    likeness = sorted((-len(older[old] & newer[new]), old, new) for old in older for new in newer)
    for _, old, new in likeness:
        if old in older and new in newer:
            del older[old], newer[new]
            yield old, new


def _parts(resource: Resource) -> list[tuple[str, ...]]:
    """Return what two objects may have in common: a key, and a key with its value."""
    fields = {field: mapping(lookup(resource.tree, field)) for field in ("data", "binaryData", "stringData")}
    keys = [(field, key) for field, values in fields.items() for key in values]
    return [*keys, *((*key, repr(fields[key[0]][key[1]])) for key in keys)]


def _named(stem: str, pairs: Sequence[Pair]) -> Iterator[tuple[str, Pair]]:
    """Yield each pair with a name of its own: one gets the stem, the others a number or their whole name."""
    ordered = sorted(pairs, key=lambda match: (stem not in match.names, not match.is_renamed))
    for position, match in enumerate(ordered):
        resource = match.after or match.before
        assert resource is not None  # noqa: S101 - at least one is there
        if resource.kind != "Secret" and (_is_named_so(match) or (position and not is_proven(resource))):
            yield resource.name, match
        else:
            yield (f"{stem} ({position + 1})" if position else stem), match


def _is_named_so(match: Pair) -> bool:
    """Tell whether a changed ConfigMap has a name that only looks generated."""
    old, new = match.before, match.after
    if old is None or new is None or old.name != new.name or is_same_text(old, new):
        return False
    return not is_proven(old) and not is_proven(new)
