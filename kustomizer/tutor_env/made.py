"""What the function makes of a site in env/, and the files that make the same of it in plain kustomize."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kustomizer.errors import Problem
from kustomizer.export.parts import File, write_files
from kustomizer.export.passwords import with_passwords
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import Resources
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.site.queue_table import queues_text
from kustomizer.site.queues import queues_of
from kustomizer.transform.pipeline import transform
from kustomizer.transform.split_mark import mark
from kustomizer.tutor_env import proof
from kustomizer.tutor_env.configuration import read_configuration
from kustomizer.tutor_env.files import split_files
from kustomizer.tutor_env.state import SUMMARY

_WIDE = 10_000


class Made(Record):
    """The resources that the function made, and the split's files."""

    source: str
    """Where the configuration comes from."""
    warnings: Sequence[Problem]
    resources: Resources
    files: Mapping[str, File]

    @property
    def has_patches(self) -> bool:
        """Whether the split changes objects of Tutor's."""
        return "patches/kustomization.yaml" in self.files

    def table(self) -> str:
        """Return who consumes and scales which queue."""
        return queues_text(queues_of(Site(self.resources)), _WIDE)

    def write(self, directory: Path) -> None:
        """Write the files into ``directory``, which is made, each for its owner alone."""
        write_files(directory, {path: file.replace(is_private=True) for path, file in self.files.items()})

    def write_with(self, summary: str, directory: Path) -> None:
        """Write the files and the split's ``summary``, those that hold a password for their owner alone."""
        write_files(directory, {**with_passwords(self.files), SUMMARY: File(text=summary)})

    def differences(self, built: bytes) -> Iterator[Problem]:
        """Yield what isn't in a build of env/ with the files as the function made it."""
        return proof.differences(read_build(built), self.resources)


def made_of(data: bytes, root: Path, named: Path | None, added: Mapping[str, Any]) -> Made:
    """Run the function on ``data``, a build of env/ whose generated names have no hash.

    Raises UserError where it refuses the site, or kustomize can't make the same.
    """
    given, made = read_build(data), read_build(data)
    chosen = read_configuration(root, named, added, given)
    problems = transform(made, chosen.config)
    mark(made, chosen.config, chosen.source)
    return Made(source=chosen.source, warnings=problems, resources=made, files=split_files(given, made))
