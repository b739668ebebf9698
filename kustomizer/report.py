"""What the function tells the command that had it run: the resources that it was given, and those that it made."""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.resources import Resource


class Run(Record):
    """One run of the function during a build."""

    given: Sequence[Resource]
    made: Sequence[Resource]


class RunParts(Record):
    """One run as it stands in the report: what went in, what came out, and what the function told the user.

    ``config`` is a legacy plugin's own file; it is empty where the configuration stands in a ResourceList.
    """

    protocol: bytes
    given: bytes
    made: bytes
    config: bytes
    said: bytes


def split_report(report: bytes) -> list[RunParts]:
    """Return the runs that the function appended to its report (``main`` in kustomizer/function.py writes it)."""
    runs = []
    while report:
        head, _, report = report.partition(b"\n")
        protocol, *sizes = head.split(b" ")
        parts = []
        for size in map(int, sizes):
            parts.append(report[:size])
            report = report[size:]
        given, made, config, said = parts
        runs.append(RunParts(protocol=protocol, given=given, made=made, config=config, said=said))
    return runs


def read_report(report: bytes) -> list[Run]:
    """Return the runs of a report with the resources read."""
    from kustomizer.resource_list import read_resource_list, read_stream  # noqa: PLC0415 - `build` doesn't read them

    def read(run: RunParts, data: bytes) -> Sequence[Resource]:
        return (read_stream(data, b"{}") if run.protocol == b"stream" else read_resource_list(data)).resources

    return [Run(given=read(run, run.given), made=read(run, run.made)) for run in split_report(report)]
