"""image-change: each pair once."""

from __future__ import annotations

from tests.diff.rules.two_builds import changed, found, problems
from tests.rules.small_site import deployment


def images(image: str, *names: str) -> list[str]:
    return [deployment(name, {"image": image}) for name in names]


def test_one_pair_is_told_once() -> None:
    (problem,) = problems("image-change", images("a:1", "lms", "cms", "notes"), images("a:2", "lms", "cms", "notes"))
    assert problem.severity == "info"
    assert problem.message == "a:1 becomes a:2, also in lms and notes"
    assert problem.field == "spec.template.spec.containers[cms].image"


def test_what_always_runs_is_named_before_a_job() -> None:
    before, after = (
        [*images(image, "lms"), changed(images(image, "a")[0], kind="Job", apiVersion="batch/v1")]
        for image in ("a:1", "a:2")
    )
    (problem,) = problems("image-change", before, after)
    assert problem.message == "a:1 becomes a:2, also in Job a"


def test_two_pairs() -> None:
    before = [*images("a:1", "lms"), *images("b:1", "notes")]
    assert len(found("image-change", before, [*images("a:2", "lms"), *images("b:2", "notes")])) == 2


def test_a_tag_that_moves() -> None:
    for image in ("registry:5000/a", "a:latest"):
        assert found("image-change", images("a:1", "lms"), images(image, "lms")) == [("warning", "lms")]
    assert found("image-change", images("a:1", "lms"), images(f"a@sha256:{'0' * 64}", "lms")) == [("info", "lms")]


def test_what_is_no_image() -> None:
    (before,) = images("a:1", "lms")
    assert found("image-change", [before], [changed(before, spec__paused="yes")]) == []
    plain = changed(before, spec__template__spec__containers__0__image=None)
    assert found("image-change", [plain], [before]) == []


def test_the_same_image() -> None:
    assert found("image-change", images("a:1", "lms"), images("a:1", "lms", "cms")) == []
