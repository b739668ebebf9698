"""What the function adds for Flower: run on a real site's resources, without a kustomize for each case."""

from __future__ import annotations

import base64
import copy
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from kustomizer.function import run_stream
from tests.builds import HEAD, Builds, documents, stem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kustomizer.errors import Problem

WORKERS: dict[str, dict[str, object]] = {"lms": {"high": {}, "high_mem": {}}, "cms": {"high": {}, "low": {}}}
BASIC_AUTH = {"existingSecret": {"name": "flower-basic-auth", "key": "auth"}}


class Emitted(NamedTuple):
    """The function's answer, and the resources in it by kind and name."""

    data: bytes
    objects: Mapping[tuple[str, str], dict[str, Any]]
    problems: Sequence[Problem]

    def container(self) -> dict[str, Any]:
        """Return Flower's container."""
        found: dict[str, Any] = self.pod()["containers"][0]
        return found

    def pod(self) -> dict[str, Any]:
        """Return Flower's pod."""
        found: dict[str, Any] = self.objects["Deployment", "flower"]["spec"]["template"]["spec"]
        return found

    def environment(self) -> dict[str, str]:
        """Return what Flower's container states as values."""
        return {entry["name"]: entry["value"] for entry in self.container()["env"] if "value" in entry}

    def broker_url(self) -> str:
        """Return the URL in Flower's Secret."""
        return base64.b64decode(self.objects["Secret", "flower"]["data"]["CELERY_BROKER_URL"]).decode()

    def celery_config(self) -> str:
        """Return Flower's celeryconfig.py."""
        return str(self.objects["ConfigMap", "flower-celery-config"]["data"]["celeryconfig.py"])


def config(flower: Mapping[str, object], **spec: object) -> bytes:
    """Return a configuration that splits the workers and has this Flower."""
    whole = {"workers": WORKERS, "flower": {"enabled": True, "basicAuth": BASIC_AUTH, **flower}, **spec}
    return (HEAD + yaml.safe_dump({"spec": whole}, width=1000)).encode()


def site_input(
    builds: Builds,
    env: Path,
    *,
    broker: Mapping[str, str] | None = None,
    services: Sequence[str] = ("lms", "cms"),
    more: str = "",
) -> bytes:
    """Return a site's resources, with other values in the env.yml of ``services``, and ``more`` resources."""
    texts = []
    for item in builds.plain(env).documents:
        text = item.text
        if broker and item.kind == "ConfigMap" and stem(item.name) == "openedx-config":
            tree = copy.deepcopy(item.tree)
            for service in services:
                lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in broker.items())
                old = tree["data"][f"{service}.env.yml"]
                for name in broker:
                    old = re.sub(rf"(?m)^{name}:.*\n", "", old)
                tree["data"][f"{service}.env.yml"] = old + lines
            text = yaml.safe_dump(tree, width=100000)
        texts.append(text)
    return ("---\n".join(texts) + more).encode()


def emit(data: bytes, config_yaml: bytes) -> Emitted:
    """Run the function."""
    output = run_stream(data, config_yaml)
    objects = {(item.kind, item.name): item.tree for item in documents(output.data)} if output.data else {}
    return Emitted(output.data, objects, output.problems)
