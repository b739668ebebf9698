#!/usr/bin/env python
"""A stand-in for Django's commands of edx-platform: it loads the site's settings, and says what it was told."""

import importlib
import os
import sys

from django.conf import settings

importlib.import_module(f"{sys.argv[1]}.celery")
print("manage.py", *sys.argv[1:], "with", os.environ["DJANGO_SETTINGS_MODULE"], settings.CELERY_DEFAULT_QUEUE)
