"""What a comparison of two builds found. No password is in it: everything that is shown was masked before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from kustomizer.errors import ResourceRef
from kustomizer.findings.model import Finding
from kustomizer.masking.marks import ABSENT
from kustomizer.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

ADD = "add"
CHANGE = "change"
REPLACE = "replace"
"""A change that Kubernetes refuses: the object has to be deleted and created again."""
DESTROY = "destroy"
ACTIONS = (DESTROY, REPLACE, CHANGE, ADD)
"""What happens to an object, the riskiest first."""

HASH = "(hash)"
CHANGED_HASH = "(hash, changed)"
"""In the place of the hash that ends a generated ConfigMap's name; SECRET and CHANGED_SECRET stand for a Secret's."""


class Key(Record):
    """The item of a list that Kubernetes knows by some of its fields, as it knows containers by ``name``."""

    fields: Sequence[tuple[str, str]]
    """Each field that identifies the item, and its value: ``(("containerPort", "8000"), ("protocol", "TCP"))``."""

    def __str__(self) -> str:
        if len(self.fields) == 1:
            return f"[{self.fields[0][1]}]"
        return f"[{','.join(f'{name}={value}' for name, value in self.fields)}]"


Step: TypeAlias = "str | int | Key"
Path: TypeAlias = "tuple[Step, ...]"


class Hunk(Record):
    """Lines of a file that differ, and their neighbours, as in a unified diff."""

    before: int
    """The number of its first line in the file before, from 1."""
    after: int
    lines: Sequence[str]
    """Each begins with ``-``, ``+`` or a blank, and has no newline at its end."""


class Change(Record):
    """One field that differs; ``before`` and ``after`` are plain values, masked."""

    path: Path
    before: Any = ABSENT
    after: Any = ABSENT
    index: int | None = None
    """Where an item that is added to a keyed list stands afterwards."""


class TextChange(Record):
    """A text of several lines that differs: a file of a ConfigMap, a script in an argument."""

    path: Path
    hunks: Sequence[Hunk]
    newline_at_end: tuple[bool, bool]
    """Whether the text ended in a newline before, and after."""


class OrderChange(Record):
    """Items of a keyed list that are the same, or changed each for itself, in another order."""

    path: Path
    after: Sequence[Key]
    """All items that are there afterwards, in their order."""


class ArgumentsChange(Record):
    """The ``args`` or the ``command`` of a Celery process, with what differs for the process."""

    path: Path
    before: Sequence[str]
    after: Sequence[str]
    notes: Sequence[str]
    """What differs, each in words: ``no longer takes edx.lms.core.high``, ``--concurrency: 2, was 1``."""


AnyChange: TypeAlias = "Change | TextChange | OrderChange | ArgumentsChange"


class ObjectId(Record):
    """Which object it is: the version of its API isn't part of it, nor is the hash that kustomize put in its name."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Renaming(Record):
    """A generated ConfigMap or Secret whose name ends in another hash, since what it holds has changed."""

    id: ObjectId
    before: str
    after: str
    """The names without their hash, which tells about what the object holds. A ConfigMap's is whole where its end isn't
    what kustomize computes."""
    proven: bool
    """Whether each hash is the one that kustomize computes; else they are a guess, paired by how their names begin."""
    rolls: Sequence[ObjectId]
    """What runs pods that refer to it, and so replaces them."""


class ObjectChange(Record):
    """What happens to one object."""

    action: str
    """One of ACTIONS."""
    id: ObjectId
    api_version: tuple[str, str]
    """Before and after; the same, but for a change of the API's version; empty on the side where there is none."""
    changes: Sequence[AnyChange] = ()
    """In the order of their paths; of one that is replaced too. Empty where it is added or destroyed."""
    tree: Any = None
    """The whole object, masked, where it is added or destroyed."""


class Group(Record):
    """One change that many objects share: Tutor stamps its version on everything."""

    change: AnyChange
    objects: Sequence[ObjectId]
    """At least two."""


class Ignored(Record):
    """What a committed file says not to show, and why."""

    reason: str
    changes: int = 0
    findings: int = 0


class Comparison(Record):
    """Everything that differs between two builds, ready to be shown."""

    objects: Sequence[ObjectChange]
    """By risk: in the order of ACTIONS, then by id."""
    groups: Sequence[Group] = ()
    """The most widely shared first. What is in a group stands in the objects' own changes, too."""
    renamings: Sequence[Renaming] = ()
    unchanged: int = 0
    """How many objects are the same on both sides."""
    findings: Sequence[Finding] = ()
    """The worst first, without those that are ignored."""
    ignored: Sequence[Ignored] = ()
    queues: tuple[Sequence[Any], Sequence[Any]] = ((), ())
    """What takes which queue, before and after (records of queue_model)."""

    def count(self, action: str) -> int:
        """Return to how many objects ``action`` happens."""
        return sum(each.action == action for each in self.objects)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes: what was ignored doesn't count."""
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


def resource_ref(identity: ObjectId, api_version: str = "") -> ResourceRef:
    """Return what a finding calls this object."""
    return ResourceRef(
        api_version=api_version or identity.group, kind=identity.kind, namespace=identity.namespace, name=identity.name
    )
