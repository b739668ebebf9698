import os
from pathlib import Path

import yaml
from openedx.envs.common import *

HIGH_MEM_QUEUE = f"edx.{SERVICE_VARIANT}.core.high_mem"
CELERY_QUEUES = {queue: {} for queue in (HIGH_PRIORITY_QUEUE, DEFAULT_PRIORITY_QUEUE, HIGH_MEM_QUEUE)}

ENV_TOKENS = yaml.safe_load(Path(os.environ["LMS_CFG"]).read_text())
vars().update(
    {key: value for key, value in ENV_TOKENS.items() if key not in {"FEATURES", "CELERY_QUEUES", "DATABASES"}}
)
vars().update(celery_settings(vars(), ENV_TOKENS))

ALTERNATE_ENV_TASKS = {}
EXPLICIT_QUEUES = {"work.tasks.on_high": {"queue": HIGH_PRIORITY_QUEUE}}
