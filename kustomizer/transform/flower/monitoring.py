"""Monitoring of Flower: a ServiceMonitor, and a dashboard for Grafana's sidecar."""

from __future__ import annotations

from kustomizer import DIRECTORY
from kustomizer.manifests.resource import Resource
from kustomizer.openedx.workers import NAME_LABEL, site_metadata
from kustomizer.transform.flower.options import PORT_NAME, url_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kustomizer.config.flower import Flower

DASHBOARD_FILE = "celery-dashboard.json"
# Flux's postBuild would put nothing in the place of Grafana's ${datasource}.
# https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution
_UNSUBSTITUTED = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
# Without os.path, which is one more module to import at each build.
_DASHBOARD_PATH = f"{DIRECTORY}/data/{DASHBOARD_FILE}"


def monitor(flower: Flower, worker: Resource) -> list[Resource]:
    """Return the ServiceMonitor and the dashboard, where they are enabled."""
    objects = []
    if flower.service_monitor.enabled:
        objects.append(_service_monitor(flower, worker))
    if flower.dashboard.enabled:
        objects.append(_dashboard(flower.dashboard.labels, worker))
    return objects


def _service_monitor(flower: Flower, worker: Resource) -> Resource:
    endpoint: dict[str, Any] = {"port": PORT_NAME, "path": f"{url_prefix(flower)}/metrics"}
    if flower.service_monitor.interval is not None:
        endpoint["interval"] = f"{flower.service_monitor.interval}s"
    spec: dict[str, Any] = {"endpoints": [endpoint], "selector": {"matchLabels": {NAME_LABEL: "flower"}}}
    if worker.namespace:
        spec["namespaceSelector"] = {"matchNames": [worker.namespace]}
    metadata = _metadata(worker, "flower", flower.service_monitor.labels)
    return Resource.beside(worker, "monitoring.coreos.com/v1", "ServiceMonitor", metadata, spec=spec)


def _dashboard(labels: dict[str, str], worker: Resource) -> Resource:
    """Return the dashboard's ConfigMap, without a hash: Grafana would show the old dashboard beside the new one."""
    with open(_DASHBOARD_PATH, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 5 ms to import
        text = file.read()
    metadata = _metadata(worker, "flower-dashboard", labels)
    metadata["annotations"] = {**metadata["annotations"], **_UNSUBSTITUTED}
    return Resource.beside(worker, "v1", "ConfigMap", metadata, data={DASHBOARD_FILE: text})


def _metadata(worker: Resource, name: str, labels: dict[str, str]) -> dict[str, Any]:
    metadata = site_metadata(worker, name=name)
    metadata["labels"] = {**metadata["labels"], NAME_LABEL: "flower", **labels}
    return metadata
