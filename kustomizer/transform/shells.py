"""Warns of a worker whose shell stays in front of it: a pod's SIGTERM never reaches Celery then."""

from __future__ import annotations

from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.tree import is_null, lookup
from kustomizer.worker_command.shell_words import Unreadable, read_script
from kustomizer.worker_command.worker import SHELLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.openedx.workers import EmittedWorker
    from kustomizer.worker_command.command_line import CommandLine

# They become the last command that they run; dash, which is the image's sh, doesn't (tests/transform/test_shells.py).
_BECOME_THE_LAST = frozenset({"bash", "zsh", "ash"})


def check_shell(emitted: EmittedWorker) -> list[Problem]:
    """Return a warning where the shell that starts the worker doesn't hand on what ends a pod."""
    container = emitted.container_tree
    # Whoever has a hook for it ends the worker in a way of their own.
    if not is_null(lookup(container, "lifecycle", "preStop")) or not _stays(emitted.command_line):
        return []
    place = "args" if emitted.command_line.args is not None else "command"
    message = f"{emitted.deployment}'s shell runs celery without exec and stays in front of it: a pod's SIGTERM "
    message += "goes to the shell alone, and the worker is killed with its tasks in hand when the grace period is over"
    remedy = "Write `exec celery …` in the shell string"
    return [emitted.resource.problem(message, remedy, field=f"{emitted.field}.{place}", severity=WARNING)]


def _stays(line: CommandLine) -> bool:
    """Tell whether the shell is still there while the worker runs."""
    script, tail = (line.wrapper, "") if line.script is None else (f"{line.script.head}\n", line.script.tail)
    try:
        commands = [command.texts for command in read_script(script)]
        behind = read_script(tail)
    except Unreadable:
        return False
    words = [*(line.command or ()), *(line.args or ())]
    starters = [word.rsplit("/", 1)[-1] for word in words]
    shell = next((index for index, word in enumerate(starters) if word in SHELLS), 0)
    # They send signals to all that runs below them.
    to_all = "dumb-init" in starters[:shell] or ("tini" in starters[:shell] and "-g" in starters[:shell])
    if to_all or "exec" in commands[-1]:
        return False
    # A trap is carried out when the worker has ended.
    has_trap = any("trap" in command[0].split() for command in commands)
    return bool(behind) or has_trap or starters[shell] not in _BECOME_THE_LAST
