"""What the function tells the command that had it run: the resources that it was given, and those that it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kustomizer.record import Record
from kustomizer.resource_list import read_resource_list, read_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.resources import Resource


class Run(Record):
    """One run of the function during a build."""

    given: Sequence[Resource]
    made: Sequence[Resource]


def read_report(report: bytes) -> list[Run]:
    """Return the runs that the function appended to its report (``main`` in kustomizer/function.py writes it)."""
    runs = []
    while report:
        head, _, rest = report.partition(b"\n")
        protocol, *sizes = head.split(b" ")
        given, made = map(int, sizes)
        read = _stream if protocol == b"stream" else _list
        runs.append(Run(given=read(rest[:given]), made=read(rest[given : given + made])))
        report = rest[given + made :]
    return runs


def _list(data: bytes) -> Sequence[Resource]:
    return read_resource_list(data).resources


def _stream(data: bytes) -> Sequence[Resource]:
    return read_stream(data, b"{}").resources
