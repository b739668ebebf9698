"""`make bench`: measures the function beside other ways to do the same, on this machine, in one run.

Times on a busy machine say little, and less on another one; what counts is how many times the time of its neighbour in
the table a row takes. So the commands of a table run in turn, round by round, and each ratio is the median of the
rounds' own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import commands, inputs
from benchmarks.goals import goals, summary
from benchmarks.measure import BenchError, Case, Rounds, interleave, run
from benchmarks.names import (
    BARE,
    CAT,
    COMMAND,
    EXEC,
    GO_IDENTITY,
    GO_SAME,
    IMPORT_YAML,
    IMPORTS,
    KUBECTL,
    LEAVES_OFF,
    LEGACY,
    LEGACY_CAT,
    NO_FUNCTION,
    OLD_NAMES,
    OURS,
    OURS_FLOWER,
    PYYAML,
    READ_WRITE,
    REPLAY,
    STARTS,
    UPSTREAM,
    WITH_TUTOR,
)
from benchmarks.save import save_cases
from benchmarks.scripts import LIST_IMPORTS_CODE, PYYAML_CODE, READ_WRITE_CODE, UPSTREAM_PLUGIN
from benchmarks.table import Group, render_goals, render_group, render_slopes, write_block
from tests import parts, sites

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ROOT = sites.ROOT
RESULT = ROOT / "build" / "bench.json"
DOCUMENTS = (ROOT / "docs" / "performance.md", ROOT / "README.md")
GO_DIR = ROOT / "benchmarks"
GO_BIN = ROOT / ".tools" / "bench"
FUNCTION = ROOT / "generators" / "celery-workers"
PLUGIN_HOME = ROOT / "generators" / "plugin"


class Bench(NamedTuple):
    """What all measurements share."""

    scratch: Path
    rounds: Rounds
    only: str = ""

    def wants(self, key: str) -> bool:
        """Tell whether the table ``key`` was asked for."""
        return self.only in {"", key}

    def environment(self, **more: str) -> dict[str, str]:
        """Return an environment that has nothing of the caller's Python, Tutor or kustomize."""
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.scratch), "LANG": "C.UTF-8", **more}

    def measure(self, key: str, title: str, cases: Sequence[Case | None], *, base: str, least: int = 0) -> Group:
        """Measure the cases that there are."""
        present = [case for case in cases if case is not None]
        rounds = self.rounds._replace(least=least) if least else self.rounds
        print(f"{title}: ", end="", file=sys.stderr)
        rows = interleave(present, self.scratch / "output", rounds, lambda text: print(text, file=sys.stderr))
        group = Group(key, title, rows, len(rows[0].samples), base)
        print(f"{render_group(group)}\n", flush=True)
        return group

    def optional(self, case: Case, *, mark: str = "") -> Case | None:
        """Return ``case`` if it works, and its output holds ``mark``: a part of the project may not be there."""
        try:
            run(case, self.scratch / "output")
        except BenchError as error:
            print(f"Left out: {error}", file=sys.stderr)
            return None
        return case if mark in (self.scratch / "output").read_text() else None

    def write(self, name: str, data: bytes) -> Path:
        """Return a file that holds ``data``."""
        file = self.scratch / name
        file.write_bytes(data)
        return file


def python(*args: str) -> list[str]:
    """Return a command of the interpreter that the function runs in, started as the function starts it."""
    found = re.search(r'exec "\$python" ((?:-[A-Za-z]+ )+)', FUNCTION.read_text())
    flags = [flag for flag in (found[1].split() if found else ["-I"]) if flag != "-c"]
    return [str(parts.present(ROOT / ".venv" / "bin" / "python")), *flags, *args]


def build_go() -> bool:
    """Build the two Go functions where Go is there."""
    go = shutil.which("go")
    if go is None:
        print("Go isn't on PATH: its functions are left out", file=sys.stderr)
        return False
    GO_BIN.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-trimpath", "-o", f"{GO_BIN}/", "./..."]
    done = subprocess.run(command, cwd=GO_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"go build failed:\n{done.stderr}")
    return True


