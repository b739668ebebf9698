"""Builds with kustomize alone, plugins off: what Tutor wrote, and what is plain kustomize."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kustomizer.errors import UserError
from kustomizer.kustomize.examination import examine
from kustomizer.kustomize.executable import Kustomize, started, waited_for
from kustomizer.kustomize.extension_objects import asking
from kustomizer.kustomize.isolation import make_environment
from kustomizer.system import processes
from kustomizer.system.command_log import logged
from kustomizer.system.processes import Finished


def build_tutors(env: Path, kustomize: Kustomize) -> bytes:
    """Build what Tutor wrote into ``env``, as it is. Raises UserError where there is nothing, or kustomize fails."""
    with tutors_build(env, kustomize) as built:
        return built()


@contextmanager
def tutors_build(env: Path, kustomize: Kustomize) -> Iterator[Callable[[], bytes]]:
    """Start :func:`build_tutors`, whose outcome the given function waits for: there may be other work meanwhile."""
    if not (env / "kustomization.yml").is_file():
        raise UserError.of(f"{env} holds no kustomization.yml", remedy="Run `tutor config save` for that root first")
    with plain_build(env, kustomize) as ended:
        yield lambda: _output(ended(), env, kustomize)


def build_plainly(directory: Path, kustomize: Kustomize) -> Finished:
    """Run kustomize on ``directory`` with plugins off. Raises UserError where it would fetch something."""
    with plain_build(directory, kustomize) as ended:
        return ended()


@contextmanager
def plain_build(directory: Path, kustomize: Kustomize) -> Iterator[Callable[[], Finished]]:
    """Start :func:`build_plainly`; kustomize is stopped where nobody waits for its end."""
    with processes.Scratch() as scratch:
        env = make_environment(scratch.path, kustomize.path, is_open=kustomize.permissions.are_any)
        examine(str(directory), kustomize.permissions, asking(kustomize, scratch, env))
        command = kustomize.plain_command(directory)
        with logged(command, env=env):
            running = started(command, scratch, env=env)
            try:
                yield lambda: waited_for(running, command, kustomize.limits)
            finally:
                running.stop()


def _output(process: Finished, env: Path, kustomize: Kustomize) -> bytes:
    if process.status != 0:
        from kustomizer.masking.messages import without_secrets  # noqa: PLC0415 - most builds say nothing

        words = without_secrets(process.stderr_text.strip())
        raise UserError.of(f"{kustomize.path} can't build {env}:\n{words}")
    return process.stdout
