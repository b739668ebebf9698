"""The hook by which another Tutor plugin brings a worker for a queue of its own.

    from kustomizer.tutor_plugin.hooks import CELERY_WORKERS

    @CELERY_WORKERS.add()
    def add_worker(spec):
        spec.setdefault("workers", {}).setdefault("lms", {})["grading"] = {"concurrency": 2}
        return spec

``spec`` is what docs/configuration.md describes under ``spec``, as plain values. Callbacks run in the order of their
priorities (``tutor.hooks.priorities``), and what the operator's celery-workers.yaml says wins over all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tutor.core.hooks import Filter

from kustomizer.errors import UserError

CELERY_WORKERS: Filter[dict[str, Any], []] = Filter()
"""Takes and returns a ``spec`` with the workers and the routing that plugins add."""


def added_by_plugins() -> Mapping[str, Any]:
    """Return the ``spec`` that all plugins together add. Raises UserError where one returns something else."""
    spec = CELERY_WORKERS.apply({})
    if not isinstance(spec, dict):
        raise UserError.of(
            f"a Tutor plugin's CELERY_WORKERS callback returns {type(spec).__name__}, not a mapping",
            remedy="Let each callback return the `spec` that it was given, with its workers in it",
        )
    return deepcopy(spec)
