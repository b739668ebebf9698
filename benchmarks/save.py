"""What `tutor config save` takes with the split in env/, beside one build of env/ by kubectl."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks import inputs
from benchmarks.measure import BenchError, Case
from benchmarks.names import KUBECTL, SAVE, SAVE_AGAIN, SAVE_SPLIT
from tests import sites
from tests.tutor_plugin.real_tutor import plugin_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WITHOUT_SPLIT = 'rm -rf "$TUTOR_ROOT/env/plugins/kustomizer" && exec "$0" config save'


def save_cases(scratch: Path, base: Mapping[str, str], site: str) -> list[Case]:
    """Return the commands for the site "plain" or "full": each of the saves has a Tutor root of its own."""
    kubectl = shutil.which("kubectl", path=base["PATH"])
    if kubectl is None:
        raise BenchError("there is no kubectl, by which Tutor applies env/")
    tutor = str(sites.tutor("22"))
    plain = _root(scratch / f"save-{site}-plain", base, site, is_on=False)
    split = _root(scratch / f"save-{site}-split", base, site, is_on=True)
    again = _root(scratch / f"save-{site}-again", base, site, is_on=True)
    return [
        Case(KUBECTL, [kubectl, "kustomize", f"{plain['TUTOR_ROOT']}/env"], env=plain),
        Case(SAVE, [tutor, "config", "save"], env=plain),
        Case(SAVE_SPLIT, ["sh", "-c", _WITHOUT_SPLIT, tutor], env=split),
        Case(SAVE_AGAIN, [tutor, "config", "save"], env=again),
    ]


def _root(directory: Path, base: Mapping[str, str], site: str, *, is_on: bool) -> dict[str, str]:
    """Make a root whose env/ is saved, and return the environment of its Tutor."""
    directory.mkdir()
    found = plugin_environment(directory, inputs.SITES[site])
    (directory / "plugins").mkdir()
    env = {**base, "TUTOR_PLUGINS_ROOT": str(directory / "plugins")}
    env |= {name: found[name] for name in ("PYTHONPATH", "TUTOR_ROOT", "HOME")}
    tutor = sites.tutor("22")
    if is_on:
        sites.run(tutor, "plugins", "enable", "kustomizer", env=env)
    sites.run(tutor, "config", "save", env=env)
    return env
