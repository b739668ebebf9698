"""Running kustomize, and reading kustomizations and what a build printed.

May import `masking` and the layers below it (docs/architecture.md).
"""
