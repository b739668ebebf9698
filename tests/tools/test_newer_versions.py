"""tools/newer_versions.py: which of the listed versions is newer, and what is said of it. No registry is asked."""

from __future__ import annotations

import pytest
from installing import InstallError
from newer_versions import PROGRAMS, Program, newest, numbers, report
from versions import UNBUILT

from tests import sites

TESTED = {name: program._replace(version="2.10.1") for name, program in PROGRAMS.items()}


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["5.7.0", "5.10.0", "5.9.3"], "5.10.0"),
        (["v5.8.1", "v5.8.3", "v5.9.0-rc.1"], "5.8.3"),
        (["5.6.0", "6.0.0rc1", "6.0.0.dev3", "5.6.0b2"], "5.6.0"),
        (["3.1.26.post2", "3.1.26"], "3.1.26.post2"),
        (["1.0rc1"], ""),
        ([], ""),
    ],
)
def test_the_newest_release(versions: list[str], expected: str) -> None:
    assert newest(versions) == expected


def test_nothing_is_newer() -> None:
    assert report(TESTED, lambda _: ["2.10.1", "2.9.7", "2.11.0rc1"]) == ""


def test_what_is_newer_is_a_row() -> None:
    def ask(program: Program) -> list[str]:
        return ["2.10.1", "2.11.0"] if program.name == "celery" else ["2.10.1"]

    assert report(TESTED, ask).splitlines()[2:] == ["| Celery | 2.10.1 | 2.11.0 |"]


def test_what_cannot_be_built_is_not_said_every_week() -> None:
    def ask(program: Program) -> list[str]:
        return ["2.10.1", "2.12.0"] if program.name == "celery" else ["2.10.1"]

    assert report(TESTED, ask, {"Celery": "2.12.0"}) == ""
    assert report(TESTED, ask, {"Celery": "2.11.9"}).splitlines()[2:] == ["| Celery | 2.10.1 | 2.12.0 |"]
    assert set(UNBUILT) <= set(PROGRAMS)


def test_a_registry_without_an_answer_is_an_error() -> None:
    with pytest.raises(InstallError, match=r"go lists no version of sigs\.k8s\.io/kustomize"):
        report(TESTED, lambda _: [])


def test_each_version_is_a_release() -> None:
    assert all(numbers(program.version) for program in PROGRAMS.values())
    assert PROGRAMS["kustomize"].version == sites.NEWEST
    assert PROGRAMS["Tutor"].version.startswith(f"{sites.PLAIN_SITES[-1]}.")
