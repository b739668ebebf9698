"""The names by which Tutor's env/ and configuration tell of the split. Imports nothing: every build looks for them."""

from __future__ import annotations

FILE = "kustomization.yml"
PLACE = "plugins/kustomizer"
"""Where in env/ the split lies: each in a directory of its own, whose name tells what is in it."""
PREFIX = "split-"
OVERLAY = "KUSTOMIZER_OVERLAY"
"""Tutor's configuration names an overlay outside of env/, which then stays as Tutor writes it."""
SPLIT = "KUSTOMIZER_SPLIT"
"""Tutor's configuration says whether env/ itself holds the split, where no overlay is named."""
CONFIG = "KUSTOMIZER_CONFIG"
"""Names the configuration of that split; without it celery-workers.yaml in Tutor's root is taken, if it is there."""
