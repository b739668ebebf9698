"""What is measured on: real Tutor sites as kustomize hands them over, and larger ones made of them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tests import sites

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# "oracle" is Tutor 22 with mfe and indigo, which Tutor's own quickstart has on; "full" has eleven plugins.
SITES = {"plain": "oracle", "full": "full"}

HEAD = "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata:\n  name: celery-workers\n"
CONFIG_KEY = "\nfunctionConfig:\n"
CORE_QUEUES = 6
"""Queues that Open edX itself has, and that the recommended configuration gives a worker each."""

# One each of what other applications in a build have, as kustomize writes it to a function.
_FOREIGN = (
    """\
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    annotations:
      app.kubernetes.io/version: 1.4.2
      internal.config.kubernetes.io/previousKinds: Deployment
      internal.config.kubernetes.io/previousNames: {name}
      internal.config.kubernetes.io/previousNamespaces: default
      kustomize.config.k8s.io/id: |
        group: apps
        kind: Deployment
        name: {name}
        namespace: others
        version: v1
      config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'
      internal.config.kubernetes.io/id: '{id}'
      config.k8s.io/id: '{id}'
    labels:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/part-of: others
    name: {name}
    namespace: others
  spec:
    replicas: 2
    selector:
      matchLabels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: others
    template:
      metadata:
        labels:
          app.kubernetes.io/name: {name}
          app.kubernetes.io/part-of: others
      spec:
        containers:
        - args:
          - serve
          - --listen=:8080
          env:
          - name: LOG_LEVEL
            value: info
          image: registry.example.com/others/{name}:1.4.2
          name: {name}
          ports:
          - containerPort: 8080
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
""",
    """\
- apiVersion: v1
  kind: Service
  metadata:
    annotations:
      app.kubernetes.io/version: 1.4.2
      internal.config.kubernetes.io/previousKinds: Service
      internal.config.kubernetes.io/previousNames: {name}
      internal.config.kubernetes.io/previousNamespaces: default
      kustomize.config.k8s.io/id: |
        kind: Service
        name: {name}
        namespace: others
        version: v1
      config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'
      internal.config.kubernetes.io/id: '{id}'
      config.k8s.io/id: '{id}'
    labels:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/part-of: others
    name: {name}
    namespace: others
  spec:
    ports:
    - name: http
      port: 80
      targetPort: 8080
    selector:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/part-of: others
    type: ClusterIP
""",
    """\
- apiVersion: v1
  data:
    settings.ini: |
      [server]
      name = {name}
      listen = :8080

      [log]
      level = info
  kind: ConfigMap
  metadata:
    annotations:
      app.kubernetes.io/version: 1.4.2
      internal.config.kubernetes.io/generatorBehavior: unspecified
      internal.config.kubernetes.io/needsHashSuffix: enabled
      internal.config.kubernetes.io/previousKinds: ConfigMap
      internal.config.kubernetes.io/previousNames: {name}
      internal.config.kubernetes.io/previousNamespaces: default
      kustomize.config.k8s.io/id: |
        kind: ConfigMap
        name: {name}
        namespace: others
        version: v1
      config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'
      internal.config.kubernetes.io/id: '{id}'
      config.k8s.io/id: '{id}'
    labels:
      app.kubernetes.io/part-of: others
    name: {name}
    namespace: others
""",
)


def spec(*, queues: int = CORE_QUEUES, flower: bool = False) -> dict[str, Any]:
    """Return a configuration's ``spec``: the recommended one with KEDA, and workers of their own for more queues."""
    workers: dict[str, dict[str, Any]] = {"lms": {"high": {}, "high_mem": {}}, "cms": {"high": {}, "low": {}}}
    for number in range(CORE_QUEUES, queues):
        workers[("lms", "cms")[number % 2]][f"q{number:04}"] = {}
    result: dict[str, Any] = {"defaults": {"keda": {"enabled": True, "replaceHPA": True}}, "workers": workers}
    if flower:
        result["flower"] = {"enabled": True, "insecure": True}
    return result


def config(spec: Mapping[str, Any], *, function: Path | None = None) -> str:
    """Return the object of configuration, with the annotation that names ``function`` where there is one."""
    # JSON is YAML.
    annotation = f'  annotations:\n    {sites.FUNCTION}: "exec: {{path: {function}}}"\n' if function else ""
    return f"{HEAD}{annotation}spec: {json.dumps(spec)}\n"


def captured(site: str, spec: Mapping[str, Any]) -> bytes:
    """Return what kustomize gives a function for the site "plain" or "full"."""
    return sites.function_input(sites.kustomize(sites.NEWEST), sites.site(SITES[site]), config(spec))


def with_foreign(data: bytes, count: int) -> bytes:
    """Return the ResourceList ``data`` with ``count`` more resources, none of which concerns the function."""
    present = item_count(data)
    items = []
    for number in range(count):
        template = _FOREIGN[number % len(_FOREIGN)]
        index = present + number
        items.append(template.format(name=f"other-{number // len(_FOREIGN):05}", index=index, id=index + 1))
    head, key, tail = data.decode().partition(CONFIG_KEY)
    return f"{head}\n{''.join(items)}{key[1:]}{tail}".encode()


def overlay(directory: Path, env_dir: Path, config: str) -> Path:
    """Fill a new directory with a kustomization over a site, with ``config`` as its transformer; return it."""
    directory.mkdir(parents=True, exist_ok=True)
    # kustomize refuses absolute paths.
    lines = [f"resources: [{os.path.relpath(env_dir.resolve(), directory)}]"]
    if config:
        (directory / "config.yaml").write_text(config)
        lines.append("transformers: [config.yaml]")
    (directory / "kustomization.yaml").write_text("\n".join([*lines, ""]))
    return directory


def item_count(data: bytes) -> int:
    """Return how many resources a ResourceList of kustomize's own form holds."""
    return data.partition(CONFIG_KEY.encode())[0].count(b"\n- ")
