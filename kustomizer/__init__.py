"""tutor-kustomizer: queue-aware Celery workers for Open edX on Kubernetes, layered onto Tutor's output."""

from __future__ import annotations

__version__ = "0.1.0"
DIRECTORY = __file__.rpartition("/")[0] or "."
"""Where this package is installed; its `data/` holds the files that are no Python modules of it."""
GROUP = "celery.openedx.io"
KIND = "CeleryWorkers"
"""What kind of object the configuration is, and the group of its API."""
REPORT = "TUTOR_KUSTOMIZER_REPORT"
"""Names a file that tells the caller of kustomize what the function was given and what it made.

That it is there shows that the function ran: kustomize may skip one silently. kustomizer/kustomize/function_log.py
reads it.
"""
