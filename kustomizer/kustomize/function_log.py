"""Reads the function's report: the resources that it was given, those that it made, and what it had to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kustomizer.errors import Problem
from kustomizer.manifests.problem_list import read_problems
from kustomizer.manifests.protocols import read_resource_list, read_stream
from kustomizer.manifests.resource import Resource
from kustomizer.record import Record


class Run(Record):
    """One run of the function during a build."""

    given: Sequence[Resource]
    made: Sequence[Resource]


def read_report(report: bytes) -> list[Run]:
    """Return the runs that the function appended to its report (``run`` in kustomizer/function.py writes it)."""
    return [
        Run(given=_read(protocol, given), made=_read(protocol, made))
        for protocol, given, made, _ in _records(report)
        if protocol != b"refused"
    ]


def problems_of(report: bytes) -> tuple[Problem, ...]:
    """Return what the function had to say, each problem once."""
    problems = (problem for *_, said in _records(report) for problem in read_problems(said))
    return tuple(dict.fromkeys(problems))


def _records(report: bytes) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Yield the protocol, what was given, what was made and what was said."""
    while report:
        head, _, rest = report.partition(b"\n")
        protocol, *sizes = head.split(b" ")
        given, made, said = map(int, sizes)
        yield protocol, rest[:given], rest[given : given + made], rest[given + made : given + made + said]
        report = rest[given + made + said :]


def _read(protocol: bytes, data: bytes) -> Sequence[Resource]:
    return (read_stream(data, b"{}") if protocol == b"stream" else read_resource_list(data)).resources
