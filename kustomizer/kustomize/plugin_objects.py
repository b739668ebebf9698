"""What kustomize makes of the plugins that a kustomization lists, before it loads them: asked with plugins off."""

from __future__ import annotations

import os

from kustomizer.errors import UserError
from kustomizer.kustomize.executable import finished
from kustomizer.manifests.writer import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kustomizer.kustomize.executable import Kustomize
    from kustomizer.system.processes import Scratch

_KUSTOMIZATION = """\
sortOptions: {{order: fifo}}
# Objects with this annotation are plugins like others, and are left out of what a build prints.
commonAnnotations:
  config.kubernetes.io/local-config: "false"
resources:
{entries}
"""


def plugin_objects(plugins: Sequence[str], kustomize: Kustomize, scratch: Scratch, env: Mapping[str, str]) -> str:
    """Return what kustomize makes of ``plugins``: directories, by their whole path, and texts.

    Raises UserError where it makes nothing of them.
    """
    place = f"{os.path.realpath(scratch.path)}/plugins-{os.urandom(8).hex()}"
    os.mkdir(place)  # noqa: PTH102 - pathlib costs 5 ms to import
    entries = []
    for plugin in plugins:
        if plugin.startswith("/"):
            entries.append(os.path.relpath(plugin, place))
        else:
            entries.append(f"{len(entries)}.yaml")
            _write(f"{place}/{entries[-1]}", plugin)
    lines = "\n".join(f"- {quote(entry)}" for entry in entries)
    _write(f"{place}/kustomization.yaml", _KUSTOMIZATION.format(entries=lines))
    process = finished(kustomize.plain_command(place), scratch, kustomize.limits, env=env)
    if process.status != 0:
        from kustomizer.masking.messages import without_secrets  # noqa: PLC0415 - only where a build fails

        words = without_secrets(process.stderr_text.strip()).replace(place, "the plugins")
        raise UserError.of(f"it can't be told which programs a build would run:\n{words}")
    return process.stdout.decode()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        file.write(text)
