"""The overlay that an operator owns: written by `init`, edited in place by `queue` and `route`.

May import `transform` and `kustomize`, and what stands below them.
"""
