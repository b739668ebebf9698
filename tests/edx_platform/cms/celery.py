import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cms.envs.production")

from openedx.core.lib.celery import APP  # noqa: F401
