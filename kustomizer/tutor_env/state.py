"""Records what a split was made from, and tells whether env/ has changed since: by content, as Git keeps no times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kustomizer import OWN_FILE, __version__
from kustomizer.kustomize.fields import named_paths
from kustomizer.kustomize.kustomization import read_kustomization
from kustomizer.kustomize.split_env import split_directory
from kustomizer.kustomize.split_names import FILE, PLACE
from kustomizer.system.files import read_text

SUMMARY = "split.json"
"""The file in the split's directory that says what it was made from, with its table of queues and its warnings."""

RECOMMENDED = "the recommended queues"
"""Named as the source where there is no file of a configuration."""
_REWRITTEN = "k8s/jobs.yml"
"""Tutor 16 to 20 rewrite this file in `do` and `init`; our patches name no Job, so the split doesn't depend on it."""


def named_in(env: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file that ``env`` is built from, by its path relative to ``env``."""
    for entry in dict.fromkeys(named_paths(read_kustomization(env))):
        path = env / entry
        if path.is_file():
            yield entry, path
        elif path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.is_file():
                    yield file.relative_to(env).as_posix(), file


def digest_of_files(files: Iterable[tuple[str, Path]]) -> str:
    """Return the digest of those files of env/ that only `tutor config save` writes."""
    digest = hashlib.sha256()
    for name, path in files:
        if is_tutors_alone(name):
            data = path.read_bytes()
            digest.update(f"{name}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()


def is_tutors_alone(name: str) -> bool:
    """Tell whether only `tutor config save` writes this file of env/."""
    return name != _REWRITTEN and not name.startswith(f"{PLACE}/")


def digest_of_text(text: str) -> str:
    """Return the digest of ``text``."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_added(added: Mapping[str, Any]) -> str:
    """Return the digest of what other plugins add."""
    return digest_of_text(json.dumps(added, sort_keys=True, default=str))


def config_text(named: Path | None) -> str:
    """Return the text of the operator's configuration, empty where there is none."""
    return read_text(named) if named is not None else ""


def read_summary(directory: Path) -> dict[str, Any] | None:
    """Return the summary of the split in ``directory``, None where the split is missing or isn't whole."""
    try:
        summary = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    files = summary.get("files") if isinstance(summary, dict) else None
    is_whole = isinstance(files, dict) and all(
        (directory / name).is_file() and digest_of_text(read_text(directory / name)) == digest
        for name, digest in files.items()
    )
    return summary if is_whole else None


def stale_reason(
    root: Path, named: Path | None = None, added: Mapping[str, Any] | None = None, *, as_recorded: bool = False
) -> str:
    """Return why the split in env/ is out of date; empty where it isn't.

    It is compared with the files of env/, with the configuration ``named`` and with what other plugins have ``added``
    (None: not compared). With ``as_recorded`` the configuration is the file that the split names as its source, or the
    default file if the split had none; a file that is missing counts as unchanged. Which kustomize built the split
    doesn't matter: its outcome was compared with the function's.
    """
    env = root / "env"
    directory = split_directory(env)
    if directory is None:
        return "it doesn't hold the split"
    summary = read_summary(directory)
    if summary is None:
        return "its split isn't whole"
    inputs = summary["inputs"]
    if inputs["version"] != __version__:
        return f"version {inputs['version']} of tutor-kustomizer split it, and this is {__version__}"
    source = summary["source"]
    if as_recorded:
        path = root / (OWN_FILE if source == RECOMMENDED else source)
        named = path if path.exists() else None
    is_at_hand = not as_recorded or named is not None or source == RECOMMENDED
    if is_at_hand and inputs["configuration"] != digest_of_text(config_text(named)):
        return f"{named or source} has changed"
    if added is not None and inputs["plugins"] != digest_of_added(added):
        return "what other plugins add to the split has changed"
    if inputs["files"] != digest_of_files(named_in(env)):
        return "files that Tutor wrote have changed"
    return "" if summary["kustomization"] == digest_of_text(read_text(env / FILE)) else f"{FILE} has changed"
