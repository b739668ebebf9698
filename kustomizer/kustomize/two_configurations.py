"""Two configurations in one file: kustomize runs the function for each, the second time on what the first run made."""

from __future__ import annotations

from kustomizer import KIND, is_configuration
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.certain_yaml import Uncertain, read_heads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def several_in(text: str) -> Problem | None:
    """Return what is wrong with a file that holds ``text``, None where that is at most one configuration."""
    if text.count(KIND) < 2:  # noqa: PLR2004 - nearly every file is done with here
        return None
    heads = [(item.get("apiVersion"), item.get("kind")) for item in _objects(text) if isinstance(item, dict)]
    count = sum(is_configuration(*head) for head in heads)
    return several(count) if count > 1 else None


def several(count: int) -> Problem:
    """Return the problem of a file that holds so many configurations."""
    return Problem(
        message=f"the file holds {count} configurations of kind {KIND}, one after another",
        remedy="Put what they say into one, and take the others out",
    )


def _objects(text: str) -> Sequence[Any]:
    try:
        return read_heads(text)
    except Uncertain:
        from kustomizer.manifests import full_reader  # noqa: PLC0415 - few files need it, and it is slow to import
        from kustomizer.manifests.tree import plain_value  # noqa: PLC0415
    try:
        return [plain_value(tree) for tree in full_reader.read_all(text)]
    except UserError:  # kustomize says what is wrong
        return ()
