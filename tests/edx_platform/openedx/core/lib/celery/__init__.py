"""The one Celery application of lms and cms."""

from celery import Celery

APP = Celery("proj")
# Without a namespace: the names that count are Celery's old ones, such as BROKER_TRANSPORT_OPTIONS.
APP.config_from_object("django.conf:settings")
APP.autodiscover_tasks()
