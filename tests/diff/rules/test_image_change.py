"""image-change: each pair once."""

from __future__ import annotations

from tests.diff.rules.two_builds import found, problems
from tests.rules.small_site import deployment


def images(image: str, *names: str) -> list[str]:
    return [deployment(name, {"image": image}) for name in names]


def test_one_pair_is_told_once() -> None:
    (problem,) = problems("image-change", images("a:1", "lms", "cms", "notes"), images("a:2", "lms", "cms", "notes"))
    assert problem.severity == "info"
    assert problem.message == "a:1 becomes a:2, also in lms and notes"
    assert problem.field == "spec.template.spec.containers[cms].image"


def test_two_pairs() -> None:
    before = [*images("a:1", "lms"), *images("b:1", "notes")]
    assert len(found("image-change", before, [*images("a:2", "lms"), *images("b:2", "notes")])) == 2


def test_a_tag_that_moves() -> None:
    for image in ("registry:5000/a", "a:latest"):
        assert found("image-change", images("a:1", "lms"), images(image, "lms")) == [("warning", "lms")]
    assert found("image-change", images("a:1", "lms"), images(f"a@sha256:{'0' * 64}", "lms")) == [("info", "lms")]


def test_the_same_image() -> None:
    assert found("image-change", images("a:1", "lms"), images("a:1", "lms", "cms")) == []
