"""Moving over from tutor-contrib-celery, and nothing else.

May import `tutor_env` and what stands below it.
"""
