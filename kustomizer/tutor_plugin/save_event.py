"""Tutor's action ENV_SAVED, which Tutor 22 does when it has saved env/. Tutor 16 to 21 get it here."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tutor import env, hooks
from tutor.core.hooks import Action

if TYPE_CHECKING:
    from collections.abc import Mapping


def env_saved_action() -> Action[[str, Mapping[str, Any]]]:
    """Return the action, whose callbacks get env/ and the configuration that it was rendered from."""
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
