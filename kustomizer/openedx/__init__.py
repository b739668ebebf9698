"""What Tutor emits for Open edX, and what Open edX's Celery makes of it: workers, brokers, settings modules.

May import `config` and what stands below it.
"""
