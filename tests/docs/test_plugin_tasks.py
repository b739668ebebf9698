"""docs/plugin-tasks.md from its first command to its last: a queue of its own comes, and goes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery import Celery

from tests.docs.pages import commands, page, without
from tests.docs.place import place

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# A live pod is tests/celery's.
COMMANDS = without(commands(page("plugin-tasks")), "kubectl -n openedx exec")
QUEUE = "edx.lms.core.reminders"


def test_a_task_gets_a_queue_and_loses_it_again(tmp_path: Path) -> None:
    site = place(tmp_path)
    site.done("tutor --root=tutor config save", "tutor-kustomizer init overlay --tutor-root tutor")
    before = (site.directory / "overlay" / "celery-workers.yaml").read_text()
    end = next(index for index, command in enumerate(COMMANDS) if "--remove" in command)
    said = site.done(*COMMANDS[: end - 1], f"{COMMANDS[end - 1]} --yes")
    assert COMMANDS[end - 1] == "tutor-kustomizer apply overlay"
    (row,) = [line for line in said.splitlines() if line.startswith("lms") and QUEUE in line]
    assert "lms-worker-reminders" in row
    assert "1800s" in row
    assert f"routed to {QUEUE}:" in said
    assert "Deployment lms-worker-reminders" in site.applied()
    settings = site.done("tutor-kustomizer build overlay")
    for service in ("lms", "cms"):
        assert f"name: {service}-celery-settings" in settings
    site.done(*COMMANDS[end:])
    after = (site.directory / "overlay" / "celery-workers.yaml").read_text()
    assert "reminders" not in after
    assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()


def test_a_call_that_names_its_queue_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page says of `apply_async(queue=…)`, asked of the installed Celery."""
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    app = Celery("a", broker="memory://")
    app.conf.task_routes = {"reminders.tasks.send_reminder": {"queue": QUEUE}}
    route = app.amqp.router.route
    assert route({}, "reminders.tasks.send_reminder")["queue"].name == QUEUE
    assert route({"queue": "theirs"}, "reminders.tasks.send_reminder")["queue"].name == "theirs"
