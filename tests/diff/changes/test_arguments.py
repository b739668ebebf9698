"""What differs for a worker between two command lines is told in words."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.diff.changes.arguments import argument_changes, order_queues
from kustomizer.masking.marks import CHANGED_SECRET, SECRET

PATH = ("spec", "template", "spec", "containers", "[lms-worker]")


def container(*args: str, **more: Any) -> dict[str, Any]:
    return {"name": "lms-worker", "args": ["celery", "--app=lms.celery", "worker", *args], **more}


def shown(before: Any, after: Any) -> tuple[Any, Any]:
    """Stand in for the masks: `old` and `new` are passwords."""

    def masked(node: Any) -> Any:
        if isinstance(node, list):
            return [masked(each) for each in node]
        return node.replace("old", SECRET).replace("new", CHANGED_SECRET)

    return masked(before), masked(after)


def notes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [note for change in argument_changes(PATH, before, after, shown).values() for note in change.notes]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["--queues=a,b"], ["--queues=b,c"], ["no longer takes a", "now takes c"]),
        (["--queues=a,b,c"], ["-Q", "c"], ["no longer takes a, b"]),
        (["--queues=a"], [], ["takes what its settings define; took a alone"]),
        ([], ["--queues=b,a"], ["takes a, b alone; took what its settings define"]),
        (["--exclude-queues=a"], ["--exclude-queues=b"], ["no longer leaves out a", "now leaves out b"]),
        ([], ["--exclude-queues=b"], ["now leaves out b"]),
        (["--concurrency=1"], ["-c", "2"], ["--concurrency: 2, was 1"]),
        (["--concurrency=1"], ["--concurrency", "1"], ["means the same to Celery"]),
        ([], ["--concurrency=2"], ["--concurrency: 2, wasn't given"]),
        (["--concurrency=2"], [], ["--concurrency: no longer given, was 2"]),
        (["--without-gossip"], [], ["--without-gossip: no longer given"]),
        ([], ["-E"], ["--task-events: now given"]),
        (["--concurrency=1", "--concurrency=2"], ["--concurrency=2"], ["means the same to Celery"]),
        (["extra"], ["other"], ["the words around Celery's options differ"]),
        (
            ["--broker=redis://:old@r"],
            ["--broker=redis://:new@r"],
            [f"--broker: redis://:{CHANGED_SECRET}@r, was redis://:{SECRET}@r"],
        ),
    ],
)
def test_what_differs(before: list[str], after: list[str], expected: list[str]) -> None:
    assert notes(container(*before), container(*after)) == expected


def test_of_a_script_that_cannot_be_read_nothing_is_said() -> None:
    before, after = ({"args": ["sh", "-c", f"celery worker -Q {queue} | tee log"]} for queue in ("a", "b"))
    assert argument_changes(PATH, before, after, shown) == {}


def test_the_words_are_masked() -> None:
    found = argument_changes(PATH, container("--broker=old"), container("--broker=new"), shown)
    assert found["args"].before[-1] == f"--broker={SECRET}"
    assert found["args"].after[-1] == f"--broker={CHANGED_SECRET}"
    assert found["args"].path == (*PATH, "args")


def test_a_shell_string() -> None:
    def script(options: str, *, head: str = "exec") -> dict[str, Any]:
        return {"name": "a", "command": ["sh", "-c", f"{head} celery --app=lms.celery worker {options}"]}

    assert notes(script("-Q a,b"), script("-Q a")) == ["no longer takes b"]
    assert notes(script("-Q a"), script("-Q a", head="sleep 1;")) == ["the words around Celery's options differ"]


def test_two_fields_that_differ_are_told_of_once() -> None:
    before = {"name": "a", "command": ["celery", "--app=a"], "args": ["worker", "-Q", "a"]}
    after = {"name": "a", "command": ["celery", "--app=b"], "args": ["worker", "-Q", "b"]}
    found = argument_changes(PATH, before, after, shown)
    assert [*found] == ["command", "args"]
    assert (found["command"].notes, found["args"].notes[:2]) == ((), ("no longer takes a", "now takes b"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"args": ["celery", "beat"]}, {"args": ["celery", "worker"]}),
        ({"args": ["uwsgi"]}, {"args": ["uwsgi", "-x"]}),
        ({"args": ["celery", "worker"]}, {"command": ["celery"], "args": ["worker"]}),
        ({"args": ["celery", "worker", 1]}, {"args": ["celery", "worker", 2]}),
        ({"args": "celery worker"}, {"args": "celery worker -E"}),
        ({}, {}),
    ],
)
def test_what_is_no_worker_on_both_sides_is_left_to_others(before: Any, after: Any) -> None:
    assert argument_changes(PATH, before, after, shown) == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--queues=b,a"], ["--queues=a,b"]),
        (["--queues=a,b"], ["--queues=a,b"]),
        (["-E", "-Q", "b,a", "-c", "1"], ["-E", "--queues=a,b", "-c", "1"]),
        (["--exclude-queues=b,a"], ["--exclude-queues=a,b"]),
        # Of two the last one counts, which somebody ought to see.
        (["--queues=b,a", "--queues=d,c"], ["--queues=b,a", "--queues=d,c"]),
    ],
)
def test_queues_in_order(given: list[str], expected: list[str]) -> None:
    found = container(*given)
    order_queues(found)
    assert found == container(*expected)


def test_queues_of_what_is_no_worker_stay_as_they_are() -> None:
    for other in ({"args": ["run", "--queues=b,a"]}, {"args": None}, {"name": "a"}, "text", None):
        before = repr(other)
        order_queues(other)
        assert repr(other) == before
