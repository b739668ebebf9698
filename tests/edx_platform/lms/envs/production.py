import os
from pathlib import Path

import yaml
from openedx.envs.common import *

ENV_TOKENS = yaml.safe_load(Path(os.environ["LMS_CFG"]).read_text())
vars().update(
    {key: value for key, value in ENV_TOKENS.items() if key not in {"FEATURES", "CELERY_QUEUES", "DATABASES"}}
)

CELERY_QUEUES = {
    queue: {} for queue in (HIGH_PRIORITY_QUEUE, DEFAULT_PRIORITY_QUEUE, f"edx.{SERVICE_VARIANT}.core.high_mem")
}
for _alternate in ENV_TOKENS.get("ALTERNATE_WORKER_QUEUES", "").split():
    CELERY_QUEUES.setdefault(DEFAULT_PRIORITY_QUEUE.replace(SERVICE_VARIANT, _alternate), {})

BROKER_URL = broker_url(ENV_TOKENS)
BROKER_TRANSPORT_OPTIONS = {**FANOUT, **ENV_TOKENS.get("CELERY_BROKER_TRANSPORT_OPTIONS", {})}

ALTERNATE_ENV_TASKS = {}
EXPLICIT_QUEUES = {"work.tasks.on_high": {"queue": HIGH_PRIORITY_QUEUE}}
