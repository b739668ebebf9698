"""What Tutor's configuration says about us, and which of the two ways of splitting that means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kustomizer import OWN_FILE
from kustomizer.kustomize.split_names import CONFIG, OVERLAY, SPLIT
from kustomizer.record import Record

DEFAULTS = [(OVERLAY, ""), (SPLIT, True), (CONFIG, "")]


class Options(Record):
    """The options of one Tutor root, as paths."""

    root: Path
    overlay: Path | None
    is_split: bool
    """Whether `tutor config save` puts the split into env/."""
    config: Path
    """The operator's configuration for that, whether it is there or not."""
    is_config_named: bool

    @property
    def present_config(self) -> Path | None:
        """The operator's configuration: None where there is none, so that the recommended queues are split."""
        return self.config if self.is_config_named or self.config.exists() else None


def options(root: Path, values: Mapping[str, Any]) -> Options:
    """Return the options of ``root``, whose configuration holds ``values``.

    A relative path starts at Tutor's root. A name of figures, 2024, is a number to Tutor.
    """
    overlay, config = values.get(OVERLAY), values.get(CONFIG)
    return Options(
        root=root,
        overlay=root / Path(str(overlay)).expanduser() if overlay else None,
        is_split=not overlay and bool(values.get(SPLIT, True)),
        config=root / Path(str(config)).expanduser() if config else root / OWN_FILE,
        is_config_named=bool(config),
    )
