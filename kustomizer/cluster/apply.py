"""Previews what applying a build would change in the cluster, as the API server itself says, and applies it.

The first server-side apply after Tutor's client-side one conflicts with it in every field that the two set differently.
Fields that Tutor's manager owns are taken over; those of anybody else stay a conflict (docs/operations.md).
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kustomizer.cluster.kubectl import Kubectl, refusal
from kustomizer.errors import Problem, ResourceRef, UserError
from kustomizer.manifests.full_reader import read_all
from kustomizer.manifests.pods import COUNTED_KINDS
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import LAST_APPLIED, Resource, Resources
from kustomizer.manifests.tree import lookup, mapping, plain_value
from kustomizer.manifests.writer import emit
from kustomizer.masking.messages import without_secrets
from kustomizer.record import Record
from kustomizer.system.wording import plural

_SHOWN = 3
# https://github.com/kubernetes/apimachinery/blob/master/pkg/util/managedfields/internal/conflict.go
# One field follows the manager, several are on lines of their own; the time of an update has colons, too.
_CONFLICT = re.compile(
    r'conflicts? with "(?P<manager>[^"]+)"[^\n]*?:(?: (?P<one>\.[^\n]+)|(?P<several>(?:\n- [^\n]+)+))'
)


class Conflict(Record):
    """Fields of one object that another manager owns."""

    manager: str
    fields: tuple[str, ...]
    resource: ResourceRef | None = None
    """The object, None as long as it isn't known: kubectl doesn't name it."""


class ConflictError(UserError):
    """Others own fields that the build sets."""

    def __init__(self, conflicts: Sequence[Conflict], applied: frozenset[tuple[str, str]] = frozenset()) -> None:
        lines = [f"  {_line(conflict)}" for conflict in conflicts[:_SHOWN]]
        if len(conflicts) > _SHOWN:
            lines[-1] = f"  and {len(conflicts) - _SHOWN + 1} more like these"
        super().__init__(
            Problem(
                message="\n".join(["others own fields that the build sets:", *lines]),
                remedy="Leave them out of the overlay; or, where they are to be ours from now on: --force-conflicts",
            )
        )
        self.conflicts = conflicts
        self.applied = applied
        """The objects without a conflict: their kinds, in lower case, and names."""

    @property
    def managers(self) -> frozenset[str]:
        """The owners of the fields."""
        return frozenset(conflict.manager for conflict in self.conflicts)


def read_conflicts(words: str) -> list[Conflict]:
    """Return the conflicts that kubectl's message ``words`` names."""
    return [
        Conflict(
            manager=match["manager"],
            fields=tuple(
                without_secrets(field.removeprefix("- ").strip())
                for field in (match["one"] or match["several"]).strip().split("\n")
            ),
        )
        for match in _CONFLICT.finditer(words)
    ]


def _line(conflict: Conflict) -> str:
    first, *more = conflict.fields
    and_more = f" and {plural(len(more), 'more field')}" if more else ""
    about = f"{conflict.resource}: " if conflict.resource else ""
    return f"{about}{conflict.manager} owns {first.removeprefix('.')}{and_more}"


TUTORS_MANAGERS = frozenset({"kubectl-client-side-apply"})
"""The owner of the fields that `tutor k8s start` set: kubectl, applying client-side."""

_SIDES = ("live", "merged")
# kubectl puts each object into two files and hands the directories over; here they are kept.
_KEEPER = f"""\
#!/bin/sh
cp -R "$1" "$TUTOR_KUSTOMIZER_KEEP/{_SIDES[0]}" && cp -R "$2" "$TUTOR_KUSTOMIZER_KEEP/{_SIDES[1]}"
"""
_KEEPER_NAME = "tutor-kustomizer-keep"
_NO_NAMESPACE = re.compile(r'namespaces "([^"]+)" not found')
_APPLIED = re.compile(r"^([a-z]+)\S*/(\S+) serverside-applied", re.MULTILINE)
# The API server's own fields.
_COUNTED = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


class _NoNamespaceError(UserError):
    """Namespaces that aren't in the cluster."""

    def __init__(self, namespaces: frozenset[str]) -> None:
        names = sorted(namespaces)
        remedy = f"The build doesn't make it: {'; '.join(f'kubectl create namespace {name}' for name in names)}"
        super().__init__(Problem(message=f"the cluster has no namespace {', '.join(names)}", remedy=remedy))
        self.namespaces = namespaces


class Preview(Record):
    """The objects of a build as they are in the cluster, and as they would be."""

    before: Resources
    after: Resources
    force: bool
    """Whether applying the build has to take fields from other managers."""


def preview(kubectl: Kubectl, text: str, *, force: bool) -> Preview:
    """Return what applying ``text`` would change. Raises UserError in kubectl's words where it is refused.

    Fields that Tutor owns are taken anyway, those of others only with ``force``.
    """
    return _preview_of(kubectl, text, list(read_build(text)), force=force)


def _preview_of(kubectl: Kubectl, text: str, resources: Sequence[Resource], *, force: bool) -> Preview:
    """Return what applying ``text``, which holds ``resources``, would change."""
    try:
        takes_fields = force or _is_tutors(kubectl, text, resources)
        return _preview(kubectl, text, resources, force=takes_fields)
    except _NoNamespaceError as error:
        return _preview_beside(kubectl, resources, error, force=force)


