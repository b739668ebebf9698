"""An exported overlay: plain kustomize that is held to build the same as an overlay with the function.

The function's input and output in a real build are compared object by object. A changed object becomes a patch, a new
one a file. New ConfigMaps and Secrets whose names carry a hash become kustomize's own generators.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kustomizer.errors import Problem, UserError
from kustomizer.export.base import BASE, Base
from kustomizer.export.parts import File, parts_of, with_passwords, write_files
from kustomizer.export.secrets import ignore_file
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.fields import HEAD
from kustomizer.kustomize.function_log import Run
from kustomizer.kustomize.plain_build import build_plainly
from kustomizer.manifests.equality import same
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.manifests.writer import emit
from kustomizer.masking.messages import without_secrets
from kustomizer.overlay.templates import NAME_REFERENCES
from kustomizer.record import Record

MADE_BY = "# Made by `tutor-kustomizer export`; make it again after each `tutor config save`.\n"
"""The first line of an export's kustomization.yaml."""


class Export(Record):
    """The exported overlay, before it is known where it goes."""

    base: Base
    kustomization: Mapping[str, Any]
    files: Mapping[str, File]
    """The files by path, without the two kustomizations."""
    to_fill_in: Sequence[str]
    """The paths of the files with the values of Secrets."""

    def contents(self, directory: Path, *, include_secrets: bool) -> dict[str, File]:
        """Return the files of the export in ``directory``, by path relative to it.

        Raises UserError where another file than those to fill in holds a password, without ``include_secrets``.
        """
        below = self.base.kustomization(directory / BASE)
        top = {**self.kustomization, **self.base.top(directory)}
        files = {
            "kustomization.yaml": File(text=MADE_BY + emit(top)),
            f"{BASE}/kustomization.yaml": File(text=emit({**HEAD, **below})),
            **self.files,
        }
        contents = with_passwords(dict(sorted(files.items())))
        if not include_secrets:
            contents = {path: file for path, file in contents.items() if not file.is_private}
            remedy = "Put them into a Secret in the cluster (valueFrom.secretKeyRef), or add --include-secrets"
            problems = []
            for path, file in contents.items():
                if file.passwords:
                    message = f"would hold passwords in clear text: {', '.join(file.passwords)}"
                    problems.append(Problem(message=message, field=path, remedy=remedy))
            if problems:
                raise UserError(*problems)
        return contents


def export_of(base: Base, run: Run) -> Export:
    """Return the export of an overlay with this ``base``; ``run`` is the function's run in the overlay's build."""
    parts = parts_of(run.given, run.made)
    if not parts.files:
        raise UserError.of("the function changed nothing in this overlay: there is nothing to export")
    private = [path for path, file in parts.files.items() if file.is_private]
    files = {"name-references.yaml": File(text=NAME_REFERENCES), **parts.files}
    files |= {path: File(text=text) for path, text in base.file_contents()}
    if private:
        files[".gitignore"] = File(text=ignore_file(private))
    fields = parts.fields()
    resources = [BASE, *fields.pop("resources", ())]
    top = {**HEAD, "resources": resources, **fields, "configurations": ["name-references.yaml"]}
    return Export(base=base, kustomization=top, files=files, to_fill_in=private)


def prove(export: Export, expected: Resources, kustomize: Kustomize) -> None:
    """Raise UserError where plain kustomize builds other resources from ``export`` than ``expected``."""
    # In a temporary directory: the build needs the values of Secrets, which may not be written into the export.
    with tempfile.TemporaryDirectory(prefix="tutor-kustomizer-") as temporary:
        directory = Path(temporary).resolve()
        write_files(directory, export.contents(directory, include_secrets=True))
        process = build_plainly(directory, kustomize)
        if process.status != 0:
            words = without_secrets(process.stderr_text.strip()).replace(str(directory), "the export")
            raise UserError.of(f"{kustomize.path} can't build what the export would be:\n{words}")
    differences = list(_differences(read_build(process.stdout), expected))
    if differences:
        raise UserError(
            *differences,
            Problem(
                message="nothing was written: plain kustomize gives other resources than the function does",
                remedy="Please report it, with the overlay's kustomization.yaml",
            ),
        )


def _differences(built: Resources, expected: Resources) -> Iterator[Problem]:
    ours, functions = ({item.identity: item for item in resources} for resources in (built, expected))
    for identity, item in functions.items():
        if identity not in ours:
            yield item.problem("would not be in the export's build")
        elif ours[identity].text != item.text and not same(plain_value(ours[identity].tree), plain_value(item.tree)):
            yield item.problem("would differ in the export's build")
    for identity, item in ours.items():
        if identity not in functions:
            yield item.problem("would be in the export's build alone")