def imports(bench: Bench, stdin: Path) -> str:
    """Return the statement that imports what the function imports for this input."""
    output = bench.scratch / "imports"
    run(Case("imports", python("-c", LIST_IMPORTS_CODE, str(ROOT)), stdin, bench.environment()), output)
    return f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {', '.join(output.read_text().split())}"


def function_alone(bench: Bench, site: str, *, go: bool) -> Group:
    """Measure the function on what kustomize hands over for ``site``."""
    env = bench.environment()
    data = inputs.captured(site, inputs.spec())
    stdin = bench.write(f"{site}.yaml", data)
    flower = bench.write(f"{site}-flower.yaml", inputs.captured(site, inputs.spec(flower=True)))
    cases = [
        Case(BARE, python("-c", "pass"), stdin, env),
        Case(IMPORTS, python("-c", imports(bench, flower)), stdin, env),
        # PyYAML is in site-packages.
        Case(IMPORT_YAML, [python()[0], "-I", "-c", "import yaml"], stdin, env),
        Case(READ_WRITE, python("-c", READ_WRITE_CODE), stdin, env),
        Case(PYYAML, [python()[0], "-I", "-c", PYYAML_CODE], stdin, env),
        Case(GO_IDENTITY, [str(GO_BIN / "identity")], stdin, env) if go else None,
        Case(GO_SAME, [str(GO_BIN / "samejob")], stdin, env) if go else None,
        Case(OURS, [str(FUNCTION)], stdin, env),
        bench.optional(Case(OURS_FLOWER, [str(FUNCTION)], flower, env), mark="mher/flower"),
    ]
    title = f"The function alone, {site} site: {_size(data)}"
    return bench.measure(f"function-{site}", title, cases, base=GO_IDENTITY if go else BARE)


def whole_builds(bench: Bench, site: str) -> Group:
    """Measure `kustomize build` of ``site`` with and without the function, and what upstream's users do."""
    kustomize = sites.kustomize(sites.NEWEST)
    env_dir = sites.site(inputs.SITES[site])
    cat = bench.scratch / "plugins" / "celery.openedx.io" / "v1alpha1" / "celeryworkers" / "CeleryWorkers"
    cat.parent.mkdir(parents=True, exist_ok=True)
    # Without arguments: a legacy plugin gets the path of its configuration.
    cat.write_text("#!/bin/sh\nexec cat\n")
    cat.chmod(0o755)
    # From the object's id to the number of the call.
    leaves_off = script(
        bench, "leaves-off", "sed '/^      kustomize.config.k8s.io.id: |$/,/^      config.k8s.io.id: /d'"
    )
    spec = inputs.spec()

    def build(name: str, config: str, *, plugins: Path = cat.parents[3], through: Sequence[str] = ()) -> Case:
        directory = overlay(bench, env_dir, config)
        command = [*(through or (str(kustomize), *sites.BUILD)), str(directory)]
        return Case(name, command, env=bench.environment(KUSTOMIZE_PLUGIN_HOME=str(plugins)))

    cases = [
        build(NO_FUNCTION, ""),
        build(CAT, inputs.config(spec, function=Path("/bin/cat"))),
        build(LEAVES_OFF, inputs.config(spec, function=leaves_off)),
        build(REPLAY, inputs.config(spec, function=answering(bench, site, spec))),
        build(EXEC, inputs.config(spec, function=FUNCTION)),
        bench.optional(build(COMMAND, inputs.config(spec, function=FUNCTION), through=our_command(kustomize))),
        build(LEGACY_CAT, inputs.config(spec)),
        build(LEGACY, inputs.config(spec), plugins=PLUGIN_HOME),
        with_tutor(bench, site, UPSTREAM, kustomize, config=""),
        with_tutor(bench, site, WITH_TUTOR, kustomize, config=inputs.config(spec, function=FUNCTION)),
    ]
    return bench.measure(f"builds-{site}", f"Whole builds, {site} site", cases, base=CAT)


