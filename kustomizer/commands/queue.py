"""`tutor-kustomizer queue`: adds, changes and removes workers in the configuration, in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kustomizer.commands.completions import complete_new_worker, complete_service, complete_worker, place_of
from kustomizer.commands.talk import say
from kustomizer.errors import UserError
from kustomizer.manifests.amounts import amount
from kustomizer.manifests.digits import whole_number
from kustomizer.overlay.advice import queue_notes
from kustomizer.overlay.changes import ConfigEdit, add_worker, change_worker, remove_worker
from kustomizer.overlay.config_file import ConfigFile, named_config
from kustomizer.system.files import locked, read_text
from kustomizer.tasks.task_file import saved_tasks

Command = Callable[..., None]

COUNT = click.IntRange(min=0)


def file_options(command: Command) -> Command:
    """Add the options that name the configuration."""
    overlay = click.option(
        "--overlay",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        default=".",
        help="The overlay whose configuration is changed; default: this directory.",
    )
    file = click.option(
        "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The configuration itself."
    )
    return overlay(file(command))


def open_config(overlay: Path, file: Path | None) -> ConfigFile:
    """Return the configuration that the options name, locked until the command ends."""
    directory = named_config(overlay, file).path.resolve().parent
    click.get_current_context().with_resource(locked(directory))
    # Whoever held the lock may have changed it.
    return named_config(overlay, file)


def write(config: ConfigFile, changed: ConfigFile) -> None:
    """Write what ``config`` was changed to. Raises UserError where the file was changed since it was read."""
    if read_text(config.path) != config.text:
        message = f"{config.path} was changed meanwhile, so that nothing was written"
        raise UserError.of(message, remedy="Run the command again")
    changed.write()


def finish(config: ConfigFile, change: ConfigEdit) -> None:
    """Write a change of ``config``, and report it. Raises UserError where the file was changed since it was read."""
    if change.done:
        write(config, change.file)
    else:
        say(f"{change.file.path} says so already")
    for line in change.done:
        say(f"{change.file.path}: {line}")
    for note in change.notes:
        say(str(note), label=note.severity.capitalize())


def quantities(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Return ``cpu=500m,memory=1Gi`` as a map."""
    if value is None:
        return None
    pairs = [part.partition("=") for part in value.split(",")]
    if not all(name and text for name, _, text in pairs):
        raise click.BadParameter(f"{value!r} isn't of the form cpu=500m,memory=1Gi", ctx, param)
    for name, _, text in pairs:
        if amount(text) is None:
            message = f"{name}: {text!r} is no quantity that Kubernetes knows, such as 500m, 2 or 8Gi"
            raise click.BadParameter(message, ctx, param)
    numbers = {name: whole_number(text) for name, _, text in pairs}
    return {name: text if numbers[name] is None else numbers[name] for name, _, text in pairs}


QUANTITIES = {"callback": quantities, "metavar": "cpu=..,memory=.."}

# Each option, with the path of its value in the worker.
_OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "--queues": (("queues",), {"metavar": "QUEUE,..", "help": "Queues that it consumes."}),
    "--concurrency": (
        ("concurrency",),
        {"type": click.IntRange(min=1), "help": "Tasks that a pod works on at a time."},
    ),
    "--replicas": (("replicas",), {"type": COUNT, "help": "Number of pods, without KEDA."}),
    "--keda/--no-keda": (("keda", "enabled"), {"default": None, "help": "Whether KEDA scales it."}),
    "--min-replicas": (("keda", "minReplicas"), {"type": COUNT, "help": "Pods that stay when there is nothing to do."}),
    "--max-replicas": (("keda", "maxReplicas"), {"type": click.IntRange(min=1), "help": "Pods at the most."}),
    "--list-length": (("keda", "listLength"), {"type": click.IntRange(min=1), "help": "Queued tasks per pod."}),
    "--in-flight": (
        ("keda", "inFlight"),
        {"type": click.Choice(["Zero", "Slots", "Off"], case_sensitive=False), "help": "What running tasks count."},
    ),
    "--grace-period": (
        ("terminationGracePeriodSeconds",),
        {"type": click.IntRange(min=1), "metavar": "SECONDS", "help": "Time to finish tasks when a pod is stopped."},
    ),
    "--visibility-timeout": (
        ("visibilityTimeout",),
        {"type": click.IntRange(min=1), "metavar": "SECONDS", "help": "After which Redis hands a task out again."},
    ),
    "--request": (("resources", "requests"), {**QUANTITIES, "help": "CPU and memory that a pod asks for."}),
    "--limit": (("resources", "limits"), {**QUANTITIES, "help": "CPU and memory that a pod may use."}),
    "--extra-arg": (
        ("extraArgs",),
        {
            "multiple": True,
            "metavar": "ARG",
            "help": "Further option of `celery worker`, as --extra-arg=--pool=gevent.",
        },
    ),
}


