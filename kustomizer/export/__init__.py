"""Exports a build as plain kustomize, for where the function can't run.

May import `site` and `overlay`, and what stands below them.
"""
