"""Where kustomize looks for legacy exec plugins: a home with the function in it, and with the user's own plugins."""

from __future__ import annotations

import os

from kustomizer import API_VERSION, DIRECTORY, GROUP, KIND
from kustomizer.system.processes import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PLUGIN = f"{API_VERSION}/{KIND.lower()}"
"""Where a plugin home has the function."""


def own_function() -> str | None:
    """Return the executable of the function that is at hand, None where there is none."""
    root = os.path.dirname(os.path.abspath(DIRECTORY))  # noqa: PTH100, PTH120 - pathlib costs 5 ms to import
    in_repository = os.path.join(root, "generators", "celery-workers")  # noqa: PTH118
    return which("tutor-celery-workers") or (in_repository if os.path.exists(in_repository) else None)  # noqa: PTH110


def make_plugin_home(place: str, function: str) -> str:
    """Return a plugin home, made in ``place``, in which kustomize finds ``function``, and the user's own plugins."""
    os.makedirs(f"{place}/{_PLUGIN}")  # noqa: PTH103
    os.symlink(function, f"{place}/{_PLUGIN}/{KIND}")  # noqa: PTH211
    theirs = next(filter(os.path.isdir, _plugin_homes()), None)
    for group in os.listdir(theirs) if theirs else ():  # noqa: PTH208
        if group != GROUP:
            os.symlink(os.path.abspath(f"{theirs}/{group}"), f"{place}/{group}")  # noqa: PTH100, PTH211
    return place


def _plugin_homes() -> Iterator[str]:
    """Yield where kustomize looks for plugins, in its order (konfig.DefaultAbsPluginHome in its api)."""
    if "KUSTOMIZE_PLUGIN_HOME" in os.environ:
        yield os.environ["KUSTOMIZE_PLUGIN_HOME"]
    if os.environ.get("XDG_CONFIG_HOME"):
        yield f"{os.environ['XDG_CONFIG_HOME']}/kustomize/plugin"
    home = os.environ.get("HOME") or "~"
    yield f"{home}/.config/kustomize/plugin"
    yield f"{home}/kustomize/plugin"
