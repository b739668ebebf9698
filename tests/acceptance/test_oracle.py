"""Ours against tutor-contrib-celery 22, which renders the same configuration over the same site.

Whoever moves over has to see updates in place: the same Deployments for the same queues, with the same settings. What
differs is mended in the oracle's output first, each shortcoming by itself and only where it is there; a difference that
nobody knows of fails. Of its seven known shortcomings, 1 to 4 show in Deployments; 5 to 7 are in what it emits for KEDA
and Flower, which these configurations leave out.
"""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import builds as b, settings_import, sites
from tests.acceptance.test_sites import ANNOTATIONS, GRACE_PERIODS, consumed, run_function
from tests.builds import Build, Builds
from tests.openedx.test_settings_import import differing, in_flight_keys

OURS = re.compile(r"(?P<worker>.+)-celery-settings")
# What the template restates of Tutor 22's worker, and so loses when Tutor adds to it: shortcoming 1.
LOST = {"--prefetch-multiplier": "1", "--without-gossip": "", "--without-mingle": ""}
OTHER = {"lms": "cms", "cms": "lms"}


class Case(NamedTuple):
    """One configuration, in both languages."""

    oracle: str
    spec: str
    copies: frozenset[str]
    split: tuple[str, ...]
    settings: Mapping[str, str] = {}


CASES = {
    "recommended": Case(
        oracle='for name in ("high", "high_mem"):\n'
        '    workers_config["lms"][name] = {}\n'
        'for name in ("high", "low"):\n'
        '    workers_config["cms"][name] = {}\n',
        spec=b.RECOMMENDED,
        copies=frozenset({"lms-worker-high", "lms-worker-high-mem", "cms-worker-high", "cms-worker-low"}),
        split=("lms", "cms"),
    ),
    "parameters": Case(
        oracle='parameters = ["--concurrency=3", "--max-tasks-per-child=7", "-E"]\n'
        'workers_config["lms"]["high"] = {"extra_params": parameters}\n',
        spec="spec: {workers: {lms: {high: {extraArgs: [--concurrency=3, --max-tasks-per-child=7, -E]}}},"
        " unassignedQueues: Ignore,"
        " routing: {lms: {a.task: {queue: edx.lms.core.high}}, cms: {b.task: {queue: edx.cms.core.low}}}}\n",
        copies=frozenset({"lms-worker-high"}),
        split=("lms",),
        settings={
            "CELERY_LMS_EXPLICIT_QUEUES": "{a.task: {queue: edx.lms.core.high}}",
            "CELERY_CMS_EXPLICIT_QUEUES": "{b.task: {queue: edx.cms.core.low}}",
        },
    ),
}


class Pair(NamedTuple):
    """What the two make of one configuration."""

    case: Case
    oracle: Build
    ours: Build
    plain: Build
    """The site with neither."""

    def workers(self) -> dict[str, dict[str, Any]]:
        """Return the oracle's Open edX workers by name."""
        return {
            name: tree
            for name, tree in self.oracle.deployments().items()
            if re.match(r"(lms|cms)-worker", name) and "worker" in args(tree)
        }


@pytest.fixture(scope="session", params=CASES)
def pair(request: pytest.FixtureRequest, builds: Builds) -> Pair:
    """Return both outputs of a configuration."""
    case = CASES[request.param]

    def render(directory: Path) -> None:
        sites.render_oracle(directory, case.oracle, case.settings)
        shutil.rmtree(directory / "oracle" / "plugins")

    rendered = builds.once(f"oracle-{request.param}", render) / "oracle" / "env"
    site = sites.site("oracle")
    return Pair(case, builds.plain(rendered), builds.through_exec(site, case.spec), builds.plain(site))


