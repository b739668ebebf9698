"""What a split was made from, and whether env/ is still that: told by contents, since Git keeps no file times."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from kustomizer.kustomize.split_env import FILE, PLACE, split_directory
from kustomizer.system.files import read_text
from kustomizer.tutor_env.copy import named_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUMMARY = "split.json"
"""In the split's directory: what it was made from, and what was said about it."""

_REWRITTEN = "k8s/jobs.yml"
"""Tutor 16 to 20 write it anew in `do` and `init`; our patches name no Job, so it makes no difference to the split."""


def digest_of_files(files: Iterable[tuple[str, Path]]) -> str:
    """Return what tells the files that env/ is built from, without its kustomization and the split, from others."""
    digest = hashlib.sha256()
    for name, path in files:
        if name != _REWRITTEN and not name.startswith(f"{PLACE}/"):
            data = path.read_bytes()
            digest.update(f"{name}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()


def digest_of_text(text: str) -> str:
    """Return what tells ``text`` from others."""
    return hashlib.sha256(text.encode()).hexdigest()


def config_text(named: Path | None) -> str:
    """Return the text of the operator's configuration, empty where there is none."""
    return read_text(named) if named is not None else ""


def read_summary(directory: Path) -> dict[str, Any] | None:
    """Return what was said about the split in ``directory``, None where it isn't there or isn't whole."""
    try:
        summary = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    files = summary.get("files") if isinstance(summary, dict) else None
    whole = isinstance(files, dict) and all(
        (directory / name).is_file() and digest_of_text(read_text(directory / name)) == digest
        for name, digest in files.items()
    )
    return summary if whole else None


def stale_reason(root: Path, named: Path | None) -> str:
    """Return why the split in env/ isn't that of its files and of the configuration ``named``; empty where it is."""
    env = root / "env"
    directory = split_directory(env)
    summary = read_summary(directory) if directory else None
    if summary is None:
        return "its split isn't whole"
    if summary["inputs"]["configuration"] != digest_of_text(config_text(named)):
        return f"{named or summary['source']} has changed"
    if summary["inputs"]["files"] != digest_of_files(named_in(env)):
        return "files that Tutor wrote have changed"
    return "" if summary["kustomization"] == digest_of_text(read_text(env / FILE)) else f"{FILE} has changed"
