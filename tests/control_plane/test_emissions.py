"""The sites that are compared, built by the real Tutor and kustomize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.control_plane import emissions

if TYPE_CHECKING:
    from pathlib import Path

LMS = [f"edx.lms.core.{variant}" for variant in ("default", "high", "high_mem")]
CMS = [f"edx.cms.core.{variant}" for variant in ("default", "high", "low")]


def deployments(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == "Deployment"}


@pytest.mark.parametrize("site", emissions.SITES)
def test_every_queue_has_one_worker_on_each_site(site: str, tmp_path: Path) -> None:
    built = emissions.emission(site, tmp_path, namespace="here", redis="redis-here")

    found = deployments(emissions.workers(built))
    consumed = [queue for item in found.values() for queue in emissions.queues_of(item)]
    assert sorted(consumed) == sorted(LMS + CMS)
    workers = found.keys() - {emissions.RESTORER}
    assert len(workers) == (2 if site == emissions.PLAIN else 6)
    assert (emissions.RESTORER in found) == (site == emissions.RESTORING)
    for item in built:
        if item["kind"] == "ScaledObject":
            assert item["metadata"]["namespace"] == "here"
            addresses = {trigger["metadata"]["address"] for trigger in item["spec"]["triggers"]}
            assert addresses <= {"redis-here:6379", "redis-here.here:6379"}


def test_only_what_belongs_to_the_workers_of_these_queues_is_kept(tmp_path: Path) -> None:
    built = emissions.emission(emissions.OURS, tmp_path, namespace="here", redis="redis-here")

    kept = emissions.at_their_minimum(emissions.workers(built, [LMS[0], LMS[2]]))
    assert {name: item["spec"]["replicas"] for name, item in deployments(kept).items()} == {
        "lms-worker": 2,
        "lms-worker-high-mem": 0,
    }
    scaled = [item["metadata"]["name"] for item in kept if item["kind"] == "ScaledObject"]
    assert sorted(scaled) == ["lms-worker-high-mem-scaledobject", "lms-worker-scaledobject"]
    assert not {"Service", "Job", "Ingress"} & {item["kind"] for item in kept}


def test_the_two_of_ours_differ_in_one_setting(tmp_path: Path) -> None:
    texts = []
    for number, site in enumerate((emissions.OURS, emissions.WITHOUT_REJECT)):
        built = emissions.emission(site, tmp_path / str(number), namespace="here", redis="redis-here")
        config_maps = [item for item in built if item["kind"] == "ConfigMap"]
        texts.append(" ".join(text for item in config_maps for text in (item.get("data") or {}).values()))

    assert ["CELERY_REJECT_ON_WORKER_LOST = True" in text for text in texts] == [True, False]
