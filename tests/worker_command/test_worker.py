"""What a worker's command line may look like, and what an edit makes of it; tested against Celery in *_oracle.py."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from kustomizer.worker_command.command_line import CommandLine, split_queues
from kustomizer.worker_command.worker import find_worker
from tests import growth

TUTOR_22 = [
    "celery",
    "--app=lms.celery",
    "worker",
    "--loglevel=info",
    "--hostname=edx.lms.core.default.%h",
    "--queues=edx.lms.core.default,edx.lms.core.high,edx.lms.core.high_mem",
    "--max-tasks-per-child=100",
    "--prefetch-multiplier=1",
    "--without-gossip",
    "--without-mingle",
]
TUTOR_17_CMS = [
    "celery",
    "--app=cms.celery",
    "worker",
    "--loglevel=info",
    "--hostname=edx.cms.core.default.%%h",
    "--max-tasks-per-child",
    "100",
    "--exclude-queues=edx.lms.core.default",
]
SUPERSET = ["celery", "--app=superset.tasks.celery_app:app", "worker", "-Ofair", "-l", "INFO"]


def worker(*args: str) -> CommandLine:
    found = find_worker(None, ["celery", "--app=lms.celery", "worker", *args])
    assert found is not None
    return found


def options(line: CommandLine) -> list[str]:
    """What follows ``worker`` in the args."""
    assert line.args is not None
    return list(line.args[line.args.index("worker") + 1 :])


def in_shell(script: str) -> CommandLine:
    found = find_worker(["sh", "-c"], [script])
    assert found is not None
    return found


def script_of(line: CommandLine) -> str:
    assert line.args is not None
    return line.args[0]


# ---- which containers run a worker


@pytest.mark.parametrize(
    "line",
    [
        "celery worker",
        "celery --app=lms.celery worker",
        "celery --app lms.celery worker",
        "celery -A lms.celery worker",
        "celery -Alms.celery worker",
        "celery -A celery worker",
        "celery -A worker worker",
        "celery -qCA lms.celery worker",
        "celery -b redis:// --result-backend x --config=c --loader l --workdir /w --no-color worker",
        "celery --skip-checks -- worker",
        "/openedx/venv/bin/celery --app=lms.celery worker",
        "python -m celery -A lms.celery worker",
        "python3.11 -Wignore -m celery -A lms.celery worker",
        "env SERVICE_VARIANT=lms celery worker",
        "env CELERY=/usr/bin/celery celery worker",
        "exec celery worker",
        "newrelic-admin run-program celery worker",
        "ddtrace-run celery worker",
        "nice -n 5 celery worker",
        "dumb-init -- celery worker",
        "tini -g -- /usr/bin/celery -A x worker",
        "gosu celery celery worker",
        "gosu celery python -m celery worker",
        "/docker-entrypoint.sh celery worker",
        "bash /entrypoint.sh celery worker",
        "./manage.py lms celery worker",
        "./manage.py lms --settings=tutor.production celery worker",
    ],
)
def test_is_a_worker(line: str) -> None:
    tokens = [*line.split(), "-c", "4"]
    for split in range(len(tokens) + 1):
        found = find_worker(tokens[:split], tokens[split:])
        assert found is not None
        assert found.uneditable == ""
        assert found.option("--concurrency") == "4"
        edited = found.with_option("--concurrency", "5")
        assert [*(edited.command or ()), *(edited.args or ())] == [*line.split(), "--concurrency=5"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "celery",
        "worker",
        "celery -A worker",
        "celery -A lms.celery beat",
        "celery -A lms.celery beat --pidfile worker",
        "celery -A celery inspect worker",
        "celery --broker=redis:// flower",
        "celery multi show celery worker",
        "gosu celery celery beat -s worker",
        "uwsgi --module=lms.wsgi",
        "python -m celeryworker worker",
        "/usr/bin/celery-exporter worker",
        "sh celery.sh worker",
        "bash -c",
    ],
)
def test_is_no_worker(line: str) -> None:
    tokens = line.split()
    assert find_worker(tokens, None) is None
    assert find_worker(None, tokens) is None
    assert find_worker(tokens[:1], tokens[1:]) is None


def test_a_container_that_states_nothing_is_no_worker() -> None:
    assert find_worker(None, None) is None


@pytest.mark.parametrize("script", ["celery -A x beat", "uwsgi", "echo 'celery worker'", "celery; worker", ""])
def test_shell_strings_without_a_worker(script: str) -> None:
    assert find_worker(["sh", "-c", script], None) is None


# ---- what it says about itself


@pytest.mark.parametrize(
    ("args", "queues"),
    [
        ([], None),
        (["--queues=a"], ("a",)),
        (["--queues", "a"], ("a",)),
        (["-Q", "a"], ("a",)),
        (["-Qa"], ("a",)),
        (["-EQa"], ("a",)),
        (["-EQ", "a"], ("a",)),
        (["-Q=a"], ("=a",)),  # legal, and another queue than was meant
        (["--queues=a,b"], ("a", "b")),
        (["--queues=a, b"], ("a", " b")),  # Celery doesn't strip
        (["--queues="], ("",)),
        (["--queues=a=b"], ("a=b",)),
        (["-Q", "-E"], ("-E",)),  # an option takes whatever comes next
        (["-Q", "--"], ("--",)),
        (["-Q", "a", "--queues=b"], ("b",)),  # the last one wins
        (["--queues=b", "-Qa"], ("a",)),
        (["--queues=a", "--", "--queues=b"], ("a",)),  # after -- there are Celery settings, no options
        (["--queue=a"], None),  # no abbreviations
        (["positional", "-Qa"], ("a",)),
        (["--pool", "-Qa"], None),
    ],
)
def test_queues_in_every_spelling(args: list[str], queues: tuple[str, ...] | None) -> None:
    assert worker(*args).queues == queues


def test_what_tutor_emits() -> None:
    line = find_worker(None, TUTOR_22)
    assert line is not None
    assert line.command is None
    assert line.queues == ("edx.lms.core.default", "edx.lms.core.high", "edx.lms.core.high_mem")
    assert line.excluded_queues is None
    assert line.hostname == "edx.lms.core.default.%h"
    assert line.option("--prefetch-multiplier") == "1"
    assert line.has("--without-gossip")
    assert line.option("--without-gossip") is None
    assert not line.has("--autoscale")


def test_what_tutor_17_emits() -> None:
    line = find_worker(None, TUTOR_17_CMS)
    assert line is not None
    assert line.queues is None
    assert line.excluded_queues == ("edx.lms.core.default",)
    assert line.option("--max-tasks-per-child") == "100"


def test_an_option_that_celery_does_not_have_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        worker().option("--queue")


def test_split_queues() -> None:
    assert split_queues("a,b") == ("a", "b")


@pytest.mark.parametrize(
    ("inherited", "expected"),
    [
        ("edx.lms.core.default.%h", "edx.lms.core.high.%h"),
        ("edx.lms.core.default.%%h", "edx.lms.core.high.%h"),  # %%h would be a percent sign and the host
        ("edx.lms.core.default@%h", "edx.lms.core.high@%h"),
        ("edx.lms.core.default@%n.%d", "edx.lms.core.high@%n.%d"),
        ("worker-$(POD_NAME)", "edx.lms.core.high-$(POD_NAME)"),
        # They are the same in each pod: %i is the process's number, and a pod has no domain.
        ("worker%i", "edx.lms.core.high@%h"),
        ("lms@%d", "edx.lms.core.high@%h"),
        ("static", "edx.lms.core.high@%h"),
        ("%h", "edx.lms.core.high@%h"),
        (None, "edx.lms.core.high@%h"),
    ],
)
def test_node_name_of_a_copy(inherited: str | None, expected: str) -> None:
    line = worker() if inherited is None else worker(f"--hostname={inherited}")
    assert line.hostname_for("edx.lms.core.high") == expected


@pytest.mark.parametrize(
    ("hostname", "names_host"),
    [
        (None, True),
        ("a.%h", True),
        ("%n@a", True),
        ("a@$HOSTNAME", True),
        ("a@", True),
        ("", True),
        ("a", False),
        ("a@site", False),
        ("a@%d", False),
        ("a%i", False),
    ],
)
def test_whether_a_nodes_name_tells_pods_apart(hostname: str | None, names_host: bool) -> None:
    line = worker() if hostname is None else worker(f"--hostname={hostname}")
    assert line.names_host == names_host


# ---- edits


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["--queues=x"]),
        (["-E"], ["-E", "--queues=x"]),
        (["--queues=a", "-E"], ["--queues=x", "-E"]),
        (["--queues", "a", "-E"], ["--queues=x", "-E"]),
        (["-l", "INFO", "-Qa", "-E"], ["-l", "INFO", "--queues=x", "-E"]),
        (["-EQa", "--pidfile="], ["-E", "--queues=x", "--pidfile="]),
        (["-EQ", "a", "--pidfile="], ["-E", "--queues=x", "--pidfile="]),
        (["-Q", "a", "-E", "--queues=b", "-Ofair"], ["--queues=x", "-E", "-Ofair"]),
        (["-E", "--", "worker.foo=1"], ["-E", "--queues=x", "--", "worker.foo=1"]),
        (["--custom-option", "a", "-Qb"], ["--custom-option", "a", "--queues=x"]),  # an app may add options
        (["--queues=x"], ["--queues=x"]),
    ],
)
def test_set_an_option(before: list[str], after: list[str]) -> None:
    edited = worker(*before).with_option("--queues", "x")
    assert options(edited) == after
    assert edited.queues == ("x",)
    assert edited == worker(*after), "an edited line is what one would find in its place"
    assert edited.with_option("--queues", "x") == edited


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], []),
        (["-EQa", "-Xb"], ["-E", "-Xb"]),
        (["-Qa", "-E", "--queues", "b"], ["-E"]),
        (["-Q", "a"], []),
        (["-B", "--", "-Qa"], ["-B", "--", "-Qa"]),
    ],
)
def test_remove_an_option(before: list[str], after: list[str]) -> None:
    assert worker(*before).without_option("--queues") == worker(*after)


def test_remove_a_flag_from_a_cluster() -> None:
    assert options(worker("-BEQa").without_option("--beat")) == ["-EQa"]
    assert options(worker("-EQ", "a").without_option("--task-events")) == ["-Q", "a"]
    assert options(worker("-BE", "--purge", "--discard").without_option("--purge")) == ["-BE"]


def test_an_option_may_be_named_by_any_of_its_spellings() -> None:
    line = worker("--autoscale=8,2", "-c4")
    assert line.option("-c") == "4"
    assert options(line.with_option("-c", "5")) == ["--concurrency=5"]
    assert options(line.without_option("-c")) == ["--autoscale=8,2"]


def test_set_a_flag() -> None:
    assert options(worker("-Qa").with_option("--disable-prefetch")) == ["-Qa", "--disable-prefetch"]
    assert options(worker("--events", "-Qa").with_option("--task-events")) == ["--task-events", "-Qa"]


def test_a_flag_has_no_value_and_other_options_have_one() -> None:
    with pytest.raises(ValueError, match="--beat is a flag"):
        worker().with_option("--beat", "1")
    with pytest.raises(ValueError, match="--queues is not a flag"):
        worker().with_option("--queues")


@pytest.mark.parametrize(
    ("inherited", "extra", "after"),
    [
        (["--concurrency=2"], ["-c", "4"], ["--concurrency=4"]),
        (["-c2", "-E"], ["--concurrency=4"], ["--concurrency=4", "-E"]),
        (["-E"], ["--pool=gevent", "-c100"], ["-E", "--pool=gevent", "--concurrency=100"]),
        (["-E"], ["-Pgevent"], ["-E", "--pool=gevent"]),  # of -Pgevent Celery patches nothing
        (["-Ofair"], ["-Odefault"], ["-Odefault"]),  # --optimization isn't there before Celery 5.3
        (["-E"], ["-E"], ["--task-events"]),
        (["--autoscale=8,2", "-E"], ["-c4"], ["-E", "--concurrency=4"]),  # else -c would do nothing
        (["-c4", "-E"], ["--autoscale=8,2"], ["-E", "--autoscale=8,2"]),
        (["-Qa"], [], ["-Qa"]),
    ],
)
def test_extra_args_replace_what_was_inherited(inherited: list[str], extra: list[str], after: list[str]) -> None:
    edited = worker(*inherited).with_extra(extra)
    assert options(edited) == after
    assert edited.with_extra(extra) == edited


@pytest.mark.parametrize("extra", [["positional"], ["--unknown"], ["-c"], ["--without-gossip=1"]])
def test_extra_args_must_have_been_checked(extra: list[str]) -> None:
    with pytest.raises(ValueError, match="extraArgs"):
        worker().with_extra(extra)


# ---- command and args


@pytest.mark.parametrize(
    ("command", "args", "edited_command", "edited_args"),
    [
        (None, ["celery", "worker"], None, ("celery", "worker", "-Q")),
        (["celery", "worker"], None, ("celery", "worker", "-Q"), None),
        (["celery", "worker"], [], ("celery", "worker"), ("-Q",)),
        (["celery"], ["worker"], ("celery",), ("worker", "-Q")),
        (["celery", "worker", "-Qa"], ["-E"], ("celery", "worker", "-Q"), ("-E",)),
        (["celery", "worker", "-Q"], ["a", "-E"], ("celery", "worker", "-Q"), ("-E",)),
        (["celery", "worker"], ["-E", "-Qa"], ("celery", "worker"), ("-E", "-Q")),
        (["celery", "worker", "-E", "--"], ["a=b"], ("celery", "worker", "-E", "-Q", "--"), ("a=b",)),
        (["celery", "worker"], ["--", "a=b"], ("celery", "worker"), ("-Q", "--", "a=b")),
    ],
)
def test_an_edit_stays_in_its_list(
    command: list[str] | None,
    args: list[str] | None,
    edited_command: tuple[str, ...] | None,
    edited_args: tuple[str, ...] | None,
) -> None:
    found = find_worker(command, args)
    assert found is not None
    edited = found.with_option("--queues", "x")
    short = [
        None if part is None else tuple("-Q" if word == "--queues=x" else word for word in part)
        for part in (edited.command, edited.args)
    ]
    assert short == [edited_command, edited_args]


def test_removing_all_of_args_leaves_an_empty_list() -> None:
    found = find_worker(["celery", "worker"], ["-Qa"])
    assert found is not None
    assert found.without_option("--queues").args == ()


# ---- shell strings


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("celery worker", "celery worker --queues=x"),
        ("exec celery -A lms.celery worker -Q a", "exec celery -A lms.celery worker --queues=x"),
        ("celery  worker   -Qa  -E ", "celery  worker   --queues=x  -E "),
        ("celery worker '--queues=a b' -E", "celery worker --queues=x -E"),
        ('celery worker -Q "$QUEUES" -c $N', "celery worker --queues=x -c $N"),
        ("celery worker -c $(nproc) -n a@$HOSTNAME", "celery worker -c $(nproc) -n a@$HOSTNAME --queues=x"),
        ("celery worker -c ${N:-4}\n", "celery worker -c ${N:-4} --queues=x\n"),
        ("celery worker \\\n  -Q a \\\n  -E\n", "celery worker \\\n  --queues=x \\\n  -E\n"),
        ("celery worker \\\n  -E \\\n  -Ofair", "celery worker \\\n  -E \\\n  -Ofair \\\n  --queues=x"),
        ("LANG=C celery worker -- a=b", "LANG=C celery worker --queues=x -- a=b"),
        ("set -e; sleep 5 && exec celery worker -Qa", "set -e; sleep 5 && exec celery worker --queues=x"),
        ("[ -f /env ] || exit 1; celery worker", "[ -f /env ] || exit 1; celery worker --queues=x"),
        ("cd /openedx/celery && celery worker -E", "cd /openedx/celery && celery worker -E --queues=x"),
        ("echo 'the celery worker starts'; celery worker", "echo 'the celery worker starts'; celery worker --queues=x"),
        ("newrelic-admin run-program celery worker -Qa", "newrelic-admin run-program celery worker --queues=x"),
        ("exec opentelemetry-instrument celery worker", "exec opentelemetry-instrument celery worker --queues=x"),
        ("source /env.sh; exec celery worker -Qa", "source /env.sh; exec celery worker --queues=x"),
        (
            "# the worker's start\ncelery worker # all of it",
            "# the worker's start\ncelery worker --queues=x # all of it",
        ),
        ("celery worker --logfile=a#b", "celery worker --logfile=a#b --queues=x"),
        ("celery worker -f '' -Ea", "celery worker -f '' -Ea --queues=x"),
    ],
)
def test_in_a_shell_string_only_the_option_changes(before: str, after: str) -> None:
    edited = in_shell(before).with_option("--queues", "x")
    assert edited.command == ("sh", "-c")
    assert script_of(edited) == after
    assert edited.queues == ("x",)
    assert edited.with_option("--queues", "x") == edited


def test_in_a_shell_string_what_is_left_of_a_cluster_is_quoted_again() -> None:
    assert script_of(in_shell("celery worker -EQ'a b'").without_option("--task-events")) == "celery worker '-Qa b'"
    assert script_of(in_shell('celery worker -EQ"$Q"').without_option("--task-events")) == 'celery worker "-Q$Q"'
    assert script_of(in_shell("celery worker -EQ ''").without_option("--task-events")) == "celery worker -Q ''"


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c"],
        ["/bin/bash", "-ec"],
        ["bash", "-euo", "pipefail", "-c"],
        ["bash", "-c", "-e"],
        ["bash", "--login", "+x", "-c"],
        ["tini", "--", "sh", "-c"],
        ["env", "A=b", "/bin/sh", "-c"],
    ],
)
def test_ways_to_start_a_shell(command: list[str]) -> None:
    found = find_worker(command, ["celery worker -Qa"])
    assert found is not None
    assert found.with_option("--queues", "x").args == ("celery worker --queues=x",)
    found = find_worker(None, [*command, "celery worker -Qa", "name"])
    assert found is not None
    assert found.with_option("--queues", "x").args == (*command, "celery worker --queues=x", "name")


@pytest.mark.parametrize(
    ("script", "queue"),
    [
        ("celery worker -Q 'a b' -E", "a b"),
        ("celery worker -Q a\\ b -E", "a b"),
        (r"""celery worker "-Qa\"b\$c\\d\e" -E""", r"""a"b$c\d\e"""),
        ("celery worker -Q'a'\"b\"c -E", "abc"),
        ("celery worker -Qa#b -E", "a#b"),
        ("celery worker -Q \\\n a -E", "a"),
        ("celery worker -Q a\\$b -E", "a$b"),
        ("celery worker -Q $A -E", "$A"),
        ("celery worker -Q ${A:-(b c)} -E", "${A:-(b c)}"),
        ("celery worker -Q $(A) -E", "$(A)"),
        ('celery worker -Q "${A:-b}$(C)" -E', "${A:-b}$(C)"),
    ],
)
def test_quotes_in_a_shell_string(script: str, queue: str) -> None:
    line = in_shell(script)
    assert line.queues == (queue,)
    assert line.has("--task-events")


