"""The command line of a Celery worker: its options, reading it and editing it.

May import `manifests` and the layers below it (docs/architecture.md).
"""
