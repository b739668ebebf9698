"""Finds kustomize and runs it with the flags that an exec function needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kustomizer.errors import Problem, UserError
from kustomizer.function import REPORT
from kustomizer.record import Record
from kustomizer.verbose import told

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST = (5, 2, 0)
"""Older ones can't build a site whose plugins patch the workers (several documents in a patch file)."""

FLAGS = ("--enable-alpha-plugins", "--enable-exec")


class Kustomize(Record):
    """An executable that builds kustomizations: kustomize itself, or kubectl, which runs legacy plugins only."""

    path: str
    version: str
    is_kubectl: bool = False

    def command(self, overlay: Path) -> list[str]:
        """Return the command that builds ``overlay``."""
        if self.is_kubectl:
            return [self.path, "kustomize", "--enable-alpha-plugins", str(overlay)]
        return [self.path, "build", *FLAGS, str(overlay)]

    def plain_command(self, directory: Path) -> list[str]:
        """Return the command that builds ``directory`` with no plugins enabled."""
        return [self.path, "kustomize" if self.is_kubectl else "build", str(directory)]


class BuiltSite(Record):
    """What a build printed: the resources, and what the function and kustomize had to say, and its report."""

    text: str
    notes: str
    report: bytes = b""


def find_kustomize(given: str | None = None, *, near: Path | None = None) -> Kustomize:
    """Return the kustomize to use: ``given``, else one on PATH or in ``.tools/bin`` above ``near``, else kubectl.

    Raises UserError where there is none, or one that is too old.
    """
    if given is not None:
        return _checked(given)
    candidates = [shutil.which("kustomize"), *_installed_above(near or Path.cwd())]
    refused: list[UserError] = []
    for candidate in candidates:
        if candidate is None:
            continue
        try:
            return _checked(candidate)
        except UserError as error:
            refused.append(error)
    kubectl = shutil.which("kubectl")
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


def _installed_above(directory: Path) -> list[str]:
    places = (parent / ".tools" / "bin" / "kustomize" for parent in (directory.resolve(), *directory.resolve().parents))
    return [str(place) for place in places if os.access(place, os.X_OK)]


def _checked(path: str) -> Kustomize:
    try:
        with told([path, "version"]):
            answer = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = error.strerror if isinstance(error, OSError) else "it doesn't answer"
        raise UserError(Problem(message=f"{path} can't be run: {message}")) from None
    version = answer.stdout.strip().split("\n")[-1].strip()
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


def build(
    overlay: Path, kustomize: Kustomize, *, env: Mapping[str, str] | None = None, needs_function: bool = True
) -> BuiltSite:
    """Build ``overlay``. Raises UserError with kustomize's words where it fails, or where the function didn't run.

    Without ``needs_function`` a build that the function has no part in will do.
    """
    with tempfile.TemporaryDirectory(prefix="tutor-kustomizer-") as directory:
        report = Path(directory) / "report"
        home = _plugin_home(Path(directory))
        environment = {**os.environ, **(env or {}), REPORT.decode(): str(report)}
        if home is not None:
            environment.setdefault("KUSTOMIZE_PLUGIN_HOME", str(home))
        command = kustomize.command(overlay)
        with told(command):
            done = subprocess.run(
                command, capture_output=True, text=True, encoding="utf-8", env=environment, check=False
            )
        ran = report.exists()
        reported = report.read_bytes() if ran else b""
    if done.returncode != 0:
        raise UserError(Problem(message=f"{kustomize.path} can't build {overlay}:\n{done.stderr.strip()}"))
    if needs_function and not ran:
        raise UserError(
            Problem(
                message=f"{overlay} was built without the function: the workers in it would take all queues",
                remedy=_why_not(kustomize),
            )
        )
    return BuiltSite(text=done.stdout, notes=done.stderr, report=reported)


def build_tutors(env: Path, kustomize: Kustomize) -> bytes:
    """Build what Tutor wrote into ``env``, as it is. Raises UserError where there is nothing, or kustomize fails."""
    if not (env / "kustomization.yml").is_file():
        raise UserError(
            Problem(message=f"{env} holds no kustomization.yml", remedy="Run `tutor config save` for that root first")
        )
    command = kustomize.plain_command(env)
    with told(command):
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace").strip()
        raise UserError(Problem(message=f"{kustomize.path} can't build {env}:\n{message}"))
    return done.stdout


def _why_not(kustomize: Kustomize) -> str:
    if kustomize.is_kubectl:
        return "kubectl skips exec functions: install kustomize, or list generators/legacy under `transformers:`"
    return "List the configuration under `transformers:`"


def _plugin_home(directory: Path) -> Path | None:
    """Return a plugin home in which the legacy protocol finds the function, None where there is no executable of it."""
    in_repository = Path(__file__).parent.parent / "generators" / "celery-workers"
    function = shutil.which("tutor-celery-workers") or (in_repository if in_repository.exists() else None)
    if function is None:
        return None
    place = directory / "plugin" / "celery.openedx.io" / "v1alpha1" / "celeryworkers"
    place.mkdir(parents=True)
    (place / "CeleryWorkers").symlink_to(function)
    return directory / "plugin"
