"""A file that holds a built site."""

from __future__ import annotations

from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.manifests.protocols import read_build
from kustomizer.system.files import read_text


class BuiltFile:
    """The text and the resources of a built site. A file without objects is refused: the build failed."""

    def __init__(self, path: Path) -> None:
        """Read ``path``. Raises UserError where it can't be read, isn't YAML, or holds no object."""
        self.text = read_text(path)
        try:
            self.resources = read_build(self.text.encode())
        except UserError as error:
            raise error.within(path) from None
        if not list(self.resources):
            raise UserError.of(f"{path} holds no object", remedy="Build the site into it again")
