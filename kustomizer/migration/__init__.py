"""Moving over from tutor-contrib-celery, and nothing else.

May import `tutor_env` and the layers below it (docs/architecture.md).
"""
