"""Which directories are those of the checkout that an overlay lies in, and which others it may be built from."""

from __future__ import annotations

import os

from kustomizer import DIRECTORY

_OF_TUTOR = "k8s/deployments.yml"
"""A file that Tutor writes into each env/."""


def checkout_of(directory: str) -> str:
    """Return the top of the Git checkout that ``directory`` lies in, nothing where it lies in none."""
    while not os.path.lexists(f"{directory}/.git"):
        above = os.path.dirname(directory)  # noqa: PTH120 - pathlib costs 5 ms to import
        if above == directory:
            return ""
        directory = above
    return directory


def is_outside(directory: str, checkout: str) -> bool:
    """Tell whether ``directory`` is neither in ``checkout``, nor what Tutor wrote, nor this tool's own."""
    own = f"{os.path.dirname(os.path.realpath(DIRECTORY))}/generators"  # noqa: PTH120
    if _is_in(directory, checkout) or _is_in(directory, own):
        return False
    while not os.path.isfile(f"{directory}/{_OF_TUTOR}"):  # noqa: PTH113
        above = os.path.dirname(directory)  # noqa: PTH120
        if above == directory:
            return True
        directory = above
    return False


def _is_in(directory: str, other: str) -> bool:
    return f"{directory}/".startswith(f"{other.rstrip('/')}/")
