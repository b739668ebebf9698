"""A copy of the part of this repository that overlays read, with what `make demo` adds to it.

Tests copy, and don't build in the repository itself: nothing there is changed, and its own `flower.env` isn't used.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests import sites

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BUILT = ("base", "generators", "overlays")
COPIED = (*BUILT, "kustomizer")
FLOWER_ENV = "overlays/production/secrets/flower.env"
FLOWER_PASSWORD = "fl0wer-pa55word-canary"


def copy_checkout(root: Path, copied: Sequence[str] = COPIED) -> None:
    """Copy these directories of the repository into ``root``, and write Flower's password there."""
    ignored = shutil.ignore_patterns("__pycache__", FLOWER_ENV.rpartition("/")[2])
    for name in copied:
        shutil.copytree(sites.ROOT / name, root / name, symlinks=True, ignore=ignored)
    file = root / FLOWER_ENV
    file.touch(mode=0o600)
    file.write_text(f"auth=admin:{FLOWER_PASSWORD}\n")
