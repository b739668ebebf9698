"""Containers that run something of Celery's that is no worker: Flower, an exporter, `celery events` and its like."""

from __future__ import annotations

from kustomizer.manifests.tree import command_words, lookup, plain_value
from kustomizer.worker_command.worker import OTHER_COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def is_flower(container: Any) -> bool:
    """Tell whether a container runs Flower: its image, or `celery … flower`, says so."""
    words = command_words(container)
    return _image(container) == "flower" or ("flower" in words and any(_is_celery(word) for word in words))


def watches_celery(container: Any) -> str:
    """Return what a container runs that looks at all of a site's Celery, empty where it is nothing of the kind."""
    if is_flower(container):
        return "Flower"
    words = " ".join(command_words(container)).split()
    for index, word in enumerate(words):
        command = next((other for other in words[index + 1 :] if other.strip(";&|\"'") in OTHER_COMMANDS), "")
        if _is_celery(word) and command:
            return f"celery {command.strip(';&|')}"
    # As danihodovic/celery-exporter.
    return _image(container) if "celery" in _image(container) else ""


def _is_celery(word: str) -> bool:
    return word.rpartition("/")[2] == "celery"


def _image(container: Any) -> str:
    """Return the last part of an image's name, without tag and digest."""
    image = plain_value(lookup(container, "image"))
    return str(image or "").rpartition("/")[2].partition("@")[0].partition(":")[0]
