"""Names of Celery's nodes that several pods have, and probes of copies that ask for another's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keda_site import LMS_VARIANTS, built, site, worked, worker

SPLIT = "{%s workers: {lms: {default: {%s}, high: {}, high_mem: {}}}}"


def warnings(
    hostname: str | None,
    *,
    default: str = "",
    above: str = "",
    pod: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    replicas: int | None = None,
) -> list[str]:
    """Return what is warned of a worker with this --hostname; ``default`` is its configuration."""
    lms = worker("lms", LMS_VARIANTS)
    template = lms["spec"]["template"]["spec"]
    [own] = template["containers"]
    own["args"] = [word for word in own["args"] if not word.startswith("--hostname")]
    own["args"] += [] if hostname is None else [f"--hostname={hostname}"]
    own |= container or {}
    template |= pod or {}
    if replicas is not None:
        lms["spec"]["replicas"] = replicas
    result = worked(SPLIT % (above, default), site(lms_worker=lms))
    return [each for each in result.warnings if " one name: " in each or " asks for the node " in each]


@pytest.mark.parametrize("hostname", ["lms@site", "lms", "lms@%d", "lms%i"])
def test_pods_of_one_name(hostname: str) -> None:
    assert warnings(hostname) == []
    for several in ({"default": "replicas: 2"}, {"default": "keda: {enabled: true}"}, {"replicas": 2}):
        [warning] = warnings(hostname, **several)
        assert f"--hostname={hostname} gives all pods of lms-worker one name: Flower, `inspect`" in warning
        assert "spec.template.spec.containers[0]: " in warning
    for harmless in ({"default": "replicas: 1"}, {"replicas": 2, "default": "replicas: 1"}):
        assert warnings(hostname, **harmless) == []
    [warning] = warnings(hostname, above="celery: {restoreOrphans: {enabled: true}},")
    assert "and restoreOrphans puts nothing back" in warning


@pytest.mark.parametrize("hostname", ["edx.lms.core.default.%h", "lms@%n", "lms@$(POD)", "lms@", None])
def test_pods_of_their_own_names(hostname: str | None) -> None:
    assert warnings(hostname, replicas=2) == []


def test_a_name_that_the_pod_states() -> None:
    assert warnings("lms.%h", pod={"hostname": "worker"}) == []
    [warning] = warnings("lms.%h", pod={"hostname": "worker"}, replicas=3)
    assert "spec.template.spec.hostname: worker gives all pods of lms-worker, lms-worker-high, " in warning


def probe(*words: str) -> dict[str, Any]:
    return {"exec": {"command": [*words]}}


IN_PROBES = (" names the queue ", " without --destination ")
CONTROL = "celery -A lms.celery control"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            ["pgrep", "-f", "edx.lms.core.default"],
            "edx.lms.core.default, which lms-worker-high, lms-worker-high-mem no",
        ),
        (
            ["sh", "-c", "ps | grep -q edx.lms.core.high_mem\n"],
            "edx.lms.core.high_mem, which lms-worker, lms-worker-high no",
        ),
        (
            ["sh", "-c", "celery inspect active_queues -d $N | grep 'edx.lms.core.high'"],
            "edx.lms.core.high, which lms-worker, ",
        ),
        # The name of a node is renamed, and that of a file means no queue.
        (["sh", "-c", "celery inspect ping -d celery@edx.lms.core.default.$HOSTNAME"], ""),
        (["test", "-f", "/run/edx.lms.core.default"], ""),
        (
            ["sh", "-c", f"{CONTROL} shutdown"],
            "`celery control` without --destination is heard by all workers of the site",
        ),
        ([*CONTROL.split(), "shutdown"], "`celery control` without --destination is heard by all workers of the site"),
        (["sh", "-c", f"{CONTROL} -d celery@edx.lms.core.default.$HOSTNAME shutdown"], ""),
        (["sh", "-c", f"{CONTROL} --destination=celery@$N shutdown"], ""),
        (["celery", "-A", "lms.celery", "inspect", "ping"], ""),
    ],
)
def test_a_probe_that_means_another_worker(command: list[str], expected: str) -> None:
    """Each pod takes one queue now, and what one pod sends to all workers is heard by all of them."""
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["template"]["spec"]["containers"][0]["lifecycle"] = {"preStop": probe(*command)}
    found = [
        each
        for each in worked(SPLIT % ("", ""), site(lms_worker=lms)).warnings
        if any(word in each for word in IN_PROBES)
    ]
    assert [expected in each for each in found] == [True] * bool(expected)
    assert all("spec.template.spec.containers[0].lifecycle: " in each for each in found)


def test_a_probe_of_the_configurations_own_is_meant() -> None:
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = probe("pgrep", "-f", "edx.lms.core.default")
    own = "{workers: {lms: {high: {livenessProbe: {exec: {command: [a]}}}}}, unassignedQueues: KeepOnDefault}"
    assert not [each for each in worked(own, site(lms_worker=lms)).warnings if IN_PROBES[0] in each]


@pytest.mark.parametrize(
    ("hostname", "node"),
    [
        ("lms@site", "lms@site"),
        ("lms", "celery@lms"),
        ("lms@w%h", "lms@w$HOSTNAME"),
        ("celery%h", "celery@celery$HOSTNAME"),
    ],
)
@pytest.mark.parametrize("field", ["livenessProbe", "readinessProbe"])
def test_a_probe_that_asks_for_the_workers_own_node(hostname: str, node: str, field: str) -> None:
    asking = {field: probe("sh", "-c", f"celery --app=lms.celery inspect ping -d {node}")}
    [warning] = warnings(hostname, container=asking)
    assert (
        f"spec.template.spec.containers[0].{field}: asks for the node {node.partition('$')[0]}, which in the" in warning
    )
    assert "pods of lms-worker-high, lms-worker-high-mem isn't their own" in warning
    assert warnings(hostname, container={field: probe("celery", "status")}) == []
    stated = "defaults: {livenessProbe: {exec: {command: ['true']}}},"
    assert len(warnings(hostname, container=asking, above=stated)) == (field != "livenessProbe")


@pytest.mark.parametrize("hostname", ["edx.lms.core.default.%h", None])
def test_a_probe_that_is_made_to_ask_for_its_own(hostname: str | None) -> None:
    node = "celery@" + (hostname or "%h").replace("%h", "$HOSTNAME")
    asking = probe("sh", "-c", f"celery --app=lms.celery inspect ping -d {node}")
    assert warnings(hostname, container={"livenessProbe": asking}) == []


def test_a_name_that_a_variable_gives() -> None:
    env = [{"name": "CELERY_WORKER_HOSTNAME", "value": "lms@site"}]
    [warning] = warnings(None, container={"env": env}, replicas=2)
    assert "CELERY_WORKER_HOSTNAME=lms@site gives all pods of lms-worker one name" in warning
    assert warnings("lms@%h", container={"env": env}, replicas=2) == []
    assert warnings(None, container={"env": [{**env[0], "value": "lms@%h"}]}, replicas=2) == []


BEAT, PURGE = "celery -A lms.celery beat --detach", "celery -A lms.celery purge -f"


def hook(command: str, spec: str = "{workers: {lms: {high: {}, high_mem: {}}}}") -> tuple[list[str], list[str]]:
    """Return the errors and warnings about a worker whose postStart hook runs this."""
    lms = worker("lms", LMS_VARIANTS)
    own = lms["spec"]["template"]["spec"]["containers"][0]
    own["lifecycle"] = {"postStart": {"exec": {"command": ["sh", "-c", f"{command} || true"]}}}
    found = built(spec, site(lms_worker=lms))
    return list(found.errors), [each for each in found.warnings if "lifecycle" in each]


def test_a_hook_that_starts_a_scheduler() -> None:
    [error], _ = hook(BEAT)
    assert "lifecycle: starts `celery beat` in each pod of lms-worker-high, lms-worker-high-mem: each periodic" in error
    of_own = "{workers: {lms: {high: {lifecycle: {}}, high_mem: {lifecycle: {}}}}}"
    assert hook(BEAT, of_own) == ([], [])
    [error], _ = hook(BEAT, of_own.replace("high: {", "default: {replicas: 2}, high: {", 1))
    assert "in each pod of lms-worker: " in error


def test_a_hook_that_deletes_what_waits() -> None:
    errors, [warning] = hook(PURGE)
    assert not errors
    assert "starts `celery purge` in each pod of lms-worker-high, lms-worker-high-mem: what waits" in warning
