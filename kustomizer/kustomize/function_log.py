"""Reads the function's report: the resources that it was given, and those that it made."""

from __future__ import annotations

from kustomizer.manifests.protocols import read_resource_list, read_stream
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.manifests.resource import Resource


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
        runs.append(Run(given=_read(protocol, rest[:given]), made=_read(protocol, rest[given : given + made])))
        report = rest[given + made :]
    return runs


def _read(protocol: bytes, data: bytes) -> Sequence[Resource]:
    return (read_stream(data, b"{}") if protocol == b"stream" else read_resource_list(data)).resources
