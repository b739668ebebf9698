"""Exports a build as plain kustomize, for where the function can't run.

May import `cluster` and the layers below it (docs/architecture.md).
"""
