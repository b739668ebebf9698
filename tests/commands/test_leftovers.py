"""`tutor-kustomizer leftovers` on real workers and a real Redis; a real API server is in tests/control_plane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.cluster.leftovers import REMOVED
from tests import builds as b
from tests.broker_site import BROKERS, HIGH, IN_FLIGHT_OF_HIGH, place, task
from tests.commands.test_in_flight import Live, live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.broker_site import Place
    from tests.builds import Builds

USERS = ("pods", "replicasets.apps", "statefulsets.apps", "cronjobs.batch", "jobs.batch")


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, builds: Builds) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("leftovers"), BROKERS["prefix"], builds) as given:
        yield given


@pytest.fixture
def cluster(given: Place, tmp_path: Path) -> Iterator[Live]:
    """Return a site with all that its build has, and a build beside it that has no worker for high any more."""
    with live(given, tmp_path, defaults={"concurrency": 1, "podDisruptionBudget": {"maxUnavailable": 1}}) as cluster:
        trees = [item.tree for item in b.documents(cluster.built.read_bytes())]
        objects: dict[str, list[dict[str, Any]]] = {name: [] for name in (*REMOVED.values(), *USERS)}
        for tree in trees:
            if tree["kind"] in REMOVED:
                objects[REMOVED[tree["kind"]]].append(tree)
        del objects["pods"]
        cluster.site.objects = objects
        kept = [tree for tree in trees if "lms-worker-high" not in yaml.safe_dump(tree) or "high-mem" in str(tree)]
        (tmp_path / "without.yaml").write_text(yaml.safe_dump_all(kept))
        yield cluster


def leftovers(cluster: Live, *arguments: str, stdin: str = "") -> Result:
    site = cluster.built.with_name("without.yaml")
    command = ["leftovers", str(site), *arguments, "--kubectl", str(cluster.site.kubectl)]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, command, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def deleted(cluster: Live) -> list[list[str]]:
    return [
        [word for word in words[words.index("delete") + 1 :] if not word.startswith("--")]
        for words in map(list, cluster.site.arguments())
        if "delete" in words
    ]


def test_it_goes_once_nothing_waits_for_it(cluster: Live) -> None:
    site = cluster.site
    site.start("lms-worker", "lms-worker-high")
    site.send("lms", task("long", "a", queue=HIGH), task("quick", "b", queue=HIGH))
    site.wait_for("started", 1)
    site.wait(lambda: site.lengths() == {IN_FLIGHT_OF_HIGH: 1, HIGH: 1}, "one to be taken")

    busy = leftovers(cluster, "--yes")
    assert busy.exit_code == 3, busy.output
    assert busy.stdout.splitlines()[:5] == [
        "lms-worker-high stays: 1 task on edx.lms.core.high, which no worker of the site",
        "  consumes; 1 task in flight under unacked.lms-worker-high",
        "  Deployment lms-worker-high",
        "  PodDisruptionBudget lms-worker-high",
        "  ConfigMap lms-worker-high-celery-settings-" + busy.stdout.splitlines()[4].rpartition("-")[2],
    ]
    assert deleted(cluster) == []

    site.release("a")
    site.wait_for("done", 2)
    site.wait(lambda: site.lengths() == {}, "both to be acknowledged")
    shown = leftovers(cluster, "--dry-run")
    assert shown.exit_code == 3
    assert "lms-worker-high can go: no task on edx.lms.core.high and none in flight under" in shown.stdout
    unasked = leftovers(cluster)
    assert unasked.exit_code == 1
    assert "--yes" in unasked.stderr
    assert deleted(cluster) == []

    done = leftovers(cluster, "--yes", "--output=json")
    assert done.exit_code == 0, done.output
    [left] = json.loads(done.stdout)["leftovers"]
    assert (left["name"], left["stays"], left["removed"]) == ("lms-worker-high", [], True)
    assert left["tasks"] == {HIGH: 0, IN_FLIGHT_OF_HIGH: 0}
    [deployment, budget, settings] = deleted(cluster)
    assert (deployment, budget) == (
        ["deployments.apps", "lms-worker-high"],
        ["poddisruptionbudgets.policy", "lms-worker-high"],
    )
    assert settings[0] == "configmaps"


def test_what_cannot_be_counted_stays(cluster: Live) -> None:
    done = leftovers(cluster, "--yes")
    assert done.exit_code == 3
    assert "its tasks can't be counted: no pod of lms or cms is ready" in " ".join(done.stdout.split())
    assert deleted(cluster) == []


def test_nothing_is_left_over(cluster: Live) -> None:
    cluster.built.with_name("without.yaml").write_bytes(cluster.built.read_bytes())
    done = leftovers(cluster, "--yes")
    assert (done.exit_code, done.stdout) == (0, "Nothing is left over.\n")


def test_a_site_that_splits_nothing_has_to_be_meant(cluster: Live) -> None:
    without = cluster.built.with_name("without.yaml")
    kept = [item.text for item in b.documents(without.read_bytes()) if "worker-" not in item.name]
    without.write_text("---\n".join(kept))
    refused = leftovers(cluster, "--yes")
    assert refused.exit_code == 1
    assert "--unsplit" in refused.stderr
    shown = leftovers(cluster, "--unsplit", "--dry-run")
    assert shown.exit_code == 3
    assert [line for line in shown.stdout.splitlines() if line.startswith("  Deployment")] == [
        f"  Deployment {name}"
        for name in ("cms-worker-high", "cms-worker-low", "lms-worker-high", "lms-worker-high-mem")
    ]
