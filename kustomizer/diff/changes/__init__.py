"""Differences between two values: trees, lists, texts, a worker's arguments."""
