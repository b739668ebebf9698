from lms.celery import APP as CELERY_APP  # noqa: F401
