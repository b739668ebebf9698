"""Running kustomize, and reading kustomizations and what a build printed.

May import `transform` and what stands above it.
"""
