"""Running kustomize, and reading kustomizations and what a build printed.

May import `masking` and what stands below it.
"""