def test_in_a_shell_string_a_value_is_quoted() -> None:
    line = in_shell("celery worker").with_option("--queues", "a b,c$d'e")
    assert script_of(line) == """celery worker '--queues=a b,c$d'"'"'e'"""
    assert in_shell(script_of(line)).queues == ("a b", "c$d'e")


def test_in_a_shell_string_variables_of_the_old_value_stay_variables() -> None:
    line = in_shell('celery worker --hostname="edx.default@$HOSTNAME" -E')
    assert line.hostname == "edx.default@$HOSTNAME"
    edited = line.with_option("--hostname", line.hostname_for("edx.high"))
    assert script_of(edited) == 'celery worker "--hostname=edx.high@$HOSTNAME" -E'


HANDED_ON = ["--", "celery", "--app=lms.celery", "worker", "-Q", "a,b"]


@pytest.mark.parametrize(
    "script", ['exec "$@"', ". /env && exec $@", 'until nc -z redis 6379; do sleep 1; done\nnewrelic-admin "${@}" ']
)
def test_a_shell_that_hands_its_arguments_on(script: str) -> None:
    found = find_worker(["sh", "-c", script], HANDED_ON)
    assert found is not None
    assert (found.queues, found.wrapper, found.uneditable) == (("a", "b"), script, "")
    edited = found.with_option("--queues", "c")
    assert (edited.command, edited.args) == (("sh", "-c", script), (*HANDED_ON[:4], "--queues=c"))