def script(bench: Bench, name: str, command: str) -> Path:
    """Return a program that runs ``command``."""
    path = bench.write(name, f"#!/bin/sh\nexec {command}\n".encode())
    path.chmod(0o755)
    return path


def answering(bench: Bench, site: str, spec: dict[str, Any]) -> Path:
    """Return a program that answers kustomize as the function does, at no cost: what remains is kustomize's own."""
    answer = Path(tempfile.mkdtemp(dir=bench.scratch)) / "answer.yaml"
    stdin = bench.write(f"{answer.parent.name}.yaml", inputs.captured(site, spec))
    run(Case(REPLAY, [str(FUNCTION)], stdin, bench.environment()), answer)
    return script(bench, f"{answer.parent.name}.sh", f"cat {answer}")


def tool() -> list[str]:
    """Return the command `tutor-kustomizer`."""
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from kustomizer.start import run; run()"
    return [python()[0], "-I", "-c", code, str(ROOT)]


def our_command(kustomize: Path) -> list[str]:
    """Return the command `tutor-kustomizer build`."""
    return [*tool(), "build", "--kustomize", str(kustomize)]


def many_queues(bench: Bench) -> Group:
    """Measure the build of a plain site with 300 queues, with kustomize and with our command."""
    kustomize = sites.kustomize(sites.NEWEST)
    spec = inputs.spec(queues=300)
    site = sites.site(inputs.SITES["plain"])
    directory = overlay(bench, site, inputs.config(spec, function=FUNCTION))
    old_names = overlay(bench, site, inputs.config({**spec, "settings": {"names": "Kustomize"}}, function=FUNCTION))
    replay = overlay(bench, site, inputs.config(spec, function=answering(bench, "plain", spec)))
    cases = [
        Case(NO_FUNCTION, [str(kustomize), *sites.BUILD, str(overlay(bench, site, ""))], env=bench.environment()),
        Case(OLD_NAMES, [str(kustomize), *sites.BUILD, str(old_names)], env=bench.environment()),
        Case(REPLAY, [str(kustomize), *sites.BUILD, str(replay)], env=bench.environment()),
        Case(EXEC, [str(kustomize), *sites.BUILD, str(directory)], env=bench.environment()),
        Case(COMMAND, [*our_command(kustomize), str(directory)], env=bench.environment()),
    ]
    return bench.measure("builds-queues-300", "Whole builds, plain site with 300 queues", cases, base=EXEC, least=3)


def overlay(bench: Bench, env_dir: Path, config: str) -> Path:
    """Return a new directory with a kustomization over a site, and ``config`` as its transformer."""
    return inputs.overlay(Path(tempfile.mkdtemp(dir=bench.scratch)), env_dir, config)


def with_tutor(bench: Bench, site: str, name: str, kustomize: Path, *, config: str) -> Case:
    """Return a case that renders a copy of ``site`` and builds it: with ``config``, or with tutor-contrib-celery."""
    root = Path(tempfile.mkdtemp(dir=bench.scratch))
    plugins = root / "plugins"
    plugins.mkdir()
    # The same configuration, and so the same passwords.
    shutil.copy(sites.site(inputs.SITES[site]).parent / "config.yml", root)
    tutor = sites.tutor("22")
    env = bench.environment(TUTOR_ROOT=str(root), TUTOR_PLUGINS_ROOT=str(plugins))
    if not config:
        (plugins / "workers.py").write_text(UPSTREAM_PLUGIN)
        sites.run(tutor, "plugins", "enable", "celery", "workers", env=env)
        sites.run(tutor, "config", "save", "--set=CELERY_FLOWER=true", env=env)
    else:
        sites.run(tutor, "config", "save", env=env)
    directory = overlay(bench, root / "env", config)
    script = '"$0" config save >/dev/null 2>&1 && shift && exec "$@"'
    command = ["sh", "-c", script, str(tutor), "--", str(kustomize), *sites.BUILD, str(directory)]
    return Case(name, command, env=env)


