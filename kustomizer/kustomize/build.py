"""Runs kustomize with the flags that an exec function needs."""

from __future__ import annotations

import os

from kustomizer import REPORT
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.build_output import BuildOutput
from kustomizer.kustomize.executable import Kustomize, candidates, find_kustomize, recent, start
from kustomizer.kustomize.plugin_home import make_plugin_home, own_function
from kustomizer.system import processes
from kustomizer.system.command_log import logged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kustomizer.system.processes import Finished, Scratch

_GUARD = "nothing selected by ConfigMap"
"""What kustomize says where our guard stops a build."""
_OTHER_GUARD = (
    "The function ran. If it is the guard that looks for this, let it name SERVICE-worker-celery-settings, "
    "of a service that the configuration splits"
)
_MEMORY_FOR_TIME = "400"
"""What GOGC is for kustomize: Go's garbage collector, which by default (100) is a third of a build's CPU time, lets the
heap grow to five times what is in use. That is 150 MB for a site with every plugin."""


def find_and_build(overlay: str, given: str | None) -> BuildOutput:
    """Find kustomize and build ``overlay``, as ``build`` does. kustomize is asked for its version meanwhile."""
    path = given or next(candidates(overlay), None)
    if path is not None:
        with processes.Scratch() as scratch:
            try:
                version_run = start([path, "version"], scratch)
                try:
                    done = _run(overlay, Kustomize(path=path, version=""), scratch)
                    kustomize = recent(path, version_run)
                finally:
                    version_run.stop()
            except UserError:
                if given is not None:
                    raise
            else:
                return _outcome(overlay, kustomize, done, scratch)
    return build(overlay, find_kustomize(given, near=overlay))


def build(
    overlay: Path | str,
    kustomize: Kustomize,
    *,
    env: Mapping[str, str] | None = None,
    needs_function: bool = True,
) -> BuildOutput:
    """Build ``overlay``. Raises UserError with kustomize's words where it fails, or where the function didn't run.

    Without ``needs_function``, a build that the function has no part in is accepted, too.
    """
    with processes.Scratch() as scratch:
        done = _run(overlay, kustomize, scratch, env=env)
        return _outcome(overlay, kustomize, done, scratch, needs_function=needs_function)


def _run(
    overlay: Path | str, kustomize: Kustomize, scratch: Scratch, *, env: Mapping[str, str] | None = None
) -> Finished:
    """Run kustomize on ``overlay``. Raises UserError where that can't be started."""
    if os.path.isfile(overlay):  # noqa: PTH113
        raise UserError(Problem(message=f"{overlay} is a file", remedy="Name the directory with the kustomization"))
    command = kustomize.command(overlay)
    environment = {**os.environ, **(env or {})}
    added = {REPORT: _report(scratch)}
    if "GOMEMLIMIT" not in environment and "GOGC" not in environment:
        added["GOGC"] = _MEMORY_FOR_TIME
    function = own_function()
    if function is not None and "KUSTOMIZE_PLUGIN_HOME" not in environment:
        added["KUSTOMIZE_PLUGIN_HOME"] = make_plugin_home(f"{scratch.path}/plugin", function)
    with logged(command, env={**(env or {}), **added}):
        return start(command, scratch, env={**environment, **added}).wait()


def _report(scratch: Scratch) -> str:
    return f"{scratch.path}/report"


def _outcome(
    overlay: Path | str, kustomize: Kustomize, done: Finished, scratch: Scratch, *, needs_function: bool = True
) -> BuildOutput:
    """Return what the build gave that ran in ``scratch``, or raise UserError as :func:`build` does."""
    report = _content(_report(scratch))
    if done.status != 0:
        words = done.stderr_text.strip() or f"exit status {done.status}"
        remedy = ""
        if _GUARD in words:
            remedy = f"The function didn't run. {_why_not(overlay, kustomize)}" if report is None else _OTHER_GUARD
        raise UserError(Problem(message=f"{kustomize.path} can't build {overlay}:\n{words}", remedy=remedy))
    if needs_function and report is None:
        raise UserError(
            Problem(
                message=f"{overlay} was built without the function: the workers in it would take all queues",
                remedy=_why_not(overlay, kustomize),
            )
        )
    return BuildOutput(data=done.stdout, notes=done.stderr_text, report=report or b"")


def build_tutors(env: Path, kustomize: Kustomize) -> bytes:
    """Build what Tutor wrote into ``env``, as it is. Raises UserError where there is nothing, or kustomize fails."""
    if not (env / "kustomization.yml").is_file():
        raise UserError(
            Problem(message=f"{env} holds no kustomization.yml", remedy="Run `tutor config save` for that root first")
        )
    command = kustomize.plain_command(env)
    with processes.Scratch() as scratch, logged(command):
        done = start(command, scratch).wait()
    if done.status != 0:
        raise UserError(Problem(message=f"{kustomize.path} can't build {env}:\n{done.stderr_text.strip()}"))
    return done.stdout


def _why_not(overlay: Path | str, kustomize: Kustomize) -> str:
    if kustomize.is_kubectl:
        import shlex  # noqa: PLC0415 - only where a build fails

        return (
            "kubectl skips exec functions: install kustomize, or let "
            f"`tutor-kustomizer init --refresh --kubectl {shlex.quote(str(overlay))}` write the overlay in the "
            "form that kubectl runs"
        )
    return "List the configuration under `transformers:`"


def _content(path: str) -> bytes | None:
    """Return what is in a file, None where there is none."""
    try:
        return processes.read_file(path)
    except FileNotFoundError:
        return None
