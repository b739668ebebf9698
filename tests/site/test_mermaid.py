"""The picture of a site's queues: what Mermaid's grammar takes, of any name, and of sites of any size.

Held to Mermaid's own parser (10.9 and 11.17) when it was made; here to the few forms of line that it took then.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from kustomizer.site.mermaid import MAX_ARROWS, MAX_TEXT, label, mermaid
from kustomizer.site.queues import Guard, QueueRow, Scaling

ID = r"[a-z]\d+(?:_\d+)?"
LABEL = r'"((?:[A-Za-z0-9_\-.,:/() ]|#\d+;|<br>)+)"'
BOX = re.compile(rf" {{4}}({ID})(?:\(\[{LABEL}\]\)|\[{LABEL}\](?::::missing)?|\{{\{{{LABEL}\}}\}})")
ARROW = re.compile(rf" {{4}}({ID}) (?:-->|-\.-) ({ID})")
FRAME = re.compile(rf" {{2}}subgraph (s\d+)\[{LABEL}\]")

KEDA = Scaling(by="KEDA", name="scaler", minimum=0, maximum=5, list_length=40)
GUARD = Guard(late=True, counted="Zero", grace_period=600)


def row(queue: str = "a", deployment: str = "lms-worker", service: str = "lms", **more: Any) -> QueueRow:
    plain = QueueRow(
        namespace="openedx", service=service, queue=queue, deployment=deployment, scaling=KEDA, guard=GUARD
    )
    return plain.replace(**more)


def many(count: int, *tasks: str) -> list[QueueRow]:
    return [row(f"edx.lms.core.q{n:04}", f"lms-worker-q{n:04}", tasks=tasks) for n in range(count)]


def parse(text: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the boxes' labels by id, and the arrows; fails at a line of another form."""
    boxes: dict[str, str] = {}
    arrows: list[tuple[str, str]] = []
    lines = text.splitlines()
    assert lines[1] == "flowchart LR"
    depth = 0
    for line in lines[2:]:
        if box := BOX.fullmatch(line):
            assert box[1] not in boxes
            written = next(group for group in box.groups()[1:] if group is not None)
            boxes[box[1]] = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), written)
        elif arrow := ARROW.fullmatch(line):
            assert arrow[1] in boxes and arrow[2] in boxes
            arrows.append((boxes[arrow[1]], boxes[arrow[2]]))
        elif FRAME.fullmatch(line):
            depth += 1
        elif line == "  end":
            depth -= 1
        else:
            assert re.fullmatch(r'  (?:none|more)\["[^"]+"\]|  classDef missing [a-z0-9#,:-]+', line), line
    assert depth == 0
    return boxes, arrows


def test_tasks_queue_worker_and_scaler() -> None:
    _, arrows = parse(mermaid([row(tasks=("x.y", "z"))]))
    assert arrows == [
        ("x.y<br>z", "a"),
        ("a", "lms-worker"),
        ("lms-worker", "KEDA 0-5<br>a pod per 40 queued<br>in flight: Zero, 600s"),
    ]


def test_each_box_stands_once() -> None:
    boxes, arrows = parse(mermaid([row("a"), row("b"), row("b", "lms-worker-b")]))
    assert sorted(boxes.values()).count("lms-worker") == 1
    assert [arrow for arrow in arrows if arrow[0] in {"a", "b"}] == [
        ("a", "lms-worker"),
        ("b", "lms-worker"),
        ("b", "lms-worker-b"),
    ]


def test_a_queue_without_a_consumer_stands_out() -> None:
    text = mermaid([row(deployment="", tasks=("x",))])
    _, arrows = parse(text)
    assert arrows[-1] == ("a", "no worker: tasks wait for ever")
    assert ":::missing" in text
    assert "missing" not in mermaid([row()])


@pytest.mark.parametrize(
    "name", ['"]; click x "y', "a#35;b", "end", "`x`", "<script>", "ä ☃ 😀", "%%{init}%%", "a|b{c}", "x\ny", "1. one"]
)
def test_any_name_is_just_a_name(name: str) -> None:
    boxes, _ = parse(mermaid([row(name, f"w{name}", f"s{name}", tasks=(name,))]))
    assert {name, f"w{name}"} <= set(boxes.values())


def test_services_and_namespaces_have_frames() -> None:
    text = mermaid([row(), row(service="cms", deployment="cms-worker")])
    assert re.findall(r'subgraph s\d\["(.*)"\]', text) == ["lms", "cms"]
    text = mermaid([row(), row(namespace="other")])
    assert re.findall(r'subgraph s\d\["(.*)"\]', text) == ["lms in openedx", "lms in other"]
    assert 'subgraph s1["no service"]' in mermaid([row(service="")])


def test_a_site_without_workers() -> None:
    boxes, _ = parse(mermaid([]))
    assert not boxes


def test_many_tasks_of_a_queue_are_counted() -> None:
    boxes, _ = parse(mermaid([row(tasks=tuple(f"t{n}" for n in range(20)))]))
    assert boxes["t1_1"] == "t0<br>t1<br>t2<br>t3<br>t4<br>and 15 more"


@pytest.mark.parametrize(("count", "tasks"), [(100, ("x",)), (300, ()), (300, ("x", "y"))])
def test_a_large_site_is_drawn_whole(count: int, tasks: tuple[str, ...]) -> None:
    text = mermaid(many(count, *tasks))
    boxes, arrows = parse(text)
    assert len(arrows) <= MAX_ARROWS
    assert len(text) < MAX_TEXT
    assert len([box for box in boxes if box.startswith("q")]) == count
    assert "KEDA 0-5" in text


def test_what_would_not_be_drawn_is_counted() -> None:
    text = mermaid(many(2000, "x" * 80))
    boxes, arrows = parse(text)
    queues = len([box for box in boxes if box.startswith("q")])
    assert len(arrows) <= MAX_ARROWS
    assert len(text) < MAX_TEXT
    assert queues > 300
    assert f'more["and {2000 - queues} more"]' in text


def test_a_label_of_several_lines() -> None:
    assert label("a<b", "1. c") == "a#60;b<br>#49;. c"
