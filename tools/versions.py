"""The newest and the oldest version of everything that tests run on, in one place.

What the tests need besides Python is put into .tools by the scripts beside this file. What is installed from PyPI is
pinned in requirements/, for these versions; a test holds the two together. CONTRIBUTING.md lists the few other files
that a new version changes. Redis, Prometheus and etcd are those of the system.
"""

from __future__ import annotations

from typing import NamedTuple


class Versions(NamedTuple):
    """Both ends of what is supported."""

    newest: str
    oldest: str


PYTHON = Versions("3.14", "3.10")

KUSTOMIZE = Versions("5.8.2", "5.2.1")
KUSTOMIZE_OF_DEMO = "5.8.1"
"""What `make demo` installs: the newest whose release others pin, too (kustomize.sha256)."""

# The last release for each Open edX version.
TUTOR = {
    "16": "16.1.8",
    "17": "17.0.6",
    "18": "18.2.2",
    "19": "19.0.5",
    "20": "20.0.5",
    "21": "21.0.9",
    "22": "22.0.3",
}
NEWEST_TUTOR = list(TUTOR)[-1]

FLOWER = Versions("2.2.0", "2.0.1")
"""The oldest is the one of the image that upstream uses."""

CELERY = Versions("5.7.0", "5.3.1")
"""The newest is what workers run in the tests; the oldest is what that image of Flower has."""

OLDER_CELERYS = ("5.2.7", "5.4.0", "5.6.3")
"""Of the days of Palm, Sumac and Verawood: what is said of a worker's Celery is held to these, too."""

KEDA = Versions("2.21.0", "2.15.1")
"""The newest runs; of the oldest there are the definitions, in tests/schemas/."""

KUBERNETES = "1.37.2"
KUBERNETES_SCHEMAS = Versions("1.37", "1.29")
"""What is emitted is held to the schemas of these; the API server that runs lies between them."""

PROMETHEUS_OPERATOR = "0.93.0"

SOURCE_CONTROLLER = "1.9.3"
KUSTOMIZE_CONTROLLER = "1.9.6"
ARGO_CD = "3.6.1"
SOPS = "3.11.0"

ACT = "0.2.82"
GITLAB_CI_LOCAL = "4.61.0"
"""Newer ones need Node 22; this one takes Debian's."""

UNBUILT = {
    "kustomize": "5.8.3",
    "Flux's source-controller": "1.10.1",
    "Flux's kustomize-controller": "1.10.1",
}
"""The newest that was tried and can't be built: it, or one in between, needs modules that no proxy has."""

GO = Versions("1.26.6", "1.26")
"""The newest comes from PyPI where PATH has none, or one older than the oldest."""
