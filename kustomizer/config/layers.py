"""Merges the layers of a worker's settings, maps with the keys of the YAML (`nodeSelector`). Later layers win.

Null removes what earlier layers set: a whole field or one key of it. An ``env`` entry whose value is null removes its
variable. The result has no such nulls.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from kustomizer.config.values import JsonMap

    OptionKey: TypeAlias = Callable[[list[str]], Iterable[tuple[str, Sequence[str]]]]

# affinity, livenessProbe and lifecycle are maps, too, but are replaced as a whole: a probe merged from two has two
# handlers, which Kubernetes refuses.
MERGED_BY_KEY = frozenset(("resources", "nodeSelector", "podAnnotations", "keda", "podDisruptionBudget"))


def merge_layers(layers: Iterable[Mapping[str, object]], *, option_key: OptionKey) -> dict[str, object]:
    """Return the merged settings of ``layers``, the weakest first.

    ``option_key`` splits command line arguments into (meaning of the option, its tokens) pairs, so that ``-c 4``
    replaces ``--concurrency=2``.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        for field, value in layer.items():
            below = merged.pop(field, None)
            if value is not None:
                merged[field] = _merge_field(field, below, value, option_key)
    return merged


def _merge_field(field: str, below: Any, value: Any, option_key: OptionKey) -> Any:
    if field in MERGED_BY_KEY:
        return merge_maps(below or {}, value)
    if field == "env":
        return merge_by_name(below or [], value)
    if field == "extraArgs":
        # Without the options of below that are given again.
        new_options = dict(option_key(list(value)))
        old_options = {key: tokens for key, tokens in option_key(list(below or [])) if key not in new_options}
        return [token for tokens in (*old_options.values(), *new_options.values()) for token in tokens]
    return value


def merge_maps(below: Mapping[str, Any] | None, above: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return ``below`` with the keys of ``above``: maps within are merged, and keys whose value is null are removed.

    None means that there is no map; the result is None if there are none.
    """
    if above is None:
        return None if below is None else dict(below)
    merged = dict(below or {})
    for key, value in above.items():
        inherited = merged.get(key)
        if isinstance(value, dict):
            merged[key] = merge_maps(inherited if isinstance(inherited, dict) else {}, value)
        elif value is not None:
            merged[key] = value
        else:
            merged.pop(key, None)
    return merged


def merge_by_name(below: Iterable[JsonMap] | None, above: Iterable[JsonMap] | None) -> list[JsonMap] | None:
    """Return the entries of both lists (``env``); those of ``above`` replace entries of the same name in place.

    The order matters to Kubernetes: a variable may refer to those before it. None as for :func:`merge_maps`.
    """
    if above is None:
        return None if below is None else list(below)
    merged = {entry["name"]: entry for entry in below or ()}
    for entry in above:
        if is_taken_back(entry):
            merged.pop(entry["name"], None)
        else:
            merged[entry["name"]] = entry
    return list(merged.values())


def is_taken_back(entry: JsonMap) -> bool:
    """Tell whether an entry of ``env`` removes its variable: its value is null."""
    return "value" in entry and entry["value"] is None and entry.get("valueFrom") is None


def options_by_meaning(args: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each option of ``args`` with its long name, in any spelling; other words as they are."""
    from kustomizer.worker_command.options import list_words, read_all  # noqa: PLC0415 - only when there are arguments

    for item in read_all(list_words(args)):
        if item.trouble:
            words = [word.text for word in item.words]
            yield " ".join(words), words
        else:
            for setting in item.settings:
                yield setting.option.name, [setting.option.write(setting.value)]
