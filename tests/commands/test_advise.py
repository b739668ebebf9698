"""`tutor-kustomizer advise` on a recorded week in a real Prometheus, and on saved numbers."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kustomizer.advice.advise import advise as advise_changes
from kustomizer.advice.rules import RULES
from kustomizer.cli import main
from kustomizer.overlay.config_file import ConfigFile
from kustomizer.tasks.task_file import FILE, tasks_json
from tests import growth, sites
from tests.docs.pages import page
from tests.git_checkout import git
from tests.known_tasks import HIGH, HIGH_MEM, between, known, numbers, site_tasks
from tests.recorded_week import HOUR, WEEK, Run, every, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kustomizer.tasks.model import SiteTasks
    from tests.builds import Builds

DEFAULT, ON_HIGH, ON_HIGH_MEM, CMS = (
    f"celery@edx.{queue}.pod-1"
    for queue in ("lms.core.default", "lms.core.high", "lms.core.high_mem", "cms.core.default")
)
RUNS = [
    *every(60, "lms.quick", DEFAULT, 2),
    *every(2 * HOUR, "lms.report", DEFAULT, 900),
    *every(3 * HOUR, "lms.grades", ON_HIGH_MEM, 3500),
    # A burst each day: of a mean of 5.7 at a time, whichever hour it is in.
    *(
        Run("lms.mail", ON_HIGH, day * 24 * HOUR + 10 * HOUR + index * 6, 34)
        for day in range(8)
        for index in range(600)
    ),
    *every(10 * 60, "cms.index", CMS, 0.3),
]
KNOWN = site_tasks(
    known("lms.quick"),
    known("lms.report"),
    known("lms.grades", HIGH_MEM),
    known("lms.mail", HIGH),
    known("cms.index", "edx.cms.core.default"),
    known("lms.never"),
    measured=None,
)
CONFIG = """\
# Our site.
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
spec:
  defaults: {keda: {enabled: true}}
  workers:
    lms:
      high:   # Mail.
        concurrency: 1
        keda: {maxReplicas: 5}
      high_mem: {}
    cms: {high: {}, low: {}}
