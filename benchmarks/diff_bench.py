"""`make bench-diff`: measures `tutor-kustomizer diff` beside dyff, on this machine, in one run.

As in `make bench` the commands run in turn, and what counts is how many times the time of the other each takes. dyff
is built from source by Go where it isn't there; without Go it is left out, and the output says so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import BenchError, Case, Rounds, interleave
from benchmarks.table import Goal, Group, render_goals, render_group, write_block
from tests import sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOCUMENT = sites.ROOT / "docs" / "diff.md"
GO_BIN = sites.ROOT / ".tools" / "bench"
DYFF = "github.com/homeport/dyff/cmd/dyff@v1.12.0"
OURS = "tutor-kustomizer diff"
THEIRS = "dyff between"
COMMAND = (sys.executable, "-c", "from kustomizer.cli import run; run()", "diff")

RESOURCES = 10_000
# One of a hundred.
CHANGED = 100
SECOND, TEN_SECONDS = 1.0, 10.0


def built(site: str) -> str:
    """Return what kustomize builds of a site."""
    return sites.run(sites.kustomize(sites.NEWEST), "build", sites.site(site)).decode()


def upgraded(build: str) -> str:
    """Return a build as Tutor's next version would make it: it stamps itself on everything."""
    return build.replace("22.0.3", "22.0.4")


def copies(build: str, count: int) -> Iterator[str]:
    """Yield the documents of a build again and again, each time in another namespace."""
    documents = build.removesuffix("\n").split("\n---\n")
    for number in range(count):
        copy, index = divmod(number, len(documents))
        _, _, rest = documents[index].partition("\nmetadata:\n")
        own = [*takewhile(lambda line: line.startswith(" "), rest.split("\n"))]
        if "  namespace: openedx" in own:
            yield f"{documents[index]}\n".replace("\n  namespace: openedx\n", f"\n  namespace: site-{copy:03}\n")
        else:
            name = next(line for line in own if line.startswith("  name: "))
            yield f"{documents[index]}\n".replace(f"\n{name}\n", f"\n{name}-{copy:03}\n")


def relabelled(document: str) -> str:
    """Return a document with one label more."""
    head, metadata, rest = document.partition("\nmetadata:\n")
    return f"{head}{metadata}  generateName: changed\n{rest}"


def write_pairs(directory: Path) -> dict[str, tuple[Path, Path]]:
    """Write each pair of builds to ``directory``, and return where they are."""
    full = built("full")
    many = list(copies(full, RESOURCES))
    changed = [relabelled(text) if number % CHANGED == 0 else text for number, text in enumerate(many)]
    texts = {
        "upgrade": (full, upgraded(full)),
        "same": (full, full),
        "many": ("---\n".join(many), "---\n".join(changed)),
    }
    pairs = {}
    for name, sides in texts.items():
        pairs[name] = (directory / f"{name}-before.yaml", directory / f"{name}-after.yaml")
        for path, text in zip(pairs[name], sides, strict=True):
            path.write_text(text)
    return pairs


def dyff() -> Path | None:
    """Return the executable of dyff, built where it isn't there; None without Go."""
    executable = GO_BIN / "dyff"
    if not executable.exists():
        go = shutil.which("go")
        if go is None:
            return None
        try:
            env = {**os.environ, "GOBIN": str(GO_BIN)}
            subprocess.run([go, "install", DYFF], env=env, check=True, capture_output=True)
        except subprocess.CalledProcessError:
            return None
    return executable


def measured(key: str, title: str, pair: tuple[Path, Path], other: Path | None, rounds: Rounds) -> Group:
    """Return what comparing one pair costs."""
    cases = [Case(OURS, [*COMMAND, *map(str, pair)])]
    if other is not None:
        cases.append(Case(THEIRS, [str(other), "between", "--omit-header", *map(str, pair)]))
    rows = interleave(cases, Path(os.devnull), rounds, lambda line: print(f"{title}: {line}", file=sys.stderr))
    return Group(key, title, rows, len(rows[0].samples), OURS)


def report(groups: Sequence[Group]) -> str:
    """Return the tables, and what was wanted."""
    limits = {"upgrade": SECOND, "same": SECOND, "many": TEN_SECONDS}
    goals = [
        Goal(f"{group.title}: CPU", row.cpu / 1000, limits[group.key], " s")
        for group in groups
        if (row := group.row(OURS)) is not None
    ]
    return "\n\n".join([*map(render_group, groups), render_goals(goals)])


def main() -> None:
    """Measure, print, and write to the documents where asked."""
    parser = argparse.ArgumentParser(description="Measure the comparison of two builds.")
    parser.add_argument("--write-docs", action="store_true", help="write the table into docs/diff.md")
    given = parser.parse_args()
    rounds = Rounds(least=3)
    other = dyff()
    if other is None:
        print("dyff can't be built: is Go there, and the network?", file=sys.stderr)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            pairs = write_pairs(Path(scratch))
            groups = [
                measured("upgrade", "Full site, every object changed", pairs["upgrade"], other, rounds),
                measured("same", "Full site, nothing changed", pairs["same"], other, rounds),
                measured("many", "10,000 resources, 1 % changed", pairs["many"], other, Rounds(least=1, most=3)),
            ]
    except BenchError as error:
        raise SystemExit(f"bench-diff: {error}") from None
    text = report(groups)
    print(text)
    if given.write_docs:
        DOCUMENT.write_text(write_block(DOCUMENT.read_text(), "diff", text))


if __name__ == "__main__":
    main()
