"""docs/flux.md with Flux's own controllers: what a commit, Tutor, a substitution and an age key make of a site."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from versions import SOPS

from kustomizer.rules.flux_substitution import SUBSTITUTE
from tests.control_plane.gitops import git_server
from tests.control_plane.gitops.cloud import cloud
from tests.control_plane.gitops.settings import mounted, settings
from tests.control_plane.operator_site import NAMESPACE, consumers
from tests.control_plane.test_acceptance import RECOMMENDED
from tests.control_plane.test_tutor_beside import PLAIN
from tests.docs.pages import commands, files, page
from tests.parts import TOOLS, present
from tests.sites import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.control_plane.cluster import Cluster
    from tests.control_plane.gitops.flux import Flux
    from tests.control_plane.gitops.repository import Repository

TEXT = page("flux")
EXPORT, ADD, COMMIT = commands(TEXT)[:3]
KEPT = {"kustomize.toolkit.fluxcd.io/prune": "disabled"}


def objects(repository: Repository, **spec: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the page's objects. No pod ever becomes ready here, so nothing waits for that."""
    source, kustomization = yaml.safe_load_all(files(TEXT)["clusters/production/openedx.yaml"])
    source["spec"]["url"] = repository.url
    kustomization["spec"] |= {"wait": False, "retryInterval": "2s", **spec}
    return source, kustomization


def follow(flux: Flux, repository: Repository, **spec: Any) -> None:
    flux.follow(*objects(repository, **spec), (git_server.USER, git_server.PASSWORD))


def export(repository: Repository) -> str:
    """Do what the page says after a change, and return the commit."""
    repository.site.done(EXPORT, ADD, COMMIT)
    return repository.push()


def test_an_export_over_a_site_that_tutor_started(flux: Flux, cluster: Cluster, repository: Repository) -> None:
    repository.done("tutor k8s start")
    assert consumers(cluster) == PLAIN
    commit = export(repository)
    follow(flux, repository)
    status = flux.synced(commit)
    assert consumers(cluster) == RECOMMENDED
    # Tutor's template Jobs aren't among what is applied.
    assert not [each for each in status["inventory"]["entries"] if each["id"].endswith("_batch_Job")]

    repository.done("tutor k8s start")
    assert consumers(cluster)["edx.lms.core.high"] == ["lms-worker", "lms-worker-high"]
    flux.synced(commit)
    assert consumers(cluster) == RECOMMENDED

    repository.site.done(
        "sed -i 's/unassignedQueues: Error/unassignedQueues: KeepOnDefault/; /low: {}/d' overlay/celery-workers.yaml"
    )
    flux.synced(export(repository))
    assert consumers(cluster) == RECOMMENDED | {"edx.cms.core.low": ["cms-worker"]}
    assert cluster.get("deployment", NAMESPACE, "cms-worker-low") is None


@pytest.mark.parametrize("kept", [False, True])
def test_old_settings_in_mid_rollout(kept: bool, flux: Flux, cluster: Cluster, repository: Repository) -> None:
    """No pod of the new ReplicaSet becomes ready here, so the old one's stay."""
    annotated = {"settings": {"annotations": KEPT}} if kept else {}
    repository.configure(**annotated)
    follow(flux, repository)
    flux.synced(export(repository))
    (old,) = settings(cluster)
    repository.configure(celery={"visibilityTimeout": 7200})
    flux.synced(export(repository))
    assert old in mounted(cluster)
    assert len(mounted(cluster)) == 2
    assert (old in settings(cluster)) is kept


def test_substitution(flux: Flux, cluster: Cluster, repository: Repository) -> None:
    """Flux changes what `check --flux` names, and nothing else: not the dashboard. What it doesn't know it refuses."""
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": NAMESPACE}}
    repository.write({"overlay/mine.yaml": yaml.safe_dump(mine | {"data": {"run": "echo ${NAME} ${OTHER:-nobody}"}})})
    repository.site.done("sed -i 's/^resources:$/&\\n- mine.yaml/' overlay/kustomization.yaml")
    secret = {"existingSecret": {"name": "flower-basic-auth", "key": "auth"}}
    repository.configure(flower={"enabled": True, "basicAuth": secret, "dashboard": {"enabled": True}})
    commit = export(repository)
    follow(flux, repository, postBuild={"substitute": {"ANOTHER": "learn"}})
    assert 'variable not set (strict mode): "NAME"' in flux.refused(commit)
    assert cluster.get("deployments", NAMESPACE) == []

    follow(flux, repository, postBuild={"substitute": {"NAME": "learn"}})
    flux.synced(commit)
    built = list(yaml.safe_load_all(repository.site.done("kubectl kustomize plain")))
    maps = {item["metadata"]["name"]: item for item in built if item["kind"] == "ConfigMap"}
    changed = {name for name, item in maps.items() if cluster.get("configmap", NAMESPACE, name)["data"] != item["data"]}
    found = repository.site.run("tutor-kustomizer check --flux -o json overlay")
    findings = json.loads(found.stdout)["findings"]
    assert changed == {each["resource"]["name"] for each in findings if each["rule"] == "flux-substitution"} == {"mine"}
    assert cluster.get("configmap", NAMESPACE, "mine")["data"] == {"run": "echo learn nobody"}
    spared = [item for item in maps.values() if "${" in str(item["data"]) and item["metadata"]["name"] != "mine"]
    assert [item["metadata"]["annotations"][SUBSTITUTE] for item in spared] == ["disabled"]


