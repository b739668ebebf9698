"""Rebuilds the files of an overlay at a Git revision, with the files that Git doesn't hold.

Git commonly ignores Tutor's ``env/`` and files with secrets. They are taken from the working tree or another Tutor
root, or Tutor renders them from the files of the commit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from kustomizer import OWN_FILE
from kustomizer.diff.git import Repository
from kustomizer.errors import UserError
from kustomizer.kustomize.fields import is_kustomization, named_paths
from kustomizer.kustomize.kustomization import built_from, kustomization_in
from kustomizer.kustomize.split_names import CONFIG as SPLIT_CONFIG
from kustomizer.masking.messages import without_secrets
from kustomizer.record import Record
from kustomizer.tutor_env.staleness import OFF, config_values, is_tutor_env

ENV = "env"
"""Where Tutor writes what it renders, below its root."""
_CONFIG = "config.yml"


class Tree(Record):
    """A copy of the files of ``repository``, at the same place below ``mirror`` as the checkout is below ``/``.

    A path that leads out of the repository, such as one to a Tutor root beside it, leads to a place below the mirror.
    """

    mirror: Path
    """A directory of our own, without links in its path."""
    repository: Repository
    overlay: Path
    """The overlay in the working tree, without links in its path."""

    @property
    def top(self) -> Path:
        """The place of the repository's files."""
        return self.image(self.repository.top)

    @property
    def root(self) -> Path:
        """The overlay in this copy."""
        return self.image(self.overlay)

    def image(self, path: Path) -> Path:
        """Return the place in the mirror of an absolute ``path``."""
        return self.mirror / path.relative_to(path.anchor)

    def add_what_git_lacks(self) -> list[Path]:
        """Add what the overlay names and Git ignores or what lies outside of the repository; return its paths.

        Directories are linked, as kustomize takes each for a root of its own. Files are copied, as kustomize refuses a
        link to a file that isn't below the kustomization. The paths are absolute.
        """
        brought: list[Path] = []
        while True:
            missing = [path for path in self._missing() if path not in brought and path.exists() and self._lacks(path)]
            if not missing:
                return brought
            for path in missing:
                self._bring(path)
            brought += missing

    def tutor_envs(self) -> list[Path]:
        """Return the directories that Tutor writes and the overlay is built from, whether they are there or not."""
        directories = {path for path in self._named() if is_tutor_env(self.image(path))}
        own = {self.overlay} if is_tutor_env(self.overlay) else set()
        return sorted(own | directories | {path for path in self._missing() if path.name == ENV})

    def absent(self) -> list[Path]:
        """Return what this copy names and hasn't, though the working tree has it."""
        return [path for path in self._missing() if path.exists()]

    def put_env(self, path: Path, env: Path) -> None:
        """Put a link to ``env`` in the place of ``path``."""
        self._clear(path).symlink_to(env.resolve(), target_is_directory=True)

    def render_env(self, path: Path, tutor: str) -> None:
        """Run `tutor config save` for the root that ``path`` is rendered from. Raises UserError where that fails."""
        config = path.parent / _CONFIG
        self._bring_if_lacking(config)
        split_config = self._split_config(path)
        self._bring_if_lacking(split_config)
        if not self.image(config).is_file():
            raise UserError.of(
                f"{config} isn't there, so that Tutor can't render {path}", remedy="Commit it, or leave --render out"
            )
        self._clear(path)
        environment = {**os.environ, "TUTOR_ROOT": str(self.image(path.parent))}
        if split_config != path.parent / OWN_FILE:
            # An absolute path would mean the working tree's on both sides.
            environment[f"TUTOR_{SPLIT_CONFIG}"] = str(self.image(split_config))
        try:
            process = subprocess.run(
                [tutor, "config", "save"], capture_output=True, text=True, env=environment, check=False
            )
        except OSError as error:
            message = f"{tutor} can't be run: {error.strerror}"
            raise UserError.of(message, remedy="Name the one with your plugins by --tutor") from None
        if process.returncode != 0:
            raise UserError.of(
                f"`tutor config save` fails for {path.parent}:\n{without_secrets(process.stderr.strip())}"
            )

    def _split_config(self, path: Path) -> Path:
        """Return what the Tutor plugin splits the env/ ``path`` by: without it, by the recommended queues."""
        named = os.environ.get(f"TUTOR_{SPLIT_CONFIG}") or config_values(str(self.image(path))).get(SPLIT_CONFIG, "")
        return Path(os.path.normpath(path.parent / Path(OWN_FILE if named.lower() in OFF else named).expanduser()))

    def _bring_if_lacking(self, file: Path) -> None:
        if file.is_file() and self._lacks(file) and not self.image(file).exists():
            self._bring(file)

    def _lacks(self, path: Path) -> bool:
        return not path.is_relative_to(self.repository.top) or self.repository.ignores(path)

    def _place(self, path: Path) -> Path:
        """Return where ``path`` goes. Raises UserError where a link of the overlay's leads there out of the mirror."""
        place = self.image(path)
        if not place.parent.resolve().is_relative_to(self.mirror):
            raise UserError.of(f"{path} lies behind a link that leads out of the repository")
        return place

    def _clear(self, path: Path) -> Path:
        place = self._place(path)
        if place.is_symlink():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _bring(self, path: Path) -> None:
        place = self._place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            place.symlink_to(path.resolve(), target_is_directory=True)
        else:
            shutil.copy2(path, place)

    def _missing(self) -> list[Path]:
        return [path for path in self._named() if not self.image(path).exists()]

    def _named(self) -> list[Path]:
        """Return the paths that the kustomizations of this copy name, as paths of the working tree."""
        return list(dict.fromkeys(self._names(self.root))) if is_kustomization(self.root) else []

    def _names(self, root: Path) -> Iterator[Path]:
        for directory in built_from(root):
            if not directory.is_relative_to(self.mirror):
                continue
            for entry in named_paths(kustomization_in(directory)):
                path = Path(os.path.normpath(directory / entry))
                if "://" not in entry and path.is_relative_to(self.mirror):
                    yield Path("/") / path.relative_to(self.mirror)
