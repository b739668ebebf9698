"""Programs run to their end, and nothing of them stays behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from kustomizer.system.processes import Finished, Running, Scratch, which


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def run(command: list[str], directory: str, env: dict[str, str] | None = None) -> Finished:
    return Running(command, directory, env=env).wait()


def test_what_comes_of_a_program(tmp_path: Path) -> None:
    done = run(shell('echo "$A"; echo b >&2; exit 3'), str(tmp_path), env={"A": "a"})

    assert (done.status, done.stdout, done.stderr, done.stderr_text) == (3, b"a\n", b"b\n", "b\n")


def test_more_output_than_a_pipe_holds(tmp_path: Path) -> None:
    done = run(shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"), str(tmp_path))

    assert (len(done.stdout), len(done.stderr)) == (1_000_000, 1_000_000)


def test_one_that_a_signal_ended_has_failed(tmp_path: Path) -> None:
    assert run(shell("kill -9 $$"), str(tmp_path)).status == -signal.SIGKILL


def test_a_closed_pipe_ends_a_program(tmp_path: Path) -> None:
    """Python ignores SIGPIPE, and a program that inherited that would go on to say that it can't write."""
    assert run(shell("kill -PIPE $$; echo still here"), str(tmp_path)).status == -signal.SIGPIPE


@pytest.mark.parametrize("program", ["/nowhere/program", "no-such-program"])
def test_one_that_cannot_be_run(program: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([program], str(tmp_path))


def test_one_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    running = Running(shell("exec sleep 600"), str(tmp_path))

    assert not running.ends_within(0.05)
    assert running.wait().status == -signal.SIGTERM
    assert Running(shell("exit 0"), str(tmp_path)).ends_within(60)


def test_an_interrupt_stops_the_program(tmp_path: Path) -> None:
    running = Running(shell(f"echo $$ >{tmp_path}/pid; exec sleep 600"), str(tmp_path))
    main = threading.get_ident()

    def waits() -> bool:
        frame = sys._current_frames().get(main)  # how threads are looked at from outside
        while frame is not None and frame.f_code is not Running._ended.__code__:
            frame = frame.f_back
        return frame is not None

    def interrupt() -> None:
        # Earlier it would be raised in the test, or in the runner of all tests.
        while not (waits() and (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()):
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    # A shell that runs the tests in the background has them ignore interrupts, and Python leaves it at that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            running.wait()
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_scratch_directory_is_private_and_goes_with_all_that_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("a")
    with Scratch() as scratch, Scratch() as other:
        directory = Path(scratch.path)
        assert scratch.path != other.path
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "a" / "b").mkdir(parents=True)
        (directory / "a" / "file").write_text("a")
        (directory / "a" / "link").symlink_to(tmp_path / "kept")
        (directory / "file").symlink_to(tmp_path / "kept" / "file")

    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept" / "file").read_text() == "a"


def test_which_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, mode in (("one", 0o644), ("two", 0o755), ("three", 0o755)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "program").write_text("")
        (tmp_path / name / "program").chmod(mode)
    (tmp_path / "zero" / "program").mkdir(parents=True)
    monkeypatch.setenv("PATH", ":".join(str(tmp_path / name) for name in ("no", "zero", "one", "two", "three")))

    assert which("program") == str(tmp_path / "two" / "program")
    assert which("another") is None
