"""The tables and the picture, from results that are written here by hand."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from tests.control_plane import emissions, report
from tests.control_plane.picture import draw

QUEUE = "edx.lms.core.high_mem"


def run(scenario: str, site: str, **counts: int) -> dict[str, Any]:
    waits = {"tasks": 12, "never": counts.pop("never", 0), "median": 9.5, "p95": 80.0, "worst": 905.0}
    none = {
        "done": 12,
        "starts": 13,
        "lost": 0,
        "doubled": 0,
        "again": 0,
        "cut_off": 0,
        "took": 1980.0,
        "pod_seconds": 7200.0,
    }
    return {
        "scenario": scenario,
        "site": site,
        "outcome": {"sent": 12, **none, "most_pods": 5, "waits": {QUEUE: waits}, **counts},
        "watched": 5400,
        "load_average": [2.0, 9.5],
        "timeline": {
            "step": 60,
            "queues": {QUEUE: {"pods": [0, 1, 2], "waiting": [2, 0, 0], "running": [0, 2, 0]}},
        },
    }


RUNS = [
    run("dying", emissions.UPSTREAM, lost=1),
    run("dying", emissions.OURS),
    run("dying", emissions.WITHOUT_REJECT, doubled=2, lost=3),
    run("steady", emissions.UPSTREAM, lost=7, never=7),
    run("steady", emissions.OURS, doubled=2, lost=3),
    run("mixed", emissions.PLAIN),
]


def test_the_headline_has_a_line_for_each_scenario_that_both_have_run() -> None:
    _, _, *lines = report.headline(RUNS).splitlines()

    assert [line.split("|")[2:4] for line in lines] == [
        [" **7 lost** of 12 ", " **3 lost, 2 doubled** of 12 "],
        [" **1 lost** of 12 ", " none of 12 "],
    ]


def test_every_run_has_its_line() -> None:
    _, _, *lines = report.losses(RUNS).splitlines()

    assert len(lines) == len(RUNS)
    assert lines[0] == "| steady | tutor-contrib-celery 22 | 12 | 13 | 7 | 0 | 0 | 0 | 10 s | never (7) | 5 | 120 |"
    assert lines[1] == "| steady | ours | 12 | 13 | 3 | 2 | 0 | 0 | 10 s | 15:05 min | 5 | 120 |"


def test_the_mixed_load_has_a_line_for_each_queue() -> None:
    assert report.cost(RUNS).splitlines()[2:] == [
        f"| Tutor 22 alone | `{QUEUE}` | 12 | 10 s | 80 s | 15:05 min | 0 | 120 pod minutes in 90 |"
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (99.4, "99 s"), (119.7, "2:00 min"), (3600, "60:00 min")])
def test_a_time_reads_as_one(seconds: float, text: str) -> None:
    assert report.clock(seconds) == text


def test_a_block_takes_the_place_of_the_one_before_and_nothing_else() -> None:
    document = "a\n<!-- control-plane:x -->\nold\n<!-- /control-plane:x -->\nb\n"

    written = report.write_block(document, "x", r"new \1")
    assert written == "a\n<!-- control-plane:x -->\nnew \\1\n<!-- /control-plane:x -->\nb\n"
    assert report.write_block(written, "y", "z") == written
    with pytest.raises(ValueError, match="has no"):
        report.write_block("<!-- control-plane:x -->", "x", "y")


def test_the_picture_is_well_formed_and_shows_both_sites() -> None:
    picture = draw(RUNS, {"steady": "12 tasks"})

    root = ElementTree.fromstring(picture)  # noqa: S314 - it is our own
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "tutor-contrib-celery 22: 12 of 12 tasks done, 7 lost" in texts
    assert "12 tasks" in texts
    assert "tutor-kustomizer: 12 of 12 tasks done, 3 lost" in texts
    assert draw(RUNS, {"steady": "12 tasks"}) == picture


def test_the_picture_ends_where_nothing_is_left_to_see() -> None:
    long = run("steady", emissions.OURS)
    long["timeline"]["queues"][QUEUE] = {"pods": [1] + [0] * 99, "waiting": [0] * 100, "running": [0] * 100}

    assert ">1 min<" in draw([long], {"steady": "12 tasks"})
    assert ">100 min<" not in draw([long], {"steady": "12 tasks"})


def test_the_short_form_has_the_sites_side_by_side() -> None:
    runs = [run("mixed", site) for site in (emissions.PLAIN, emissions.UPSTREAM, emissions.OURS)]

    assert report.short(runs).splitlines() == [
        "| wait, median (longest) | Tutor 22 alone | tutor-contrib-celery 22 | ours |",
        "| --- | --- | --- | --- |",
        f"| `{QUEUE}` | 10 s (15:05 min) | 10 s (15:05 min) | 10 s (15:05 min) |",
        "| lost | 0 of 12 | 0 of 12 | 0 of 12 |",
        "| the last one done after | 33:00 min | 33:00 min | 33:00 min |",
        "| cost | 120 pod minutes in 90 | 120 pod minutes in 90 | 120 pod minutes in 90 |",
    ]


def test_what_is_in_the_documents_is_what_was_measured() -> None:
    results = report.read_results()
    for file in report.DOCUMENTS:
        text = file.read_text()
        for key, block in report.blocks(results).items():
            assert report.write_block(text, key, block) == text, f"{file} differs: python -m tests.control_plane.report"
    assert report.PICTURE.read_text() == report.picture(results)
