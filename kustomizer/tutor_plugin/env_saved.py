"""What happens when Tutor has saved env/: the split goes into it, and the operator is told what was split."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tutor import env, hooks
from tutor.core.hooks import Action
from tutor.exceptions import TutorError

from kustomizer.commands.talk import folded, say
from kustomizer.errors import UserError
from kustomizer.kustomize.split_env import missing_entry
from kustomizer.kustomize.split_names import OVERLAY, PLACE, SPLIT
from kustomizer.tutor_plugin.options import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kustomizer.kustomize.executable import Kustomize
    from kustomizer.tutor_plugin.options import Options

COMMAND = "tutor config save"
"""What writes the split."""
NAME = "kustomizer"
"""The plugin's, to Tutor."""
PATCH = f"{{% if {SPLIT} and not {OVERLAY} %}}- {missing_entry(COMMAND)}{{% endif %}}"
"""For Tutor's patch ``kustomization-resources``: makes every build of env/ fail until the split is there."""


def on_env_saved(root: str, values: Mapping[str, Any]) -> None:
    """Put the split into env/. Raises TutorError, and leaves env/ such that it can't be built, where it is refused."""
    # Tutor's documentation says the root, and Tutor 22 gives env/.
    path = Path(root)
    split(options(path.parent if (path / "kustomization.yml").is_file() else path, values))


def split(wanted: Options) -> None:
    """Put the split into env/, and say what was split, unless the operator wants env/ as Tutor writes it."""
    if not wanted.is_split:
        forget(wanted.root)
        return
    builder = find_builder()
    if builder is None:
        say(
            "kustomizer: the split isn't in env/, since there is neither kubectl nor kustomize to make it with: "
            f"run `{COMMAND}` where there is one, before `tutor k8s start`"
        )
        return
    from kustomizer.tutor_env.step import Request, save_split  # noqa: PLC0415 - only where there is something to do
    from kustomizer.tutor_plugin.hooks import added_by_plugins  # noqa: PLC0415

    is_first = not (wanted.root / "env" / PLACE).exists()
    try:
        saved = save_split(Request(root=wanted.root, named=wanted.present_config, added=added_by_plugins()), builder)
    except UserError as error:
        reasons = "\n".join(f"Error: {problem}" for problem in error.problems)
        raise TutorError(folded(f"kustomizer: env/ can't be applied until the workers are split:\n{reasons}")) from None
    for warning in saved.warnings:
        say(str(warning), label="Warning")
    click.echo(f"Celery workers in env/, split by {saved.source}:", err=True)
    say(saved.table)
    if is_first:
        say(
            f"env/ holds the split from now on. To keep it as Tutor writes it: tutor config save --set {SPLIT}=false, "
            f"or --set {OVERLAY}=DIRECTORY where an overlay splits"
        )


def forget(root: Path) -> None:
    """Remove the files of a split that env/ no longer holds, with the passwords in them, or say that they stay."""
    place = root / "env" / PLACE
    if place.is_dir():
        from kustomizer.tutor_env.step import remove_split  # noqa: PLC0415 - only where there is something to do

        try:
            left = remove_split(root)
        except UserError:
            left = [place]
        for path in left:
            say(
                f"{path} can't be removed. It is no longer part of env/, and may hold passwords: remove it by hand",
                label="Warning",
            )


def on_unloaded(plugin: str, root: str, _values: Mapping[str, Any]) -> None:
    """Remove the split's files when our plugin is disabled, as Tutor removes what a plugin has rendered into env/."""
    if plugin == NAME:
        forget(Path(root))


def find_builder() -> Kustomize | None:
    """Return kubectl, which Tutor itself applies env/ with, else a kustomize; None where there is neither."""
    from kustomizer.kustomize.executable import Kustomize, Wanted, find_kustomize  # noqa: PLC0415
    from kustomizer.kustomize.programs import Permissions  # noqa: PLC0415
    from kustomizer.system.processes import which  # noqa: PLC0415

    # What a plugin has env/ fetch, `tutor k8s start` fetches, too.
    allowed = Permissions(remote=True)
    kubectl = which("kubectl")
    if kubectl is not None:
        return Kustomize(path=kubectl, version="", is_kubectl=True, permissions=allowed)
    try:
        return find_kustomize(Wanted(permissions=allowed))
    except UserError:
        return None


def env_saved_action() -> Action[[str, Mapping[str, Any]]]:
    """Return Tutor 22's action ENV_SAVED, whose callbacks get env/ and the configuration that it was rendered from.

    Tutor 16 to 21 get it here.
    """
    return hooks.Actions.ENV_SAVED if hasattr(hooks.Actions, "ENV_SAVED") else _added()


def _added() -> Action[[str, Mapping[str, Any]]]:
    """Have this Tutor do the action.

    No hook of these versions tells of a save, but every command saves through this function of the module.
    """
    action: Action[[str, Mapping[str, Any]]] = Action()
    save = env.save

    def save_and_tell(root: str, config: dict[str, Any]) -> None:
        save(root, config)
        action.do(env.pathjoin(root), deepcopy(config))

    env.save = save_and_tell
    return action
