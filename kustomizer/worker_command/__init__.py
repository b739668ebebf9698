"""The command line of a Celery worker: its options, reading it and editing it.

May import `errors`, and what stands below it.
"""
