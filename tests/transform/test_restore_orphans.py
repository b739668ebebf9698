"""celery-restore-orphans as it is emitted for real sites, and where it is refused."""

from __future__ import annotations

import ast
import base64
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests import sites
from tests.builds import HEAD
from tests.flower_site import WORKERS, Emitted, emit, site_input
from tests.kubernetes_schemas import assert_valid
from tests.orphans_process import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.builds import Builds

PASSWORD = "p@ss/w:rd#1"
BROKER = {"CELERY_BROKER_PASSWORD": "p%40ss%2Fw%3Ard%231"}
KINDS = ("Deployment", "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding")


def config(on: Mapping[str, object] | None = None, **spec: Any) -> bytes:
    # Stated, or a broker that isn't Redis is refused for another reason.
    celery = {"restoreOrphans": {"enabled": True, **(on or {})}, "lateAcknowledgement": True}
    return (HEAD + yaml.safe_dump({"spec": {"workers": WORKERS, "celery": celery, **spec}}, width=1000)).encode()


@pytest.fixture
def site_22(builds: Builds) -> bytes:
    return site_input(builds, sites.site("22"), broker=BROKER)


@pytest.fixture
def plain(site_22: bytes) -> Emitted:
    return emit(site_22, config())


def refused(data: bytes, config_yaml: bytes) -> str:
    found = emit(data, config_yaml)
    assert not found.data
    return "\n".join(f"{problem.field} {problem.message}. {problem.remedy}" for problem in found.problems)


def settings(found: Emitted) -> dict[str, Any]:
    told: dict[str, Any] = ast.literal_eval(found.objects["ConfigMap", NAME]["data"]["settings.txt"])
    return told


def test_there_is_nothing_of_it_unless_it_is_on(site_22: bytes) -> None:
    for on in ({"enabled": False}, {"enabled": False, "everySeconds": 10}):
        assert not [name for _, name in emit(site_22, config(on)).objects if name == NAME]


def test_an_api_server_takes_all_of_it(plain: Emitted) -> None:
    lms = plain.objects["Deployment", "lms-worker"]
    for kind in KINDS:
        found = plain.objects[kind, NAME]
        assert_valid(found)
        assert found["metadata"]["namespace"] == "openedx"
        assert found["metadata"]["labels"] == {**lms["metadata"]["labels"], "app.kubernetes.io/name": NAME}
    spec = plain.objects["Deployment", NAME]["spec"]
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_it_may_list_pods_of_its_namespace_and_nothing_else(plain: Emitted) -> None:
    assert plain.objects["Role", NAME]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    binding = plain.objects["RoleBinding", NAME]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": NAME, "namespace": "openedx"}]
    assert not plain.objects["ServiceAccount", NAME]["automountServiceAccountToken"]
    assert not [kind for kind, name in plain.objects if kind.startswith("Cluster") and name == NAME]


