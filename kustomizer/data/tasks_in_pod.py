"""The action `tasks` of the program that runs in a pod: every registered task, and the queue that it goes to.

It is put behind in_pod.py (kustomizer.openedx.pod_program). The application's own router is asked,
the way `apply_async` asks it (celery/app/routes.py, Router.route); nothing is sent, and no broker is needed.
"""

from __future__ import annotations

import ast
import fnmatch
import os
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.data.in_pod import ACTIONS

OWN, EXPLICIT, ALTERNATE = "queue= of the task", "EXPLICIT_QUEUES", "ALTERNATE_ENV_TASKS"
ROUTES, ROUTER, DEFAULT, FAILED = "CELERY_ROUTES", "router", "default queue", "router failed"


def tasks(app: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the application's tasks are like; ``routing`` are the EXPLICIT_QUEUES that a build has."""
    # Django's own checks of the whole site take long, and say nothing about tasks (celery/fixups/django.py).
    os.environ.setdefault("CELERY_SKIP_CHECKS", "true")
    app.loader.import_default_modules()
    app.finalize()
    import celery  # noqa: PLC0415 - what can't be imported is to be told as other errors are
    import kombu  # noqa: PLC0415

    registered = [app.tasks[name] for name in sorted(app.tasks)]
    table = ExplicitQueues()
    table.set(table.now)
    now = {task.name: destination(app, table, task) for task in registered}
    routed, lost = table.with_routing(request["routing"]["queues"])
    table.set(routed)
    after = {task.name: destination(app, table, task)["queue"] for task in registered}
    if not request["routing"]["whole"]:
        # Where ours is taken away, what the site's own settings compute for a task may come back.
        after.update({name: None for name in lost if name in now and now[name]["by"] != OWN})
    return {
        "service": request["service"],
        "routing": request["routing"],
        "celery": celery.__version__,
        "kombu": kombu.__version__,
        "tasks": [dict(now[task.name], after=after[task.name], **settings_of(app, task)) for task in registered],
    }


def settings_of(app: Any, task: Any) -> dict[str, Any]:
    """Return the settings of a task: its own, or those for all tasks."""
    retries = task.max_retries
    return {
        "name": task.name,
        "time_limit": number(task.time_limit or app.conf.task_time_limit),
        "soft_time_limit": number(task.soft_time_limit or app.conf.task_soft_time_limit),
        "acks_late": bool(task.acks_late),
        "ignore_result": bool(task.ignore_result),
        "rate_limit": None if task.rate_limit is None else str(task.rate_limit),
        "max_retries": retries if isinstance(retries, int) else None,
    }


def number(value: Any) -> float | None:
    """Return ``value`` if it is a number, else None."""
    return value if isinstance(value, (int, float)) else None


class ExplicitQueues:
    """Open edX's EXPLICIT_QUEUES: as in this pod, and as with another routing."""

    def __init__(self) -> None:
        self.settings: Any = None
        self.now: dict[str, Any] = {}
        try:
            from django.conf import settings  # noqa: PLC0415 - an application without Django has none

            self.now = copied(settings.EXPLICIT_QUEUES)
            self.settings = settings
        except Exception:
            # It isn't Open edX's: its routes are Celery's alone.
            return

    def set(self, table: dict[str, Any]) -> None:
        """Have the router see ``table``; Celery changes what a router hands out, so it is a copy."""
        if self.settings is not None:
            self.settings.EXPLICIT_QUEUES = copied(table)

    def with_routing(self, routing: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
        """Return the table with ``routing`` in the place of the routes that an earlier build of ours added.

        Returned with it are the tasks that had a route of ours, and have none now.
        """
        table = dict(self.now)
        lost = []
        module = sys.modules.get(os.environ.get("DJANGO_SETTINGS_MODULE", ""))
        path = Path(str(getattr(module, "__file__", None) or ""))
        package = module.__name__.split(".")[0] if module is not None else ""
        # Open edX's own, which Tutor's settings are made of by `import *`.
        open_edx_routes = copied(getattr(sys.modules.get(package + ".envs.production"), EXPLICIT, None) or {})
        for name in added_by_us(path) if path.is_file() else ():
            table.pop(name, None)
            if name in open_edx_routes:
                table[name] = open_edx_routes[name]
            elif name not in routing:
                lost.append(name)
        table.update({name: {"queue": queue} for name, queue in routing.items()})
        return table, lost


def copied(table: Any) -> dict[str, Any]:
    """Return a table of routes whose routes are copies."""
    return {name: dict(route) if isinstance(route, dict) else route for name, route in dict(table).items()}


def added_by_us(path: Path) -> list[str]:
    """Return the tasks in the last statement of our settings, or of Tutor's with our plugin."""
    names: list[str] = []
    for statement in ast.parse(path.read_bytes()).body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict)):
            continue
        keys, values = statement.value.keys, statement.value.values
        # `EXPLICIT_QUEUES = {**(globals().get('EXPLICIT_QUEUES') or {}), 'task': …}`
        is_table = [getattr(target, "id", "") for target in statement.targets] == [EXPLICIT]
        if is_table and keys and keys[0] is None and "globals" in ast.dump(values[0]):
            names = [str(getattr(key, "value", getattr(key, "s", ""))) for key in keys[1:]]
    return names


