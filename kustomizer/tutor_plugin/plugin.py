"""The commands as `tutor kustomizer …`: Tutor knows its root, so that nobody has to name it.

Tutor finds this module through the entry point ``tutor.plugin.v1``; enable it with `tutor plugins enable kustomizer`.
Where KUSTOMIZER_OVERLAY names an overlay, commands mean that one. Elsewhere the split goes into env/ itself when Tutor
saves it, and commands mean env/. Either way Tutor renders the routing into Open edX's settings.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from tutor import config, hooks
from tutor.exceptions import TutorError

from kustomizer.commands.group import Commands, verbose_option
from kustomizer.errors import UserError
from kustomizer.kustomize.split_names import CONFIG, FILE, OVERLAY, SPLIT
from kustomizer.tutor_plugin.env_saved import NAME, PATCH, env_saved_action, on_env_saved, on_unloaded
from kustomizer.tutor_plugin.options import DEFAULTS, Options, options

_OVERLAYS = frozenset({"overlay", "overlays", "site", "before"})
"""The parameters that name an overlay; `before` is that of `diff --base`."""


def know_overlay(command: click.Command) -> None:
    """Make the overlay of Tutor's configuration the default of a command and its subcommands."""
    for parameter in command.params:
        if parameter.name in _OVERLAYS:
            parameter.envvar = OVERLAY
        elif parameter.name == "file":
            parameter.envvar = CONFIG
    for subcommand in command.commands.values() if isinstance(command, click.Group) else ():
        know_overlay(subcommand)


_OWN = ("save", "status")
"""What `tutor kustomizer` has and `tutor-kustomizer` hasn't."""


class TutorCommands(Commands):
    """The commands, without `completion`: Tutor has its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return sorted([*(name for name in super().list_commands(ctx) if name != "completion"), *_OWN])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, which knows the overlay; None where there is none."""
        if cmd_name in (*_OWN, "init"):
            from kustomizer.tutor_plugin import commands  # noqa: PLC0415 - Tutor imports plugins at each start

            own = (commands.init_in_root_command, commands.save_command, commands.status_command)
            return next(command for command in own if command.name == cmd_name)
        command = super().get_command(ctx, cmd_name) if cmd_name != "completion" else None
        if command is not None:
            know_overlay(command)
        return command


@click.group(NAME, cls=TutorCommands)
@verbose_option
@click.pass_context
def kustomizer(ctx: click.Context) -> None:
    """Queue-aware Celery workers, layered onto this Tutor's output with kustomize."""
    from kustomizer.tutor_env.staleness import let_tutor_say  # noqa: PLC0415 - Tutor imports plugins at each start

    os.environ.setdefault("TUTOR_ROOT", str(ctx.obj.root))
    wanted = options(Path(ctx.obj.root), config.load_minimal(str(ctx.obj.root)))
    ctx.obj.kustomizer_options = wanted
    let_tutor_say(str(wanted.root / "env"), lambda: _stale_reason(wanted))
    if wanted.overlay is not None:
        os.environ.setdefault(OVERLAY, str(wanted.overlay))
    elif wanted.is_split:
        os.environ.setdefault(OVERLAY, str(wanted.root / "env"))
        os.environ.setdefault(CONFIG, str(wanted.config))
        is_named = any(word.startswith(("--file", "--overlay", "-h", "--help")) for word in sys.argv)
        if ctx.invoked_subcommand in {"queue", "route"} and not wanted.config.exists() and not is_named:
            raise UserError.of(
                f"{wanted.config} isn't there: the recommended queues are split",
                remedy="Write it, then change it: tutor kustomizer init",
            )
    elif ctx.invoked_subcommand == "leftovers":
        # With --unsplit Tutor's own output is what stays.
        os.environ.setdefault(OVERLAY, str(wanted.root / "env"))


def _stale_reason(wanted: Options) -> str:
    """Return why env/ isn't what Tutor would write now."""
    from kustomizer.tutor_plugin.rendering import reason  # noqa: PLC0415 - Tutor imports plugins at each start

    return reason(wanted)


def routing(overlay: object, service: str, is_split: object, config_file: object) -> str:
    """Return the content of the patch of ``service``. Raises TutorError where the overlay can't be read."""
    from kustomizer.tutor_plugin.hooks import added_by_plugins  # noqa: PLC0415 - Tutor imports plugins at each start

    wanted = options(_root(), {OVERLAY: overlay, SPLIT: is_split, CONFIG: config_file})
    try:
        if wanted.overlay is None and not (wanted.is_split and (wanted.present_config or added_by_plugins())):
            return ""
        from kustomizer.tutor_plugin.routing import tutor_routing  # noqa: PLC0415 - most sites have no routing

        return tutor_routing(wanted, service)
    except UserError as error:
        if wanted.is_split:
            # The split refuses it once kustomization.yml is rendered, so that env/ can't be built.
            return ""
        raise TutorError(f"{OVERLAY}: {error}") from None


def _root() -> Path:
    """Return Tutor's root. Template filters don't get it, but Tutor renders only within a command that has it."""
    ctx = click.get_current_context(silent=True)
    root = ctx.find_root().params.get("root") if ctx else None
    return Path(root or os.environ.get("TUTOR_ROOT") or ".")


def kustomization_first(targets: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Have Tutor render kustomization.yml first, not last.

    So a save that ends in between leaves an env/ that can't be built, not an older split over newer files.
    """
    return sorted(targets, key=lambda target: target[0] != FILE)


hooks.Filters.CLI_COMMANDS.add_item(kustomizer)
hooks.Filters.CONFIG_DEFAULTS.add_items(DEFAULTS)
hooks.Filters.ENV_PATCHES.add_item(("kustomization-resources", PATCH))
hooks.Filters.ENV_TEMPLATE_TARGETS.add(priority=hooks.priorities.LOW)(kustomization_first)
env_saved_action().add()(on_env_saved)
hooks.Actions.PLUGIN_UNLOADED.add()(on_unloaded)
hooks.Filters.ENV_TEMPLATE_FILTERS.add_item(("kustomizer_routing", routing))
for service in ("lms", "cms"):
    # After other plugins' patches, so that the configuration's routing wins.
    hooks.Filters.ENV_PATCHES.add_item(
        (
            f"openedx-{service}-production-settings",
            f'{{{{ {OVERLAY}|kustomizer_routing("{service}", {SPLIT}, {CONFIG}) }}}}',
        ),
        priority=hooks.priorities.LOW,
    )
