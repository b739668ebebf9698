"""What extraArgs are refused for, word for word."""

from __future__ import annotations

import pytest

from kustomizer.worker_command.extra_args import check_extra_args
from kustomizer.worker_command.options import OPTIONS


def said(args: list[str]) -> list[str]:
    return [str(problem) for problem in check_extra_args(args, "extraArgs")]


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--pool=gevent"],
        ["-P", "gevent", "-c", "100"],
        ["-EOfair", "-linfo"],
        ["--loglevel=Info"],
        ["--autoscale=8,2"],
        ["--autoscale", "8"],
        ["--time-limit=0.5", "--soft-time-limit", "600"],
        ["--concurrency=$(CONCURRENCY)"],
        ["--concurrency=auto"],
        ["-c", "0", "--pool-start-method=spawn"],
        ["--disable-prefetch", "--without-heartbeat"],
        ["--scheduler", "-"],
        ["--logfile="],
    ],
)
def test_taken(args: list[str]) -> None:
    assert said(args) == []


QUEUES = "can't be set here: what a worker consumes is stated in one place. Set `queues` of the worker instead"
EXCLUDED = "can't be set here: a worker consumes its `queues` and no others. Set `queues` of the worker instead"
MISPLACED = "can't be set here: it is an option of `celery` itself, not of its worker. Remove it"
POOLS = "one of prefork, eventlet, gevent, solo, processes, threads, custom"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--queues=a"], f"[0]: --queues {QUEUES}"),
        (["--queues", "a"], f"[0]: --queues {QUEUES}"),
        (["-Q", "a"], f"[0]: -Q (--queues) {QUEUES}"),
        (["-Qa"], f"[0]: -Q (--queues) {QUEUES}"),
        (["-E", "-EQa"], f"[1]: -Q (--queues) {QUEUES}"),
        (["-c4", "-X", "a"], f"[1]: -X (--exclude-queues) {EXCLUDED}"),
        (["-Alms"], f"[0]: -A (--app) {MISPLACED}"),
        (["--app", "lms"], f"[0]: --app {MISPLACED}"),
        (["-qE"], f"[0]: -q (--quiet) {MISPLACED}"),
        (["--broker=redis://"], f"[0]: --broker {MISPLACED}"),
        (
            ["-na"],
            "[0]: -n (--hostname) can't be set here: the node is named after the worker, so that no two workers"
            " have one name. Remove it",
        ),
        (
            ["-D"],
            "[0]: -D (--detach) can't be set here: the container would end as soon as the worker went to the"
            " background. Remove it; Kubernetes keeps the worker running",
        ),
        (
            ["-EB"],
            "[0]: -B (--beat) can't be set here: every copy would run its own scheduler, and each periodic task"
            " would be sent several times. Remove it; run `celery beat` in a Deployment of its own, with one replica",
        ),
        (
            ["--discard"],
            "[0]: --discard (--purge) can't be set here: every pod that starts would delete the tasks that wait on its"
            " queues. Remove it; `celery purge` empties a queue once",
        ),
        (["--help"], "[0]: --help can't be set here: Celery prints its help and ends. Remove it"),
        (["gevent"], "[0]: 'gevent' is not an option, and the worker takes nothing else. Remove it"),
        (["-E", "--", "a=b"], "[1]: '--' is not an option, and the worker takes nothing else. Remove it"),
        ([""], "[0]: '' is not an option, and the worker takes nothing else. Remove it"),
        (["--concurency=4"], "[0]: Celery's worker has no option --concurency. Did you mean --concurrency?"),
        (
            ["--queue=a"],
            "[0]: Celery's worker has no option --queue. Did you mean --queues? Set `queues` of the worker instead",
        ),
        (["-Ez"], "[0]: Celery's worker has no option -z. Remove it; `celery worker --help` lists the options"),
        (["-c"], "[0]: -c needs a value. Write --concurrency=4"),
        (["--pidfile", "-E"], "[0]: --pidfile needs a value, and Celery takes '-E' for it. Write --pidfile=VALUE"),
        (["--without-gossip=1"], "[0]: --without-gossip takes no value, and '--without-gossip=1' gives it one."),
        (["--concurrency 4"], "[0]: '--concurrency 4' is one argument. Write --concurrency=4"),
        (["-P gevent"], "[0]: '-P gevent' is one argument. Write --pool=gevent"),
        (
            ["-concurrency=4"],
            "[0]: '-concurrency=4' has one dash, with which Celery reads it as -c. Write --concurrency=4",
        ),
        (
            ["-c", "four"],
            "[0]: -c (--concurrency): 'four' is not a whole number, or auto for Celery 5.7. Write --concurrency=4",
        ),
        (
            ["-c=8"],
            "[0]: -c (--concurrency): '=8' is not a whole number, or auto for Celery 5.7. Write --concurrency=8",
        ),
        (
            ["--concurrency="],
            "[0]: --concurrency: '' is not a whole number, or auto for Celery 5.7. Write --concurrency=4",
        ),
        (
            ["-c-1"],
            "[0]: -c (--concurrency): '-1' is not a whole number, or auto for Celery 5.7. Write --concurrency=4",
        ),
        (
            ["--pool-start-method=Spawn"],
            "[0]: --pool-start-method: 'Spawn' is not one of fork, spawn. Write --pool-start-method=spawn",
        ),
        (["--time-limit=1h"], "[0]: --time-limit: '1h' is not a number of seconds. Write --time-limit=600"),
        (["--autoscale=8,2,1"], "[0]: --autoscale: '8,2,1' is not MAX,MIN. Write --autoscale=8,2"),
        (["--autoscale=8;2"], "[0]: --autoscale: '8;2' is not MAX,MIN. Write --autoscale=8,2"),
        (["-P=gevent"], f"[0]: -P (--pool): '=gevent' is not {POOLS}. Write --pool=gevent"),
        (["--pool=Gevent"], f"[0]: --pool: 'Gevent' is not {POOLS}. Write --pool=gevent"),
        (["-Ofast"], "[0]: -O (--optimization): 'fast' is not one of default, fair. Write -Ofair"),
        (
            ["-c4", "-E", "--concurrency", "5"],
            "[2]: --concurrency is already set in extraArgs[0], and Celery takes the last one. Remove one of them",
        ),
        (["-EE"], "[0]: --task-events is already set in extraArgs[0], and Celery takes the last one. Remove one"),
        (
            ["--autoscale=8,2", "-c4"],
            "[1]: --concurrency conflicts with --autoscale in extraArgs[0]: Celery looks at --autoscale "
            "alone. Remove one",
        ),
    ],
)
def test_refused(args: list[str], message: str) -> None:
    (only,) = said(args)
    assert only.startswith(f"extraArgs{message}")


def test_every_problem_is_reported_at_its_own_index() -> None:
    problems = check_extra_args(["-Q", "a", "-E", "-BDc", "x"], "spec.defaults.extraArgs")
    assert [(problem.field, problem.message.split()[0]) for problem in problems] == [
        ("spec.defaults.extraArgs[0]", "-Q"),
        ("spec.defaults.extraArgs[3]", "-B"),
        ("spec.defaults.extraArgs[3]", "-D"),
        ("spec.defaults.extraArgs[3]", "-c"),
    ]


def test_no_spelling_of_a_reserved_option_gets_through() -> None:
    for option in OPTIONS:
        for spelling in option.spellings:
            ways = (
                [[spelling]]
                if option.is_flag
                else [[spelling, "a"], [spelling + ("=" if "--" in spelling else "") + "a"]]
            )
            for args in ways:
                if option.reserved is not None:
                    assert len(said(args)) == 1, args
