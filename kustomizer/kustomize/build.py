"""Builds an overlay with kustomize and the function, once it is known that nothing else would run."""

from __future__ import annotations

import os

from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.copies import other_copies, version_notes
from kustomizer.kustomize.examination import examine
from kustomizer.kustomize.executable import Kustomize, Wanted, candidates, find_kustomize, finished, recent, started
from kustomizer.kustomize.extension_objects import asking
from kustomizer.kustomize.isolation import PLUGIN_HOME, link_plugins, make_environment, report_path
from kustomizer.kustomize.programs import OWN_COMMAND
from kustomizer.record import Record
from kustomizer.system import processes
from kustomizer.system.visible import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kustomizer.manifests.resource import Resources
    from kustomizer.system.processes import Finished, Scratch

_GUARDS = ("nothing selected by ConfigMap", "nothing selected by Deployment")
"""kustomize's words where a guard of ours stops a build."""
_OTHER_GUARD = (
    "The function ran. If it is the guard that looks for this, let it name lms-worker-celery-settings or "
    "cms-worker-celery-settings, of a service that the configuration splits (`tutor-kustomizer init --refresh` "
    "does it), or a copy (kind: Deployment, name: lms-worker-high) where the workers mount no settings that ours can "
    "replace; where it splits neither of the two, take the guard out"
)


def find_and_build(overlay: str, wanted: Wanted) -> BuildOutput:
    """Return what ``build(overlay, find_kustomize(wanted))`` does, and ask for the version meanwhile."""
    path = wanted.executable or next(candidates(), None)
    if path is not None:
        with processes.Scratch() as scratch:
            try:
                version_process = started([path, "version"], scratch)
                try:
                    unchecked = Kustomize(path=path, version="", permissions=wanted.permissions, limits=wanted.limits)
                    run = _run(overlay, unchecked, scratch)
                    kustomize = recent(path, version_process, wanted)
                finally:
                    version_process.stop()
            except UserError:
                if wanted.executable is not None:
                    raise
            else:
                return _outcome(overlay, kustomize, run)
    return build(overlay, find_kustomize(wanted))


def build(overlay: Path | str, kustomize: Kustomize, *, needs_function: bool = True) -> BuildOutput:
    """Build ``overlay``. Raises UserError with kustomize's words where it fails, or where the function didn't run.

    Before anything has run it is refused where another program would run than our function, or one that is allowed.
    Without ``needs_function``, a build that the function has no part in is accepted, too.
    """
    with processes.Scratch() as scratch:
        return _outcome(overlay, kustomize, _run(overlay, kustomize, scratch), needs_function=needs_function)


class BuildOutput(Record):
    """The resources as printed, the messages of kustomize and the function, and the function's report."""

    data: bytes
    notes: str
    report: bytes = b""
    directories: Sequence[str] = ()
    """The directories that took part in the build, without links in their paths."""

    @property
    def messages(self) -> str:
        """The notes, and a warning for each ConfigMap of ours that a layer behind the function has changed."""
        from kustomizer.kustomize.stale_hashes import stale_settings  # noqa: PLC0415 - it costs 2 ms, kustomize runs first

        stale = [f"{problem.severity}: {problem}\n" for problem in stale_settings(self.data)]
        return "".join([self.notes, *stale])

    @property
    def problems(self) -> Sequence[Problem]:
        """The problems that the function reported, without secrets."""
        if not self.report:
            return ()
        from kustomizer.kustomize.function_log import problems_of  # noqa: PLC0415 - most builds are only printed
        from kustomizer.masking.messages import problem_without_secrets  # noqa: PLC0415

        return tuple(map(problem_without_secrets, problems_of(self.report)))

    @property
    def other_notes(self) -> str:
        """The notes without those that are the function's problems."""
        notes = self.notes
        for problem in self.problems:
            notes = notes.replace(f"{OWN_COMMAND}: {problem.severity}: {problem}\n", "")
        return notes

    @property
    def text(self) -> str:
        """The resources as text."""
        return self.data.decode()

    def resources(self) -> Resources:
        """Return the resources. Raises UserError where one is there twice."""
        from kustomizer.manifests.protocols import read_build  # noqa: PLC0415 - most builds are only printed

        return read_build(self.data)


class RefusedBuildError(UserError):
    """A build that fails; ``causes`` are the function's problems with it."""

    def __init__(self, *problems: Problem, causes: Sequence[Problem]) -> None:
        super().__init__(*problems)
        self.causes = causes


def causes_of(error: UserError) -> Sequence[Problem]:
    """Return why there is no build: the function's problems where there are any, else those of the error."""
    return (error.causes if isinstance(error, RefusedBuildError) else ()) or error.problems


