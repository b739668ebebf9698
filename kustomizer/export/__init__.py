"""Exports a build as plain kustomize, for where the function can't run.

May import `cluster` and what stands below it.
"""
