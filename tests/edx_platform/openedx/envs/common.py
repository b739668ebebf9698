"""What lms and cms have in common: their Celery, and names that Tutor's production.py expects to find."""

import os

SERVICE_VARIANT = os.environ["SERVICE_VARIANT"]
TIME_ZONE = CELERY_TIMEZONE = "UTC"

# Celery as edx-platform sets it up, but for the result backend: nothing here reads results.
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_IGNORE_RESULT = False
CELERY_TRACK_STARTED = True
CELERY_SEND_EVENTS = True
CELERY_SEND_TASK_SENT_EVENT = True
CELERY_DEFAULT_EXCHANGE_TYPE = "direct"
CELERY_CREATE_MISSING_QUEUES = True
CELERY_DEFAULT_EXCHANGE = f"edx.{SERVICE_VARIANT}.core"
HIGH_PRIORITY_QUEUE = f"edx.{SERVICE_VARIANT}.core.high"
DEFAULT_PRIORITY_QUEUE = f"edx.{SERVICE_VARIANT}.core.default"
CELERY_DEFAULT_QUEUE = DEFAULT_PRIORITY_QUEUE
CELERY_DEFAULT_ROUTING_KEY = DEFAULT_PRIORITY_QUEUE
CELERY_ROUTES = "openedx.core.lib.celery.routers.route_task"
CELERYD_HIJACK_ROOT_LOGGER = False
CELERYD_PREFETCH_MULTIPLIER = 1
BROKER_POOL_LIMIT = 0
BROKER_CONNECTION_TIMEOUT = 1
BROKER_USE_SSL = False
FANOUT = {"fanout_patterns": True, "fanout_prefix": True}

INSTALLED_APPS = ["lms.djangoapps.coursewarehistoryextended", "lms.djangoapps.grades", "load", "work"]
DATABASES = {}
DATABASE_ROUTERS = ["openedx.core.lib.django_courseware_routers.StudentModuleHistoryExtendedRouter"]
LOGGING_CONFIG = None
LOGGING = {"handlers": {}, "loggers": {"tracking": {}}}
MODULESTORE = {"default": {"OPTIONS": {"stores": []}}}
STATIC_ROOT = "/openedx/staticfiles"
JWT_AUTH = {}
VIDEO_IMAGE_SETTINGS = {"STORAGE_KWARGS": {}}
VIDEO_TRANSCRIPTS_SETTINGS = {"STORAGE_KWARGS": {}}
REGISTRATION_EXTRA_FIELDS = {}
PROFILE_IMAGE_BACKEND = {"options": {}}
IDA_LOGOUT_URI_LIST = []


def broker_url(env):
    # As edx-platform does: nothing is quoted, so what isn't fit for a URL has to be quoted in the YAML.
    return "{CELERY_BROKER_TRANSPORT}://{CELERY_BROKER_USER}:{CELERY_BROKER_PASSWORD}@{CELERY_BROKER_HOSTNAME}/{CELERY_BROKER_VHOST}".format(
        **env
    )
