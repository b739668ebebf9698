"""Strips kustomize's per-call annotations from items that are handed back.

kustomize numbers the items of a call in two annotations. When an item comes back with its number, kustomize copies
comments and the order of fields from the item that it handed over (``copyCommentsAndSyncOrder`` in
kyaml/fn/runtime/runtimeutil), and loads the whole OpenAPI schema of Kubernetes for that. This is a third of a build's
time and has no effect: `kustomize build` hands over items without comments and with sorted fields. kustomize skips
items without a number, and removes the two annotations from the others.

Four more annotations stand right before these two, and kustomize doesn't need them either: it removes the object's id
unread (``UpdateResMapValues`` in api/internal/plugins/utils goes by the name), and gives a new index to an item without
one. Items from files (`kustomize fn run`, kpt) keep theirs, since the index says where in the file an item stands.
"""

from __future__ import annotations

_ANNOTATIONS = "\n  metadata:\n    annotations:\n"
_MARGIN = "\n      "
_FIRST = f"{_MARGIN}internal.config.kubernetes.io/id: '"
_SECOND = f"'{_MARGIN}config.k8s.io/id: '"
_OBJECT_ID = f"{_MARGIN}kustomize.config.k8s.io/id: |{_MARGIN}  "
_INDEX = f"{_MARGIN}config.kubernetes.io/index: '"
_INDEXES = f"'{_MARGIN}internal.config.kubernetes.io/index: '"
_MIGRATION = f"'{_MARGIN}internal.config.kubernetes.io/annotations-migration-resource-id: '"


def without_call_ids(text: str) -> str:
    """Return an item of a ResourceList without the annotations that `kustomize build` gave it for this call.

    The text stays as it is where ``metadata.annotations`` doesn't have the two numbers the way kustomize writes them,
    or has nothing else: kustomize then removes them.
    """
    start = text.find(_ANNOTATIONS)
    first = text.find(_FIRST, start + len(_ANNOTATIONS) - 1) if start >= 0 else -1
    if first < 0:
        return text
    start += len(_ANNOTATIONS) - 1
    second = text.find("'", first + len(_FIRST))
    number = text[first + len(_FIRST) : second]
    pair = f"{_FIRST}{number}{_SECOND}{number}'\n"
    if not text.startswith(pair, first) or not _are_annotations(text, start, first):
        return text
    end = first + len(pair) - 1
    is_last = not text.startswith(_MARGIN, end)
    before = _start_of_others(text, start, first)
    if before > start or not is_last:
        return text[:before] + text[end:]
    return text if first == start else text[:first] + text[end:]


def _start_of_others(text: str, start: int, end: int) -> int:
    """Return the start of the object's id and indexes, if they end at ``end``; else ``end``."""
    position = text.rfind(_OBJECT_ID, start, end)
    if position < 0:
        return end
    object_id, _, indexes = text[position:end].partition(_INDEX)
    number = indexes.partition("'")[0]
    lines = object_id.count("\n") == object_id.count(f"{_MARGIN}  ") + 1
    return position if lines and indexes == f"{number}{_INDEXES}{number}{_MIGRATION}{number}'" else end


def _are_annotations(text: str, start: int, end: int) -> bool:
    """Tell whether all lines from ``start`` to ``end`` are annotations; quoted text may look like one."""
    if text.find('"', start, end) < 0 and text.count("\n", start, end) == text.count(_MARGIN, start, end):
        return True
    lines = text[start + 1 : end].split("\n")
    return all(not line or line.startswith("       ") or _is_entry(line) for line in lines)


def _is_entry(line: str) -> bool:
    """Tell whether a line starts an annotation that doesn't continue, quoted, on the next line."""
    _, colon, value = line.partition(": ")
    return line.startswith("      ") and colon != "" and (value[0] != '"' or (len(value) > 1 and value.endswith('"')))
