"""An image that changes.

Each pair of images is reported once, with all workloads that run it; these restart. Images of Open edX's that don't fit
together are another finding, [differing-images](differing-images.md).

**Severity:** info; warning where the new image has no tag or `latest`: what runs then depends on when a pod started.

**What to do:** read what the new version asks for. Tutor's versions may need `tutor k8s upgrade` or `tutor k8s init`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.diff.model import ObjectChange, ValueChange, path_text
from kustomizer.diff.sides import Sides
from kustomizer.diff.workloads import changed, listed, names_of
from kustomizer.errors import INFO, WARNING, Problem


def check(_sides: Sides, objects: Sequence[ObjectChange]) -> Iterator[Problem]:
    """Find the images that change."""
    places_by_images: dict[tuple[str, str], list[tuple[ObjectChange, str]]] = {}
    # Deployments first: they matter more than Jobs.
    for item in sorted(changed(objects), key=lambda change: change.id.kind != "Deployment"):
        for change in item.changes:
            if not isinstance(change, ValueChange) or change.path[-1] != "image":
                continue
            if isinstance(change.before, str) and isinstance(change.after, str):
                places_by_images.setdefault((change.before, change.after), []).append((item, path_text(change.path)))
    for (before, after), places in sorted(places_by_images.items(), key=lambda pair: pair[0]):
        item, field = places[0]
        other_objects = list(dict.fromkeys(other.id for other, _ in places if other.id != item.id))
        is_open = _is_open(after) and not _is_open(before)
        message = f"{before} becomes {after}" + (
            f", also in {listed(names_of(other_objects))}" if other_objects else ""
        )
        if is_open:
            message += ": that is another image each time it is built"
            yield item.problem(message, "Name a version", field=field, severity=WARNING)
        else:
            yield item.problem(message, field=field, severity=INFO)


def _is_open(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "@" not in image and tag in {"", "latest"}
