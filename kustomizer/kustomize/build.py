"""Finds kustomize and runs it with the flags that an exec function needs."""

from __future__ import annotations

import os

from kustomizer import REPORT
from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.build_output import BuiltSite
from kustomizer.kustomize.plugin_home import make_plugin_home, own_function
from kustomizer.record import Record
from kustomizer.system import processes
from kustomizer.system.command_log import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from kustomizer.system.processes import Finished, Running, Scratch

OLDEST = (5, 2, 0)
"""Older ones can't build a site whose plugins patch the workers (several documents in a patch file)."""

FLAGS = ("--enable-alpha-plugins", "--enable-exec")

_GUARD = "nothing selected by ConfigMap"
"""What kustomize says where our guard stops a build."""
_OTHER_GUARD = (
    "The function ran. If it is the guard that looks for this, let it name SERVICE-worker-celery-settings, "
    "of a service that the configuration splits"
)
_A_WHILE = 30
"""Seconds that an answer to `kustomize version` may take."""
_MEMORY_FOR_TIME = "400"
"""What GOGC is for kustomize: Go's garbage collector, which by default (100) is a third of a build's CPU time, lets the
heap grow to five times what is in use. That is 150 MB for a site with every plugin."""


class Kustomize(Record):
    """An executable that builds kustomizations: kustomize itself, or kubectl, which runs legacy plugins only."""

    path: str
    version: str
    is_kubectl: bool = False

    def command(self, overlay: Path | str) -> list[str]:
        """Return the command that builds ``overlay``."""
        if self.is_kubectl:
            return [self.path, "kustomize", "--enable-alpha-plugins", str(overlay)]
        return [self.path, "build", *FLAGS, str(overlay)]

    def plain_command(self, directory: Path | str) -> list[str]:
        """Return the command that builds ``directory`` with no plugins enabled."""
        return [self.path, "kustomize" if self.is_kubectl else "build", str(directory)]


def find_kustomize(given: str | None = None, *, near: Path | str | None = None) -> Kustomize:
    """Return the kustomize to use: ``given``, else one on PATH or in ``.tools/bin`` above ``near``, else kubectl.

    Raises UserError where there is none, or one that is too old.
    """
    if given is not None:
        return _checked(given)
    refused: list[UserError] = []
    for candidate in _candidates(near):
        try:
            return _checked(candidate)
        except UserError as error:
            refused.append(error)
    kubectl = processes.which("kubectl")
    if kubectl is not None:
        return Kustomize(path=kubectl, version="", is_kubectl=True)
    if refused:
        raise refused[0]
    raise UserError(
        Problem(
            message="there is no kustomize on PATH",
            remedy="Install kustomize 5.2 or newer (https://kubectl.docs.kubernetes.io/installation/kustomize/)",
        )
    )


def _candidates(near: Path | str | None) -> Iterator[str]:
    """Yield kustomize on PATH, and those in ``.tools/bin`` above ``near``, or above the working directory."""
    on_path = processes.which("kustomize")
    if on_path is not None:
        yield on_path
    directory = os.path.realpath(near or ".")
    while True:
        place = os.path.join(directory, ".tools", "bin", "kustomize")  # noqa: PTH118 - pathlib costs 5 ms to import
        if os.access(place, os.X_OK):
            yield place
        if directory == os.path.dirname(directory):  # noqa: PTH120
            return
        directory = os.path.dirname(directory)  # noqa: PTH120


def _checked(path: str) -> Kustomize:
    with processes.Scratch() as scratch:
        command = [path, "version"]
        with told(command):
            asked = _started(command, scratch)
            return _recent(path, asked)


def _started(command: list[str], scratch: Scratch, *, env: Mapping[str, str] | None = None) -> Running:
    try:
        return processes.Running(command, scratch.path, env=env)
    except OSError as error:
        raise UserError(Problem(message=f"{command[0]} can't be run: {error.strerror}")) from None


def _recent(path: str, asked: Running) -> Kustomize:
    """Return the kustomize at ``path``, which was ``asked`` for its version. Raises UserError where it is too old."""
    if not asked.ends_within(_A_WHILE):
        raise UserError(Problem(message=f"{path} can't be run: it doesn't answer"))
    version = asked.wait().stdout.decode(errors="replace").strip().split("\n")[-1].strip()
    if not version:
        raise UserError(Problem(message=f"{path} isn't kustomize: `{path} version` prints nothing"))
    numbers = version.rpartition("/")[2].lstrip("v").partition("-")[0].split(".")
    # Builds by `go install` before 5.8 call themselves (devel): take those at their word that they are recent.
    if all(number.isdigit() for number in numbers) and tuple(map(int, numbers)) < OLDEST:
        raise UserError(
            Problem(
                message=f"{path} is kustomize {version}, which can't build a Tutor site with plugins",
                remedy="Install kustomize 5.2 or newer",
            )
        )
    return Kustomize(path=path, version=version)


def find_and_build(overlay: str, given: str | None) -> BuiltSite:
    """Return what ``build(overlay, find_kustomize(given, near=overlay))`` does, and ask for the version meanwhile."""
    path = given or next(_candidates(overlay), None)
    if path is not None:
        with processes.Scratch() as scratch:
            try:
                asked = _started([path, "version"], scratch)
                try:
                    done = _run(overlay, Kustomize(path=path, version=""), scratch)
                    kustomize = _recent(path, asked)
                finally:
                    asked.stop()
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
) -> BuiltSite:
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
    with told(command, env={**(env or {}), **added}):
        return _started(command, scratch, env={**environment, **added}).wait()


def _report(scratch: Scratch) -> str:
    return f"{scratch.path}/report"


def _outcome(
    overlay: Path | str, kustomize: Kustomize, done: Finished, scratch: Scratch, *, needs_function: bool = True
) -> BuiltSite:
    """Return what the build gave that ran in ``scratch``, or raise UserError as :func:`build` does."""
    report = _content(_report(scratch))
    if done.status != 0:
        words = done.said.strip() or f"exit status {done.status}"
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
    return BuiltSite(data=done.stdout, notes=done.said, report=report or b"")


def build_tutors(env: Path, kustomize: Kustomize) -> bytes:
    """Build what Tutor wrote into ``env``, as it is. Raises UserError where there is nothing, or kustomize fails."""
    if not (env / "kustomization.yml").is_file():
        raise UserError(
            Problem(message=f"{env} holds no kustomization.yml", remedy="Run `tutor config save` for that root first")
        )
    command = kustomize.plain_command(env)
    with processes.Scratch() as scratch, told(command):
        done = _started(command, scratch).wait()
    if done.status != 0:
        raise UserError(Problem(message=f"{kustomize.path} can't build {env}:\n{done.said.strip()}"))
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