def generated(bench: Bench, key: str, *, queues: int, foreign: int, go: bool) -> Group:
    """Measure the function on a plain site with more queues, or more resources of others."""
    env = bench.environment()
    data = inputs.with_foreign(inputs.captured("plain", inputs.spec(queues=queues)), foreign)
    stdin = bench.write(f"{key}.yaml", data)
    cases = [
        Case(READ_WRITE, python("-c", READ_WRITE_CODE), stdin, env),
        Case(GO_IDENTITY, [str(GO_BIN / "identity")], stdin, env) if go else None,
        Case(GO_SAME, [str(GO_BIN / "samejob")], stdin, env) if go else None,
        Case(OURS, [str(FUNCTION)], stdin, env),
    ]
    what = f"{foreign:,} foreign resources" if foreign else f"{queues:,} queues"
    title = f"Generated, {what}: {_size(data)}"
    return bench.measure(key, title, cases, base=GO_IDENTITY if go else READ_WRITE, least=3)


def start(bench: Bench) -> Group:
    """Measure what short commands take, and how much of that is the start of Python and the imports."""
    kustomize = sites.kustomize(sites.NEWEST)
    config = inputs.config(inputs.spec(), function=FUNCTION)
    built = bench.scratch / "start.yaml"
    env = bench.environment()
    run(
        Case("build", [str(kustomize), *sites.BUILD, str(overlay(bench, sites.site("oracle"), config))], env=env), built
    )
    cases = [
        Case(STARTS, [python()[0], "-I", "-c", "pass"], env=env),
        *(
            Case(f"tutor-kustomizer {' '.join(arguments)}", [*tool(), *arguments, *files], env=env)
            for arguments, files in (
                (("--version",), ()),
                (("queues", "--help"), ()),
                (("queues",), (str(built),)),
                (("check", "--help"), ()),
                (("check",), (str(built),)),
                (("diff", "--help"), ()),
                (("diff",), (str(built), str(built))),
            )
        ),
    ]
    return bench.measure("start", "Short commands, plain site", cases, base=STARTS)


GENERATED = {"queues-10": (10, 0), "queues-100": (100, 0), "queues-1000": (1000, 0), "foreign-10000": (6, 10_000)}
PARTS = ("function", "builds", "generated", "save", "linearity", "commands")
SIZES = (0, 1000, 2500, 5000, 10_000)


def linearity(bench: Bench, *, go: bool) -> tuple[str, dict[str, Any]]:
    """Measure the function's CPU time by the size of the input."""
    env = bench.environment()
    names = [READ_WRITE, OURS, *([GO_IDENTITY] if go else [])]
    commands = [python("-c", READ_WRITE_CODE), [str(FUNCTION)], [str(GO_BIN / "identity")]]
    plain = inputs.captured("plain", inputs.spec())
    sizes = []
    cases = []
    for count in SIZES:
        data = inputs.with_foreign(plain, count)
        stdin = bench.write(f"linear-{count}.yaml", data)
        sizes.append(len(data) / 1e6)
        cases += [Case(f"{name} {count}", command, stdin, env) for name, command in zip(names, commands, strict=False)]
    group = bench.measure("linearity", "CPU time by size", cases, base=f"{OURS} 0")
    columns = [[row.cpu for row in group.rows[position :: len(names)]] for position in range(len(names))]
    slopes = [statistics.linear_regression(sizes, column).slope for column in columns]
    points = list(zip(sizes, zip(*columns, strict=True), strict=True))
    heads = ["read and write", "the function", "Go, nothing"][: len(names)]
    text = render_slopes(points, heads, slopes)
    return text, {"names": names, "megabytes": sizes, "cpu_ms": columns, "slope_ms_per_mb": slopes}