@pytest.mark.parametrize("script", ['echo "$@"', "true", "printf $@; true", 'exec "$*"'])
def test_a_shell_that_does_not_run_them(script: str) -> None:
    assert find_worker(["sh", "-c", script], HANDED_ON) is None


@pytest.mark.parametrize(
    "script",
    [
        *('exec "$@" --beat', "celery beat & exec $@", '"$@" | tee'),
        'if [ -f /env ]; then . /env; exec "$@"; fi',
    ],
)
def test_a_shell_that_does_something_else_with_them(script: str) -> None:
    found = find_worker(["sh", "-c", script], HANDED_ON)
    assert found is not None
    assert (found.queues, found.doubt) == (("a", "b"), "")
    assert found.uneditable == "the shell string does more with its arguments than run them at its end"


def test_the_first_argument_of_a_script_is_its_name() -> None:
    found = find_worker(["sh", "-c", 'exec "$@"'], HANDED_ON[1:])
    assert found is not None
    assert found.uneditable


def test_a_shell_without_arguments() -> None:
    assert find_worker(["sh", "-c", 'exec "$@"'], None) is None


def test_a_shell_that_runs_its_name_too() -> None:
    script = '. /vault/env && exec "$0" "$@"'
    found = find_worker(["sh", "-c", script], HANDED_ON[1:])
    assert found is not None
    assert (found.queues, found.wrapper, found.uneditable) == (("a", "b"), script, "")


