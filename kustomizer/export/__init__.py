"""A build as plain kustomize, for where no plugins are allowed.

May import `cluster` and what stands above it.
"""
