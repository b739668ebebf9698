"""What one node or one pod alone can have is warned of: disks, ports, addresses, devices, files that Celery locks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.keda_site import LMS_VARIANTS, SETTINGS, site, worked, worker
from tests.transform.test_copy_hazards import SPLIT, found


def claim(*modes: str, **spec: Any) -> dict[str, Any]:
    spec = {"accessModes": list(modes), **spec}
    metadata = {"name": "media", "namespace": "openedx"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("modes", "warned"),
    [
        (["ReadWriteOnce"], "only one node can mount media (ReadWriteOnce): pods of"),
        (
            ["ReadWriteOncePod"],
            "only one pod can mount media (ReadWriteOncePod): pods of lms-worker-high, lms-worker-high-mem stay",
        ),
        (["ReadWriteMany"], ""),
        (["ReadWriteOnce", "ReadOnlyMany"], ""),
    ],
)
def test_a_claim_that_one_node_can_mount(modes: list[str], warned: str) -> None:
    volume = {"name": "media", "persistentVolumeClaim": {"claimName": "media"}}
    warnings = found(claim(*modes), pod={"volumes": [volume]}).warnings
    assert [warned in warning for warning in warnings] == [True] * bool(warned)
    assert all(("affinity" in warning) != ("OncePod" in warning) for warning in warnings)


def test_a_port_of_the_node() -> None:
    [warning] = found(container={"ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}]}).warnings
    assert "containers[0].ports[1].hostPort: a node has port 8081 once" in warning
    [warning] = found(pod={"hostNetwork": True}).warnings
    assert "share their node's ports" in warning


@pytest.mark.parametrize(
    ("pod", "field", "said"),
    [
        (
            {
                "initContainers": [
                    {"name": "s", "image": "i", "restartPolicy": "Always", "ports": [{"hostPort": 8080}]},
                    {"name": "t", "image": "i", "ports": [{"hostPort": 8081}]},
                ]
            },
            "spec.template.spec.initContainers[0].ports[0].hostPort",
            "a node has port 8080 once",
        ),
        (
            {"volumes": [{"name": "d", "awsElasticBlockStore": {"volumeID": "v"}}]},
            "spec.template.spec.volumes[1]",
            "only one pod can have this disk (awsElasticBlockStore)",
        ),
        (
            {"volumes": [{"name": "d", "azureDisk": {"diskName": "v"}}]},
            "spec.template.spec.volumes[1]",
            "only one node can have this disk (azureDisk)",
        ),
        (
            {"volumes": [{"name": "d", "iscsi": {"iqn": "v"}}]},
            "spec.template.spec.volumes[1]",
            "only one pod can have this disk (iscsi)",
        ),
        (
            {
                "resourceClaims": [
                    {"name": "a", "resourceClaimTemplateName": "t"},
                    {"name": "b", "resourceClaimName": "c"},
                ]
            },
            "spec.template.spec.resourceClaims[1]",
            "the devices of c are where they are",
        ),
    ],
)
def test_what_a_node_has_once(pod: dict[str, Any], field: str, said: str) -> None:
    [warning] = found(pod=pod).output.problems
    assert warning.field == field
    assert said in warning.message


def test_it_is_found_in_a_build_that_only_a_parser_can_read() -> None:
    given = site_with_claim()
    # Behind a document's end mark a parser has to tell documents apart, and no object has its text.
    odd = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "odd", "namespace": "openedx"}}
    for stream in (given, site_with_claim(odd) + b"data: {a: 'b'}\n...\n"):
        [problem] = worked(SPLIT, stream).output.problems
        assert "whether more than one node can mount media isn't known" in problem.message


def site_with_claim(*others: dict[str, Any]) -> bytes:
    lms = worker("lms", LMS_VARIANTS)
    volume = {"name": "m", "persistentVolumeClaim": {"claimName": "media"}}
    lms["spec"]["template"]["spec"]["volumes"].append(volume)
    return site(lms_worker=lms, others=others).stream


def test_a_claim_that_is_elsewhere_and_an_address() -> None:
    claim = {"volumes": [{"name": "media", "persistentVolumeClaim": {"claimName": "media"}}]}
    [problem] = found(pod=claim).output.problems
    assert problem.severity == "info"
    assert "whether more than one node can mount media isn't known" in problem.message

    lms = worker("lms", LMS_VARIANTS)
    networks = "k8s.v1.cni.cncf.io/networks"
    given = {"cni.projectcalico.org/ipAddrs": '["10.0.0.5"]', networks: '[{"name": "lan", "ips": ["10.2.0.7/24"]}]'}
    lms["spec"]["template"]["metadata"]["annotations"] = given
    problem, of_network = worked(SPLIT, site(lms_worker=lms)).output.problems
    assert networks in of_network.field
    assert problem.field == 'spec.template.metadata.annotations["cni.projectcalico.org/ipAddrs"]'
    assert "asks for an address of its own" in problem.message
    given[networks] = "lan"
    [problem] = worked(SPLIT, site(lms_worker=lms)).output.problems


def host(*values: Any, operator: str = "In") -> dict[str, Any]:
    return {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": operator, "values": [*values]}]}


def affinity(*terms: Any) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [*terms]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


TERMS = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
FIELD = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}


@pytest.mark.parametrize(
    ("pod", "field", "severity"),
    [
        ({"nodeName": "n"}, "nodeName", "warning"),
        ({"nodeSelector": {"kubernetes.io/hostname": "n"}}, 'nodeSelector["kubernetes.io/hostname"]', "info"),
        (affinity(host("n")), TERMS, "info"),
        (affinity(host("n"), FIELD), TERMS, "info"),
        (affinity(host("n", "m")), "", ""),
        (affinity(host("n"), host("m")), "", ""),
        (affinity(host("n"), {"matchExpressions": []}), "", ""),
        (affinity(host("n", operator="NotIn")), "", ""),
        (affinity(), "", ""),
        (affinity("n", None), "", ""),
        (
            {"nodeName": None, "nodeSelector": {"kubernetes.io/os": "linux", "x/hostname": "kubernetes.io/hostname"}},
            "",
            "",
        ),
        ({"containers": [{"env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]}]}, "", ""),
    ],
)
def test_one_node_for_all(pod: dict[str, Any], field: str, severity: str) -> None:
    """What one node can mount is mounted there by all of them."""
    volumes = [
        {"name": "media", "persistentVolumeClaim": {"claimName": "media"}},
        {"name": "elsewhere", "persistentVolumeClaim": {"claimName": "elsewhere"}},
        {"name": "azure", "azureDisk": {"diskName": "v"}},
        {"name": "iscsi", "iscsi": {"iqn": "v"}},
    ]
    [first, *_] = pod.pop("containers", [{}])
    problems = found(claim("ReadWriteOnce"), pod={**pod, "volumes": volumes}, container=first).output.problems
    if not field:
        assert [problem.field[-10:] for problem in problems] == [f"volumes[{number}]" for number in (1, 2, 3, 4)]
        return
    pinned, disk = problems
    assert (pinned.field, pinned.severity) == (f"spec.template.spec.{field}", severity)
    assert "lms-worker-high, lms-worker-high-mem" in pinned.message
    assert "node n, too" in pinned.message
    assert "(iscsi)" in disk.message


@pytest.mark.parametrize("modes", [None, "ReadWriteOnce", [], {}])
def test_a_claim_whose_modes_are_no_list(modes: Any) -> None:
    volume = {"name": "media", "persistentVolumeClaim": {"claimName": "media"}}
    [warning] = found(claim(accessModes=modes), pod={"volumes": [volume]}).warnings
    assert "whether more than one node can mount media isn't known: it has no list of accessModes" in warning


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("kind", ["awsElasticBlockStore", "gcePersistentDisk", "rbd"])
def test_a_disk_that_is_read_only(kind: str, *, read_only: bool) -> None:
    volume = {"name": "d", kind: {"readOnly": read_only}}
    assert len(found(pod={"volumes": [volume]}).warnings) == (not read_only or kind == "awsElasticBlockStore")


DEVICES = {"limits": {"hugepages-2Mi": "64Mi", "nvidia.com/gpu": 1, "memory": "2Gi", "amd.com/gpu": 0}}


def test_devices() -> None:
    pages, gpu = found(container={"resources": DEVICES}).output.problems
    copies = "lms-worker-high, lms-worker-high-mem"
    assert pages.message == f"pods of {copies} ask for 64Mi of hugepages-2Mi each, too: a node has so many and no more"
    assert (gpu.severity, gpu.field) == ("info", "spec.template.spec.containers[0].resources")
    assert not found(container={"resources": {"limits": {"memory": "2Gi", "cpu": 1}}}).output.problems


def test_a_device_that_the_configuration_asks_for_is_meant() -> None:
    lms = worker("lms", LMS_VARIANTS)
    lms["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 1}}
    spec = "{workers: {lms: {high: {}, high_mem: {resources: {limits: {nvidia.com/gpu: 2}}}}}}"
    [problem] = worked(spec, site(lms_worker=lms)).output.problems
    assert problem.message.startswith("pods of lms-worker-high ask for 1 of nvidia.com/gpu each")


CLAIM = {"name": "v", "persistentVolumeClaim": {"claimName": "media"}}


@pytest.mark.parametrize(
    ("option", "volume", "mount", "warned"),
    [
        ("--pidfile=/data/worker.pid", CLAIM, {}, True),
        ("--statedb=/data/state", {"name": "v", "hostPath": {"path": "/x"}}, {}, True),
        ("-S=/data/state", CLAIM, {}, False),
        ("--pidfile=/data/%p.pid", CLAIM, {}, False),
        ("--pidfile=/data/$(POD).pid", CLAIM, {}, False),
        ("--pidfile=/data/%n.pid", CLAIM, {}, True),
        ("--pidfile=/data/worker.pid", CLAIM, {"subPathExpr": "$(POD)"}, False),
        ("--pidfile=/data/worker.pid", {"name": "v", "emptyDir": {}}, {}, False),
        ("--pidfile=/tmp/worker.pid", CLAIM, {}, False),
        ("--pidfile=", CLAIM, {}, False),
    ],
)
def test_a_file_that_one_worker_locks(
    option: str, volume: dict[str, Any], mount: dict[str, Any], *, warned: bool
) -> None:
    lms = worker("lms", LMS_VARIANTS)
    pod = lms["spec"]["template"]["spec"]
    pod["containers"][0]["args"].append(option)
    pod["containers"][0]["volumeMounts"].append({"name": "v", "mountPath": "/data", **mount})
    pod["volumes"].append(volume)
    problems = worked(SPLIT, site(lms_worker=lms, others=[claim("ReadWriteMany")])).warnings
    assert [f"{option} is one file for the pods of lms-worker-high" in each for each in problems] == [True] * warned


@pytest.mark.parametrize(
    ("options", "env", "settings", "said"),
    [
        (["--logfile=/data/worker.log"], [], "", "info --logfile=/data/worker.log"),
        (["-f", "/data/worker.log"], [], "", "info --logfile=/data/worker.log"),
        (["-f", "/data/%p.log"], [], "", ""),
        (["-f", "/logs/worker.log"], [], "", ""),
        (["-S", "/data/state"], [], "", "warning --statedb=/data/state"),
        ([], [{"name": "CELERY_WORKER_STATEDB", "value": "/data/state"}], "", "warning --statedb=/data/state"),
        ([], [{"name": "CELERY_WORKER_LOGFILE", "value": "/data/a.log"}], "", "info --logfile=/data/a.log"),
        ([], [], "CELERYD_STATE_DB = '/data/state'\n", "warning --statedb=/data/state"),
        ([], [], "CELERY_WORKER_STATE_DB = '/data/state'\n", ""),
    ],
)
def test_a_file_on_a_shared_volume(options: list[str], env: list[dict[str, str]], settings: str, said: str) -> None:
    lms = worker("lms", LMS_VARIANTS)
    pod = lms["spec"]["template"]["spec"]
    pod["containers"][0]["args"] += options
    pod["containers"][0]["env"] = env
    pod["containers"][0]["volumeMounts"].append({"name": "v", "mountPath": "/data"})
    pod["volumes"].append({"name": "v", "nfs": {"server": "s", "path": "/x"}})
    found = worked(SPLIT, site(lms_worker=lms, settings=SETTINGS + settings)).output.problems
    assert [f"{each.severity} {each.message.partition(' is one file')[0]}" for each in found] == [said] * bool(said)
