"""The overlay that an operator owns: written by `init`, edited in place by `queue` and `route`.

May import `rules` and what stands below it.
"""
