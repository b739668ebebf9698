"""A small site with a broker for the tests of KEDA's part: what Tutor emits for the workers, and no more of it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema
import yaml
from versions import KEDA

from kustomizer.errors import ERROR, WARNING
from kustomizer.function import run_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kustomizer.function import Output

NAMESPACE = "openedx"
KEDA_VERSIONS = (KEDA.oldest, KEDA.newest)
"""The oldest KEDA that we say we support, and a new one."""
SCHEMAS = Path(__file__).parent / "schemas"

HEAD = "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata: {name: celery-workers}\nspec: "
BROKER = {
    "CELERY_BROKER_TRANSPORT": '"redis"',
    "CELERY_BROKER_HOSTNAME": '"redis:6379"',
    "CELERY_BROKER_VHOST": '"0"',
    "CELERY_BROKER_USER": '""',
    "CELERY_BROKER_PASSWORD": '""',
}
"""What Tutor writes for its own Redis, each value as YAML."""
SETTINGS = "from lms.envs.production import *\n"
LMS_VARIANTS = ("default", "high", "high_mem")


class Site(NamedTuple):
    """What the function is given."""

    lms_env: str | None
    cms_env: str | None
    settings: str = SETTINGS
    others: Sequence[Mapping[str, Any]] = ()
    mounts_settings: bool = True
    lms_worker: Mapping[str, Any] | None = None
    """The worker of the LMS, where it isn't as Tutor has it."""

    @property
    def objects(self) -> list[Mapping[str, Any]]:
        """The resources."""
        env = {"lms.env.yml": self.lms_env, "cms.env.yml": self.cms_env}
        return [
            config_map("openedx-config", {name: text for name, text in env.items() if text is not None}),
            config_map("openedx-settings-lms", {"production.py": self.settings}),
            config_map("openedx-settings-cms", {"production.py": SETTINGS}),
            worker("cms", ("default", "high", "low"), mounts_settings=self.mounts_settings),
            self.lms_worker or worker("lms", LMS_VARIANTS, mounts_settings=self.mounts_settings),
            *self.others,
        ]

    @property
    def stream(self) -> bytes:
        """The same as YAML."""
        return dumped(self.objects)


def dumped(objects: Sequence[Mapping[str, Any]]) -> bytes:
    """Return objects as YAML, a document each."""
    return yaml.dump_all(objects, Dumper=yaml.CSafeDumper, sort_keys=False).encode()


class Result(NamedTuple):
    """What the function answers."""

    output: Output

    @property
    def items(self) -> list[dict[str, Any]]:
        """The resources."""
        return _read(self.output.data)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """Return the one object of this kind and name."""
        (found,) = (item for item in self.items if (item["kind"], item["metadata"]["name"]) == (kind, name))
        return found

    def kinds(self, kind: str) -> list[str]:
        """Return the names of the objects of a kind."""
        return [item["metadata"]["name"] for item in self.items if item["kind"] == kind]

    def triggers(self, deployment: str) -> dict[str, dict[str, Any]]:
        """Return a Deployment's triggers by name."""
        spec = self.get("ScaledObject", f"{deployment}-scaledobject")["spec"]
        return {trigger["name"]: trigger for trigger in spec["triggers"]}

    def metadata(self, deployment: str, trigger: str = "queued1") -> dict[str, str]:
        """Return the metadata of a trigger."""
        metadata: dict[str, str] = self.triggers(deployment)[trigger]["metadata"]
        return metadata

    def said(self, severity: str) -> list[str]:
        """Return the messages of this severity."""
        return [str(problem) for problem in self.output.problems if problem.severity == severity]

    @property
    def errors(self) -> list[str]:
        """What is refused."""
        return self.said(ERROR)

    @property
    def warnings(self) -> list[str]:
        """What is warned about."""
        return self.said(WARNING)


@functools.lru_cache(maxsize=8)
def _read(data: bytes) -> list[dict[str, Any]]:
    return list(yaml.load_all(data, yaml.CSafeLoader))


