"""Links the user's own legacy plugins into the plugin home that a build gets."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def link_plugins(place: str, plugins: Iterable[str]) -> None:
    """Link these of the user's legacy plugins, named by API version and kind, into the plugin home ``place``."""
    theirs = next(filter(os.path.isdir, _plugin_homes()), None)
    for plugin in plugins if theirs else ():
        api_version, _, kind = plugin.rpartition("/")
        directory = f"{api_version}/{kind.lower()}"
        os.makedirs(f"{place}/{api_version}", exist_ok=True)  # noqa: PTH103 - pathlib costs 5 ms to import
        os.symlink(os.path.abspath(f"{theirs}/{directory}"), f"{place}/{directory}")  # noqa: PTH100, PTH211


def _plugin_homes() -> Iterator[str]:
    """Yield where kustomize looks for legacy plugins, in its order (konfig.DefaultAbsPluginHome in its api)."""
    if "KUSTOMIZE_PLUGIN_HOME" in os.environ:
        yield os.environ["KUSTOMIZE_PLUGIN_HOME"]
    if os.environ.get("XDG_CONFIG_HOME"):
        yield f"{os.environ['XDG_CONFIG_HOME']}/kustomize/plugin"
    home = os.environ.get("HOME") or "~"
    yield f"{home}/.config/kustomize/plugin"
    yield f"{home}/kustomize/plugin"