def test_its_pod_fits_the_restricted_pod_security_standard(plain: Emitted) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, field by field."""
    pod = plain.objects["Deployment", NAME]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"] == {
        "runAsGroup": 1000,
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {next(iter(set(volume) - {"name"})) for volume in pod["volumes"]} <= {"configMap", "emptyDir", "secret"}
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["resources"]["limits"].keys() == {"memory"}


def test_it_has_the_workers_image_and_goes_where_workers_go(site_22: bytes) -> None:
    patched = []
    for tree in yaml.safe_load_all(site_22):
        if (tree["kind"], tree["metadata"]["name"]) == ("Deployment", "lms-worker"):
            tree["spec"]["template"]["spec"] |= {
                "imagePullSecrets": [{"name": "registry"}],
                "nodeSelector": {"pool": "workers"},
                "tolerations": [{"key": "workers", "operator": "Exists"}],
                "securityContext": {"runAsUser": 1234},
            }
            tree["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
        patched.append(tree)
    found = emit(yaml.safe_dump_all(patched).encode(), config())
    worker = found.objects["Deployment", "lms-worker"]["spec"]["template"]["spec"]
    pod = found.objects["Deployment", NAME]["spec"]["template"]["spec"]
    for field in ("imagePullSecrets", "nodeSelector", "tolerations"):
        assert pod[field] == worker[field]
    for field in ("image", "imagePullPolicy"):
        assert pod["containers"][0][field] == worker["containers"][0][field]
    assert pod["securityContext"]["runAsUser"] == 1234


def test_never_two_at_once_nor_a_strategy_that_server_side_apply_refuses(plain: Emitted) -> None:
    spec = plain.objects["Deployment", NAME]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def test_the_password_is_in_a_secret_alone(plain: Emitted) -> None:
    url = base64.b64decode(plain.objects["Secret", NAME]["data"]["CELERY_BROKER_URL"]).decode()
    assert url == "redis://:p%40ss%2Fw%3Ard%231@redis.openedx:6379/0"
    for kind in set(KINDS) - {"Secret"}:
        text = str(plain.objects[kind, NAME])
        assert PASSWORD not in text
        assert BROKER["CELERY_BROKER_PASSWORD"] not in text


def test_an_existing_secret_is_read_in_the_pod(site_22: bytes) -> None:
    broker = {"existingSecret": {"name": "redis", "passwordKey": "password"}}
    found = emit(site_22, config(broker=broker))
    assert ("Secret", NAME) not in found.objects
    [container] = found.objects["Deployment", NAME]["spec"]["template"]["spec"]["containers"]
    assert {
        "name": "BROKER_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}},
    } in container["env"]
    assert "BROKER_PASSWORD" in found.objects["ConfigMap", NAME]["data"]["celeryconfig.py"]


def test_what_it_looks_at(plain: Emitted, site_22: bytes) -> None:
    told = settings(plain)
    assert (told["every"], told["older"]) == (60, 60)
    copies = ["cms-worker-high", "cms-worker-low", "lms-worker-high", "lms-worker-high-mem"]
    assert sorted(told["keys"]) == ["unacked", *(f"unacked.{name}" for name in copies)]
    assert told["own"] == {f"{name}-celery-settings": f"unacked.{name}" for name in copies}
    assert told["workers"] == sorted([*copies, "cms-worker", "lms-worker"])
    assert told["queues"] == [
        *(f"edx.cms.core.{name}" for name in ("default", "high", "low")),
        *(f"edx.lms.core.{name}" for name in ("default", "high", "high_mem")),
    ]
    # A service that isn't split shares Celery's own key.
    alone = settings(emit(site_22, config({"everySeconds": 30}, workers={"lms": {"high": {}, "high_mem": {}}})))
    assert alone["every"] == 30
    assert "cms-worker" in alone["workers"]
    assert set(told["queues"]) == set(alone["queues"])


@pytest.mark.parametrize("pool", ["solo", "threads", "gevent"])
def test_a_pool_that_cant_say_what_it_has_is_refused(site_22: bytes, pool: str) -> None:
    def with_pool(name: str) -> bytes:
        return config(workers={**WORKERS, "lms": {"high": {"extraArgs": [f"--pool={name}"]}, "high_mem": {}}})

    said = refused(site_22, with_pool(pool))
    assert f"spec.celery.restoreOrphans.enabled lms-worker-high has --pool={pool}: only prefork can say" in said
    assert "cms-worker" not in said
    assert emit(site_22, with_pool("prefork")).data


def test_the_pool_that_a_worker_gets_counts_and_not_that_of_tutors(site_22: bytes) -> None:
    variable = b"        env:\n        - name: SERVICE_VARIANT\n          value: lms\n"
    assert variable in site_22
    solo = variable + b"        - name: CELERY_WORKER_POOL\n          value: solo\n"
    data = site_22.replace(variable, solo)
    assert "lms-worker-high has --pool=solo" in refused(data, config())
    workers = {variant: {"extraArgs": ["--pool=prefork"]} for variant in ("default", "high", "high_mem")}
    assert emit(data, config(workers={**WORKERS, "lms": workers})).data


def test_two_names_of_one_broker_are_one(builds: Builds) -> None:
    names = {"CELERY_BROKER_HOSTNAME": "redis.openedx.svc.cluster.local"}
    assert emit(site_input(builds, sites.site("22"), broker=names, services=["cms"]), config()).data


def test_two_brokers_are_refused(builds: Builds) -> None:
    data = site_input(builds, sites.site("22"), broker={"CELERY_BROKER_VHOST": "5"}, services=["cms"])
    assert "cms has another broker than lms, and one program looks at one" in refused(data, config())


def test_another_broker_than_redis_is_refused(builds: Builds) -> None:
    data = site_input(builds, sites.site("22"), broker={"CELERY_BROKER_TRANSPORT": "amqp"})
    assert "restoreOrphans out" in refused(data, config())


def test_a_site_without_workers_of_open_edx_is_refused(site_22: bytes) -> None:
    assert "no worker of lms or cms is split" in refused(site_22, config(workers={}))


def test_a_look_is_ten_seconds_apart_at_least(site_22: bytes) -> None:
    said = refused(site_22, config({"everySeconds": 9}))
    assert "spec.celery.restoreOrphans.everySeconds has to be whole seconds, 10 or more" in said
