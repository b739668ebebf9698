"""KEDA beside the API server: its operator, metrics adapter and webhooks, its definitions, and the way to each."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml

from tests.control_plane.definitions import install_definitions
from tests.parts import TOOLS, present

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.control_plane.api import Api
    from tests.control_plane.certificates import Certificates

PROGRAMS = TOOLS / "control-plane" / "keda"
DEFINITIONS = (PROGRAMS / "crds", TOOLS / "control-plane" / "prometheus-operator" / "crds")

KEDA_ENVIRON = {"POD_NAMESPACE": "keda", "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda", "WATCH_NAMESPACE": ""}
"""What its Deployments set: it works in all namespaces."""


class Keda:
    """Where KEDA's programs listen."""

    def __init__(self, made: Certificates, free_port: Callable[[], int]) -> None:
        self._made = made
        self.operator, self.adapter, self.metrics, self.webhooks = (free_port() for _ in range(4))

    def commands(self, kubeconfig: Path) -> Mapping[str, Sequence[str | Path]]:
        """Return what starts each, by the name of its log."""
        certificates = f"--cert-dir={self._made.directory}"
        kubeconfig_flags = [
            f"--{name}={kubeconfig}"
            for name in ("lister-kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        ]
        return {
            "keda-operator": [
                present(PROGRAMS / "keda-operator"),
                certificates,
                "--enable-cert-rotation=false",
                "--enable-prometheus-metrics=false",
                "--metrics-bind-address=0",
                "--health-probe-bind-address=0",
                f"--metrics-service-bind-address=127.0.0.1:{self.operator}",
                f"--kubeconfig={kubeconfig}",
            ],
            "keda-adapter": [
                present(PROGRAMS / "keda-adapter"),
                certificates,
                "--bind-address=127.0.0.1",
                f"--secure-port={self.adapter}",
                f"--port={self.metrics}",
                f"--metrics-service-address=localhost:{self.operator}",
                *kubeconfig_flags,
            ],
            "keda-webhooks": [
                present(PROGRAMS / "keda-webhooks"),
                certificates,
                "--metrics-bind-address=0",
                "--health-probe-bind-address=0",
                f"--port={self.webhooks}",
                f"--kubeconfig={kubeconfig}",
            ],
        }

    def install(self, api: Api) -> None:
        """Tell the API server of KEDA's kinds, its metrics and its webhooks. They exist when this returns."""
        install_definitions(api, *DEFINITIONS)
        api.apply(yaml.safe_dump_all([_namespace(), *self._metrics(), self._admission()]))

    def _metrics(self) -> Sequence[dict[str, Any]]:
        # Without --enable-aggregator-routing the API server asks DNS for such a Service, and localhost it knows.
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "metrics", "namespace": "keda"},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": self.adapter}]},
        }
        name = "v1beta1.external.metrics.k8s.io"
        group, version = "external.metrics.k8s.io", "v1beta1"
        spec = {
            "group": group,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {"name": "metrics", "namespace": "keda", "port": self.adapter},
            "insecureSkipTLSVerify": True,
        }
        return [
            service,
            {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name}, "spec": spec},
        ]

    def _admission(self) -> dict[str, Any]:
        """Return KEDA's own configuration of its webhooks, with their address on this machine.

        A webhook that doesn't answer fails the request here; KEDA's own lets it pass.
        """
        configuration: dict[str, Any] = yaml.safe_load((PROGRAMS / "validation_webhooks.yaml").read_text())
        bundle = base64.b64encode(self._made.authority.read_bytes()).decode()
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            url = f"https://127.0.0.1:{self.webhooks}{path}"
            webhook |= {"clientConfig": {"url": url, "caBundle": bundle}, "failurePolicy": "Fail"}
        return configuration


def _namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keda"}}
