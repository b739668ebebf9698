from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks import commands, goals, inputs, measure, names, table
from kustomizer.function import run_resource_list
from tests import sites
from tests.builds import Loader


def row(name: str, *times: float) -> measure.Row:
    return measure.Row(name, [measure.Sample(cpu=time, wall=2 * time, peak=9_000) for time in times])


GROUP = table.Group("key", "Title", [row("one", 0.010, 0.030), row("two", 0.020, 0.030)], 2, "one")


@pytest.mark.parametrize("queues", [6, 25])
def test_a_site_with_more_queues_is_input_that_the_function_splits(queues: int) -> None:
    data = inputs.captured("plain", inputs.spec(queues=queues))
    output = run_resource_list(data)
    assert not output.failed, output.problems
    items = yaml.load(output.data, Loader)["items"]  # noqa: S506 - a safe loader
    assert sum(item["kind"] == "ScaledObject" for item in items) == queues


def test_foreign_resources_are_input_that_passes_through_the_function() -> None:
    plain = inputs.captured("plain", inputs.spec())
    data = inputs.with_foreign(plain, 10)
    given = yaml.load(data, Loader)  # noqa: S506 - a safe loader
    names = {(item["kind"], item["metadata"]["name"]) for item in given["items"]}
    assert len(given["items"]) == len(names) == inputs.item_count(data) == inputs.item_count(plain) + 10
    output = run_resource_list(data)
    assert not output.failed, output.problems
    assert {"other-00000", "other-00003"} <= {
        item["metadata"]["name"]
        for item in yaml.load(output.data, Loader)["items"]  # noqa: S506 - a safe loader
    }


def test_the_full_site_is_input_that_the_function_splits() -> None:
    output = run_resource_list(inputs.captured("full", inputs.spec()))
    assert not output.failed, output.problems


def test_ratios_are_those_within_a_round() -> None:
    assert GROUP.cpu_ratio("two") == pytest.approx(1.5)
    assert GROUP.wall_ratio("two") == pytest.approx(1.5)
    assert GROUP.cpu_ratio("two", "two") == pytest.approx(1)
    assert GROUP.cpu_ratio("three") is None


def test_what_a_save_takes_more_is_counted_in_builds() -> None:
    rows = [row(names.KUBECTL, 0.1, 0.2), row(names.SAVE, 1, 1), row(names.SAVE_SPLIT, 1.2, 1.6), row("other", 1, 1)]
    group = table.Group("save-plain", "S", rows, 2, names.KUBECTL)
    assert list(group.more(names.SAVE_SPLIT, names.SAVE)) == pytest.approx([2.5, 2.5])
    assert group.more(names.SAVE_AGAIN, names.SAVE) == (None, None)
    [wall, cpu, again] = goals.goals({"save-plain": group}, ())
    assert [wall.value, cpu.value] == pytest.approx([2.5, 2.5])
    assert (wall.limit, cpu.limit, again.value) == (2.6, None, None)


def test_tables_fit_into_a_terminal() -> None:
    goals = [table.Goal("a" * 90, 1.234, 1.6), table.Goal("b", 2.0, 1.6, " s"), table.Goal("c", None, 0.75)]
    slopes = table.render_slopes([(0.1, (10, 20, 30))], ["read and write", "the function", "Go, nothing"], [1, 2, 3])
    text = "\n".join([table.render_group(GROUP), table.render_goals(goals), slopes])
    assert max(map(len, text.splitlines())) <= table.WIDTH
    assert re.search(r"^two +25\.0 +50\.0 +9\.0 +1\.50 +1\.50$", text, re.MULTILINE)
    assert re.search(r"^a+ +1\.23 +1\.6 +yes$", text, re.MULTILINE)
    assert re.search(r"^b +2\.00 s +1\.6 s +no$", text, re.MULTILINE)
    assert re.search(r"^c +- +0\.75$", text, re.MULTILINE)


def test_names_of_rows_fit_into_the_table() -> None:
    rows = [value for key, value in vars(names).items() if key.isupper()]
    assert len(rows) > 10
    assert all(len(name) <= table.NAME_WIDTH for name in rows)


def test_the_few_numbers_of_the_readme() -> None:
    function = [row(names.GO_IDENTITY, 0.02), row(names.OURS, 0.05), row(names.OURS_FLOWER, 0.03)]
    builds = [row(names.CAT, 0.4), row(names.EXEC, 0.3), row(names.COMMAND, 0.2), row(names.UPSTREAM, 2)]
    groups = {
        **{f"function-{site}": table.Group("f", "F", function, 1, names.GO_IDENTITY) for site in inputs.SITES},
        **{f"builds-{site}": table.Group("b", "B", builds, 1, names.CAT) for site in inputs.SITES},
        "queues-1000": table.Group("q", "Q", [row(names.OURS, 0.4)], 1, names.OURS),
    }
    text = goals.summary(groups)
    assert max(map(len, text.splitlines())) <= table.WIDTH
    assert re.findall(r"\d\.\d\d +\d\.\d\d$", text, re.MULTILINE) == [
        f"{x}      {x}" for x in ("1.50", "0.75", "0.50", "0.10")
    ]
    assert text.splitlines()[0].split() == list(inputs.SITES)
    assert text.endswith("1,000 queues: 0.40 s CPU, 9 MB")


def test_a_document_gets_its_tables_again_and_again() -> None:
    document = "before\n<!-- bench:x -->\n<!-- /bench:x -->\nafter\n"
    once = table.write_block(document, "x", r"\1 one")
    assert once == "before\n<!-- bench:x -->\n```\n\\1 one\n```\n<!-- /bench:x -->\nafter\n"
    assert table.write_block(table.write_block(once, "x", "two"), "x", r"\1 one") == once
    assert table.write_block(document, "y", "other") == document
    with pytest.raises(measure.BenchError):
        table.write_block("<!-- bench:x -->", "x", "one")


def test_the_meter_counts_what_a_command_waited_for(tmp_path: Path) -> None:
    stdin = tmp_path / "stdin"
    stdin.write_text("text")
    case = measure.Case("cat", ["sh", "-c", "cat; true"], stdin)
    sample = measure.run(case, tmp_path / "stdout")
    assert (tmp_path / "stdout").read_text() == "text"
    assert sample.wall > 0
    assert sample.peak > 0


def test_a_command_that_fails_stops_the_benchmarks(tmp_path: Path) -> None:
    case = measure.Case("broken", [sys.executable, "-c", "import sys; sys.exit('what it said')"])
    with pytest.raises(measure.BenchError, match="what it said"):
        measure.run(case, tmp_path / "stdout")


def test_the_command_tells_its_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench", "--help"],
        cwd=sites.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--write-docs" in done.stdout


def test_growth_is_that_of_a_queue() -> None:
    samples = {queues: measure.Sample(cpu=cpu, wall=cpu, peak=90_000) for queues, cpu in ((100, 1.0), (400, 6.0))}
    measured = commands.Measured("check", samples, foreign=None)

    assert measured.growth == pytest.approx(1.5)
    assert commands.Measured("check", {100: samples[100]}, foreign=None).growth is None


def test_the_commands_table_fits_into_a_terminal() -> None:
    samples = {queues: measure.Sample(cpu=123.4, wall=1.0, peak=900_000) for queues in commands.QUEUES}
    text = commands.render([commands.Measured("export, the second time", samples, foreign=samples[10])])

    assert all(len(line) <= table.WIDTH for line in text.splitlines()), text
    assert "0.25" in text