def test_a_worker_option_named_like_a_shell_is_no_shell() -> None:
    assert worker("-n", "sh", "-c", "4").option("--concurrency") == "4"


# Each waits, or prepares something, in a way that isn't read.
PREPARING = [
    "until nc -z redis 6379; do sleep 1; done; ",
    "while ! nc -z redis 6379 >/dev/null 2>&1; do echo waiting; sleep 1; done && ",
    "for host in mysql redis; do\n  nc -z $host 1 | cat\ndone\n",
    "if [ -f /env ]; then . /env; fi; if false; then exit 1; else echo fi; fi; ",
    "(cd / && nc a) || exit 1; set -e\n",
    "TOKEN=$(nc token); export TOKEN; echo $TOKEN; ",
    "wait_for() { nc $1; }; wait_for redis; ",
    "sleep 0 & echo proxy\n",
    "echo a # the worker's start; (\nnc b >/dev/null; ",
    "{ nc a; nc b; } 2>/dev/null; echo '(' \")\" do done; ",
]


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("before", PREPARING)
def test_what_comes_first_is_left_as_it_is(before: str, shell: str, tmp_path: Path) -> None:
    """A real shell does the same before it, and runs the worker with what it was told."""
    for name in ("celery", "nc"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        program.chmod(0o700)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def said(script: str) -> list[str]:
        run = subprocess.run([shell, "-c", script], env=environ, capture_output=True, text=True, timeout=20, check=True)
        return run.stdout.splitlines()

    script = f"{before}exec celery --app=lms.celery worker -Qa -E"
    edited = script_of(in_shell(script).with_option("--queues", "x"))
    assert edited == script.replace("-Qa", "--queues=x")
    assert said(edited) == [line.replace("-Qa", "--queues=x") for line in said(script)]
    assert said(edited)[-1] == "celery --app=lms.celery worker --queues=x -E"


@pytest.mark.parametrize(
    "before",
    [
        "# the celery worker waits for Redis\nuntil ./up; do sleep 1; done\n",
        "echo starting the celery worker; until ./up; do echo no celery worker yet; sleep 1; done; ",
        "until ./up; do\n  # no celery yet\n  printf 'celery worker waits' && sleep 1\ndone\n",
    ],
)
def test_what_is_printed_or_a_comment_runs_nothing(before: str) -> None:
    script = f"{before}exec celery --app=lms.celery worker -Qa"
    assert script_of(in_shell(script).with_option("--queues", "x")) == script.replace("-Qa", "--queues=x")


# ---- what can't be edited


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("celery worker > /log", "a redirection"),
        ("celery worker -Qa 2>&1", "a redirection"),
        ("celery worker; echo log > /tmp/log", "a redirection"),
        ("case a in a) true;; esac; celery worker", "a group of commands"),
        ("if true; then celery beat; fi; celery worker", "another one that names celery"),
        ("true | (celery worker)", "a pipe"),
        ("until celery status; do sleep 1; done; celery worker", "another one that names celery"),
        ("A=`date`; celery worker", "backticks"),
        ("cat <<X\nX\ncelery worker", "a redirection"),
        ("celery worker $OPTIONS", r"\$OPTIONS may hold options"),
        ('celery worker -E "$@"', r"\$@ may hold options"),
        ("celery worker -E$MORE", r"-E\$MORE may hold options"),
        ("celery worker --$MORE", "may hold options"),
        ("celery worker & celery worker", "in the background"),
        ("celery worker -E & wait", "in the background"),
        ("celery beat & exec celery worker", "in the background"),
        ("celery worker; celery worker", "runs celery more than once"),
        ("celery -A lms worker && celery -A lms beat", "runs celery more than once"),
        ("celery migrate x y\nexec celery worker", "runs celery more than once"),
        ("gosu app celery $COMMAND; celery worker", "runs celery more than once"),
        ("celery worker -B", "runs beat, too"),
        ("exec celery worker -Qa --beat", "runs beat, too"),
        ("celery worker -EBQa", "runs beat, too"),
        ("bash -c 'celery worker'", "another one that names celery"),
        ("sh -c 'celery beat'; celery worker", "another one that names celery"),
        ("su app -c 'celery beat'; celery worker", "another one that names celery"),
        ("until ./up; do echo 'celery beat' | sh; done; celery worker", "another one that names celery"),
        ("until ./up; do echo 'celery beat' > x; . x; done; celery worker", "another one that names celery"),
        ("eval 'celery beat'; celery worker", "another one that names celery"),
        ("C='celery beat'; $C; celery worker", "another one that names celery"),
        ("yes | celery worker", "a pipe"),
        ("if ./ok; then\n celery worker\nfi", "a shell's 'if'"),
        ("for q in a b; do celery worker -Q $q; done", "a shell's 'for'"),
        ("(cd /w && celery worker)", "a group of commands"),
        ("{ celery worker; }", "braces"),
        ("celery worker -Q {a,b}", "braces"),
        ("celery worker -c `nproc`", "backticks"),
        ("celery worker -Q 'a", "a quote that isn't closed"),
        ('celery worker -Q "a', "a quote that isn't closed"),
        ('celery worker -Q "$(celery beat)"', "a quote that isn't closed, or that holds more"),
        ("celery worker -c $(cat n)", "more than a plain variable"),
        ("celery worker -c $(nproc", "more than a plain variable"),
        ("celery worker -n $'a'", "more than a plain variable"),
        ("celery worker \\", "a backslash at the end"),
        ("celery worker -Q a\\\nb", "goes on in the next line"),
        ("celery worker -Q", "-Q at the end has no value"),
    ],
)
def test_shell_strings_that_cannot_be_edited(script: str, reason: str) -> None:
    line = in_shell(script)
    with pytest.raises(ValueError, match=reason):
        line.with_option("--queues", "x")
    with pytest.raises(ValueError, match=reason):
        line.without_option("--queues")
    assert line.command == ("sh", "-c")
    assert line.args == (script,)


