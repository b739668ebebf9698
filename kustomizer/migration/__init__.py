"""Moving over from tutor-contrib-celery, and nothing else.

May import `site` and `overlay`, and what stands below them.
"""
