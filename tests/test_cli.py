"""What all commands have in common: talk on stderr, colour where it is wanted, readers that leave early."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from kustomizer.cli import main
from tests import parts, sites
from tests.builds import EXEC, HEAD, RECOMMENDED, commands

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-c", "from kustomizer.start import run; run()"]
OVERLAY = "resources: [../env]\ntransformers: [config.yaml]\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with an overlay, a build of it and a file that isn't one."""
    tmp_path = tmp_path_factory.mktemp("commands")
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(OVERLAY)
    (tmp_path / "overlay" / "config.yaml").write_text(HEAD + EXEC + RECOMMENDED)
    commands(tmp_path)
    done = run(tmp_path, "build", "overlay", "-o", "site.yaml")
    assert done.returncode == 0, done.stderr
    (tmp_path / "wrong.yaml").write_text("a: [")
    return tmp_path


def environment(place: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": f"{place / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place),
        "PYTHONPATH": str(sites.ROOT),
        "COLUMNS": "80",
        "TERM": "xterm",
        **more,
    }


def run(place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    env = environment(place, **more)
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)


def on_terminal(place: Path, *arguments: str, **more: str) -> str:
    """Return what a terminal gets to see."""
    ours, theirs = pty.openpty()
    command = [*COMMAND, *arguments]
    env = environment(place, **more)
    with subprocess.Popen(command, cwd=place, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the last one who wrote to it is gone
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return shown.decode()


def test_verbose_tells_what_is_run_and_how_long_it_takes(place: Path) -> None:
    quiet, talkative = run(place, "build", "overlay"), run(place, "-v", "build", "overlay")
    assert talkative.stdout == quiet.stdout
    assert quiet.stderr == ""
    kustomize = shlex.quote(str(place / "bin" / "kustomize"))
    command = re.escape(f"{kustomize} build --enable-alpha-plugins --enable-exec overlay")
    ran = re.search(rf"(?m)^run: ((?:[A-Z_]+=\S+ )+){command}$", talkative.stderr)
    assert ran
    assert {"TUTOR_KUSTOMIZER_REPORT", "KUSTOMIZE_PLUGIN_HOME"} <= {word.partition("=")[0] for word in ran[1].split()}
    assert "GOGC=400" in ran[1]
    assert re.search(rf"(?m)^\d+\.\d\d s: {command}$", talkative.stderr)


@pytest.mark.parametrize("arguments", [["check", "site.yaml"], ["queues", "wrong.yaml"]])
def test_colour_is_for_terminals_that_want_it(arguments: list[str], place: Path) -> None:
    assert "\x1b[" in on_terminal(place, *arguments)
    assert "\x1b[" not in on_terminal(place, *arguments, NO_COLOR="1")
    assert "\x1b[" not in on_terminal(place, *arguments, TERM="dumb")
    done = run(place, *arguments)
    assert "\x1b[" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "build overlay",
        "check site.yaml",
        "check site.yaml -o json",
        "completion bash",
        "queues site.yaml",
        "queues site.yaml -o mermaid",
        "schema",
        "schema --function",
        "schema --markdown",
        "--help",
    ],
)
def test_a_reader_may_leave_early(arguments: str, place: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*COMMAND, *arguments.split()]
    env = environment(place)
    done = subprocess.run(command, cwd=place, env=env, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_each_command_has_help_for_a_terminal(place: Path) -> None:
    for name in main.list_commands(click.Context(main)):
        done = run(place, name, "--help")
        assert done.returncode == 0, (name, done.stderr)
        assert done.stdout.startswith("Usage: tutor-kustomizer")
        assert max(map(len, done.stdout.splitlines())) <= 80, name


def subcommands(command: click.Command, *names: str) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [names]
    found = [names]
    for name in command.list_commands(click.Context(command)):
        below = command.get_command(click.Context(command), name)
        assert below is not None
        found += subcommands(below, *names, name)
    return found


@pytest.mark.parametrize("names", subcommands(main), ids=" ".join)
def test_help_says_whole_sentences_and_what_each_option_does(names: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*names, "--help"], terminal_width=80).stdout
    assert "..." not in shown.replace("]...", "")
    options = shown.partition("\nOptions:\n")[2].partition("\n\n")[0]
    # What an option does stands behind two spaces, or in the next line where the option is long.
    assert not re.search(r"(?m)^  -(?:\S| (?! ))+$(?!\n {10})", options)


