"""Leaves off what has kustomize compare an item that comes back with the one that it handed over.

kustomize gives each item of a call a number, in two annotations, and copies comments and the order of fields to what
comes back with the same number (``copyCommentsAndSyncOrder`` in kyaml/fn/runtime/runtimeutil). For that it loads the
whole OpenAPI schema of Kubernetes: a third of a build's time, to no effect, since an item that isn't touched comes
back as it was, and `kustomize build` hands over none with comments and sorts the fields of all. It skips those without
a number, and would have taken the two annotations off the others.
"""

from __future__ import annotations

_ANNOTATIONS = "\n  metadata:\n    annotations:\n"
_MARGIN = "\n      "
_FIRST = f"{_MARGIN}internal.config.kubernetes.io/id: '"
_SECOND = f"'{_MARGIN}config.k8s.io/id: '"


def without_call_ids(text: str) -> str:
    """Return an item of a ResourceList without the two annotations that number it for this call.

    The text is returned as it is where they don't stand in ``metadata.annotations`` the way kustomize writes them, or
    where nothing else does: they are then kustomize's to take off.
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
    if first == start and not text.startswith(_MARGIN, end):
        return text
    return text[:first] + text[end:]


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
