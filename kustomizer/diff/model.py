"""The types of a comparison of two builds. They hold no password: all values are masked before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from kustomizer.errors import ERROR, Problem, ResourceRef
from kustomizer.findings.ignores import Ignored
from kustomizer.findings.model import Finding
from kustomizer.masking.marks import ABSENT
from kustomizer.record import Record

ADD = "add"
CHANGE = "change"
REPLACE = "replace"
"""A change that Kubernetes refuses: the object has to be deleted and created again."""
DESTROY = "destroy"
ACTIONS = (DESTROY, REPLACE, CHANGE, ADD)
"""The actions, the riskiest first."""

HASH = "(hash)"
CHANGED_HASH = "(hash, changed)"
"""Replace the hash in a generated ConfigMap's name; SECRET and CHANGED_SECRET replace that of a Secret."""


class Key(Record):
    """Identifies an item of a list by some of its fields, as ``name`` identifies a container."""

    fields: Sequence[tuple[str, str]]
    """The identifying fields and their values: ``(("containerPort", "8000"), ("protocol", "TCP"))``."""

    def __str__(self) -> str:
        if len(self.fields) == 1:
            return f"[{self.fields[0][1]}]"
        return f"[{','.join(f'{name}={value}' for name, value in self.fields)}]"


Step: TypeAlias = "str | int | Key"
Path: TypeAlias = "tuple[Step, ...]"


class Hunk(Record):
    """Lines that differ, and their neighbours, as in a unified diff."""

    before: int
    """The number of its first line in the text before, from 1."""
    after: int
    """The number of its first line in the text after, from 1."""
    lines: Sequence[str]
    """Each begins with ``-``, ``+`` or a blank, and has no newline at its end."""


class ValueChange(Record):
    """A field that differs; ``before`` and ``after`` are plain values, masked."""

    path: Path
    before: Any = ABSENT
    after: Any = ABSENT
    index: int | None = None
    """The place of an item that is added to a keyed list, from 0."""


class TextChange(Record):
    """A text of several lines that differs: a file of a ConfigMap, a script in an argument."""

    path: Path
    hunks: Sequence[Hunk]
    newline_at_end: tuple[bool, bool]
    """Whether the text ended in a newline before, and after."""


class OrderChange(Record):
    """The items of a keyed list in another order; changes of the items are changes of their own."""

    path: Path
    after: Sequence[Key]
    """All items of the list afterwards, in their order."""


class ArgumentsChange(Record):
    """The ``args`` or the ``command`` of a Celery worker, with what the change means to it."""

    path: Path
    before: Sequence[str]
    after: Sequence[str]
    notes: Sequence[str]
    """The differences in words: ``no longer takes edx.lms.core.high``, ``--concurrency: 2, was 1``."""


AnyChange: TypeAlias = "ValueChange | TextChange | OrderChange | ArgumentsChange"


class ObjectId(Record):
    """Identifies an object, without its API's version and without the hash that kustomize appends to its name."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def order(self) -> tuple[str, str, str, str]:
        """The key that sorts objects."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        # A list without items has no name.
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}".rstrip()


class Renaming(Record):
    """A generated ConfigMap or Secret whose name ends in another hash, since its content has changed."""

    id: ObjectId
    before: str
    after: str
    """The names without their hashes. A ConfigMap's is whole where kustomize doesn't compute the same hash."""
    proven: bool
    """Whether kustomize computes both hashes; else the two are only paired because their names begin alike."""
    rolls: Sequence[ObjectId]
    """The workloads whose pods refer to it, and which therefore restart."""


class ObjectChange(Record):
    """One object that is added, changed, replaced or destroyed."""

    action: str
    """One of ACTIONS."""
    id: ObjectId
    api_version: tuple[str, str]
    """The ``apiVersion`` before and after; empty on a side where the object isn't there."""
    changes: Sequence[AnyChange] = ()
    """In the order of their paths. Empty where the object is added or destroyed."""
    tree: Any = None
    """The whole object, masked, where it is added or destroyed; else None."""

    def problem(self, message: str, remedy: str = "", *, field: str = "", severity: str = ERROR) -> Problem:
        """Return a problem of this object, in ``field``."""
        version = self.api_version[1] or self.api_version[0] or self.id.group
        about = ResourceRef(api_version=version, kind=self.id.kind, namespace=self.id.namespace, name=self.id.name)
        return Problem(message=message, severity=severity, resource=about, field=field, remedy=remedy)


class SharedChange(Record):
    """A change that several objects share, such as that of Tutor's version, which is on every object."""

    change: AnyChange
    objects: Sequence[ObjectId]
    """At least two."""


class Comparison(Record):
    """All differences between two builds, ready to be shown."""

    objects: Sequence[ObjectChange]
    """By risk: in the order of ACTIONS, then by id."""
    groups: Sequence[SharedChange] = ()
    """The most widely shared first. A shared change is among its objects' own changes, too."""
    renamings: Sequence[Renaming] = ()
    unchanged: int = 0
    """How many objects are the same on both sides."""
    findings: Sequence[Finding] = ()
    """The worst first, without the ignored ones."""
    ignored: Sequence[Ignored] = ()
    queues: tuple[Sequence[Any], Sequence[Any]] = ((), ())
    """The queues and their workers before and after, as QueueRow of site/queues."""

    def count(self, action: str) -> int:
        """Return the number of objects with this action."""
        return sum(item.action == action for item in self.objects)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes, ignored changes aside."""
        return not self.objects and not self.renamings


def path_text(path: Path) -> str:
    """Return ``path`` as messages show it: ``spec.template.spec.containers[lms-worker].image``, ``data["a.b"]``."""
    text = ""
    for step in path:
        if isinstance(step, Key):
            text += str(step)
        elif isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("-", "").replace("_", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
