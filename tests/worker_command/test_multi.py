"""`celery multi`, which starts several workers in the background: none of them is read, and none is split."""

from __future__ import annotations

import pytest

from kustomizer.worker_command.worker import find_worker


@pytest.mark.parametrize(
    "command",
    [
        ["celery", "multi", "start", "w1", "w2", "-A", "lms.celery", "-Q", "a,b"],
        ["/venv/bin/celery", "-A", "lms.celery", "multi", "restart", "3", "-Q:1-2", "a"],
        ["sh", "-c", "celery multi start w1 -A lms.celery -Q a && sleep infinity"],
        [
            "sh",
            "-c",
            "trap 'celery multi stopwait w1' TERM\n\"celery\" multi start w1 \\\n -Q a\nwhile true; do sleep 1; done",
        ],
        ["sh", "-c", "(celery multi start w1 -Q a) 2>&1 | tee log"],
    ],
)
def test_it_is_known_and_not_read(command: list[str]) -> None:
    line = find_worker(command[:1], command[1:])
    assert line is not None
    assert line.queues is None
    assert "`celery multi` starts its workers in the background" in line.uneditable
    assert line.doubt == line.uneditable


@pytest.mark.parametrize(
    "command",
    [
        ["celery", "multi", "stopwait", "w1", "-A", "lms.celery"],
        ["celery", "multi", "show", "w1"],
        ["sh", "-c", "celery multi stopwait w1; sleep 1 &"],
        ["multi", "start", "celery"],
    ],
)
def test_what_starts_no_worker(command: list[str]) -> None:
    assert find_worker(command, None) is None
