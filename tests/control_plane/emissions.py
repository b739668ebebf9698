"""The three ways to run a site's workers that are compared: what each emits, built by the real Tutor and kustomize.

``plain`` is Tutor 22 alone: a worker for all queues of a service. ``upstream`` is tutor-contrib-celery 22 with the
configuration that its README recommends, KEDA on for each worker, as that README has it for autoscaling. ``ours`` is
overlays/production as it stands in this repository, once without one of its settings, and once with another one; and
the same configuration as the Tutor plugin puts it into Tutor's own env/.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from kustomizer.config.layers import merge_maps
from kustomizer.overlay.config_file import config_file
from tests import builds, celery_site, sites
from tests.checkout import copy_checkout
from tests.tutor_plugin.real_tutor import plugin_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Object = dict[str, Any]

PLAIN, UPSTREAM, OURS = "plain", "upstream", "ours"
WITHOUT_REJECT = "ours, without rejectOnWorkerLost"
RESTORING = "ours, with restoreOrphans"
IN_ENV = "ours, in env/"
OVERLAY = "overlays/production"
RESTORER = "celery-restore-orphans"
UPSTREAM_WORKERS = """
for service, variants in {"lms": ("high", "high_mem"), "cms": ("high", "low")}.items():
    scaled = {**workers_config[service]["default"], "enable_keda": True}
    workers_config[service] = {name: dict(scaled) for name in ("default", *variants)}
"""
BESIDE_WORKERS = (
    *("Namespace", "ConfigMap", "Secret", "TriggerAuthentication", "PodDisruptionBudget"),
    *("ServiceAccount", "Role", "RoleBinding"),
)


def emission(site: str, directory: Path, *, namespace: str, redis: str) -> list[Object]:
    """Return all objects of a site in ``namespace`` whose broker is the Service ``redis``."""
    settings = {"K8S_NAMESPACE": namespace, "REDIS_HOST": redis}
    build = _BUILDERS[site](directory, settings)
    return [document.tree for document in builds.documents(build)]


def _plain(directory: Path, settings: Mapping[str, str]) -> bytes:
    return sites.build(sites.kustomize(sites.NEWEST), celery_site.render(directory / "tutor", settings))


def _upstream(directory: Path, settings: Mapping[str, str]) -> bytes:
    """Render as Tutor's user does with the plugin on, and no other, so that the sites differ in nothing else."""
    root = directory / "tutor"
    plugins = root / "plugins"
    plugins.mkdir(parents=True)
    body = "".join(f"    {line}\n" for line in UPSTREAM_WORKERS.strip().splitlines())
    (plugins / "workers.py").write_text(
        "from tutorcelery.hooks import CELERY_WORKERS_CONFIG\n\n\n"
        f"@CELERY_WORKERS_CONFIG.add()\ndef configure(workers_config):\n{body}    return workers_config\n"
    )
    config = yaml.safe_load((sites.site("22").parent / "config.yml").read_text())
    (root / "config.yml").write_text(yaml.safe_dump({**config, **settings, "PLUGINS": ["celery", "workers"]}))
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TUTOR_")}
    environ |= {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(plugins)}
    sites.run(sites.tutor("22"), "config", "save", env=environ)
    return sites.build(sites.kustomize(sites.NEWEST), root / "env")


def _ours(directory: Path, settings: Mapping[str, str], celery: Mapping[str, object] | None = None) -> bytes:
    """Build the overlay in a copy of this repository, with the site as its tutor/."""
    celery_site.render(directory / "tutor", settings)
    copy_checkout(directory)
    # The Secret of Flower, which nobody runs here, has to be where Flower is.
    kustomization = directory / OVERLAY / "secrets" / "kustomization.yaml"
    kustomization.write_text(
        kustomization.read_text().replace("namespace: openedx\n", f"namespace: {settings['K8S_NAMESPACE']}\n")
    )
    (directory / ".venv").symlink_to(sys.prefix)
    if celery:
        config = directory / OVERLAY / "config" / "celery-workers.yaml"
        document = yaml.safe_load(config.read_text())
        document["spec"]["celery"] = {**document["spec"].get("celery", {}), **celery}
        config.write_text(yaml.safe_dump(document))
    return sites.build(sites.kustomize(sites.NEWEST), directory / OVERLAY)


def _in_env(directory: Path, settings: Mapping[str, str]) -> bytes:
    """Save env/ as Tutor's user does with our plugin on, and the overlay's configuration in Tutor's root."""
    found = plugin_environment(directory, "22")
    root = Path(found["TUTOR_ROOT"])
    config = yaml.safe_load((root / "config.yml").read_text())
    (root / "config.yml").write_text(yaml.safe_dump({**config, **settings}))
    patch = config_file(sites.ROOT / OVERLAY / "config" / "celery-workers.yaml")
    (root / "celery-workers.yaml").write_text(yaml.safe_dump(merge_maps(patch.base, patch.own)))
    environ = {key: value for key, value in found.items() if not key.startswith("TUTOR_")}
    environ |= {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(directory / "plugins")}
    sites.run(sites.tutor("22"), "plugins", "enable", "kustomizer", env=environ)
    return sites.run(sites.kustomize(sites.NEWEST), "build", root / "env")


_BUILDERS: dict[str, Callable[[Path, Mapping[str, str]], bytes]] = {
    PLAIN: _plain,
    UPSTREAM: _upstream,
    OURS: _ours,
    IN_ENV: _in_env,
    WITHOUT_REJECT: lambda directory, settings: _ours(directory, settings, {"rejectOnWorkerLost": False}),
    RESTORING: lambda directory, settings: _ours(directory, settings, {"restoreOrphans": {"enabled": True}}),
}
SITES = tuple(_BUILDERS)


def queues_of(deployment: Mapping[str, Any]) -> Sequence[str]:
    """Return what a worker's Deployment consumes: its last ``--queues``, as Celery has it; nothing for any other."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    words = [str(word) for item in containers for word in item.get("args") or ()]
    given = [word.removeprefix("--queues=") for word in words if word.startswith("--queues=")]
    return given[-1].split(",") if "worker" in words and given else ()


def workers(objects: Iterable[Object], queues: Iterable[str] = ()) -> list[Object]:
    """Return what the workers of these queues, or of all, are made of, and what restores orphans: nothing else runs."""
    wanted = set(queues)
    objects = list(objects)
    kept = {
        item["metadata"]["name"]
        for item in objects
        if item["kind"] == "Deployment" and (found := queues_of(item)) and (not wanted or wanted & set(found))
    }
    kept.add(RESTORER)
    return [item for item in objects if item["kind"] in BESIDE_WORKERS or _target(item) in kept]


def _target(item: Object) -> str:
    if item["kind"] == "Deployment":
        return str(item["metadata"]["name"])
    if item["kind"] in {"ScaledObject", "HorizontalPodAutoscaler"}:
        return str(item["spec"]["scaleTargetRef"]["name"])
    return ""


def at_their_minimum(objects: Sequence[Object]) -> list[Object]:
    """Return the objects with each scaled worker at its least number of pods, as on a site that has been idle."""
    least = {
        _target(item): item["spec"].get("minReplicaCount", 0) for item in objects if item["kind"] == "ScaledObject"
    }
    return [
        {**item, "spec": {"replicas": least[item["metadata"]["name"]], **item["spec"]}}
        if item["kind"] == "Deployment" and item["metadata"]["name"] in least
        else item
        for item in objects
    ]
