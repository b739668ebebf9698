"""What Tutor emits for Open edX, and what Open edX's Celery makes of it: workers, brokers, settings modules.

May import `config` and the layers below it (docs/architecture.md).
"""