def test_verbose_may_stand_behind_the_command(place: Path) -> None:
    for arguments in (["build", "overlay", "-v"], ["queues", "-v", "overlay"]):
        done = run(place, *arguments)
        assert done.returncode == 0
        assert re.search(r"(?m)^run: .* build --enable-alpha-plugins --enable-exec overlay$", done.stderr)
    assert "run: " in run(place, "-v", "queues", "overlay").stderr
    assert "run: " not in run(place, "queues", "overlay").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("queues wrong.yaml", "wrong.yaml: not YAML"),
        ("check binary.yaml", "binary.yaml can't be read: it isn't UTF-8"),
        ("verify binary.yaml", "binary.yaml can't be read: it isn't UTF-8"),
        ("in-flight list binary.yaml", "binary.yaml can't be read: it isn't UTF-8"),
        ("apply binary.yaml", "binary.yaml can't be read: it isn't UTF-8"),
        ("queues /proc/1/mem", "/proc/1/mem"),
        ("diff /proc/1/mem site.yaml", "/proc/1/mem: "),
        ("check empty.yaml --fail-on error", "empty.yaml holds no object"),
        ("apply empty.yaml", "empty.yaml holds no object"),
        ("diff site.yaml empty.yaml", "empty.yaml holds no object"),
        ("queues list.yaml", "list.yaml: an item of the input is not an object"),
        ("init wrong.yaml/overlay --tutor-root .", "the directory wrong.yaml/overlay can't be made: Not a directory"),
        ("build overlay again -o wrong.yaml", "the directory wrong.yaml can't be made: File exists"),
        ("build overlay -o wrong.yaml/site.yaml", "wrong.yaml/site.yaml can't be written: Not a directory"),
        ("export number -o plain", "number/kustomization.yaml"),
        ("export bytes -o plain", "bytes/kustomization.yaml can't be read: it isn't UTF-8"),
        ("export flow -o plain", "flow/kustomization.yaml: not YAML"),
        ("queue set lms high --replicas 2 --overlay flow", "flow/kustomization.yaml: not YAML"),
        ("queue set lms high --replicas 2 --file wrong_config.yaml", "wrong_config.yaml: not YAML"),
    ],
)
def test_what_cannot_be_used_is_named_and_never_a_traceback(arguments: str, said: str, place: Path) -> None:
    (place / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (place / "empty.yaml").write_text("")
    (place / "list.yaml").write_text("- 1\n")
    shutil.copytree(place / "overlay", place / "again", dirs_exist_ok=True)
    (place / "wrong_config.yaml").write_text("kind: CeleryWorkers\na: [\n")
    for name, content in {"number": b"transformers: 5\n", "bytes": b"\xff", "flow": b"[a\n"}.items():
        (place / name).mkdir(exist_ok=True)
        (place / name / "kustomization.yaml").write_bytes(content)
    before = sorted(place.rglob("*"))
    done = run(place, *arguments.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "Error: " in done.stderr
    assert said in done.stderr
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("command", ["verify", "in-flight list", "in-flight restore lms-worker-high", "apply"])
def test_no_cluster_is_said_once_and_what_to_do(command: str, place: Path) -> None:
    done = run(place, *command.split(), "site.yaml", KUBECONFIG="/dev/null")
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.search(r"(?m)^Error: kubectl (?:apply|get pods): ", done.stderr)
    assert "memcache.go" not in done.stderr
    assert "--kubeconfig" in done.stderr


@pytest.mark.parametrize("arguments", ["build overlay", "queues site.yaml", "check site.yaml -o json", "schema"])
def test_a_full_disk_is_said(arguments: str, place: Path) -> None:
    command = [*COMMAND, *arguments.split()]
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            command, cwd=place, env=environment(place), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: the output can't be written: No space left on device\n"


def test_a_build_needs_nobody_to_talk_to(place: Path) -> None:
    command = shlex.join([*COMMAND, "build", "overlay", "-o", "silent.yaml"])
    done = subprocess.run(["/bin/sh", "-c", f"{command} >&- 2>&-"], cwd=place, env=environment(place), check=False)
    assert done.returncode == 0
    assert (place / "silent.yaml").read_text() == (place / "site.yaml").read_text()


@pytest.mark.parametrize("arguments", ["build overlay", "build overlay -o -", "queues site.yaml", "schema", "--help"])
def test_a_closed_stdout_is_an_error(arguments: str, place: Path) -> None:
    command = shlex.join([*COMMAND, *arguments.split()])
    shell = ["/bin/sh", "-c", f"{command} >&-"]
    done = subprocess.run(shell, cwd=place, env=environment(place), stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "Error: the output can't be written: Bad file descriptor\n")


def test_a_dash_is_stdout(place: Path) -> None:
    for arguments in ("build overlay -o -", "-v build overlay -o -"):
        assert run(place, *arguments.split()).stdout == (place / "site.yaml").read_text()
    assert not (place / "-").exists()
    assert run(place, "build", "overlay", "overlay", "-o", "-").returncode == 2


def test_a_terminal_gets_no_passwords_unless_asked(place: Path) -> None:
    shown = on_terminal(place, "build", "overlay")
    assert "a built site holds passwords: name a file with -o, or print it with -o -" in shown
    assert "kind: " not in shown
    assert "kind: Deployment" in on_terminal(place, "build", "overlay", "-o", "-")
    assert on_terminal(place, "build", "overlay", "-o", "silent.yaml") == ""


@pytest.mark.parametrize(
    "arguments",
    [
        "build folded -o folded.yaml",
        "queue set lms high --grace-period 5400 --overlay folded",
        "queue set lms a_worker_that_nobody_has_heard_of_until_today --replicas 2 --overlay folded",
    ],
)
def test_messages_are_folded_between_words_on_a_terminal(arguments: str, place: Path) -> None:
    """Whether they are errors, what the function says, or what was done; a pipe gets each on a line."""
    (place / "folded").mkdir(exist_ok=True)
    (place / "folded" / "kustomization.yaml").write_text(OVERLAY)
    config = HEAD + EXEC + RECOMMENDED.replace("high: {}", "high: {terminationGracePeriodSeconds: 5500}", 1)
    (place / "folded" / "config.yaml").write_text(config)
    piped = run(place, *arguments.split())
    (place / "folded" / "config.yaml").write_text(config)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(place, *arguments.split()))
    long = [line for line in shown.splitlines() if len(line) > 80 and " " in line.strip()]
    assert long == []
    assert any(len(line) > 80 for line in piped.stderr.splitlines())
    assert " ".join(shown.split()).startswith(" ".join((piped.stderr + piped.stdout).split())[:200])


@pytest.mark.parametrize("option", ["", "-v"])
def test_a_built_site_is_its_owners_alone(option: str, place: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text("")
    old.chmod(0o644)
    for path in (tmp_path / "new.yaml", old):
        assert run(place, *option.split(), "build", "overlay", "-o", str(path)).returncode == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


HANGS = """\
#!/bin/sh
touch "$0.started"
exec sleep 60
"""
HANGS_IN_BUILDS = HANGS.replace("touch", '[ "$1" != version ] || exec echo v5.8.2\ntouch')
PROMPTLY = 10
"""Seconds; a program that hangs is given 30, or 600."""
ABORTED = (130, "Aborted!\n")


@pytest.mark.parametrize("script", [HANGS, HANGS_IN_BUILDS], ids=["at once", "in builds"])
@pytest.mark.parametrize(
    "arguments",
    [
        "build overlay",
        "build overlay -o out.yaml",
        "build overlay env -o out",
        "diff overlay site.yaml",
        "diff overlay env",
        "check",
    ],
)
def test_ctrl_c_while_another_program_runs(arguments: str, script: str, place: Path, tmp_path: Path) -> None:
    kustomize = tmp_path / "kustomize"
    kustomize.write_text(script)
    kustomize.chmod(0o755)
    command = [*COMMAND, *arguments.split(), "--kustomize", str(kustomize)]
    with subprocess.Popen(
        command, cwd=place, env=environment(place), stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while not (tmp_path / "kustomize.started").exists() and process.poll() is None:
            time.sleep(0.02)
        # A terminal interrupts all programs of the group.
        os.killpg(process.pid, signal.SIGINT)
        interrupted = time.monotonic()
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == ABORTED
    assert time.monotonic() - interrupted < PROMPTLY
    assert not (place / "out.yaml").exists()


CTRL_C_WHILE_IMPORTING = """\
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from kustomizer.start import run
run()
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("kustomizer.errors", "build overlay"),
        ("kustomizer.kustomize.build", "build overlay"),
        ("kustomizer.system.files", "build overlay -o out.yaml"),
        ("click", "queues site.yaml"),
        ("kustomizer.commands.group", "queues site.yaml"),
        ("kustomizer.commands.queues", "queues site.yaml"),
        ("kustomizer.diff.compare", "diff site.yaml site.yaml"),
    ],
)
def test_ctrl_c_while_importing(module: str, arguments: str, place: Path) -> None:
    command = [sys.executable, "-c", CTRL_C_WHILE_IMPORTING.format(module=module), *arguments.split()]
    done = subprocess.run(command, cwd=place, env=environment(place), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == ABORTED


QUESTION = """\
import click
from kustomizer.commands.group import ReportingGroup
ReportingGroup(callback=lambda: click.confirm("Really?", abort=True, err=True), invoke_without_command=True).main([])
"""


@pytest.mark.parametrize(("answer", "status"), [(None, 130), ("n\n", 1)])
def test_ctrl_c_at_a_question_and_the_answer_no(answer: str | None, status: int, place: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-c", QUESTION],
        env=environment(place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert process.stderr.read(len("Really?")) == "Really?"
        if answer is None:
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(answer)
    assert process.returncode == status
    assert stderr.endswith("Aborted!\n")
    assert "Traceback" not in stderr


def test_kubectl_alone_says_why_the_guard_stops_it(place: Path) -> None:
    assert run(place, "init", "guarded", "--tutor-root", ".").returncode == 0
    assert run(place, "build", "guarded").returncode == 0
    without = place / "without"
    without.mkdir()
    (without / "kubectl").symlink_to(parts.program("kubectl"))
    done = run(place, "build", "guarded", PATH=str(without))
    assert done.returncode == 1
    assert "nothing selected by ConfigMap" in done.stderr
    assert "The function didn't run. kubectl skips exec functions: install kustomize, or let" in done.stderr
    assert "`tutor-kustomizer init --refresh --kubectl guarded`" in done.stderr
