"""A site that was built before, and was put into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.errors import Problem, UserError
from kustomizer.manifests.protocols import read_build
from kustomizer.system.files import read_text

if TYPE_CHECKING:
    from pathlib import Path


class BuiltFile:
    """What such a file holds; one that isn't a site is refused, so that a failed build doesn't pass for a good one."""

    def __init__(self, path: Path) -> None:
        """Read ``path``. Raises UserError where it can't be read, isn't YAML, or holds no object."""
        self.text = read_text(path)
        try:
            self.resources = read_build(self.text.encode())
        except UserError as error:
            raise error.within(path) from None
        if not list(self.resources):
            raise UserError(Problem(message=f"{path} holds no object", remedy="Build the site into it again"))
