"""tests/pods.py: what a container of the tests has besides what was emitted."""

from __future__ import annotations

from pathlib import Path

from tests.openedx.celery.worker_cases import case
from tests.pods import Container, Objects, container


def laid_out(root: Path, *env: dict[str, str]) -> Container:
    given = case("a", env=env)
    return container(given.deployment, Objects(given.objects), root)


def test_each_has_a_temporary_directory_of_its_own(tmp_path: Path) -> None:
    places = [Path(laid_out(tmp_path / name).env["TMPDIR"]) for name in ("one", "two")]
    assert places == [tmp_path / "one" / "tmp", tmp_path / "two" / "tmp"]
    assert all(place.is_dir() for place in places)


def test_the_one_that_was_emitted_is_kept(tmp_path: Path) -> None:
    assert laid_out(tmp_path / "pod", {"name": "TMPDIR", "value": "/scratch"}).env["TMPDIR"] == "/scratch"
