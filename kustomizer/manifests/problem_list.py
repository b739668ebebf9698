"""Writes problems as YAML and reads them: the function's report has them in this form."""

from __future__ import annotations

from kustomizer.errors import Problem, ResourceRef
from kustomizer.manifests.writer import emit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = {"apiVersion": "api_version", "kind": "kind", "namespace": "namespace", "name": "name"}


def write_problems(problems: Sequence[Problem]) -> bytes:
    """Return the problems as YAML; no problems are no bytes."""
    return emit({"problems": [_data(problem) for problem in problems]}).encode() if problems else b""


def read_problems(data: bytes) -> tuple[Problem, ...]:
    """Return the problems that :func:`write_problems` has written."""
    if not data:
        return ()
    from kustomizer.manifests.full_reader import read  # noqa: PLC0415 - the function writes only
    from kustomizer.manifests.tree import plain_value  # noqa: PLC0415

    return tuple(map(_problem, plain_value(read(data.decode()))["problems"]))


def _data(problem: Problem) -> dict[str, object]:
    ref = problem.resource
    return {
        "message": problem.message,
        "severity": problem.severity,
        "field": problem.field,
        "remedy": problem.remedy,
        **({"resource": {key: getattr(ref, name) for key, name in _NAMES.items()}} if ref is not None else {}),
    }


def _problem(data: dict[str, object]) -> Problem:
    names = data.pop("resource", None)
    ref = ResourceRef(**{_NAMES[key]: str(value) for key, value in names.items()}) if isinstance(names, dict) else None
    return Problem(resource=ref, **{key: str(value) for key, value in data.items()})