"""
ADVISED = {
    'spec.routing.lms["lms.report"].queue': "edx.lms.core.high_mem",
    "spec.workers.lms.default.concurrency": "1",
    "spec.workers.lms.default.keda.minReplicas": "1",
    "spec.workers.lms.high.keda.listLength": "1",
    "spec.workers.lms.high.keda.maxReplicas": "12",
    "spec.workers.lms.high_mem.concurrency": "1",
    "spec.workers.lms.high_mem.keda.listLength": "1",
    "spec.workers.cms.default.concurrency": "1",
    "spec.workers.cms.default.keda.listLength": "200",
    "spec.workers.cms.default.keda.minReplicas": "1",
}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with recorded(tmp_path_factory.mktemp("week") / "of", RUNS) as running:
        yield running.url


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An overlay with saved tasks, the current directory."""
    (tmp_path / "celery-workers.yaml").write_text(CONFIG)
    (tmp_path / FILE).write_text(tasks_json(KNOWN))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def advise(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(main, ["advise", *words])


def reasons(text: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^(spec\.\S+): (\S+)", text))


def test_a_week(prometheus: str, overlay: Path) -> None:
    done = advise("--prometheus", prometheus)
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[-1] == "Nothing was changed: --write does it"
    assert reasons(done.stdout) == ADVISED
    text = done.stdout
    assert text.startswith("Prometheus: 7 days of the last 7 days; run times above 2 h aren't told apart\n")
    assert "The site was asked for its tasks on 2026-11-29.\n" in text
    assert re.search(r"(?m)^lms high +1 +600 +34 s +0 +5.7", text)
    assert re.search(r"(?m)^cms low +0 +0$", text)
    # What is said of a change.
    assert (
        "keda.maxReplicas: 12 (now 5)\n  measured: in the busiest hour 5.7 ran at a time, 1 in a pod\n  rule: The max"
        in text
    )
    assert (
        "concurrency: 1 (now not stated, the node's CPUs)\n  measured: in an ordinary hour 0.033 ran at a time\n"
        in text
    )
    assert (
        "measured: it ran 12 times a day, and one run in twenty took 10 min or more; in its queue ran 1 short task"
        in text
    )
    assert set(re.findall(r"(?m)^  rule: (.*)$", text)) <= set(RULES)
    assert (overlay / "celery-workers.yaml").read_text() == CONFIG
    # What the page shows.
    shown = re.findall(r"(?m)^    (?:  )?(spec.*|measured: .*)$", page("advise"))
    assert len(shown) == 2
    assert all(line in text for line in shown)


def test_what_it_prints_is_a_patch_and_what_it_writes_is_the_same(
    prometheus: str, overlay: Path, builds: Builds
) -> None:
    path = overlay / "celery-workers.yaml"
    printed = advise("--prometheus", prometheus)
    git(overlay, "init", "-q")
    (overlay / "advice.txt").write_text(printed.stdout)
    git(overlay, "apply", "advice.txt")
    patched = path.read_text()
    assert patched.startswith("# Our site.\n")
    assert "      high:   # Mail.\n" in patched
    path.write_text(CONFIG)
    done = advise("--prometheus", prometheus, "--write")
    assert done.exit_code == 0, done.output
    assert done.stderr.endswith("celery-workers.yaml: changed\n")
    assert done.stdout == printed.stdout
    assert path.read_text() == patched
    spec = patched.partition("kind: CeleryWorkers\n")[2]
    built = builds.through_exec(sites.site("22"), spec)
    (overlay / "built.yaml").write_bytes(built.stdout)
    rows = json.loads(CliRunner().invoke(main, ["queues", "built.yaml", "-o", "json"]).stdout)["queues"]
    [high] = [row for row in rows if row["queue"] == HIGH]
    assert (high["scaling"]["max"], high["scaling"]["listLength"]) == (12, 1)
    [reports] = [row for row in rows if row["queue"] == HIGH_MEM]
    assert reports["tasks"] == ["lms.report"]
    again = advise("--prometheus", prometheus, "--write")
    assert "Nothing to change." in again.stdout
    assert (again.stderr, path.read_text()) == ("", patched)


def test_part_of_the_week(prometheus: str, overlay: Path) -> None:
    assert advise("--prometheus", prometheus, "--window=1d").exit_code == 0
    refused = advise("--prometheus", prometheus, "--window=20h", "--write")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "the numbers are of 20 h: less than a day says nothing of others. Ask for more" in refused.stderr
    assert (overlay / "celery-workers.yaml").read_text() == CONFIG
    assert WEEK == 7 * 24 * HOUR


def test_saved_numbers(overlay: Path) -> None:
    quick = known("lms.quick", numbers=numbers(500, between(0.1, 0.5)))
    report = known("lms.report", numbers=numbers(10, between(600, 1800)))
    (overlay / FILE).write_text(tasks_json(site_tasks(quick, report)))
    done = advise()
    assert done.exit_code == 0, done.output
    found = reasons(done.stdout)
    assert found['spec.routing.lms["lms.report"].queue'] == "edx.lms.core.long"
    assert found["spec.workers.lms.long.terminationGracePeriodSeconds"] == "1800"
    assert found["spec.workers.lms.long.concurrency"] == "1"
    # What a build will say of it.
    assert "Warning: " not in done.stderr


def test_what_a_build_will_warn_of(overlay: Path) -> None:
    text = "protectFromEviction: false, keda: {enabled: true}"
    (overlay / "celery-workers.yaml").write_text(CONFIG.replace("keda: {enabled: true}", text))
    report = known("lms.report", HIGH_MEM, numbers=numbers(10, between(3600, 7200)))
    (overlay / FILE).write_text(tasks_json(site_tasks(report)))
    done = advise()
    assert reasons(done.stdout)["spec.workers.lms.high_mem.visibilityTimeout"] == "14400"
    assert "Warning: " in done.stderr
    assert "cluster autoscaler grants 600 s" in done.stderr


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ("", f"{FILE} is missing: where the site's tasks go isn't known. Save them: tutor-kustomizer tasks . --save ."),
        (
            tasks_json(KNOWN),
            f"{FILE} holds no numbers. Name --prometheus or --flower here, or save numbers with them: ",
        ),
        ("{}", f"{FILE} doesn't hold a site's tasks"),
    ],
)
def test_nothing_to_advise_from(saved: str, said: str, overlay: Path) -> None:
    (overlay / FILE).unlink()
    if saved:
        (overlay / FILE).write_text(saved)
    refused = advise()
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"Error: {said}" in refused.stderr


def test_the_page_has_each_rule() -> None:
    text = page("advise").partition("<!-- rules -->\n")[2].partition("<!-- /rules -->")[0]
    assert text == "".join(f"- {rule}\n" for rule in RULES)


def test_it_takes_no_longer_for_each_of_many(tmp_path: Path) -> None:
    def place(count: int) -> tuple[SiteTasks, ConfigFile]:
        workers = "".join(f"      q{number}: {{}}\n" for number in range(count))
        text = f"apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nspec:\n  workers:\n    lms:\n{workers}"
        tasks = [
            known(f"lms.task{number}-{name}", f"edx.lms.core.q{number}", numbers=numbers(500, time))
            for number in range(count)
            for name, time in (("short", between(0.1, 0.5)), ("long", between(600, 1800)))
        ]
        return site_tasks(*tasks), ConfigFile(path=tmp_path / "celery-workers.yaml", text=text)

    few, lots = place(10), place(80)
    assert len(advise_changes(*lots).reasons) > 160
    small, large = (growth.calls(functools.partial(advise_changes, *given)) for given in (few, lots))
    assert large < 12 * small
