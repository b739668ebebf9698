"""docs/argo-cd.md with Argo CD's own servers: the plugin, what Tutor puts back, pruning, env/ without a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.control_plane.gitops import git_server
from tests.control_plane.gitops.cloud import cloud
from tests.control_plane.gitops.settings import mounted, settings
from tests.control_plane.operator_site import NAMESPACE, consumers
from tests.control_plane.test_acceptance import RECOMMENDED
from tests.control_plane.test_tutor_beside import PLAIN
from tests.docs.pages import page
from tests.docs.test_argo_cd import committing, load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.control_plane.cluster import Cluster
    from tests.control_plane.gitops.argo_cd import ArgoCd
    from tests.control_plane.gitops.repository import Repository

LAST = {"argocd.argoproj.io/sync-options": "PruneLast=true"}
AUTOMATED = {"automated": {"prune": True, "selfHeal": True}}


def application(repository: Repository, **source: Any) -> dict[str, Any]:
    """Return the page's Application."""
    found: dict[str, Any] = load("application.yaml")
    found["spec"]["source"] |= {"repoURL": repository.url, **source}
    return found


def without_plugin(repository: Repository, path: str) -> dict[str, Any]:
    found = application(repository, path=path)
    del found["spec"]["source"]["plugin"]
    return found


def commit(repository: Repository, beginning: str = "git add overlay tutor/env") -> str:
    """Do what the page says after a change, and return the commit."""
    repository.site.done('export TUTOR_ROOT="$PWD/tutor"', *committing(beginning))
    return repository.push()


def synced(argo_cd: ArgoCd, repository: Repository, found: dict[str, Any], pushed: str) -> dict[str, Any]:
    argo_cd.follow(found, (git_server.USER, git_server.PASSWORD))
    argo_cd.sync(*found["spec"]["syncPolicy"]["syncOptions"])
    return argo_cd.synced(pushed)


def test_a_commit_goes_through_the_plugin(argo_cd: ArgoCd, cluster: Cluster, repository: Repository) -> None:
    repository.done("tutor k8s start", f"kubectl -n {NAMESPACE} create secret generic made-by-hand --from-literal=a=b")
    assert consumers(cluster) == PLAIN
    found = application(repository)
    status = synced(argo_cd, repository, found, commit(repository))["status"]
    assert status["sourceType"] == "Plugin"
    assert consumers(cluster) == RECOMMENDED
    built = yaml.safe_load_all(repository.site.done("tutor-kustomizer build overlay"))
    assert {(each["kind"], each["name"]) for each in status["resources"]} == {
        (each["kind"], each["metadata"]["name"]) for each in built
    }

    repository.site.done(
        "sed -i 's/unassignedQueues: Error/unassignedQueues: KeepOnDefault/; /low: {}/d' overlay/celery-workers.yaml"
    )
    pushed = commit(repository)
    argo_cd.refresh()
    argo_cd.sync(*found["spec"]["syncPolicy"]["syncOptions"])
    argo_cd.synced(pushed)
    assert consumers(cluster) == RECOMMENDED | {"edx.cms.core.low": ["cms-worker"]}
    # What isn't in Git isn't pruned: a Secret that was made in the cluster.
    assert cluster.get("secret", NAMESPACE, "made-by-hand") is not None


def test_the_plugin_renders_env(argo_cd: ArgoCd, cluster: Cluster, repository: Repository) -> None:
    found = application(repository)
    found["spec"]["source"]["plugin"]["parameters"].append({"name": "tutor-root", "string": "tutor"})
    synced(argo_cd, repository, found, commit(repository, "tutor config save"))
    assert consumers(cluster) == RECOMMENDED


def test_what_the_plugin_refuses_changes_nothing(argo_cd: ArgoCd, cluster: Cluster, repository: Repository) -> None:
    found = application(repository)
    synced(argo_cd, repository, found, commit(repository))
    repository.site.done("sed -i '/low: {}/d' overlay/celery-workers.yaml")
    commit(repository)
    argo_cd.refresh()
    assert "edx.cms.core.low" in argo_cd.refused("edx.cms.core.low")
    assert consumers(cluster) == RECOMMENDED
    found["spec"]["source"]["plugin"]["parameters"][0]["string"] = "../elsewhere"
    argo_cd.follow(found, (git_server.USER, git_server.PASSWORD))
    argo_cd.refused("not a path below the application's own")


def test_self_heal_after_tutors_start(argo_cd: ArgoCd, cluster: Cluster, repository: Repository) -> None:
    found = application(repository)
    found["spec"]["syncPolicy"] |= AUTOMATED
    pushed = commit(repository)
    argo_cd.follow(found, (git_server.USER, git_server.PASSWORD))
    argo_cd.synced(pushed)
    assert consumers(cluster) == RECOMMENDED
    repository.done("tutor k8s start")
    argo_cd.healed(lambda: consumers(cluster) == RECOMMENDED)
    argo_cd.synced(pushed)


@pytest.mark.parametrize("annotated", [False, True])
def test_old_settings_in_mid_rollout(
    annotated: bool, argo_cd: ArgoCd, cluster: Cluster, repository: Repository, tmp_path: Path
) -> None:
    """No pod of the new ReplicaSet becomes ready before there is a cloud, so the old one's stay."""
    if annotated:
        repository.configure(settings={"annotations": LAST})
    found = application(repository)
    synced(argo_cd, repository, found, commit(repository))
    (old,) = settings(cluster)
    repository.configure(celery={"visibilityTimeout": 7200})
    pushed = commit(repository)
    argo_cd.refresh()
    argo_cd.sync(*found["spec"]["syncPolicy"]["syncOptions"])
    if annotated:
        assert "waiting for healthy state" in argo_cd.running(pushed)
    else:
        argo_cd.synced(pushed)
    assert old in mounted(cluster)
    assert len(mounted(cluster)) == 2
    assert (old in settings(cluster)) is annotated
    if annotated:
        with cloud(cluster, tmp_path / "cloud"):
            argo_cd.synced(pushed)
        assert old not in settings(cluster) | mounted(cluster)


def test_a_committed_env_that_holds_the_split(argo_cd: ArgoCd, cluster: Cluster, repository: Repository) -> None:
    repository.done("tutor k8s start")
    committing_env = repository.split_env(page("argo-cd"))
    status = synced(argo_cd, repository, without_plugin(repository, "site"), repository.push())["status"]
    assert status["sourceType"] == "Kustomize"
    assert consumers(cluster) == RECOMMENDED
    assert not [each for each in status["resources"] if each["kind"] == "Job"]
    # Tutor applies the same, so the workers stay as they are.
    repository.done("tutor k8s start")
    assert consumers(cluster) == RECOMMENDED

    repository.write({"tutor/celery-workers.yaml": "kind: Nonsense\n"})
    assert repository.site.run('export TUTOR_ROOT="$PWD/tutor"', "tutor config save").returncode != 0
    repository.site.done(*committing_env)
    repository.push()
    argo_cd.refresh()
    argo_cd.refused("the-split-is-missing")
    assert consumers(cluster) == RECOMMENDED