class _Run(Record):
    """A run of kustomize: its process, notes of our own, the function's report, the directories that took part."""

    done: Finished
    notes: str
    report: bytes | None
    directories: Sequence[str]


def _run(overlay: Path | str, kustomize: Kustomize, scratch: Scratch) -> _Run:
    """Run kustomize on ``overlay``. Raises UserError where that can't be started."""
    if os.path.isfile(overlay):  # noqa: PTH113
        raise UserError.of(f"{overlay} is a file", remedy="Name the directory with the kustomization")
    env = make_environment(scratch.path, kustomize.path, is_open=kustomize.permissions.are_any)
    ask = asking(kustomize, scratch, env)
    examined = examine(str(overlay), kustomize.permissions, ask)
    link_plugins(env[PLUGIN_HOME], examined.legacy)
    directory, notes, mirror = str(overlay), "", ""
    copies = other_copies(examined) if examined.paths else {}
    if copies:
        from kustomizer.kustomize.own_path import copy_with_own  # noqa: PLC0415 - it imports a reader of all YAML

        mirror = f"{os.path.realpath(scratch.path)}/copy"
        directory = copy_with_own(examined, copies, mirror, ask)
        notes = "".join(f"tutor-kustomizer: {note}\n" for note in version_notes(copies))
    process = finished(kustomize.command(directory), scratch, kustomize.limits, env=env)
    if mirror:
        process = process.replace(stderr=process.stderr.replace(mirror.encode(), b""))
    try:
        report = processes.read_file(report_path(scratch.path))
    except FileNotFoundError:
        report = None
    return _Run(done=process, notes=notes, report=report, directories=tuple(examined.trees))


def _outcome(overlay: Path | str, kustomize: Kustomize, run: _Run, *, needs_function: bool = True) -> BuildOutput:
    """Return the output of a run, or raise UserError as :func:`build` does."""
    process = run.done
    if process.status != 0:
        words = _without_secrets(process.stderr_text.strip()) or f"exit status {process.status}"
        message, remedy = f"{kustomize.path} can't build {overlay}:\n{words}", ""
        if any(guard in words for guard in _GUARDS):
            remedy = f"The function didn't run. {_why_not(overlay, kustomize)}" if run.report is None else _OTHER_GUARD
        else:
            from kustomizer.kustomize.split_env import missing_command  # noqa: PLC0415 - only where a build fails

            if command := missing_command(words):
                message = message.partition(":\n")[0]
                remedy = f"The split isn't in Tutor's env/ yet. Run `{command}` first"
        raise RefusedBuildError(
            Problem(message=message, remedy=remedy),
            causes=BuildOutput(data=b"", notes="", report=run.report or b"").problems,
        )
    if needs_function and run.report is None and not _holds_split(overlay):
        raise UserError.of(
            f"{overlay} was built without the function: the workers in it would take all queues",
            remedy=_why_not(overlay, kustomize),
        )
    return BuildOutput(
        data=process.stdout,
        notes=harmless(run.notes + _without_secrets(process.stderr_text)),
        report=run.report or b"",
        directories=run.directories,
    )


def _holds_split(overlay: Path | str) -> bool:
    """Tell whether ``overlay`` is an env/ of Tutor's that holds the split already, so that no function has to run."""
    from pathlib import Path  # noqa: PLC0415 - only where no function ran

    from kustomizer.kustomize.split_env import split_directory  # noqa: PLC0415

    return split_directory(Path(overlay)) is not None


def _why_not(overlay: Path | str, kustomize: Kustomize) -> str:
    if kustomize.is_kubectl:
        import shlex  # noqa: PLC0415 - only where a build fails

        return (
            "kubectl skips exec functions: install kustomize, or let "
            f"`tutor-kustomizer init --refresh --kubectl {shlex.quote(str(overlay))}` write the overlay in the "
            "form that kubectl runs"
        )
    # Tutor writes it anew, so that nothing may be added by hand.
    if os.path.isfile(f"{overlay}/k8s/deployments.yml"):  # noqa: PTH113
        return (
            "It is Tutor's own output: build an overlay over it (tutor-kustomizer init), or have the Tutor plugin put "
            "the split into it (docs/tutor.md)"
        )
    return "List the configuration under `transformers:`"


def _without_secrets(words: str) -> str:
    """Return kustomize's messages with secrets masked: some of its errors print whole objects."""
    if not words:
        return ""
    from kustomizer.masking.messages import without_secrets  # noqa: PLC0415 - most builds say nothing

    return without_secrets(words)
