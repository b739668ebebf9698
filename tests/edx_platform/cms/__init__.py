from cms.celery import APP as CELERY_APP  # noqa: F401