def container(tree: Mapping[str, Any]) -> dict[str, Any]:
    (found,) = tree["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def args(tree: Mapping[str, Any]) -> list[str]:
    return [str(arg) for arg in container(tree).get("args") or ()]


def options(words: list[str]) -> dict[str, str]:
    """Return the options in ``--name=value`` form; the last of a name counts, as for Celery."""
    long = {"-E": "--task-events"}
    return {long.get(name, name): value for name, _, value in (word.partition("=") for word in words)}


def comparable(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a Deployment with what has no order, or a hash over other content, in a form to compare."""
    tree = copy.deepcopy(tree)
    pod = tree["spec"]["template"]["spec"]
    found = container(tree)
    found["args"] = options(found["args"])
    found["volumeMounts"] = {mount.pop("mountPath"): mount for mount in found["volumeMounts"]}
    for volume in pod["volumes"]:
        volume["configMap"]["name"] = b.stem(volume["configMap"]["name"])
    pod["volumes"] = {volume.pop("name"): volume for volume in pod["volumes"]}
    return tree


def mended(tree: dict[str, Any], service: str) -> dict[str, Any]:
    """Return the oracle's worker without the shortcomings, each of which has to be there."""
    tree = copy.deepcopy(tree)
    found, pod = container(tree), tree["spec"]["template"]["spec"]
    name = tree["metadata"]["name"]
    if name == f"{service}-worker":
        # 3. Two --queues on the default worker; the last one wins.
        queues = [word for word in found["args"] if word.startswith("--queues=")]
        assert len(queues) == 2
        found["args"].remove(queues[0])
        return tree
    # 1. What the template doesn't restate.
    assert not LOST.keys() & options(found["args"]).keys()
    found["args"] += [f"{option}={value}" if value else option for option, value in LOST.items()]
    other = f"settings-{OTHER[service]}"
    assert other not in {volume["name"] for volume in pod["volumes"]}
    found["volumeMounts"].append({"mountPath": f"/openedx/edx-platform/{OTHER[service]}/envs/tutor/", "name": other})
    pod["volumes"].append({"name": other, "configMap": {"name": f"openedx-{other}"}})
    # 2. A stray percent sign in the node's name.
    (hostname,) = (word for word in found["args"] if word.startswith("--hostname="))
    assert hostname.endswith(".%%h")
    found["args"][found["args"].index(hostname)] = hostname.replace("%%h", "%h")
    return tree


def without_additions(tree: dict[str, Any], service: str) -> dict[str, Any]:
    """Return our worker without what a split needs and the oracle doesn't know of, each of which has to be there."""
    tree = copy.deepcopy(tree)
    name = tree["metadata"]["name"]
    pod = tree["spec"]["template"]["spec"]
    assert pod.pop("terminationGracePeriodSeconds") == GRACE_PERIODS.get(name, 600)
    for key, value in ANNOTATIONS.get(name, {}).items():
        assert tree["spec"]["template"]["metadata"]["annotations"].pop(key) == value
    if name != f"{service}-worker":
        assert tree["spec"].pop("replicas") == 1
    for volume in pod["volumes"]:
        if "projected" in volume:
            # A worker mounts the other service's settings, too, which are ours where that one is routed.
            of = volume["name"].removeprefix("celery-settings-")
            tutors, ours = (source["configMap"] for source in volume.pop("projected")["sources"])
            assert b.stem(ours["name"]) == f"{name if of == service else of}-celery-settings"
            volume.update(name=f"settings-{of}", configMap={"name": tutors["name"]})
    for mount in container(tree)["volumeMounts"]:
        mount["name"] = mount["name"].removeprefix("celery-")
    return tree


def test_workers_are_the_same(pair: Pair) -> None:
    ours = pair.ours.deployments()

    assert pair.workers().keys() == {"lms-worker", "cms-worker", *pair.case.copies}
    for name, tree in pair.workers().items():
        service = name[:3]
        if service in pair.case.split:
            assert comparable(without_additions(ours[name], service)) == comparable(mended(tree, service))


def test_names_that_operators_have(pair: Pair) -> None:
    """Stated by themselves, since a cluster takes an update in place only where all of these agree."""
    for name, theirs in pair.workers().items():
        ours = pair.ours.deployments()[name]
        assert ours["metadata"]["labels"] == theirs["metadata"]["labels"]
        assert ours["spec"]["selector"] == theirs["spec"]["selector"]
        assert ours["spec"]["template"]["metadata"]["labels"] == theirs["spec"]["template"]["metadata"]["labels"]
        assert container(ours)["name"] == container(theirs)["name"]
        assert container(ours)["image"] == container(theirs)["image"]
        mine, its = options(args(ours)), options(args(theirs))
        assert mine["--queues"] == its["--queues"]
        assert mine["--hostname"] == its["--hostname"].replace("%%h", "%h")


def test_all_else_is_the_same(pair: Pair) -> None:
    """Beside workers and settings neither changes a thing."""
    ours = {without_hash(item.key): item for item in pair.ours.documents if not OURS.search(item.name)}
    theirs = {without_hash(item.key): item for item in pair.oracle.documents}

    assert ours.keys() == theirs.keys()
    routed = "routing" in pair.case.spec
    for key, item in theirs.items():
        if item.kind == "ConfigMap" and "openedx-settings-" in key:
            # The oracle's settings are in Tutor's file, ours beside it; test_settings_are_the_same compares them.
            assert differing(item.tree["data"], ours[key].tree["data"]).keys() == {"production.py"}
        elif b.stem(item.name) == "caddy-config":
            # The oracle's patch leaves an empty line there when Flower is off.
            assert lines(ours[key].tree["data"]["Caddyfile"]) == lines(item.tree["data"]["Caddyfile"])
        elif item.name in pair.workers():
            continue
        elif routed and item.kind == "Deployment" and "openedx-settings-" in item.text:
            assert container(ours[key].tree)["image"] == container(item.tree)["image"]
        else:
            assert without_hash(ours[key].text) == without_hash(item.text)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def without_hash(text: str) -> str:
    return re.sub(r"(openedx-settings-[a-z]+|[a-z]+-config)-[0-9a-z]{10}\b", r"\1", text)


def test_settings_are_the_same(pair: Pair, tmp_path: Path) -> None:
    for name in pair.workers():
        theirs = settings_import.load(pair.oracle, name, tmp_path / "theirs" / name)
        ours = settings_import.load(pair.ours, name, tmp_path / "ours" / name)
        service = name[:3]
        assert theirs.values["CELERY_ACKS_LATE"] is True
        assert ours.features_proxy is theirs.features_proxy is True
        different = differing(ours.values, theirs.values)
        if name in pair.case.copies:
            # In-flight keys, which the oracle doesn't have: without them a worker of another queue restores a task.
            assert in_flight_keys(name).items() <= different.pop("BROKER_TRANSPORT_OPTIONS").items()
        if service not in pair.case.split:
            # A service that isn't split stays as Tutor has it; the oracle sets this everywhere.
            assert different.pop("CELERY_ACKS_LATE") is None
        assert different == {}


@pytest.mark.parametrize("pod", ["lms", "cms"])
def test_routing_of_web_pods_is_the_same(pod: str, pair: Pair, tmp_path: Path) -> None:
    theirs = settings_import.load(pair.oracle, pod, tmp_path / "theirs").values
    ours = settings_import.load(pair.ours, pod, tmp_path / "ours").values

    assert ours["EXPLICIT_QUEUES"] == theirs["EXPLICIT_QUEUES"]
    # It counts where a task is received: web pods need none of it.
    assert differing(ours, theirs) == {"CELERY_ACKS_LATE": None}


def test_queues_without_a_consumer(pair: Pair, tmp_path: Path, kustomize: Path) -> None:
    """4. With only some of its queues configured the oracle lets the others wait for ever; ours refuses."""
    before, theirs = consumed(pair.plain.deployments()), consumed(pair.oracle.deployments())
    orphans = before.keys() - theirs.keys()

    assert consumed(pair.ours.deployments()) == theirs
    if pair.case is CASES["recommended"]:
        assert not orphans
        return
    assert orphans == {"edx.lms.core.high_mem"}

    def run(policy: str) -> bytes:
        spec = pair.case.spec.replace("Ignore", policy)
        return run_function(sites.function_input(kustomize, sites.site("oracle"), b.HEAD + spec), tmp_path)

    with pytest.raises(subprocess.CalledProcessError):
        run("Error")
    assert b"--queues=edx.lms.core.default,edx.lms.core.high_mem" in run("KeepOnDefault")
