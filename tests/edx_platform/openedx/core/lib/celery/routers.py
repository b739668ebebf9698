from django.conf import settings


def route_task(name, args, kwargs, options, task=None, **kw):
    if name in settings.EXPLICIT_QUEUES:
        return settings.EXPLICIT_QUEUES[name]
    environment = settings.ALTERNATE_ENV_TASKS.get(name)
    return next((queue for queue in settings.CELERY_QUEUES if environment and f".{environment}." in queue), None)
