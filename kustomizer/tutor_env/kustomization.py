"""The text of the kustomization.yml that Tutor renders into env/: checked, and with the split in it."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from kustomizer.errors import UserError
from kustomizer.kustomize.split_env import ENTRY, SPLIT_ENTRIES
from kustomizer.kustomize.split_names import FILE, PLACE, PREFIX
from kustomizer.system.files import read_text


def read_fresh(env: Path) -> str:
    """Return the text of a kustomization.yml that Tutor has just rendered.

    Raises UserError where it has no entry for the split, or can't be added to.
    """
    path = env / FILE
    text = read_text(path)
    entries = ENTRY.findall(text)
    if len(entries) != 1:
        message = f"{path} has {len(entries) or 'no'} entr{'ies' if len(entries) > 1 else 'y'} for the split"
        remedy = "Let Tutor write env/ anew: tutor config save"
        raise UserError.of(message, remedy=remedy)
    keys = _top_level_keys(path, text)
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        raise UserError.of(
            f"`{key}:` stands twice: kustomize heeds the last one without a word",
            field=f"{path}: {key}",
            remedy="Let the plugin that adds it through the patch `kustomization` use Tutor's own patch for that",
        )
    return text


def without_entry(text: str) -> str:
    """Return a fresh kustomization without the entry that fails: Tutor's own output."""
    return ENTRY.sub("", text)


def as_tutors(text: str) -> str:
    """Return the kustomization as Tutor would have written it without us, whether the split is in it or missing."""
    text = SPLIT_ENTRIES.sub("", without_entry(text))
    # In a list between brackets, which another plugin wrote.
    text = re.sub(rf"(?:, |(?<=\[)){re.escape(PLACE)}/{PREFIX}[0-9a-f]+/patches(?=\])", "", text)
    # The list that was made for us alone.
    return re.sub(r"^transformers:\n(?![ \t]*-)", "", text, flags=re.MULTILINE)


def with_split(text: str, name: str, *, patches: bool) -> str:
    """Return a fresh kustomization with the split in the directory ``name`` in the place of the entry that fails."""
    text = ENTRY.sub(lambda match: f"{match.group(1)}{PLACE}/{name}", text)
    if not patches:
        return text
    entry = f"{PLACE}/{name}/patches"
    if _has(text, "transformers"):
        from kustomizer.overlay.yaml_edit import append_item  # noqa: PLC0415 - ruamel.yaml takes long to import

        return append_item(text, "transformers", entry)
    return _appended(text, f"transformers:\n- {entry}\n")


def without_hashes(text: str) -> str:
    """Return a kustomization whose generated names have no hash: by those the function knows them."""
    if _has(text, "generatorOptions"):
        from kustomizer.overlay.yaml_edit import set_value  # noqa: PLC0415 - ruamel.yaml takes long to import

        return set_value(text, "Kustomization", ("generatorOptions", "disableNameSuffixHash"), True)
    return _appended(text, "generatorOptions:\n  disableNameSuffixHash: true\n")


def _has(text: str, key: str) -> bool:
    return re.search(rf"^[\"']?{key}[\"']?\s*:", text, re.MULTILINE) is not None


def _appended(text: str, lines: str) -> str:
    return text + ("" if text.endswith("\n") else "\n") + lines


def _top_level_keys(path: Path, text: str) -> list[str]:
    """Return the keys of the kustomization, each as often as it occurs."""
    try:
        # libyaml's reader takes a few milliseconds where Python's own takes a quarter of a second.
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "it can't be read"
        raise UserError.of(f"{path} is not YAML: {reason}{where}") from None
    return [str(key.value) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
