"""The names by which Tutor's env/ tells of the split in it. Imports nothing: every build looks for them."""

from __future__ import annotations

FILE = "kustomization.yml"
PLACE = "plugins/kustomizer"
"""Where in env/ the split lies: each in a directory of its own, whose name tells what is in it."""
PREFIX = "split-"
