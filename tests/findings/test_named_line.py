"""The line that an error without a field speaks of; tests/commands/test_check.py has those of real builds."""

from __future__ import annotations

import pytest

from kustomizer.findings.locations import named_line

TOP = "o/kustomization.yaml"
TEXTS = {
    TOP: "# transformers: run.sh\nkind: Kustomization\nresources:\n- ../env\n- x.yaml\ntransformers:\n- y/run.sh\n",
    "o/x.yaml": "kind: A\n---\nkind: CeleryWorkers\nname: bad-name\n",
}


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("o/x.yaml: not YAML in line 2, column 1", ("o/x.yaml", 2)),
        ("/bin/kustomize can't build o/x.yaml:\nError: from 'x.yaml': yaml: line 4: a tab", ("o/x.yaml", 4)),
        ("not YAML in line 3", (TOP, 3)),
        # There is no such line, or file.
        ("o/x.yaml: not YAML in line 20", ("o/x.yaml", 1)),
        ("other-x.yaml: not YAML", (TOP, 1)),
        ('unknown field "resources"', (TOP, 3)),
        ("List it under `transformers:`", (TOP, 6)),
        ("accumulating resources from '../env': nothing there", (TOP, 4)),
        ("the build would run o/y/run.sh", (TOP, 7)),
        ("o/x.yaml: holds two of kind CeleryWorkers", ("o/x.yaml", 3)),
        ("the ConfigMap bad-name is there twice in x.yaml", ("o/x.yaml", 4)),
        ("nothing of all this", (TOP, 1)),
    ],
)
def test_the_line_that_is_spoken_of(message: str, place: tuple[str, int]) -> None:
    assert named_line(message, TEXTS, TOP) == place


def test_nothing_is_known_of_the_overlay() -> None:
    assert named_line("not YAML in line 3", {}, TOP) == (TOP, 1)
