"""Problems: errors, warnings and notes for the user. One class for all, so that every message has the same parts."""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ERROR = "error"
WARNING = "warning"
INFO = "info"


class ResourceRef(Record):
    """Names one Kubernetes object, as ``results[].resourceRef`` of the KRM functions specification does."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}" if self.name else self.kind


class Problem(Record):
    """One finding about the input.

    ``field`` is the path of the field within ``resource`` (``spec.workers.lms.high.queues[0]``), ``remedy`` a
    sentence that says what to do about it.
    """

    message: str
    severity: str = ERROR
    resource: ResourceRef | None = None
    field: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        where = ": ".join(filter(None, (str(self.resource or ""), self.field)))
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}. {self.remedy}" if self.remedy else text


class Subject:
    """Something that problems are about: ``ref`` is its name in messages."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def ref(self) -> ResourceRef:
            """Its name in messages."""

    def problem(self, message: str, remedy: str = "", *, field: str = "", severity: str = ERROR) -> Problem:
        """Return a problem of it, in ``field``."""
        return Problem(message=message, severity=severity, resource=self.ref, field=field, remedy=remedy)


class UserError(Exception):
    """The input can't be used as it is. Lists every problem in it, not only the first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems: Sequence[Problem] = problems

    @staticmethod
    def of(message: str, *, resource: ResourceRef | None = None, field: str = "", remedy: str = "") -> UserError:
        """Return the error of one problem."""
        return UserError(Problem(message=message, resource=resource, field=field, remedy=remedy))

    def within(self, place: object) -> UserError:
        """Return the same error with ``place``, the name of a file say, before each message."""
        return UserError(*(problem.replace(message=f"{place}: {problem.message}") for problem in self.problems))
