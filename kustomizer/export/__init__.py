"""Exports a build as plain kustomize, for where the function can't run."""
