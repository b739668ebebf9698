"""`celery multi`: the queues that its workers take, as Celery's own parser gives them, and why none of it is split."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from kustomizer.worker_command.worker import find_worker

celery_multi: Any = importlib.import_module("celery.apps.multi")  # it has no type information


def queues_by_celery(args: list[str]) -> list[str | None]:
    """Return the value of the queues' option of each worker that Celery would start."""
    parser = celery_multi.NamespacedOptionParser(args)
    parser.parse()
    nodes = celery_multi.MultiParser(cmd="celery worker").parse(parser)
    lines = [find_worker(" ".join(node.argv).split(), None) for node in nodes]
    assert all(line is not None for line in lines)
    return [line.option("--queues") for line in lines if line is not None]


CASES = [
    ["w1", "w2", "-A", "lms.celery", "-Q", "a,b", "-c", "4"],
    ["w1", "w2", "--app=lms.celery", "--queues=a,b"],
    ["3", "-A", "lms.celery", "-Q:1-2", "a", "-Q:3", "b"],
    ["4", "-Q:1,4", "a", "-Q", "b", "-E", "-l", "info"],
    ["high", "low", "-Q:high", "a", "-Q:low", "b"],
    ["high", "low", "-Q:2", "a", "--queues:1=b"],
    ["w1", "--queues=a", "--logfile=/dev/stdout", "--pidfile=/tmp/%n.pid"],
    ["w1", "w2", "-Q", "a", "--queues:w2=b"],
]


@pytest.mark.parametrize("args", CASES, ids=" ".join)
@pytest.mark.parametrize("start", [["start"], ["restart"]])
def test_queues_are_those_of_all_its_workers(args: list[str], start: list[str]) -> None:
    expected = {queue for value in queues_by_celery(args) for queue in str(value).split(",")}
    for tokens in (
        ["celery", "multi", *start, *args],
        ["/venv/bin/celery", "-A", "lms.celery", "multi", *start, *args],
    ):
        line = find_worker(tokens[:1], tokens[1:])
        assert line is not None
        assert (set(line.queues or ()), line.doubt) == (expected, "")
        assert "in the background" in line.uneditable


@pytest.mark.parametrize(
    ("script", "queues"),
    [
        ("celery multi start w1 -A lms.celery -Q a && sleep infinity", ("a",)),
        ("celery multi start w1 -Q a; celery multi start w2 -Q b; sleep infinity", ("a", "b")),
        (
            "trap 'celery multi stopwait w1' TERM\ncelery multi start w1 \\\n -Q a,b\nwhile true; do sleep 1; done",
            ("a", "b"),
        ),
        ("(celery multi start w1 -Q a) 2>&1 | tee log", ("a",)),
        ("celery multi start w1 && exec tail -F log", None),
    ],
)
def test_in_a_script(script: str, queues: tuple[str, ...] | None) -> None:
    line = find_worker(["sh", "-c", script], None)
    assert line is not None
    assert (line.queues, line.doubt) == (queues, "")
    assert "in the background" in line.uneditable


@pytest.mark.parametrize(
    "command",
    [
        ["celery", "multi", "start", "w1", "w2", "--queues:w1=a"],
        ["sh", "-c", "celery multi start w1 -Q $QUEUES && sleep infinity"],
    ],
)
def test_queues_that_cannot_be_known(command: list[str]) -> None:
    line = find_worker(command, None)
    assert line is not None
    assert line.doubt


@pytest.mark.parametrize(
    "command",
    [
        ["celery", "multi", "stopwait", "w1", "-A", "lms.celery"],
        ["celery", "multi", "show", "w1"],
        ["sh", "-c", "echo celery multi start w1 &"],
        ["sh", "-c", "celery multi stopwait w1; sleep 1 &"],
        ["multi", "start", "celery"],
    ],
)
def test_what_starts_no_worker(command: list[str]) -> None:
    assert find_worker(command, None) is None


def test_options_that_all_of_them_have() -> None:
    line = find_worker(["celery", "multi", "start", "w1", "w2", "-c", "4", "-Q", "a", "-c:1", "8"], None)
    assert line is not None
    assert line.option("--concurrency") is None
