"""Asks kustomize, with plugins off, for the objects that it would load as extensions."""

from __future__ import annotations

import os

from kustomizer.errors import UserError
from kustomizer.kustomize.executable import finished
from kustomizer.manifests.writer import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kustomizer.kustomize.executable import Kustomize
    from kustomizer.system.processes import Scratch

_KUSTOMIZATION = """\
sortOptions: {{order: fifo}}
# A build loads extensions that have this annotation, and leaves them out of its output.
commonAnnotations:
  config.kubernetes.io/local-config: "false"
resources:
{entries}
"""


def asking(kustomize: Kustomize, scratch: Scratch, env: Mapping[str, str]) -> Callable[[Sequence[str]], str]:
    """Return a function that calls ``extension_objects`` with these arguments."""
    return lambda extensions: extension_objects(extensions, kustomize, scratch, env)


def extension_objects(extensions: Sequence[str], kustomize: Kustomize, scratch: Scratch, env: Mapping[str, str]) -> str:
    """Return the objects that kustomize makes of ``extensions``: directories, by absolute path, and texts.

    Raises UserError where kustomize can't build them.
    """
    directory = f"{os.path.realpath(scratch.path)}/plugins-{os.urandom(8).hex()}"
    os.mkdir(directory)  # noqa: PTH102 - pathlib costs 5 ms to import
    entries = []
    for extension in extensions:
        if extension.startswith("/"):
            entries.append(os.path.relpath(extension, directory))
        else:
            entries.append(f"{len(entries)}.yaml")
            _write(f"{directory}/{entries[-1]}", extension)
    lines = "\n".join(f"- {quote(entry)}" for entry in entries)
    _write(f"{directory}/kustomization.yaml", _KUSTOMIZATION.format(entries=lines))
    process = finished(kustomize.plain_command(directory), scratch, kustomize.limits, env=env)
    if process.status != 0:
        from kustomizer.masking.messages import without_secrets  # noqa: PLC0415 - only where a build fails

        words = without_secrets(process.stderr_text.strip()).replace(directory, "the plugins")
        raise UserError.of(f"it can't be told which programs a build would run:\n{words}")
    return process.stdout.decode()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        file.write(text)
