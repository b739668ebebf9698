"""Send the tasks that stdin names, a JSON list of arguments of ``send_task``, as a process of the service does."""

import importlib
import json
import os
import sys

APP = importlib.import_module(f"{os.environ['SERVICE_VARIANT']}.celery").APP
APP.loader.import_default_modules()

for message in json.load(sys.stdin):
    task = APP.tasks[message.pop("name")]
    task.apply_async(**message)
