"""The settings of one worker, and those of all workers under ``defaults``."""

from __future__ import annotations

from kustomizer.config.types import (
    CountOrPercent,
    EnvEntry,
    KubernetesName,
    Probe,
    QueueName,
    RolloutType,
    Surge,
    SwitchOrName,
)
from kustomizer.config.values import Delay, JsonMap, NonNegative, Positive, Seconds, join
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

DEFAULT = "default"
"""The variant of the Deployment that Tutor emits."""
CELERY_PROBE = "Celery"
"""The value of ``livenessProbe`` for the probe that the worker itself serves."""
MAX_REPLICAS = 30
MAX_REPLICAS_OF_DEFAULT = 10

# Every field is None until something sets it: settings are merged as maps, layer by layer (kustomizer.config.layers),
# before they are read into these records.


class Keda(Record):
    """How KEDA scales a worker: by its queued tasks and by its running tasks."""

    enabled: bool | None = None
    """Whether KEDA scales this worker. The Deployment then states no `replicas`. Default: `false`."""

    min_replicas: NonNegative | None = None
    """Least number of pods, which stay when there is nothing to do. Default: `0`."""

    max_replicas: Positive | None = None
    """Greatest number of pods. Default: `30`, and `10` for the default workers."""

    list_length: Positive | None = None
    """Queued tasks per pod: with 40, KEDA asks for 5 pods when 200 tasks wait. Default: `40`."""

    activation_list_length: NonNegative | None = None
    """A worker without pods is started when more tasks than this are queued. Default: KEDA's, `0`."""

    polling_interval: Seconds | None = None
    """Seconds between two looks at the queue of a worker without a pod; while it has one, its HPA looks every 15 s.
    Default: KEDA's, 30 s."""

    cooldown_period: Delay | None = None
    """Seconds without work before the last pod is stopped; has no effect if `minReplicas` is 1 or more. Default:
    KEDA's, 300 s."""

    initial_cooldown_period: Delay | None = None
    """Seconds after its creation in which KEDA doesn't scale a worker to zero. Default: KEDA's, 0 s."""

    idle_replicas: NonNegative | None = None
    """0 for no pod while there is nothing to do, where `minReplicas` is more and holds as long as there is work. KEDA
    keeps to no other number."""

    in_flight: Literal["Zero", "Slots", "Off"] | None = None
    """How running tasks affect the number of pods. `Zero` keeps the worker from zero while it works on something.
    `Slots` counts busy slots as load, added to the queue: for few and long tasks; needs `concurrency`. `Off` scales by
    the queue alone, so that a worker may be scaled to zero in the middle of a task. Default: `Zero`; `Off` for
    services other than lms and cms. The default workers of lms and cms can't use `Slots`, since they share Celery's
    in-flight key."""

    replace_hpa: SwitchOrName | None = None
    """Whether the ScaledObject takes over a HorizontalPodAutoscaler of the build that targets this worker. The name of
    one that is in the cluster and no longer in the build has that one taken over. Default: `false`, which refuses the
    build."""

    paused: bool | None = None
    """Whether KEDA leaves the number of pods as it is (`autoscaling.keda.sh/paused`), until this is taken out again.
    Default: `false`."""

    paused_replicas: NonNegative | None = None
    """Number of pods that KEDA sets and then leaves as it is (`autoscaling.keda.sh/paused-replicas`): `0` stops the
    worker. Pauses by itself."""

    annotations: dict[str, str | None] | None = None
    """Annotations of the ScaledObject."""

    extra_triggers: list[JsonMap] | None = None
    """Further triggers, as in KEDA's ScaledObject (cron, memory, prometheus)."""

    fallback: JsonMap | None = None
    """What to do when the queue can't be read, as `fallback` in KEDA's ScaledObject."""

    behavior: JsonMap | None = None
    """How fast to scale, as `advanced.horizontalPodAutoscalerConfig.behavior` in KEDA's ScaledObject."""


class PodDisruptionBudget(Record):
    """How many pods of a worker a node drain may take at a time, as in Kubernetes' PodDisruptionBudget."""

    max_unavailable: CountOrPercent | None = None
    """Number of pods that may be missing, or a percentage such as `50%`."""

    min_available: CountOrPercent | None = None
    """Number of pods that have to stay, or a percentage. Not together with `maxUnavailable`."""

    unhealthy_pod_eviction_policy: Literal["IfHealthyBudget", "AlwaysAllow"] | None = None
    """Whether a drain may always evict pods that aren't ready. Default: Kubernetes', `IfHealthyBudget`."""


class RollingUpdate(Record):
    """How many pods a rollout may add and take at a time, as in Kubernetes."""

    max_surge: Surge | None = None
    """Number of pods that may be there besides, or a percentage. Default: Kubernetes', `25%`."""

    max_unavailable: CountOrPercent | None = None
    """Number of pods that may be missing, or a percentage. Default: Kubernetes', `25%`."""


