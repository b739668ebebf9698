"""Leaves off what has kustomize compare an item that comes back with the one that it handed over, and what it ignores.

kustomize gives each item of a call a number, in two annotations, and copies comments and the order of fields to what
comes back with the same number (``copyCommentsAndSyncOrder`` in kyaml/fn/runtime/runtimeutil). For that it loads the
whole OpenAPI schema of Kubernetes: a third of a build's time, to no effect, since an item that isn't touched comes
back as it was, and `kustomize build` hands over none with comments and sorts the fields of all. It skips those without
a number, and would have taken the two annotations off the others.

Right before them stand four more that kustomize writes and reads for nothing: it takes off the object's id unread
(``UpdateResMapValues`` in api/internal/plugins/utils goes by the name), and numbers anew what has no index. Of items
from files, as `kustomize fn run` and kpt hand over, an index tells the place in the file: those keep them.
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

    The text is returned as it is where the last two of them don't stand in ``metadata.annotations`` the way kustomize
    writes them, or where nothing else does: they are then kustomize's to take off.
    """
    start = text.find(_ANNOTATIONS)
    first = text.find(_FIRST, start + len(_ANNOTATIONS) - 1) if start >= 0 else -1
    if first < 0:
        return text
    start += len(_ANNOTATIONS) - 1
    second = text.find("'", first + len(_FIRST))
    number = text[first + len(_FIRST) : second]
    pair = f"{_FIRST}{number}{_SECOND}{number}'\n"
    if not text.startswith(pair, first) or not _is_deep(text, start, first):
        return text
    end = first + len(pair) - 1
    is_last = not text.startswith(_MARGIN, end)
    before = _start_of_others(text, start, first)
    if before > start or not is_last:
        return text[:before] + text[end:]
    return text if first == start else text[:first] + text[end:]


def _start_of_others(text: str, start: int, end: int) -> int:
    """Return where the object's id and its indexes start that stand right before ``end``, or ``end``."""
    position = text.rfind(_OBJECT_ID, start, end)
    if position < 0:
        return end
    object_id, _, indexes = text[position:end].partition(_INDEX)
    number = indexes.partition("'")[0]
    lines = object_id.count("\n") == object_id.count(f"{_MARGIN}  ") + 1
    return position if lines and indexes == f"{number}{_INDEXES}{number}{_MIGRATION}{number}'" else end


def _is_deep(text: str, start: int, end: int) -> bool:
    """Tell whether all lines from ``start`` to ``end`` belong to the annotations; quoted text may look like them."""
    if text.find('"', start, end) < 0 and text.count("\n", start, end) == text.count(_MARGIN, start, end):
        return True
    lines = text[start + 1 : end].split("\n")
    return all(not line or line.startswith("       ") or _is_entry(line) for line in lines)


def _is_entry(line: str) -> bool:
    """Tell whether a line opens an annotation, and one whose text doesn't go on between quotes in the next line."""
    _, colon, value = line.partition(": ")
    return line.startswith("      ") and colon != "" and (value[0] != '"' or (len(value) > 1 and value.endswith('"')))
