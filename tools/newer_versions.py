"""Say which newer versions there are of what the tests run on: Markdown on stdout, exit status 3 where there are any.

The clients of the registries are asked, pip and go. A pre-release isn't a newer version.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from installing import InstallError, main_guard, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parent.parent
EXIT_NEWER = 3


class Registered(NamedTuple):
    """Where a program's versions are listed."""

    by: str
    name: str


# Where the newest version that the tests run on stands, of each program.
TESTED = {
    "kustomize": ("Makefile", r"(?m)^KUSTOMIZE_NEWEST := (\S+)$"),
    "keda": ("tools/get_control_plane", r'(?m)^KEDA = "(.+)"$'),
    "kubernetes": ("tools/get_control_plane", r'(?m)^KUBERNETES = "(.+)"$'),
    "celery": ("requirements/dev.txt", r"(?m)^celery==(\S+)"),
    "kombu": ("requirements/dev.txt", r"(?m)^kombu==(\S+)"),
    "tutor": ("tools/get_tutor", r'"\d+": Release\("(.+?)", ".+"\),\n\}'),
    "flower": ("tools/get_flower", r'(?m)^VERSIONS = \(.*"(.+)"\)$'),
}
# Python itself isn't listed by either client: .github/workflows/test.yaml names its versions.
REGISTERED = {
    "kustomize": Registered("go", "sigs.k8s.io/kustomize/kustomize/v5"),
    "keda": Registered("go", "github.com/kedacore/keda/v2"),
    "kubernetes": Registered("go", "k8s.io/kubernetes"),
    "celery": Registered("pip", "celery"),
    "kombu": Registered("pip", "kombu"),
    "tutor": Registered("pip", "tutor"),
    "flower": Registered("pip", "flower"),
}


def pinned() -> dict[str, str]:
    """Return the newest version of each program that the tests run on."""
    found = {}
    for program, (path, pattern) in TESTED.items():
        match = re.search(pattern, (ROOT / path).read_text())
        if match is None:
            raise InstallError(f"{path} doesn't say any more which {program} the tests run on")
        found[program] = match[1]
    return found


def numbers(version: str) -> tuple[int, ...]:
    """Return a release's numbers, none for what isn't a release."""
    release = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:\.post\d+)?", version)
    return tuple(int(number) for number in release[1].split(".")) if release else ()


def newest(versions: list[str]) -> str:
    """Return the newest release of ``versions``, empty where there is none."""
    best = max(versions, key=numbers, default="")
    return best.removeprefix("v") if numbers(best) else ""


def listed(registered: Registered) -> list[str]:
    """Return every version that a registry has."""
    if registered.by == "pip":
        answer = run([sys.executable, "-m", "pip", "index", "versions", registered.name])
        found = re.search(r"(?m)^Available versions: (.*)$", answer)
        return found[1].split(", ") if found else []
    # Outside of any module, whose requirements would count.
    with tempfile.TemporaryDirectory() as scratch:
        command = ["go", "-C", scratch, "list", "-m", "-versions", registered.name]
        return run(command, env={**os.environ, "GO111MODULE": "on", "GOFLAGS": ""}).split()[1:]


def report(versions: Mapping[str, str], ask: Callable[[Registered], list[str]]) -> str:
    """Return a table of what is newer than ``versions``, empty where nothing is."""
    rows = []
    for program, registered in REGISTERED.items():
        found = newest(ask(registered))
        if not found:
            raise InstallError(f"{registered.by} lists no version of {registered.name}")
        if numbers(found) > numbers(versions[program]):
            rows.append(f"| {program} | {versions[program]} | {found} |\n")
    head = "| what | the tests run on | newest |\n| --- | --- | --- |\n"
    return f"{head}{''.join(rows)}" if rows else ""


def main() -> None:
    """Ask, and print."""
    text = report(pinned(), listed)
    sys.stdout.write(text)
    sys.exit(EXIT_NEWER if text else 0)


if __name__ == "__main__":
    main_guard(main)
