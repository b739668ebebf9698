"""A Tutor root for tests of the split in env/: a real site, with the entry that Tutor would render for us."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from kustomizer.kustomize.split_env import missing_entry
from kustomizer.kustomize.split_names import FILE
from tests import sites
from tests.builds import environment

if TYPE_CHECKING:
    from pathlib import Path

START = "from kustomizer.start import run; run()"
ENTRY = f"- {missing_entry('tutor config save')}\n"
ALL = """\
spec:
  defaults: {keda: {enabled: true}, podDisruptionBudget: {maxUnavailable: 1}}
  workers:
    lms:
      default: {keda: {minReplicas: 1, replaceHPA: true}}
      high: {resources: {limits: {memory: 2Gi}}}
      high_mem: {concurrency: 1, keda: {inFlight: Slots, listLength: 1, maxReplicas: 5}}
    cms: {default: {keda: {minReplicas: 1, replaceHPA: true}}, high: {}, low: {}}
  routing:
    lms: {lms.djangoapps.grades.tasks.recalculate_subsection_grade_v3: {queue: edx.lms.core.high}}
  flower:
    enabled: true
    basicAuth: {existingSecret: {name: flower-auth, key: auth}}
    serviceMonitor: {enabled: true}
    dashboard: {enabled: true}
  monitoring: {prometheusRule: {enabled: true}}
"""
"""A configuration that asks for everything that a split can have."""


def fresh_root(directory: Path, site: str) -> Path:
    """Return a root in ``directory`` whose env/ is as Tutor has just rendered it with the plugin on."""
    shutil.copytree(sites.site(site), directory / "env")
    render_again(directory, site)
    return directory


def render_again(root: Path, site: str) -> None:
    """Write env/kustomization.yml as Tutor does at each save."""
    text = (sites.site(site) / FILE).read_text()
    assert text.count("- k8s/volumes.yml\n") == 1
    (root / "env" / FILE).write_text(text.replace("- k8s/volumes.yml\n", f"- k8s/volumes.yml\n{ENTRY}"))


def command(
    home: Path, *arguments: str | Path, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours, which builds with kustomize, as a user with this home does."""
    return subprocess.run(
        [sys.executable, "-c", START, *map(str, arguments), "--kustomize", str(sites.kustomize(sites.NEWEST))],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment(home, PYTHONPATH=str(sites.ROOT), **environ),
    )
