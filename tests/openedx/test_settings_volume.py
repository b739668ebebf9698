"""Which volume takes the place of Tutor's settings, and where it can't."""

from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import clone
from kustomizer.openedx.settings_module import SettingsFile
from kustomizer.openedx.settings_volume import (
    find_volume,
    is_in_projection,
    mount_ours,
    obstacle,
    settled,
    tutors_config_map,
)

LMS = SettingsFile(service="lms", module="lms.envs.tutor.production")
MODULE = "DJANGO_SETTINGS_MODULE"


def template(
    *, volume: dict[str, Any] | None = None, mount: dict[str, Any] | None = None, module: str = ""
) -> dict[str, Any]:
    """Return a pod template with Tutor's settings volume, changed as the arguments say."""
    return {
        "spec": {
            "containers": [
                {
                    "name": "lms",
                    "env": [{"name": MODULE, "value": module}] if module else [],
                    "volumeMounts": [{"mountPath": "/settings", "name": "settings", **(mount or {})}],
                }
            ],
            "volumes": [{"name": "settings", "configMap": {"name": "openedx-settings-lms", **(volume or {})}}],
        }
    }


def config_map(name: str, namespace: str = "openedx", **data: str) -> Resource:
    metadata = {"name": name, "namespace": namespace}
    return Resource.new({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, indent=0)


TUTORS = config_map("openedx-settings-lms", **{"production.py": "", "test.py": ""})


def reason(tree: dict[str, Any], tutors: Resource | None = TUTORS, container: int | None = None) -> str:
    """Return the obstacle in a pod template."""
    volume = find_volume(tree, LMS)
    assert volume is not None
    return obstacle(tree, volume, LMS, tutors, container=container)


def test_tutors_volume_is_found_with_and_without_a_hash() -> None:
    for name in ("openedx-settings-lms", "openedx-settings-lms-8d47ck4c27"):
        found = find_volume(template(volume={"name": name}), LMS)
        assert found is not None
        assert (found.name, found.index, found.is_ours) == ("settings", 0, False)


@pytest.mark.parametrize("name", [
    "openedx-settings-cms", "openedx-settings-lms-extra", "openedx-settings-lms-production", "my-openedx-settings-lms",
])  # fmt: skip
def test_other_config_maps_are_not_tutors(name: str) -> None:
    assert find_volume(template(volume={"name": name}), LMS) is None


def test_volume_that_nobody_mounts_is_none() -> None:
    tree = template(mount={"name": "other"})
    assert find_volume(tree, LMS) is None


def test_the_volume_is_the_one_that_the_container_mounts() -> None:
    tree = template()
    tree["spec"]["containers"].append({"name": "worker", "volumeMounts": [{"mountPath": "/s", "name": "second"}]})
    tree["spec"]["volumes"].append({"name": "second", "configMap": {"name": "openedx-settings-lms"}})
    tree["spec"]["containers"].append({"name": "bare"})

    found = [find_volume(tree, LMS, container=index) for index in (0, 1, 2, None)]

    assert [volume and volume.name for volume in found] == ["settings", "second", None, "settings"]


@pytest.mark.parametrize("tree", [{}, {"spec": {}}, {"spec": {"containers": [{}], "volumes": [{}]}}])
def test_pods_without_volumes(tree: dict[str, Any]) -> None:
    assert find_volume(tree, LMS) is None
    assert not is_in_projection(tree, LMS)


def test_projection_of_somebody_elses() -> None:
    tree = template()
    tree["spec"]["volumes"] = [
        {"name": "celery-settings-lms", "projected": {"sources": [{"configMap": {"name": "openedx-settings-lms"}}]}}
    ]
    tree["spec"]["containers"][0]["volumeMounts"][0]["name"] = "celery-settings-lms"

    assert find_volume(tree, LMS) is None
    assert is_in_projection(tree, LMS)
    assert not is_in_projection(template(), LMS)


def test_a_module_elsewhere_is_not_in_tutors_volume() -> None:
    """Both hold a production.py, and Tutor's is found first."""
    elsewhere = SettingsFile(service="lms", module="campus.production")
    tree = template()
    assert find_volume(tree, elsewhere) is None
    tree["spec"]["volumes"].append({"name": "mine", "configMap": {"name": "campus-settings"}})
    tree["spec"]["containers"][0]["volumeMounts"].append({"mountPath": "/openedx/edx-platform/campus/", "name": "mine"})
    found = find_volume(tree, elsewhere)
    assert found is not None
    assert found.name == "mine"


# What stands in the way


def test_nothing_stands_in_the_way_of_tutors_own() -> None:
    assert reason(template(module=LMS.module)) == ""
    assert reason(template()) == ""  # the image says which


def test_the_file_has_to_be_in_the_build() -> None:
    expected = "the build has no ConfigMap openedx-settings-lms with a production.py for ours to extend"
    assert reason(template(), None) == expected
    assert reason(template(), config_map("openedx-settings-lms", **{"development.py": ""})) == expected


def test_the_file_has_to_be_in_the_volume() -> None:
    without = template(volume={"items": [{"key": "test.py", "path": "test.py"}]})
    assert reason(without) == "volume settings leaves production.py out (items)"
    under_that_name = template(volume={"items": [{"key": "test.py", "path": "production.py"}]})
    assert reason(under_that_name) == ""


@pytest.mark.parametrize("field", ["subPath", "subPathExpr"])
def test_single_files_in_any_container(field: str) -> None:
    expected = "container lms mounts single files of openedx-settings-lms (subPath)"
    tree = template(mount={field: "production.py"})
    assert reason(tree) == expected
    # A sidecar's production.py would be ours, and find no file of Tutor's beside it.
    tree["spec"]["containers"].insert(0, {"volumeMounts": [{"mountPath": "/settings", "name": "settings"}]})
    assert reason(tree, container=0) == expected


def test_another_file_over_the_module() -> None:
    """As a plugin mounts a production.py of its own over Tutor's."""
    tree = template()
    place = {"mountPath": "/settings/production.py/", "subPath": "production.py", "name": "mine"}
    tree["spec"]["containers"][0]["volumeMounts"].append(place)
    expected = "container lms mounts another file over it: /settings/production.py"
    assert (reason(tree), reason(tree, container=0)) == (expected, expected)
    place["mountPath"] = "/settings/other.py"
    assert reason(tree) == ""


def test_worker_has_to_load_the_module() -> None:
    for module in ("lms.envs.tutor.development", "acme.settings", "cms.envs.tutor.production"):
        expected = f"its DJANGO_SETTINGS_MODULE is {module}, which never loads lms.envs.tutor.production"
        assert reason(template(module=module), container=0) == expected


def test_what_a_sidecar_loads_does_not_matter_to_the_worker() -> None:
    tree = template(module=LMS.module)
    sidecar = {"name": "test", "env": [{"name": MODULE, "value": "lms.envs.tutor.test"}]}
    tree["spec"]["initContainers"] = [{**sidecar, "volumeMounts": [{"mountPath": "/settings", "name": "settings"}]}]

    assert reason(tree, container=0) == ""
    assert reason(tree) == ""


def test_a_sender_of_the_other_service_may_mount_these_settings() -> None:
    assert reason(template(module="cms.envs.tutor.production")) == ""
    assert "acme.settings, which never loads" in reason(template(module="acme.settings"))
    assert "lms.envs.tutor.test, which never loads" in reason(template(module="lms.envs.tutor.test"))


# What takes its place


def mounted(tree: dict[str, Any], name: str = "ours", tutors: Resource | None = TUTORS) -> dict[str, Any]:
    """Return a changed copy of a pod template."""
    changed: dict[str, Any] = clone(tree)
    volume = find_volume(changed, LMS)
    assert volume is not None
    mount_ours(changed, volume, LMS, config_map=name, tutors=tutors)
    return changed


def test_our_volume() -> None:
    got = mounted(template())

    assert got["spec"]["volumes"] == [
        {
            "name": "celery-settings-lms",
            "projected": {
                "sources": [
                    {
                        "configMap": {
                            "name": "openedx-settings-lms",
                            "items": [
                                {"key": "production.py", "path": "tutor_production.py"},
                                {"key": "test.py", "path": "test.py"},
                            ],
                        }
                    },
                    {"configMap": {"name": "ours", "items": [{"key": "production.py", "path": "production.py"}]}},
                ]
            },
        }
    ]
    assert got["spec"]["containers"][0]["volumeMounts"] == [{"mountPath": "/settings", "name": "celery-settings-lms"}]


def test_every_mount_of_the_volume_follows() -> None:
    tree = template()
    mount = {"mountPath": "/settings", "name": "settings", "readOnly": True}
    tree["spec"]["initContainers"] = [{"name": "init", "volumeMounts": [mount, {"mountPath": "/data", "name": "data"}]}]

    got = mounted(tree)

    assert got["spec"]["initContainers"][0]["volumeMounts"] == [
        {"mountPath": "/settings", "name": "celery-settings-lms", "readOnly": True},
        {"mountPath": "/data", "name": "data"},
    ]


def test_options_of_tutors_volume_hold_for_its_part() -> None:
    items = [{"key": "site.py", "path": "production.py", "mode": 256}, {"key": "test.py", "path": "test.py"}]
    got = mounted(template(volume={"defaultMode": 288, "optional": False, "items": items}))

    projected = got["spec"]["volumes"][0]["projected"]
    assert projected["defaultMode"] == 288
    assert projected["sources"][0]["configMap"] == {
        "name": "openedx-settings-lms",
        "items": [
            {"key": "site.py", "path": "tutor_production.py", "mode": 256},
            {"key": "test.py", "path": "test.py"},
        ],
        "optional": False,
    }
    assert "optional" not in projected["sources"][1]["configMap"]


def test_binary_files_are_files() -> None:
    tutors = config_map("openedx-settings-lms", **{"production.py": ""})
    tutors.tree["binaryData"] = {"logo.png": "aaaa"}

    items = mounted(template(), tutors=tutors)["spec"]["volumes"][0]["projected"]["sources"][0]["configMap"]["items"]
    assert [item["key"] for item in items] == ["production.py", "logo.png"]


def test_a_second_time_has_no_effect_but_for_the_name() -> None:
    once = mounted(template())

    assert mounted(once, tutors=None) == once
    again = mounted(once, "theirs")
    assert again != once
    assert find_volume(again, LMS) is not None
    assert str(again).replace("theirs", "ours") == str(once)


# ConfigMaps of the build


def test_tutors_config_map_is_the_namespaces() -> None:
    other = config_map("openedx-settings-lms", "other")
    mine = config_map("openedx-settings-lms-8d47ck4c27")
    resources = Resources([config_map("openedx-settings-lms-extra"), other, mine])

    assert tutors_config_map(resources, LMS, "openedx") is mine
    assert tutors_config_map(resources, LMS, "third") is None


def test_ours_has_the_name_that_an_earlier_build_gave_it() -> None:
    ours = config_map("ours", **{"production.py": "new"})
    old = config_map("ours-2222222222", **{"production.py": "old"})
    same = config_map("ours-8d47ck4c27", **{"production.py": "new"})
    elsewhere = config_map("ours-8d47ck4c27", "other", **{"production.py": "new"})

    assert settled(Resources([old, elsewhere]), ours) is ours
    assert settled(Resources([old, same]), ours) is same

    named = config_map("ours-8d47ck4c27", **{"production.py": "new"})
    assert settled(Resources([old, same]), named) is same
    assert settled(Resources([old, elsewhere]), named) is named
