"""A site as it was built, read only: its workers, its queues, and tables and pictures of them.

May import `transform` and `kustomize`, and what stands below them.
"""
