"""docs/operations.md: what it says of Tutor's own commands is what a real Tutor asks kubectl to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests import sites
from tests.builds import documents
from tests.checkout import BUILT, copy_checkout
from tests.docs.pages import commands, page
from tests.docs.place import Place, place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.builds import Document

TEXT = page("operations")
COMMANDS = commands(TEXT)


@pytest.fixture
def site(tmp_path: Path) -> Place:
    """Return a site with all that KEDA and budgets add, built into site.yaml."""
    made = place(tmp_path)
    copy_checkout(made.directory, BUILT)
    (made.directory / "kustomizer").symlink_to(sites.ROOT / "kustomizer")
    made.done("tutor --root=tutor config save")
    made.done("tutor-kustomizer build overlays/production -o site.yaml")
    return made


def built(site: Place) -> Sequence[Document]:
    return documents((site.directory / "site.yaml").read_bytes())


def asked(site: Place, command: str) -> list[str]:
    """Return what Tutor asked kubectl for."""
    log = site.directory.parent / "cluster" / "log"
    log.write_text("")
    site.done(f"tutor --root=tutor {command}")
    return log.read_text().splitlines()


def selected(labels: dict[str, str], selector: str) -> bool:
    """Tell whether labels are what an equality-based selector asks for."""
    for part in selector.split(","):
        name, equals, value = re.split(r"(!?==?)", part)
        if (labels.get(name) == value) != (equals != "!="):
            return False
    return True


def test_start_applies_env_alone(site: Place) -> None:
    (applied,) = [line for line in asked(site, "k8s start") if line.startswith("apply")]
    assert re.match(r"apply --kustomize \S+/tutor/env --selector app.kubernetes.io/component notin", applied)


@pytest.mark.parametrize("command", ["k8s stop", "k8s reboot"])
def test_stop_deletes_the_copies_and_their_settings_and_leaves_the_rest(command: str, site: Place) -> None:
    lines = asked(site, command)
    (deleted,) = [line for line in lines if line.startswith("delete")]
    selector = deleted.partition("--selector=")[2].split()[0]
    kinds = deleted.split()[-1]
    assert kinds == "deployments,services,configmaps,jobs"
    goes = [
        item.key
        for item in built(site)
        if f"{item.kind.lower()}s" in kinds.split(",") and selected(labels(item.tree), selector)
    ]
    for name in ("lms-worker", "lms-worker-high", "cms-worker-low"):
        assert f"Deployment openedx/{name}" in goes
    assert any("lms-worker-high-celery-settings" in key for key in goes)
    assert any(line.startswith("apply") for line in lines) == (command == "k8s reboot")


def labels(tree: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = tree["metadata"].get("labels") or {}
    return found


def test_going_back_names_all_that_the_overlay_adds(site: Place) -> None:
    """And nothing that Tutor has."""
    theirs = {item.key for item in documents(site.done("kustomize build tutor/env").encode())}
    # Nothing reads the ConfigMaps and Secrets any more.
    added = {
        f"{item.kind} {item.name}"
        for item in built(site)
        if item.key not in theirs and item.kind not in {"ConfigMap", "Secret"}
    }
    words = " ".join(
        command.replace("\\\n", " ") for command in COMMANDS if command.startswith("kubectl -n openedx delete")
    )
    named = {f"ScaledObject {name}" for name in re.findall(r"\s([a-z-]+-scaledobject)\b", words)}
    kinds = {
        "deployment": "Deployment",
        "pdb": "PodDisruptionBudget",
        "prometheusrule": "PrometheusRule",
        "service": "Service",
        "servicemonitor": "ServiceMonitor",
    }
    named |= {f"{kinds[kind]} {name}" for kind, name in re.findall(r"\s([a-z]+)/(\S+)", words)}
    assert named == added


def test_each_of_tutors_commands_is_there() -> None:
    """The table names what this Tutor has, but for what only looks."""
    listed = sites.run(sites.tutor("22"), "k8s", "--help").decode().partition("Commands:")[2]
    there = set(re.findall(r"(?m)^  ([a-z-]+)  ", listed))
    named = set(re.findall(r"`tutor k8s ([a-z]+)", TEXT))
    assert named <= there
    assert there - named <= {"apply", "exec", "logs", "status", "wait", "hpa", "run"}


def test_its_routing_is_tutors(site: Place) -> None:
    typed = [command for command in COMMANDS if command.startswith(("tutor plugins", "tutor config save"))]
    assert len(typed) == 2
    overlay = site.directory / "overlays" / "production"
    site.done("export TUTOR_ROOT=tutor", *(command.replace("/path/to/overlay", str(overlay)) for command in typed))
    names = [item.name for item in documents(site.done("tutor-kustomizer build overlays/production").encode())]
    assert not [name for name in names if name.startswith("lms-celery-settings")]
    assert [item.name for item in built(site) if item.name.startswith("lms-celery-settings")]
