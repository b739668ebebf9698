"""What Tutor emits for Open edX, and what Open edX's Celery makes of it: workers, brokers, settings modules."""
