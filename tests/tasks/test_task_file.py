"""The file of a site's tasks: what is written is read, and what isn't such a file is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.errors import UserError
from kustomizer.tasks.task_file import read_tasks, tasks_json
from tests.known_tasks import HIGH_MEM, between, known, numbers, site_tasks

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = site_tasks(
    known("a", late=True, numbers=numbers(3, between(0.5, 1), between(0, 0.1), hours=(0.0, 12.25), ran_on=HIGH_MEM)),
    known("b", HIGH_MEM, after=None, rule="router.of.ours", priority=6),
    known("c", numbers=numbers(1, between(7200, None), hours=())),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "celery-tasks.json"
    path.write_text(tasks_json(KNOWN))
    assert read_tasks(path) == KNOWN.replace(tasks=list(KNOWN.tasks))
    assert '"hours": "0 12.25"' in path.read_text()


def test_a_file_of_before_there_were_numbers(tmp_path: Path) -> None:
    tree = json.loads(tasks_json(KNOWN))
    del tree["measured"]
    for task in tree["tasks"]:
        del task["numbers"]
    path = tmp_path / "celery-tasks.json"
    path.write_text(json.dumps(tree))
    assert [(task.name, task.numbers) for task in read_tasks(path).tasks] == [("a", None), ("b", None), ("c", None)]


def changed(*path: str | int, value: Any) -> str:
    tree = json.loads(tasks_json(KNOWN))
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(tree)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        changed("version", value="1"),
        changed("tasks", value=7),
        changed("tasks", 0, value="a"),
        changed("tasks", 0, "name", value=None),
        changed("tasks", 0, "after", value=1),
        changed("tasks", 0, "numbers", value=3),
        changed("tasks", 0, "numbers", "runs", value="3"),
        changed("tasks", 0, "numbers", "p95", value={}),
        changed("tasks", 0, "numbers", "hours", value="a"),
        changed("services", value={"lms": 3}),
        changed("measured", value=[]),
    ],
)
def test_no_such_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "tasks"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        read_tasks(path)
    assert (
        str(refused.value) == f"{path} doesn't hold a site's tasks. Write it anew: tutor-kustomizer tasks --save {path}"
    )


def test_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "tasks"
    path.write_text(changed("version", value=2))
    with pytest.raises(UserError, match="of a newer version of this tool"):
        read_tasks(path)