def _parameter(option: str) -> str:
    return option.partition("/")[0].removeprefix("--").replace("-", "_")


def worker_options(command: Command) -> Command:
    """Add an option for each common setting of a worker."""
    for option, (_, attributes) in reversed(_OPTIONS.items()):
        command = click.option(option, _parameter(option), **attributes)(command)
    return command


def settings(values: dict[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return the values of the options by their paths in the worker."""
    by_path: dict[tuple[str, ...], Any] = {}
    for option, (path, _) in _OPTIONS.items():
        value = values[_parameter(option)]
        if isinstance(value, dict):
            by_path.update({(*path, name): quantity for name, quantity in value.items()})
        elif option == "--queues" and value is not None:
            by_path[path] = [queue.strip() for queue in value.split(",") if queue.strip()]
        elif value is not None and value != ():
            by_path[path] = list(value) if isinstance(value, tuple) else value
    return by_path


@click.group("queue", short_help="Change workers in a configuration, in place.")
def queue_command() -> None:
    """Change the workers in a configuration, in place: comments, order and quotes stay."""


@queue_command.command("add", short_help="Give a queue a worker of its own.")
@click.argument("service", shell_complete=complete_service)
@click.argument("variant", shell_complete=complete_new_worker)
@file_options
@worker_options
def add_command(service: str, variant: str, overlay: Path, file: Path | None, **values: Any) -> None:
    """Give a queue of SERVICE (lms, cms, ..) a worker of its own: VARIANT is high for edx.lms.core.high."""
    config = open_config(overlay, file)
    change = add_worker(config, service, variant, settings(values))
    known = saved_tasks(place_of(overlay, file))
    if known is not None:
        after = change.file.load()
        notes = queue_notes(known, after, service, after.queues(service, variant))
        change = change.replace(notes=[*change.notes, *notes])
    finish(config, change)


@queue_command.command("set", short_help="Change settings of a worker.")
@click.argument("service", shell_complete=complete_service)
@click.argument("variant", shell_complete=complete_worker)
@file_options
@worker_options
@click.option(
    "--unset", multiple=True, metavar="FIELD", help="Take a field out, by its path in the worker: keda.maxReplicas."
)
def set_command(
    service: str, variant: str, overlay: Path, file: Path | None, unset: tuple[str, ...], **values: Any
) -> None:
    """Change settings of the worker VARIANT of SERVICE; `default` is the one that Tutor emits."""
    paths = [tuple(field.split(".")) for field in unset]
    config = open_config(overlay, file)
    finish(config, change_worker(config, service, variant, settings(values), paths))


@queue_command.command("remove", short_help="Take a worker out.")
@click.argument("service", shell_complete=complete_service)
@click.argument("variant", shell_complete=complete_worker)
@file_options
def remove_command(service: str, variant: str, overlay: Path, file: Path | None) -> None:
    """Take the worker VARIANT of SERVICE out, with the comment right above it."""
    config = open_config(overlay, file)
    finish(config, remove_worker(config, service, variant))
