"""What is run, and how results come together."""

from __future__ import annotations

import json
from pathlib import Path

from tests.control_plane import emissions, run, scenarios
from tests.control_plane.run_site import TASK


def test_every_module_of_scenarios_is_in_the_registry() -> None:
    here = Path(scenarios.__file__).parent
    modules = {path.stem for path in here.glob("*.py")} - {"__init__"}

    text = (here / "__init__.py").read_text()
    assert modules == {name for name in modules if f"    {name}.SCENARIO,\n" in text}
    keys = [scenario.key for scenario in scenarios.SCENARIOS]
    assert len(keys) == len(set(keys))


def test_everything_runs_unless_something_is_chosen_and_what_takes_longest_first() -> None:
    everything = run.chosen((), ())

    assert len(everything) == sum(len(scenario.sites) for scenario in scenarios.SCENARIOS)
    assert everything[0][0].key == "long-tasks"
    assert [(scenario.key, site) for scenario, site in run.chosen(["dying"], [emissions.OURS])] == [("dying", "ours")]


def test_a_result_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    run.write_results(
        file, [{"scenario": "mixed", "site": "ours", "n": 1}, {"scenario": "eta", "site": "ours", "n": 2}]
    )
    run.write_results(file, [{"scenario": "mixed", "site": "ours", "n": 3}, {"scenario": "eta", "site": "upstream"}])
    run.write_results(file, [{"scenario": "no longer there", "site": "ours"}])

    assert json.loads(file.read_text())["runs"] == [
        {"scenario": "eta", "site": "upstream"},
        {"scenario": "eta", "site": "ours", "n": 2},
        {"scenario": "mixed", "site": "ours", "n": 3},
    ]


def test_the_task_that_is_sent_is_one_that_a_worker_has() -> None:
    package, function = TASK.rsplit(".", 1)
    module = Path(__file__).parent.parent / "edx_platform" / f"{package.replace('.', '/')}.py"

    assert f"@shared_task(bind=True)\ndef {function}(self, journal, seconds, dies" in module.read_text()


def test_what_it_was_measured_with_is_named() -> None:
    machine = run.machine()
    assert all(machine[name][0].isdigit() for name in ("kubernetes", "keda", "redis", "celery", "kombu"))