def test_a_committed_env_that_holds_the_split(flux: Flux, cluster: Cluster, repository: Repository) -> None:
    repository.done("tutor k8s start")
    repository.split_env(TEXT)
    follow(flux, repository, path="./site")
    status = flux.synced(repository.push())
    assert consumers(cluster) == RECOMMENDED
    assert not [each for each in status["inventory"]["entries"] if each["id"].endswith("_batch_Job")]
    # Tutor applies the same, so nothing is put back.
    repository.done("tutor k8s start")
    assert consumers(cluster) == RECOMMENDED


def test_an_env_that_was_refused_changes_nothing(flux: Flux, cluster: Cluster, repository: Repository) -> None:
    committing = repository.split_env(TEXT)
    follow(flux, repository, path="./site")
    flux.synced(repository.push())
    repository.write({"tutor/celery-workers.yaml": "kind: Nonsense\n"})
    assert repository.site.run('export TUTOR_ROOT="$PWD/tutor"', "tutor config save").returncode != 0
    repository.site.done(*committing)
    message = flux.refused(repository.push())
    assert "the-split-is-missing" in message or "kustomize build failed" in message
    assert consumers(cluster) == RECOMMENDED


def test_it_waits_until_all_is_ready(flux: Flux, cluster: Cluster, repository: Repository, tmp_path: Path) -> None:
    """With the page's `wait: true`."""
    with cloud(cluster, tmp_path / "cloud"):
        follow(flux, repository, wait=True)
        status = flux.synced(export(repository))
        healthy = [each for each in status["conditions"] if each["type"] == "Healthy"]
        assert [each["status"] for each in healthy] == ["True"]
        for item in cluster.get("deployments", NAMESPACE):
            assert item["status"].get("readyReplicas", 0) >= 1, item["metadata"]["name"]


def test_passwords_that_stay_encrypted(flux: Flux, cluster: Cluster, repository: Repository) -> None:
    """With SOPS and a key of age's: the commands of the page, and what the cluster has afterwards."""
    section = page("flux").partition("\n## Passwords that stay encrypted\n")[2].partition("\n## ")[0]
    text, decryption, _ = re.split(r"(?m)^```(?:yaml)?$", section)
    typed = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    sops = present(TOOLS / "sops" / SOPS / "bin")
    made = "from pyrage import x25519; key = x25519.Identity.generate(); print(key, key.to_public())"
    secret, public = run(sops / "python", "-c", made).decode().split()
    cluster.apply(yaml.safe_dump(key_of(secret)))
    password = "hemligt"
    repository.site.done(
        f"tutor --root=tutor config save --set REDIS_PASSWORD={password} --set LMS_HOST=learn.example.com"
    )
    basic = {"existingSecret": {"name": "flower-basic-auth", "key": "auth"}}
    repository.configure(flower={"enabled": True, "basicAuth": basic})
    repository.site.done(
        f"export AGE_RECIPIENT={public}", f"export PATH={sops}:$PATH", *typed, "git add tutor/env", COMMIT
    )
    (encrypted,) = (repository.site.directory / "plain" / "secrets").glob("*.env")
    assert password not in encrypted.read_text()
    repository.site.done(EXPORT, f"{EXPORT} --check", "git diff --exit-code -- plain")
    follow(flux, repository, **yaml.safe_load(decryption)["spec"])
    flux.synced(repository.push())
    (flower,) = [item for item in cluster.get("secrets", NAMESPACE) if item["metadata"]["name"].startswith("flower-")]
    url = base64.b64decode(flower["data"]["CELERY_BROKER_URL"]).decode()
    assert url == f"redis://:{password}@redis.{NAMESPACE}:6379/0"
    (entry,) = cluster.get("deployment", NAMESPACE, "flower")["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert entry["secretRef"]["name"] == flower["metadata"]["name"]


def key_of(secret: str) -> dict[str, Any]:
    """Return the Secret that the page makes by kubectl."""
    metadata = {"name": "sops-age", "namespace": "flux-system"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"age.agekey": secret}}