def machine() -> str:
    """Return what the numbers were measured on."""
    go = shutil.which("go")
    version = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout if go else ""
    found = re.search(r"go(\d\S+)", version)
    parts = [
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"Go {found[1]}" if found else "no Go",
        f"kustomize {sites.NEWEST}",
        "Tutor 22",
    ]
    return f"{', '.join(parts)}\nLoad when it ended: {os.getloadavg()[0]:.1f}"


def measure_all(bench: Bench) -> dict[str, Any]:
    """Measure what was asked for, printing each table as it is there, and return everything."""
    go = build_go()
    groups: dict[str, Group] = {}
    for site in inputs.SITES:
        if bench.wants("function"):
            groups[f"function-{site}"] = function_alone(bench, site, go=go)
    for site in inputs.SITES:
        if bench.wants("builds"):
            groups[f"builds-{site}"] = whole_builds(bench, site)
    if bench.wants("builds"):
        groups["builds-queues-300"] = many_queues(bench)
    for key, (queues, foreign) in GENERATED.items():
        if bench.wants("generated"):
            groups[key] = generated(bench, key, queues=queues, foreign=foreign, go=go)
    for site in inputs.SITES:
        if bench.wants("save"):
            cases = save_cases(bench.scratch, bench.environment(), site)
            groups[f"save-{site}"] = bench.measure(f"save-{site}", f"Saving env/, {site} site", cases, base=KUBECTL)
    text, lines = linearity(bench, go=go) if bench.wants("linearity") else ("", {})
    reached = goals(groups, lines.get("slope_ms_per_mb", ()))
    blocks = {key: render_group(group) for key, group in groups.items()}
    blocks |= {"linearity": text} if text else {}
    by_queues: list[commands.Measured] = []
    if bench.wants("commands"):
        print("Commands by queues: a few minutes ...", file=sys.stderr)
        by_queues = commands.measure(
            bench.scratch, bench.environment(), tool(), sites.kustomize(sites.NEWEST), FUNCTION
        )
        blocks["commands"] = commands.render(by_queues)
        groups["start"] = start(bench)
        blocks["start"] = render_group(groups["start"])
    if not bench.only:
        blocks |= {"goals": render_goals(reached), "summary": summary(groups), "machine": machine()}
    print("\n\n".join(part for part in (text, blocks.get("commands"), render_goals(reached), machine()) if part))
    return {
        "machine": machine(),
        "goals": [goal._asdict() for goal in reached],
        "groups": {key: group.as_json() for key, group in groups.items()},
        "linearity": lines,
        "commands": {row.name: row.as_json() for row in by_queues},
        "blocks": blocks,
    }


def write_documents(blocks: dict[str, str]) -> None:
    """Put what was measured into the documents that have a place for it."""
    for file in DOCUMENTS:
        if file.is_file():
            text = file.read_text()
            for key, block in blocks.items():
                text = write_block(text, key, block)
            file.write_text(text)


def _size(data: bytes) -> str:
    return f"{len(data) / 1000:,.0f} KB, {inputs.item_count(data):,} items"


def main() -> None:
    """Measure, print, and write build/bench.json."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the function beside its neighbours.")
    parser.add_argument(
        "--write-docs", action="store_true", help="put the tables into docs/performance.md and README.md"
    )
    parser.add_argument("--only", default="", choices=PARTS)
    parser.add_argument("--seconds", type=float, default=Rounds().seconds, help="for each table, about; default: 25")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            result = measure_all(Bench(Path(scratch).resolve(), Rounds(seconds=options.seconds), options.only))
    except (BenchError, FileNotFoundError, RuntimeError) as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
    if not options.only:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    if options.write_docs:
        write_documents(result["blocks"])


if __name__ == "__main__":
    main()
