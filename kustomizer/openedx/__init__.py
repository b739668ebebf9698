"""What Tutor emits for Open edX, and what Open edX's Celery makes of it: workers, brokers, settings modules.

May import `config`, `masking` and `findings`, and what stands below them.
"""
