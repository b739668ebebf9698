"""The command line of a Celery worker: which options it has, how it is read and how it is edited.

May import `manifests` and what stands above it.
"""