@pytest.mark.parametrize("odd", ['"', "'", "\\\\", "$a", '"$a', "${a", "$(a"])
def test_a_long_shell_string_is_read_in_linear_time(odd: str) -> None:
    script = f"celery worker {odd * 50_000}"
    start = time.process_time()
    in_shell(script)
    assert time.process_time() - start < 5  # a second at the most; quadratic time would be minutes


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--queues"], "--queues at the end has no value"),
        (["-EQ"], "-Q at the end has no value"),
        (["$(OPTIONS)"], "may hold options"),  # the kubelet puts the variable's value there
    ],
)
def test_lists_that_cannot_be_edited(args: list[str], reason: str) -> None:
    assert reason in worker(*args).uneditable


def test_a_variable_in_a_value_is_no_obstacle() -> None:
    line = worker("--concurrency=$(N)", "-n", "$(POD)").with_option("--queues", "x")
    assert options(line) == ["--concurrency=$(N)", "-n", "$(POD)", "--queues=x"]


@pytest.mark.parametrize(
    ("words", "more"),
    [(["celery", "-A"], ["x"]), (["celery", "worker", "-E"], []), (["celery", "--app=a", "--"], ["worker"])],
)
def test_a_long_command_line_takes_linear_time(words: list[str], more: list[str]) -> None:
    assert growth.factor(lambda size: find_worker(words * size, more), 100, 800) < 24


def test_many_short_options_in_one_word_take_linear_time() -> None:
    assert growth.factor(lambda size: find_worker(["celery"], ["worker", "-" + "E" * size]), 2_000, 16_000) < 24