def _preview_beside(
    kubectl: Kubectl, resources: Sequence[Resource], error: _NoNamespaceError, *, force: bool
) -> Preview:
    """Preview the objects outside of the namespaces that the build makes; the objects in those are new.

    The API server tries nothing in a namespace that isn't there. Raises ``error`` where the build doesn't make it.
    """
    made = {item.name for item in resources if item.kind == "Namespace"}
    if not error.namespaces <= made:
        raise error
    new = [item for item in resources if _namespace(item) in error.namespaces]
    others = [item for item in resources if _namespace(item) not in error.namespaces]
    if not others:
        return Preview(before=Resources([]), after=Resources(new), force=force)
    of_others = _preview_of(kubectl, "---\n".join(item.render() for item in others), others, force=force)
    return Preview(before=of_others.before, after=Resources([*of_others.after, *new]), force=of_others.force)


def _namespace(item: Resource) -> str:
    return item.name if item.kind == "Namespace" else item.namespace


def _is_tutors(kubectl: Kubectl, text: str, resources: Sequence[Resource]) -> bool:
    """Tell whether fields have to be taken from Tutor. Raises ConflictError where somebody else owns them."""
    try:
        # `kubectl diff` would stop at the first object in conflict, and there may be others' in the next.
        _kubectl(kubectl, "apply", text, force=False, options=("--dry-run=server",))
    except ConflictError as conflict:
        if not conflict.managers <= TUTORS_MANAGERS:
            raise _named(kubectl, resources, conflict) from None
        return True
    return False


def _named(kubectl: Kubectl, resources: Sequence[Resource], error: ConflictError) -> ConflictError:
    """Return ``error`` with the object of each conflict: kubectl doesn't name it, so each object is tried alone."""
    conflicts = []
    for item in resources:
        if (item.kind.lower(), item.name) in error.applied:
            continue
        try:
            _kubectl(kubectl, "apply", item.render(), force=False, options=("--dry-run=server",))
        except ConflictError as of_item:
            conflicts += [conflict.replace(resource=item.ref) for conflict in of_item.conflicts]
        except UserError:  # it has another fault, which is said when the conflicts are gone
            continue
    return ConflictError(
        [conflict for conflict in conflicts if conflict.manager not in TUTORS_MANAGERS] or error.conflicts
    )


def apply(kubectl: Kubectl, text: str, *, force: bool) -> str:
    """Apply ``text``; return what kubectl says, a line for each object. Raises UserError where it is refused."""
    return _kubectl(kubectl, "apply", text, force=force)


def _preview(kubectl: Kubectl, text: str, resources: Sequence[Resource], *, force: bool) -> Preview:
    # The files hold what the cluster has in ConfigMaps, passwords too; of Secrets kubectl shows none.
    with tempfile.TemporaryDirectory(prefix="tutor-kustomizer-") as temporary:
        directory = Path(temporary)
        keeper = directory / _KEEPER_NAME
        keeper.write_text(_KEEPER)
        keeper.chmod(0o700)
        environment = {
            "KUBECTL_EXTERNAL_DIFF": _KEEPER_NAME,
            "PATH": f"{directory}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "TUTOR_KUSTOMIZER_KEEP": str(directory),
        }
        _kubectl(kubectl, "diff", text, force=force, environment=environment)
        live, merged = (list(_trees(directory / side)) for side in _SIDES)
    _leave_out_the_clusters_replicas(live, merged, resources)
    # The text of each is made since equal ones needn't be compared field by field.
    before, after = (Resources(Resource(emit(tree), tree=tree) for tree in trees) for trees in (live, merged))
    return Preview(before=before, after=after, force=force)


def _kubectl(
    kubectl: Kubectl,
    verb: str,
    text: str,
    *,
    force: bool,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> str:
    forced = ["--force-conflicts"] if force else []
    arguments = [verb, "--server-side", *forced, *options, "--filename=-"]
    # Objects say themselves which namespace they are in.
    process = kubectl.replace(namespace="").start(arguments, stdin=text, env=environment)
    if process.returncode == 0:
        return process.stdout
    conflicts = read_conflicts(process.stderr)
    if conflicts:
        raise ConflictError(conflicts, applied=frozenset(_APPLIED.findall(process.stdout)))
    is_real = verb == "apply" and not options
    absent = frozenset(_NO_NAMESPACE.findall(process.stderr))
    if absent and not is_real:
        raise _NoNamespaceError(absent)
    applied = f"\nApplied before that:\n{process.stdout.strip()}" if is_real and process.stdout.strip() else ""
    raise refusal(f"kubectl {verb}", process, applied)


def _leave_out_the_clusters_replicas(
    before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], resources: Sequence[Resource]
) -> None:
    """Remove numbers of pods that the build doesn't state: an autoscaler set them, or they are the server's default.

    They would look as if the build stated them. A number that changes is kept.
    """
    stated = {item.ref for item in resources if "replicas" in mapping(lookup(item.tree, "spec"))}
    live = {Resource("", tree=tree).ref: tree for tree in before}
    for tree in after:
        ref = Resource("", tree=tree).ref
        old = live.get(ref, {})
        number = lookup(tree, "spec", "replicas")
        if ref.kind in COUNTED_KINDS and ref not in stated and lookup(old, "spec", "replicas") in (None, number):
            for side in filter(None, (old.get("spec"), tree.get("spec"))):
                side.pop("replicas", None)


def _trees(directory: Path) -> Iterator[dict[str, Any]]:
    texts = (file.read_text(encoding="utf-8") for file in sorted(directory.glob("*")))
    for tree in (plain_value(document) for text in texts for document in read_all(text)):
        # `kubectl diff` leaves an empty document for an object that isn't there yet.
        if not isinstance(tree, dict):
            continue
        tree.pop("status", None)
        metadata = tree.get("metadata") or {}
        for name in _COUNTED:
            metadata.pop(name, None)
        (metadata.get("annotations") or {}).pop(LAST_APPLIED, None)
        yield tree
