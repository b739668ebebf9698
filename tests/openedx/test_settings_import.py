"""What a pod's settings come to with ours in Tutor's place, by a real import of what a kubelet would lay out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import builds as b, settings_import, sites
from tests.acceptance.test_sites import QUEUES
from tests.builds import Builds

ROUTED = "".join(
    [
        "spec: {workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}, routing: {",
        "lms: {a.task: {queue: edx.lms.core.high_mem}, openedx.tasks.own: {queue: edx.cms.core.low}},",
        "cms: {another.task: {queue: edx.cms.core.high}}}}\n",
    ]
)
VISIBILITY_TIMEOUTS = {"lms-worker-high-mem": {"visibility_timeout": 7200}}


def differing(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Return what ``left`` has and ``right`` has not, or otherwise."""
    return {key: left.get(key) for key in left.keys() | right.keys() if left.get(key) != right.get(key)}


def in_flight_keys(deployment: str) -> dict[str, str]:
    return {f"{key}_key": f"{key}.{deployment}" for key in ("unacked", "unacked_index", "unacked_mutex")}


@pytest.mark.parametrize("service", QUEUES)
def test_workers_settings(service: str, any_site: Path, builds: Builds, tmp_path: Path) -> None:
    """Ours are Tutor's and what a split needs, to the last setting."""
    tutors = settings_import.load(builds.plain(any_site), f"{service}-worker", tmp_path / "tutors")
    assert len(tutors.values) > 50

    for variant, name in QUEUES[service].items():
        ours = settings_import.load(builds.through_exec(any_site), name, tmp_path / name)
        expected: dict[str, Any] = {"CELERY_ACKS_LATE": True}
        if variant != "default":
            expected["BROKER_TRANSPORT_OPTIONS"] = {
                **settings_import.BELOW["BROKER_TRANSPORT_OPTIONS"],
                **in_flight_keys(name),
                **VISIBILITY_TIMEOUTS.get(name, {}),
            }
        assert differing(ours.values, tutors.values) == expected
        assert ours.features_proxy == tutors.features_proxy


@pytest.mark.parametrize("name", sites.SITES)
def test_features_proxy(name: str, builds: Builds, tmp_path: Path) -> None:
    """From Tutor 22 on FEATURES speaks for a module's names, which have to be those that Django reads."""
    ours = settings_import.load(builds.through_exec(sites.site(name)), "lms-worker-high", tmp_path)

    assert ours.features_proxy is (True if name in {"22", "full"} else None)


@pytest.mark.parametrize("pod", ["lms", "lms-worker-high", "cms", "cms-worker"])
def test_routing(pod: str, any_site: Path, builds: Builds, tmp_path: Path) -> None:
    """The web pods, too, extend and override what edx-platform says, and get nothing else."""
    routed = builds.through_exec(any_site, ROUTED)
    routes = {
        "lms": {"a.task": {"queue": "edx.lms.core.high_mem"}, "openedx.tasks.own": {"queue": "edx.cms.core.low"}},
        "cms": {"another.task": {"queue": "edx.cms.core.high"}},
    }[pod[:3]]

    ours = settings_import.load(routed, pod, tmp_path / "ours").values
    assert ours["EXPLICIT_QUEUES"] == {**settings_import.BELOW["EXPLICIT_QUEUES"], **routes}
    assert ours.get("CELERY_ACKS_LATE") == (True if "worker" in pod else None)
    bare = settings_import.load(routed, pod, tmp_path / "bare", below={}).values
    assert bare["EXPLICIT_QUEUES"] == routes
    if "worker" not in pod:
        tutors = settings_import.load(builds.plain(any_site), pod, tmp_path / "tutors").values
        assert differing(ours, tutors).keys() == {"EXPLICIT_QUEUES"}


def test_what_a_cluster_would_not_mount(builds: Builds, tmp_path: Path) -> None:
    """The layout is no more lenient than a kubelet."""
    build = builds.through_exec(sites.site("22"))
    pod = build.deployments()["lms-worker"]["spec"]["template"]["spec"]
    maps = build.config_maps()
    (ours,) = (name for name in maps if b.stem(name) == "lms-worker-celery-settings")
    (tutors,) = (name for name in maps if b.stem(name) == "openedx-settings-lms")

    without = {name: tree for name, tree in maps.items() if name != ours}
    emptied = {**maps, tutors: {"data": {"__init__.py": ""}}}
    for broken in (without, emptied):
        with pytest.raises(KeyError):
            settings_import.lay_out(pod, pod["containers"][0], broken, tmp_path / str(len(broken)))
