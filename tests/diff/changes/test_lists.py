"""Items of two lists are matched by what Kubernetes knows them by."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.diff.changes.trees import keys
from tests.diff.apply import find


def shown(field: str, *items: dict[str, Any]) -> list[str] | None:
    found = keys(field, list(items), list(items))
    if found is None:
        return None
    assert found[0] == found[1]
    assert [find(field, items, key) for key in found[0]] == list(range(len(items)))
    return [str(key) for key in found[0]]


@pytest.mark.parametrize(
    ("field", "items", "expected"),
    [
        ("containers", [{"name": "a"}, {"name": "b"}], ["[a]", "[b]"]),
        ("volumeMounts", [{"name": "a", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}], ["[/x]", "[/y]"]),
        ("volumeDevices", [{"name": "a", "devicePath": "/dev/x"}], ["[/dev/x]"]),
        ("imagePullSecrets", [{"name": "a"}], ["[a]"]),
        ("hostAliases", [{"ip": "10.0.0.1", "hostnames": ["a"]}], ["[10.0.0.1]"]),
        (
            "ports",
            [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}],
            ["[containerPort=53,protocol=TCP]", "[containerPort=53,protocol=UDP]"],
        ),
        ("ports", [{"port": 80, "name": "http"}], ["[port=80,protocol=TCP]"]),
        ("ports", [{"name": "http"}], ["[http]"]),
        (
            "tolerations",
            [{"key": "a", "operator": "Exists"}, {"operator": "Exists"}],
            ["[key=a,operator=Exists,effect=]", "[key=,operator=Exists,effect=]"],
        ),
        (
            "tolerations",
            [{"key": "a", "value": "1", "effect": "NoSchedule"}, {"key": "a", "value": "2", "effect": "NoSchedule"}],
            [
                "[key=a,operator=Equal,value=1,effect=NoSchedule]",
                "[key=a,operator=Equal,value=2,effect=NoSchedule]",
            ],
        ),
        (
            "topologySpreadConstraints",
            [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1}],
            ["[topologyKey=zone,whenUnsatisfiable=DoNotSchedule]"],
        ),
        ("conditions", [{"type": "Ready"}], ["[Ready]"]),
        ("ownerReferences", [{"uid": "1", "kind": "A", "name": "b"}], ["[1]"]),
        (
            "envFrom",
            [
                {"configMapRef": {"name": "a"}, "prefix": "B_"},
                {"configMapRef": {"name": "a"}},
                {"secretRef": {"name": "a"}},
            ],
            ["[configMapRef.name=a,prefix=B_]", "[a]", "[a]"],
        ),
        (
            "sources",
            [{"configMap": {"name": "a"}}, {"secret": {"name": "b"}}, {"serviceAccountToken": {"path": "t"}}],
            ["[a]", "[b]", "[t]"],
        ),
        (
            "triggers",
            [{"type": "redis", "name": "queued"}, {"type": "redis", "name": "inflight"}],
            ["[queued]", "[inflight]"],
        ),
        (
            "triggers",
            [{"type": "redis", "metadata": {"listName": "a"}}, {"type": "redis", "metadata": {"listName": "b"}}],
            ["[type=redis,metadata.listName=a]", "[type=redis,metadata.listName=b]"],
        ),
        (
            "metrics",
            [
                {"type": "Resource", "resource": {"name": "cpu"}},
                {"type": "Resource", "resource": {"name": "memory"}},
                {"type": "External", "external": {"metric": {"name": "queue"}}},
            ],
            [
                "[type=Resource,resource.name=cpu]",
                "[type=Resource,resource.name=memory]",
                "[type=External,external.metric.name=queue]",
            ],
        ),
        ("rules", [{"host": "a.com", "http": {}}, {"http": {}}], ["[a.com]", "[]"]),
        ("rules", [{"alert": "A", "expr": "1"}, {"record": "b", "expr": "2"}], ["[A]", "[b]"]),
        ("rules", [{"apiGroups": [""], "verbs": ["get"]}], None),
        ("paths", [{"path": "/", "pathType": "Prefix", "backend": {}}], ["[path=/,pathType=Prefix]"]),
        ("subjects", [{"kind": "ServiceAccount", "name": "a"}], ["[kind=ServiceAccount,name=a]"]),
        ("volumeClaimTemplates", [{"metadata": {"name": "data"}}], ["[data]"]),
        ("secretTargetRef", [{"parameter": "password", "name": "a", "key": "b"}], ["[password]"]),
        ("anythingElse", [{"name": "a"}], ["[a]"]),
        ("anythingElse", [{"id": "a"}], None),
        ("env", [{"name": "a"}, {"name": "a"}], None),
        ("env", [{"name": "a"}, {"value": "a"}], None),
        ("env", ["a"], None),
        ("env", [{"name": ["a"]}], None),
    ],
)
def test_by_what_items_are_known(field: str, items: list[Any], expected: list[str] | None) -> None:
    assert shown(field, *items) == expected


def test_a_key_has_to_hold_on_both_sides() -> None:
    assert keys("env", [{"name": "a"}], [{"name": "a"}, {"name": "a"}]) is None
    assert keys("env", [{"name": "a"}], [{"value": "a"}]) is None
    assert keys("env", [], []) is None
    before, after = keys("env", [], [{"name": "a"}]) or ([], [])
    assert (before, [str(key) for key in after]) == ([], ["[a]"])


def test_numbers_and_texts_are_the_same_key() -> None:
    before, after = keys("ports", [{"port": 80}], [{"port": "80", "protocol": "TCP"}]) or ([], [])
    assert before == after
