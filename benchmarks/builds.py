"""Measures whole builds with and without the function, and the short commands."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import inputs
from benchmarks.measure import Case, run
from benchmarks.names import (
    CAT,
    COMMAND,
    EXEC,
    LEAVES_OFF,
    LEGACY,
    LEGACY_CAT,
    NO_FUNCTION,
    OLD_NAMES,
    REPLAY,
    STARTS,
    UPSTREAM,
    WITH_TUTOR,
)
from benchmarks.scripts import UPSTREAM_PLUGIN
from benchmarks.setting import FUNCTION, ROOT, answering, our_command, overlay, python, script, tool
from tests import sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.setting import Bench
    from benchmarks.table import Group

PLUGIN_HOME = ROOT / "generators" / "plugin"


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
