"""The sections `flower` and `monitoring` of a configuration, as typed records."""

from __future__ import annotations

from kustomizer.config.types import EnvEntry, HostName, KubernetesName, SecretKey, Word, env_problems
from kustomizer.config.values import JsonMap, Seconds
from kustomizer.errors import Problem
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

PROMETHEUS_LABELS = {"release": "prometheus"}
DASHBOARD_LABELS = {"grafana_dashboard": "1"}
POWERS = "with tasks' arguments and the power to stop workers"
PROTECT = "Set basicAuth.existingSecret, or OAuth (FLOWER_AUTH and what belongs to it) in env"


class UserAndPassword(Record):
    """A key of a Secret whose value is `user:password`."""

    name: KubernetesName
    """Name of the Secret, in the namespace of the site; it may be the overlay's own `secretGenerator`."""

    key: SecretKey
    """Key that holds `user:password`, without a comma in it."""


class BasicAuth(Record):
    """Who may see Flower."""

    existing_secret: UserAndPassword
    """The Secret with user and password."""


class Expose(Record):
    """How Flower is reached from outside of the cluster."""

    enabled: bool = False
    """Whether Flower is exposed outside of the cluster."""

    type: Literal["Caddy", "Ingress", "HTTPRoute"] = "Caddy"
    """Tutor's own Caddy, or an object for an ingress controller or a gateway. Where Caddy is behind an ingress
    controller, `Caddy` needs a rule there that sends the host to the Service `caddy`."""

    host: HostName | None = None
    """Host name. Default: `flower.` before the LMS' host."""


class ServiceMonitor(Record):
    """Tells a Prometheus Operator to collect Flower's metrics."""

    enabled: bool = False
    """Whether to emit the object."""

    interval: Seconds | None = None
    """Seconds between two scrapes. Default: that of Prometheus."""

    labels: dict[str, str] = PROMETHEUS_LABELS
    """Labels by which Prometheus selects it."""


class Dashboard(Record):
    """A Grafana dashboard in a ConfigMap."""

    enabled: bool = False
    """Whether to emit the object."""

    labels: dict[str, str] = DASHBOARD_LABELS
    """Labels by which Grafana's sidecar picks it up."""


class Flower(Record):
    """Flower, which shows workers and tasks and exports their metrics to Prometheus."""

    enabled: bool = False
    """Whether to run Flower."""

    image: Word = "docker.io/mher/flower:2.0.1"
    """Image of Flower, 2.0.1 or later."""

    basic_auth: BasicAuth | None = None
    """User and password. Flower shows tasks' arguments and results, and can stop workers: without this, OAuth or
    `insecure` it is refused."""

    insecure: bool = False
    """Whether everyone inside the cluster may use Flower. An exposed Flower is refused all the same."""

    expose: Expose = Expose()
    """How Flower is reached from outside of the cluster."""

    resources: JsonMap | None = None
    """CPU and memory as in Kubernetes. Default: a memory limit that fits the number of tasks kept."""

    env: list[EnvEntry] | None = None
    """Environment variables as in Kubernetes: Flower's options are `FLOWER_` and the option's name in capitals."""

    node_selector: dict[str, str] | None = None
    """Labels that a node needs to run the pod. Default: the worker's."""

    tolerations: list[JsonMap] | None = None
    """Taints of nodes that the pod tolerates, as in Kubernetes. Default: the worker's."""

    pod_annotations: dict[str, str] | None = None
    """Annotations of the pod. Default: none."""

    image_pull_secrets: list[JsonMap] | None = None
    """Secrets to pull the image with: `[{name: …}]`. Default: the worker's."""

    service_monitor: ServiceMonitor = ServiceMonitor()
    """Collection of Flower's metrics by a Prometheus Operator."""

    dashboard: Dashboard = Dashboard()
    """Grafana dashboard."""

    @property
    def has_oauth(self) -> bool:
        """Whether ``env`` turns OAuth on. Without ``auth`` Flower lets everyone in, whatever else is set."""
        entries = {entry["name"]: entry for entry in self.env or ()}
        auth = entries.get("FLOWER_AUTH", {})
        return bool(auth.get("value") or auth.get("valueFrom"))


class PrometheusRule(Record):
    """Alerts on queues, workers, KEDA and Flower."""

    enabled: bool = False
    """Whether to emit the alerts."""

    labels: dict[str, str] = PROMETHEUS_LABELS
    """Labels by which Prometheus selects them."""


class Monitoring(Record):
    """Monitoring of the workers, with or without Flower."""

    prometheus_rule: PrometheusRule = PrometheusRule()
    """Alerts, as a PrometheusRule."""


def flower_problems(flower: Flower) -> list[Problem]:
    """Return the problems of ``flower`` that its fields' types don't show."""
    problems = env_problems(flower.env or [], "spec.flower.env")
    for index, entry in enumerate(flower.env or []):
        if entry["name"] == "FLOWER_BASIC_AUTH":
            field = f"spec.flower.env[{index}]"
            remedy = "Put user:password into a Secret and name it in basicAuth.existingSecret"
            problems.append(Problem(field=field, message="FLOWER_BASIC_AUTH isn't set here", remedy=remedy))
    if not flower.enabled or flower.basic_auth or flower.has_oauth:
        return problems
    if flower.expose.enabled:
        message = f"Flower would be open to the whole internet, {POWERS}"
        problems.append(Problem(field="spec.flower.expose.enabled", message=message, remedy=PROTECT))
    elif not flower.insecure:
        message = f"Flower would be open to everyone in the cluster, {POWERS}"
        remedy = f"{PROTECT}, or insecure: true if that is what you want"
        problems.append(Problem(field="spec.flower.basicAuth", message=message, remedy=remedy))
    return problems
