"""Containers that run something of Celery's that is no worker: Flower, an exporter, `celery events` and its like."""

from __future__ import annotations

from kustomizer.manifests.tree import command_words, lookup, plain_value
from kustomizer.openedx.celery.values import Known
from kustomizer.openedx.workers import starting, worker_line
from kustomizer.worker_command.worker import OTHER_COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from kustomizer.openedx.celery.view import CeleryView
    from kustomizer.openedx.workers import Place


# Programs that run others by a timetable.
_CRONS = frozenset({"cron", "crond", "crontab", "ofelia", "supercronic", "yacron"})
_ENDLESS = frozenset({"Flower", "celery beat", "celery events", "celery worker"})
_ENDING = frozenset({"multi", "timeout", "--detach", "-D", "--help", "--version"})

AS_SIDECAR = "Set its restartPolicy: Always, which makes it a sidecar, or move it to the pod's containers"


def is_flower(container: Any) -> bool:
    """Tell whether a container runs Flower: its image, or `celery … flower`, says so."""
    words = command_words(container)
    return _image(container) == "flower" or ("flower" in words and any(_is_celery(word) for word in words))


def watches_celery(container: Any) -> str:
    """Return what a container runs that looks at all of a site's Celery, empty where it is nothing of the kind."""
    if is_flower(container):
        return "Flower"
    words = _words(container)
    for index, word in enumerate(words):
        command = next((other for other in words[index + 1 :] if other.strip(";&|\"'") in OTHER_COMMANDS), "")
        if _is_celery(word) and command:
            return f"celery {command.strip(';&|')}"
    # As danihodovic/celery-exporter.
    return _image(container) if "celery" in _image(container) else ""


def runs_once(container: Any) -> str:
    """Return what a container runs that one pod of a site should, empty where it is nothing that is known."""
    words = _words(container)
    cron = next((word for word in words if word.rpartition("/")[2] in _CRONS), "")
    return cron.rpartition("/")[2] or watches_celery(container)


def app_name(container: Any, service: str) -> str:
    """Return the Celery application that a container's command line names, or Open edX's own of the service."""
    words = command_words(container)
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word in ("--app", "-A"):
            return str(following)
        if word.startswith("--app="):
            return str(word).partition("=")[2]
    return f"{service}.celery"


def runs_beat(container: Any) -> bool:
    """Tell whether a container runs a scheduler by itself (``celery … beat``)."""
    words = _words(container)
    return "beat" in words and any(_is_celery(word) for word in words)


def takes_turns(container: Any, celery: CeleryView | None) -> bool:
    """Tell whether a scheduler that a container runs waits while another one runs, as RedBeat's does.

    ``celery`` are the settings that it loads, None where they say nothing of it.
    """
    scheduler = None if celery is None else celery.scheduler_class
    of_settings = str(scheduler.value) if isinstance(scheduler, Known) else ""
    # Without its lock it waits for nobody.
    has_lock = celery is None or not celery.settings.states_none("REDBEAT_LOCK_KEY")
    return has_lock and any("redbeat" in text.lower() for text in (*_words(container), of_settings))


def endless(template: Any) -> Iterator[tuple[Place, str]]:
    """Yield the init containers of a pod template that run something of Celery's which never ends, and what that is."""
    for place, container in starting(template):
        words = _words(container)
        program = watches_celery(container)
        if worker_line(container) is not None:
            program = "celery worker"
        # In the background, or with a time limit, it ends.
        ends = _ENDING & {*words} or any(word.endswith("&") and word != "&&" for word in words)
        if program in _ENDLESS and not ends:
            yield place, program


def never_ends(program: str, workloads: str) -> str:
    """Return what is wrong with one of :func:`endless`, which pods of ``workloads`` have."""
    return f"runs {program} before the pod starts, and never ends: no pod of {workloads} starts"


def _words(container: Any) -> list[str]:
    """Return the words of a container's command line, those of a shell's script among them."""
    return " ".join(command_words(container)).split()


def _is_celery(word: str) -> bool:
    return word.rpartition("/")[2] == "celery"


def _image(container: Any) -> str:
    """Return the last part of an image's name, without tag and digest."""
    image = plain_value(lookup(container, "image"))
    return str(image or "").rpartition("/")[2].partition("@")[0].partition(":")[0]
