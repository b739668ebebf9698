"""tutor-kustomizer: queue-aware Celery workers for Open edX on Kubernetes, layered onto Tutor's output."""

from __future__ import annotations

__version__ = "0.1.0"