def destination(app: Any, table: ExplicitQueues, task: Any) -> dict[str, Any]:
    """Return where ``apply_async()`` without options of its own would send a task, and what decides that."""
    options = {key: value for key, value in dict(task._get_exec_options()).items() if value is not None}
    router = app.amqp.router
    try:
        by, rule, has_queue = decided_by(app, table, task, dict(options))
        routed = router.route(dict(options), task.name, (), {}, task)
    except Exception as error:
        # A router that looks at the arguments of a call has none to look at.
        return {"queue": "", "by": FAILED, "rule": type(error).__name__, "priority": None}
    queue = routed.get("queue") if has_queue else app.conf.task_default_queue
    name = str(getattr(queue, "name", queue))
    exchange, key = routed.get("exchange"), routed.get("routing_key")
    if exchange and key:
        # Then the message goes by the bindings (celery/app/amqp.py, send_task_message).
        exchange_name = str(getattr(exchange, "name", exchange))
        bound = [item for item in app.amqp.queues.values() if getattr(item.exchange, "name", "") == exchange_name]
        name = next((item.name for item in bound if item.routing_key == key), "")
    priority = routed.get("priority", app.conf.task_default_priority)
    return {"queue": name, "by": by, "rule": rule, "priority": number(priority)}


def decided_by(app: Any, table: ExplicitQueues, task: Any, options: dict[str, Any]) -> tuple[str, str, bool]:
    """Return what decides a task's queue, the rule of it that does, and whether that names a queue at all."""
    from celery.utils.functional import maybe_evaluate  # noqa: PLC0415

    if options.get("queue") or (options.get("exchange") and options.get("routing_key")):
        # What the task says of itself wins over every route.
        return OWN, "", bool(options.get("queue"))
    router = app.amqp.router
    for one_router in router.routes or ():
        answer = router.query_router(one_router, task.name, (), {}, dict(options), task)
        if answer is None:
            continue
        if not answer or (isinstance(answer, dict) and not answer.get("queue")):
            break
        route = maybe_evaluate(one_router)
        if hasattr(route, "patterns"):
            return ROUTES, task.name if task.name in route.map else pattern(app.conf.task_routes, task.name), True
        return (*by_name(table, task.name, route), True)
    return DEFAULT, "", False


def by_name(table: ExplicitQueues, name: str, route: Any) -> tuple[str, str]:
    """Return which table of Open edX's its router has taken a task's queue from, or what the router is called."""
    called = getattr(route, "__name__", None) or type(route).__name__
    full = "{}.{}".format(getattr(route, "__module__", "") or "", called)
    if full.endswith("celery.routers.route_task") and table.settings is not None:
        if name in table.settings.EXPLICIT_QUEUES:
            return EXPLICIT, ""
        if name in (getattr(table.settings, "ALTERNATE_ENV_TASKS", None) or {}):
            return ALTERNATE, ""
    return ROUTER, full


def pattern(routes: Any, name: str) -> str:
    """Return the pattern of the settings' routes that matches a task; Celery keeps what it has made of them."""
    for table in routes if isinstance(routes, (list, tuple)) else [routes]:
        pairs = table.items() if hasattr(table, "items") else table if isinstance(table, (list, tuple)) else ()
        for pair in pairs:
            key = pair[0] if isinstance(pair, (list, tuple)) else pair
            if hasattr(key, "pattern") and key.match(name):
                return str(key.pattern)
            if isinstance(key, str) and "*" in key and fnmatch.fnmatchcase(name, key):
                return key
    return ""


ACTIONS["tasks"] = tasks