class Strategy(Record):
    """How a rollout replaces pods, as in Kubernetes' Deployment."""

    type: RolloutType | None = None
    """`RollingUpdate`. `Recreate` is refused by server-side apply over a Deployment that runs; `{maxSurge: 0,
    maxUnavailable: 100%}` stops all pods before it starts new ones, too."""

    rolling_update: RollingUpdate | None = None
    """How many at a time."""


class WorkerSettings(Record):
    """Settings that every worker can have. Under `defaults` they hold for all workers, the default ones too.

    A worker's own settings win over `defaults`, those over the built-in ones, those over Tutor's. `resources`,
    `nodeSelector`, `podAnnotations`, `keda` and `podDisruptionBudget` are merged key by key, `env` by name, `extraArgs`
    by option; everything else is replaced as a whole. `null` removes what `defaults` or the built-in settings say, so
    that Tutor's value holds.
    """

    _refused: tuple[tuple[str, str], ...] = (
        ("queues", "A queue belongs to one worker: name it under spec.workers.<service>.<variant>.queues"),
    )

    extra_args: list[str] | None = None
    """Further options of `celery worker`, as a list: `[--pool=gevent]`. An option replaces an inherited one of the
    same meaning, in any spelling. The queues, the application and the name can't be set here."""

    replicas: NonNegative | None = None
    """Number of pods. Not together with KEDA. Default: Tutor's, which is Kubernetes' `1`."""

    resources: JsonMap | None = None
    """CPU and memory as in Kubernetes: `{requests: {memory: 1Gi}, limits: {…}}`."""

    env: list[EnvEntry] | None = None
    """Environment variables as in Kubernetes. An entry replaces an inherited one of its name."""

    concurrency: Positive | None = None
    """Number of processes, threads or greenlets per pod (`--concurrency`). Default: Tutor's, or the number of CPUs
    of the node as Celery counts them."""

    visibility_timeout: Seconds | None = None
    """Seconds after which Redis hands a task that is still running to another worker as well; longer than the longest
    task of these queues. Only lms and cms. Default: `spec.celery.visibilityTimeout`, or Celery's 3600 s."""

    node_selector: dict[str, str | None] | None = None
    """Labels that a node needs to run the pods."""

    tolerations: list[JsonMap] | None = None
    """Taints of nodes that the pods tolerate, as in Kubernetes."""

    affinity: JsonMap | None = None
    """Affinity of the pods as in Kubernetes, replaced as a whole."""

    topology_spread_constraints: list[JsonMap] | None = None
    """How the pods are spread over nodes and zones, as in Kubernetes."""

    priority_class_name: KubernetesName | None = None
    """PriorityClass of the pods."""

    termination_grace_period_seconds: Seconds | None = None
    """Seconds that a pod gets to finish its tasks when it is asked to stop. A task that runs longer is cut off and run
    again elsewhere. Default: a built-in value for the queue."""

    strategy: Strategy | None = None
    """How a rollout replaces the pods, replaced as a whole: `{rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}`.
    Default: Tutor's, which is Kubernetes'."""

    pod_annotations: dict[str, str | None] | None = None
    """Annotations of the pods."""

    liveness_probe: Probe | None = None
    """Liveness probe of the worker's container as in Kubernetes, replaced as a whole; or `Celery`, for one that
    restarts a worker which has stopped asking Redis for tasks (docs/operations.md)."""

    lifecycle: JsonMap | None = None
    """Lifecycle hooks of the worker's container as in Kubernetes, replaced as a whole."""

    keda: Keda | None = None
    """Autoscaling of the worker by KEDA."""

    pod_disruption_budget: PodDisruptionBudget | None = None
    """How many pods a node drain may take at a time. Default: no PodDisruptionBudget."""

    protect_from_eviction: bool | None = None
    """Whether the pods get the annotations that keep cluster-autoscaler and Karpenter from moving them. Default:
    `false`."""

    disable_prefetch: bool | None = None
    """Whether a worker takes a task only when it has a free slot (`--disable-prefetch`, needs Celery 5.6). Default:
    `false`."""

    @property
    def keda_enabled(self) -> bool:
        """Whether KEDA scales this worker."""
        return bool(self.keda and self.keda.enabled)


class Worker(WorkerSettings):
    """One worker: a Deployment with queues of its own. The variant `default` is the worker that Tutor emits."""

    _refused: tuple[tuple[str, str], ...] = ()

    queues: list[QueueName] | None = None
    """The queues that this worker, and no other of its service, consumes. Default:
    `edx.<service>.core.<variant>` for lms and cms; required for any other service."""


def deployment_name(service: str, variant: str) -> str:
    """Return the name of the worker's Deployment: Tutor's own for the default worker, else with the variant."""
    return f"{service}-worker" if variant == DEFAULT else f"{service}-worker-{variant.replace('_', '-')}"


def worker_path(service: str, variant: str) -> str:
    """Return the path of a worker in the configuration."""
    return join(join("spec.workers", service), variant)


def max_replicas(keda: Keda, variant: str) -> int:
    """Return the greatest number of pods that KEDA may start."""
    return keda.max_replicas or (MAX_REPLICAS_OF_DEFAULT if variant == DEFAULT else MAX_REPLICAS)
