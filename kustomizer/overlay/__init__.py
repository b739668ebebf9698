"""The overlay that an operator owns: written by `init`, edited in place by `queue` and `route`.

May import `rules` and the layers below it (docs/architecture.md).
"""
