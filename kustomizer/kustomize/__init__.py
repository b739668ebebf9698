"""Running kustomize, and reading kustomizations and what a build printed.

May import `openedx` and `tasks`, and what stands below them.
"""
