"""Say which newer versions there are of what the tests run on: Markdown on stdout, exit status 3 where there are any.

The clients of the registries are asked, pip and go. A pre-release isn't a newer version, nor is one that was tried and
can't be built.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from installing import InstallError, main_guard, run
from versions import (
    ACT,
    ARGO_CD,
    CELERY,
    FLOWER,
    KEDA,
    KUBERNETES,
    KUSTOMIZE,
    KUSTOMIZE_CONTROLLER,
    SOURCE_CONTROLLER,
    TUTOR,
    UNBUILT,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXIT_NEWER = 3


class Program(NamedTuple):
    """What the tests run on, and where its versions are listed."""

    version: str
    by: str
    name: str


# Python itself isn't listed by either client: .github/workflows/test.yaml names its versions.
PROGRAMS = {
    "kustomize": Program(KUSTOMIZE.newest, "go", "sigs.k8s.io/kustomize/kustomize/v5"),
    "KEDA": Program(KEDA.newest, "go", "github.com/kedacore/keda/v2"),
    "Kubernetes": Program(KUBERNETES, "go", "k8s.io/kubernetes"),
    "Flux's source-controller": Program(SOURCE_CONTROLLER, "go", "github.com/fluxcd/source-controller"),
    "Flux's kustomize-controller": Program(KUSTOMIZE_CONTROLLER, "go", "github.com/fluxcd/kustomize-controller"),
    "Argo CD": Program(ARGO_CD, "go", "github.com/argoproj/argo-cd/v3"),
    "act": Program(ACT, "go", "github.com/nektos/act"),
    "Celery": Program(CELERY.newest, "pip", "celery"),
    "Tutor": Program(TUTOR[max(TUTOR, key=int)], "pip", "tutor"),
    "Flower": Program(FLOWER.newest, "pip", "flower"),
}


def numbers(version: str) -> tuple[int, ...]:
    """Return a release's numbers, none for what isn't a release."""
    release = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:\.post\d+)?", version)
    return tuple(int(number) for number in release[1].split(".")) if release else ()


def newest(versions: list[str]) -> str:
    """Return the newest release of ``versions``, empty where there is none."""
    best = max(versions, key=numbers, default="")
    return best.removeprefix("v") if numbers(best) else ""


def listed(program: Program) -> list[str]:
    """Return every version that a registry has."""
    if program.by == "pip":
        answer = run([sys.executable, "-m", "pip", "index", "versions", program.name])
        found = re.search(r"(?m)^Available versions: (.*)$", answer)
        return found[1].split(", ") if found else []
    # Outside of any module, whose requirements would count.
    with tempfile.TemporaryDirectory() as scratch:
        command = ["go", "-C", scratch, "list", "-m", "-versions", program.name]
        return run(command, env={**os.environ, "GO111MODULE": "on", "GOFLAGS": ""}).split()[1:]


def report(
    programs: Mapping[str, Program], ask: Callable[[Program], list[str]], unbuilt: Mapping[str, str] = UNBUILT
) -> str:
    """Return a table of what is newer than the versions of ``programs`` and ``unbuilt``, empty where nothing is."""
    rows = []
    for name, program in programs.items():
        found = newest(ask(program))
        if not found:
            raise InstallError(f"{program.by} lists no version of {program.name}")
        if numbers(found) > max(numbers(program.version), numbers(unbuilt.get(name, ""))):
            rows.append(f"| {name} | {program.version} | {found} |\n")
    head = "| what | the tests run on | newest |\n| --- | --- | --- |\n"
    return f"{head}{''.join(rows)}" if rows else ""


def main() -> None:
    """Ask, and print."""
    text = report(PROGRAMS, listed)
    sys.stdout.write(text)
    sys.exit(EXIT_NEWER if text else 0)


if __name__ == "__main__":
    main_guard(main)
