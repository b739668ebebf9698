import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.envs.production")

from openedx.core.lib.celery import APP  # noqa: F401