def env_file(**changes: str | None) -> str:
    """Return a ``lms.env.yml``; ``changes`` are values as YAML, or None for a line that isn't there."""
    lines = {"SITE_NAME": '"lms.example.com"', **BROKER, **changes, "ALTERNATE_WORKER_QUEUES": '"cms"'}
    return "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not None)


def site(**changes: Any) -> Site:
    """Return a site with Tutor's own Redis, or what ``changes`` say of it."""
    return Site(lms_env=env_file(), cms_env=env_file())._replace(**changes)


def built(spec: str, given: Site | bytes | None = None) -> Result:
    """Return what comes out for a configuration, given as YAML in flow style."""
    stream = given if isinstance(given, bytes) else (given or site()).stream
    return Result(run_stream(stream, f"{HEAD}{spec}\n".encode()))


def worked(spec: str, given: Site | bytes | None = None) -> Result:
    """Return what comes out, which has to work; each object is one that KEDA's API takes."""
    result = built(spec, given)
    assert not result.errors, result.errors
    for item in result.items:
        check_schema(item)
    return result


def check_schema(item: Mapping[str, Any]) -> None:
    """Raise ValidationError for an object of KEDA's that some supported version doesn't take as a whole."""
    if str(item["apiVersion"]).startswith("keda.sh/"):
        for version in KEDA_VERSIONS:
            validator(version, str(item["kind"])).validate(item)


@functools.cache
def validator(version: str, kind: str) -> Any:
    """Return what checks a kind of KEDA's; unknown fields, which an API server drops without a word, are errors."""
    path = SCHEMAS / f"keda-{version}-{kind.lower()}s.yaml"
    closed: dict[str, Any] = _closed(yaml.safe_load(path.read_text()))
    # metadata is Kubernetes' own.
    closed["properties"]["metadata"] = {"type": "object"}
    return jsonschema.Draft202012Validator(closed)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(child) for key, child in node.items()}
    if node.get("type") == "object" and "properties" in node:
        closed["additionalProperties"] = False
    return closed


def config_map(name: str, data: Mapping[str, str]) -> dict[str, Any]:
    """Return a ConfigMap of the site."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(name), "data": dict(data)}


def metadata(name: str) -> dict[str, Any]:
    """Return the metadata that Tutor gives an object."""
    return {
        "name": name,
        "namespace": NAMESPACE,
        "labels": {
            "app.kubernetes.io/instance": "openedx-demo",
            "app.kubernetes.io/managed-by": "tutor",
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/part-of": "openedx",
        },
        "annotations": {"app.kubernetes.io/version": "22.0.3"},
    }


def worker(service: str, variants: Sequence[str], *, mounts_settings: bool = True) -> dict[str, Any]:
    """Return the Deployment that Tutor emits for the worker of a service."""
    name = f"{service}-worker"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": "openedx-demo"}
    queues = ",".join(f"edx.{service}.core.{variant}" for variant in variants)
    words = f"celery --app={service}.celery worker --hostname=edx.{service}.core.default.%h --queues={queues}"
    container: dict[str, Any] = {"name": name, "image": "openedx", "args": words.split(" ")}
    pod: dict[str, Any] = {"containers": [container]}
    if mounts_settings:
        container["volumeMounts"] = [{"name": "settings", "mountPath": f"/openedx/edx-platform/{service}/envs/tutor/"}]
        pod["volumes"] = [{"name": "settings", "configMap": {"name": f"openedx-settings-{service}"}}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name),
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def scaler(kind: str, name: str, deployment: str) -> dict[str, Any]:
    """Return an autoscaler of others: a HorizontalPodAutoscaler or a ScaledObject."""
    return {
        "apiVersion": "autoscaling/v2" if kind == "HorizontalPodAutoscaler" else "keda.sh/v1alpha1",
        "kind": kind,
        "metadata": metadata(name),
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment}},
    }
