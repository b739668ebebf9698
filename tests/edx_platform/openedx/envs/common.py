"""What lms and cms have in common: their Celery, and names that Tutor's production.py expects to find."""

import os

from held import hold

hold("settings")
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
ALLOWED_HOSTS = []
CACHES = {"celery": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "redis://@redis:6379/1"}}
FEATURES = {}
MIDDLEWARE = []
TEMPLATES = []
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


def celery_settings(names, tokens):
    """Return what Open edX makes out of its configuration file after it was read, as far as Celery looks at it.

    STAND_IN_RELEASE=older is for what Open edX did until Sumac.
    """
    older = os.environ.get("STAND_IN_RELEASE") == "older"
    queues = tokens.get("CELERY_QUEUES")
    queues = {queue: {} for queue in queues} if queues else dict(names["CELERY_QUEUES"])
    dot = "." if older else ""
    for alternate in tokens.get("ALTERNATE_WORKER_QUEUES", "").split():
        queues.setdefault(names["DEFAULT_PRIORITY_QUEUE"].replace(SERVICE_VARIANT + dot, alternate + dot), {})
    settings = {
        "CELERY_QUEUES": queues,
        "CELERYD_PREFETCH_MULTIPLIER": 1,
        "BROKER_POOL_LIMIT": 0,
        "BROKER_CONNECTION_TIMEOUT": 1,
        # Nothing is quoted, so what isn't fit for a URL has to be quoted in the YAML.
        "BROKER_URL": "{}://{}:{}@{}/{}".format(
            *(
                tokens.get(f"CELERY_BROKER_{part}", "")
                for part in ("TRANSPORT", "USER", "PASSWORD", "HOSTNAME", "VHOST")
            )
        ),
        "BROKER_TRANSPORT_OPTIONS": {**FANOUT, **tokens.get("CELERY_BROKER_TRANSPORT_OPTIONS", {})},
    }
    if older or "BROKER_USE_SSL" not in tokens:
        settings["BROKER_USE_SSL"] = tokens.get("BROKER_USE_SSL") or tokens.get("CELERY_BROKER_USE_SSL", False)
    if not older and "CELERY_DEFAULT_QUEUE" not in tokens:
        settings["CELERY_DEFAULT_QUEUE"] = settings["CELERY_DEFAULT_ROUTING_KEY"] = names["DEFAULT_PRIORITY_QUEUE"]
    return settings
