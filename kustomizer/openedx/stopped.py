"""What keeps a workload without pods, and what has KEDA leave the number of its pods alone."""

from __future__ import annotations

from kustomizer.config.checks import PAUSED, PAUSED_REPLICAS
from kustomizer.config.values import join
from kustomizer.errors import WARNING, Problem
from kustomizer.manifests.digits import whole_number
from kustomizer.manifests.tree import is_null, lookup, number_at, plain_value
from kustomizer.openedx.targeting import scale_target
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kustomizer.manifests.resource import Resource, Resources

PAUSED_SCALE_IN, PAUSED_SCALE_OUT, FORCE_ACTIVATION = (
    f"autoscaling.keda.sh/{name}" for name in ("paused-scale-in", "paused-scale-out", "force-activation")
)
_ANNOTATIONS = "metadata.annotations"
_SCALED_OBJECTS = ("scaled objects by target",)
_GOS_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class Stopped(Record):
    """The object that keeps a workload without pods, and the field in which it does."""

    resource: Resource
    field: str
    why: str
    """What it does, for a message."""

    def problem(self, what: str, remedy: str, *, severity: str = WARNING) -> Problem:
        """Return the problem that it does so, and ``what`` comes of it."""
        return self.resource.problem(f"{self.why}: {what}", remedy, field=self.field, severity=severity)


def stopped_by(resources: Resources, workload: Resource) -> Stopped | None:
    """Return what keeps ``workload`` without pods, None where nothing in the build does."""
    scalers = _scaled_objects(resources).get((workload.namespace, workload.kind, workload.name), ())
    for scaler in scalers:
        count = paused_replicas(scaler)
        if count == 0:
            return Stopped(resource=scaler, field=join(_ANNOTATIONS, PAUSED_REPLICAS), why="has KEDA keep it at 0 pods")
        if count is None and is_annotated(scaler, PAUSED_SCALE_OUT) and not least(scaler):
            why = "lets KEDA take its last pod, and start none"
            return Stopped(resource=scaler, field=join(_ANNOTATIONS, PAUSED_SCALE_OUT), why=why)
    if plain_value(lookup(workload.tree, "spec", "suspend")) is True:
        return Stopped(resource=workload, field="spec.suspend", why="has it start nothing")
    # An HPA leaves what has 0 pods alone, KEDA doesn't.
    if number_at(workload.tree, "spec", "replicas") == 0 and all(is_paused(scaler) for scaler in scalers):
        return Stopped(resource=workload, field="spec.replicas", why="gives it 0 pods")
    return None


def _scaled_objects(resources: Resources) -> Mapping[tuple[str, str, str], Sequence[Resource]]:
    """Return the ScaledObjects by the namespace, kind and name of what they scale."""
    if _SCALED_OBJECTS not in resources.memo:
        found: dict[tuple[str, str, str], list[Resource]] = {}
        for item in resources.of_kind("ScaledObject"):
            found.setdefault((item.namespace, *scale_target(item)), []).append(item)
        resources.memo[_SCALED_OBJECTS] = found
    by_target: dict[tuple[str, str, str], list[Resource]] = resources.memo[_SCALED_OBJECTS]
    return by_target


def is_paused(scaled_object: Resource) -> bool:
    """Tell whether a ScaledObject tells KEDA to leave its worker alone."""
    return _annotation(scaled_object, PAUSED_REPLICAS) is not None or is_annotated(scaled_object, PAUSED)


def paused_replicas(scaled_object: Resource) -> int | None:
    """Return the number of pods that KEDA sets and leaves as it is, None where the ScaledObject states none."""
    return whole_number(_annotation(scaled_object, PAUSED_REPLICAS) or "")


def is_annotated(scaled_object: Resource, name: str) -> bool:
    """Tell whether an annotation of KEDA's is true; what Go can't read as a boolean is (getBoolAnnotation)."""
    text = _annotation(scaled_object, name)
    return text is not None and text not in _GOS_FALSE


def _annotation(resource: Resource, name: str) -> str | None:
    node = lookup(resource.tree, "metadata", "annotations", name)
    return None if is_null(node) else str(node)


def least(scaled_object: Resource) -> int:
    """Return the least number of pods of a ScaledObject's target."""
    spec = lookup(scaled_object.tree, "spec")
    idle = number_at(spec, "idleReplicaCount")
    return (number_at(spec, "minReplicaCount") or 0) if idle is None else idle
