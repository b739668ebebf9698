"""tutor-kustomizer: queue-aware Celery workers for Open edX on Kubernetes, layered onto Tutor's output."""

from __future__ import annotations

__version__ = "0.1.0"
DIRECTORY = __file__.rpartition("/")[0] or "."
"""Where this package is installed; `data/` in it holds the files that aren't Python modules."""
GROUP = "celery.openedx.io"
KIND = "CeleryWorkers"
API_VERSION = f"{GROUP}/v1alpha1"
"""The configuration is an object of this API version and kind."""
SPLIT_BY = "celery.openedx.io/split-by"
"""An annotation that says by which configuration Tutor's env/ was split (kustomizer/transform/split_mark.py)."""
OWN_FILE = "celery-workers.yaml"
"""The file in which an overlay, or Tutor's root, has the configuration."""
REPORT = "TUTOR_KUSTOMIZER_REPORT"
"""Environment variable that names a file. The function writes to it what it was given, what it made, and what it said.

A file that is there shows that the function ran: kustomize may skip a function silently.
kustomizer/kustomize/function_log.py reads it.
"""


def is_configuration(api_version: object, kind: object) -> bool:
    """Tell whether an object of this API version and kind is our configuration, in whichever version of its format."""
    return kind == KIND and str(api_version).startswith(f"{GROUP}/")


def is_configuration_or_patch(api_version: object, kind: object) -> bool:
    """Tell whether an object is our configuration, or a patch of it: one that has a target needs no API version."""
    return is_configuration(api_version or API_VERSION, kind)
