"""Two hundred tasks that are routed in every way there is. A site has them when its INSTALLED_APPS names this."""

from celery import shared_task

HIGH = "edx.lms.core.high"
KINDS = {
    "plain": {},
    "explicit": {},
    "alternate": {},
    "exact": {},
    "pattern": {},
    "nightly": {},
    "by_course": {},
    "own_queue": {"queue": HIGH},
    "own_priority": {"priority": 3},
    "own_exchange": {"exchange": "edx.lms.core", "routing_key": HIGH},
    "own_key": {"routing_key": HIGH},
    "limited": {"soft_time_limit": 300, "time_limit": 360},
    "rated": {"rate_limit": "10/m"},
    "early": {"acks_late": False, "ignore_result": True},
    "retried": {"max_retries": 7},
    "priority_only": {},
}
NAMES = [(f"catalogue.tasks.{kind}_{number:02}", options) for number in range(13) for kind, options in KINDS.items()]


def nothing(*args, **kwargs):
    pass


# Celery has nine of its own.
TASKS = [shared_task(name=name, **options)(nothing) for name, options in NAMES[:200]]
