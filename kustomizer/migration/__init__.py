"""Moving over from tutor-contrib-celery, and nothing else.

May import `export` and what stands above it.
"""
