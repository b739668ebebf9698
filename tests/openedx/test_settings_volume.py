"""Which volume takes the place of Tutor's settings, and where it can't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import clone
from kustomizer.openedx.settings_module import SettingsFile
from kustomizer.openedx.settings_source import SettingsSource, SettingsVolume, find_source
from kustomizer.openedx.settings_volume import find_volume, mount_ours, obstacle, settled

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    return obstacle(tree, volume, LMS, source_in(volume, [tutors] if tutors else []), container=container)


def source_in(volume: SettingsVolume, objects: list[Resource]) -> SettingsSource:
    return find_source(Resources(objects), LMS, "openedx", volume)


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


@pytest.mark.parametrize("mount", [{"subPath": "production.py"}, {"subPathExpr": "$(FILE)"}])
def test_a_file_that_is_mounted_where_none_can_be_beside_it(mount: dict[str, str]) -> None:
    expected = "container lms mounts single files of openedx-settings-lms (subPath)"
    tree = template(mount=mount)
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


def mounted(tree: dict[str, Any], name: str = "ours", objects: Iterable[Resource] = (TUTORS,)) -> dict[str, Any]:
    """Return a changed copy of a pod template."""
    changed: dict[str, Any] = clone(tree)
    volume = find_volume(changed, LMS)
    assert volume is not None
    source = source_in(volume, list(objects))
    assert not obstacle(changed, volume, LMS, source)
    mount_ours(changed, volume, LMS, config_map=name, source=source)
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


def placed(*mounts: dict[str, Any], **volume: Any) -> dict[str, Any]:
    """Return a pod template whose settings are mounted where Tutor mounts them, from a volume of another kind."""
    tree = template()
    tree["spec"]["volumes"] = [{"name": "settings", **volume}]
    tree["spec"]["containers"][0]["volumeMounts"] = [
        {"mountPath": PLACE, "name": "settings", **mount} for mount in mounts or ({},)
    ]
    return tree


PLACE = "/openedx/edx-platform/lms/envs/tutor"
OURS = {"configMap": {"name": "ours", "items": [{"key": "production.py", "path": "production.py"}]}}
FILES = ["__init__.py", "production.py"]
MOVED = [{"key": "__init__.py", "path": "__init__.py"}, {"key": "production.py", "path": "tutor_production.py"}]


def secret(name: str, *names: str) -> Resource:
    metadata = {"name": name, "namespace": "openedx"}
    data = dict.fromkeys(names, "")
    return Resource.new({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}, indent=0)


def test_ours_is_one_more_source_of_a_projected_volume() -> None:
    campus = config_map("campus", **{"campus.py": ""})
    token = {"serviceAccountToken": {"path": "token"}}
    sources = [{"configMap": {"name": "campus"}}, {"configMap": {"name": "openedx-settings-lms"}}, token]
    got = mounted(placed(projected={"defaultMode": 256, "sources": sources}), objects=[TUTORS, campus])

    [volume] = got["spec"]["volumes"]
    # It was a projected one, and keeps its name.
    assert volume["name"] == got["spec"]["containers"][0]["volumeMounts"][0]["name"] == "settings"
    assert volume["projected"]["defaultMode"] == 256
    moved = [{"key": "production.py", "path": "tutor_production.py"}, {"key": "test.py", "path": "test.py"}]
    tutors = {"configMap": {"name": "openedx-settings-lms", "items": moved}}
    assert volume["projected"]["sources"] == [sources[0], tutors, token, OURS]
    assert mounted(got, objects=[TUTORS, campus]) == got
    assert mounted(got, "theirs") == {**got, "spec": mounted(got, "theirs")["spec"]} != got


def test_the_last_source_that_has_the_file_is_the_one() -> None:
    more = config_map("more", **{"production.py": ""})
    first = {
        "name": "openedx-settings-lms",
        "items": [{"key": name, "path": name} for name in ("production.py", "test.py")],
    }
    sources = [{"configMap": first}, {"configMap": {"name": "more", "optional": True}}]
    got = mounted(placed(projected={"sources": sources}), objects=[TUTORS, more])

    assert got["spec"]["volumes"][0]["projected"]["sources"] == [
        {"configMap": {**first, "items": [{"key": "test.py", "path": "test.py"}]}},
        {"configMap": {"name": "more", "items": [MOVED[1]], "optional": True}},
        OURS,
    ]  # fmt: skip
    sources[0]["configMap"] = {**first, "items": first["items"][:1]}  # type: ignore[index]
    [only, _] = mounted(placed(projected={"sources": sources}), objects=[TUTORS, more])["spec"]["volumes"][0][
        "projected"
    ]["sources"]
    assert only["configMap"]["name"] == "more"


def test_a_secret_becomes_part_of_a_projected_volume() -> None:
    got = mounted(placed(secret={"secretName": "settings", "defaultMode": 288}), objects=[secret("settings", *FILES)])

    assert got["spec"]["volumes"] == [
        {
            "name": "celery-settings-lms",
            "projected": {"sources": [{"secret": {"name": "settings", "items": MOVED}}, OURS], "defaultMode": 288},
        }
    ]
    assert got["spec"]["containers"][0]["volumeMounts"] == [{"mountPath": PLACE, "name": "celery-settings-lms"}]


def test_a_secret_that_the_build_has_not_got() -> None:
    """All of its files stay, whatever they are; ours hides the one of the settings, which is there a second time."""
    moved = {"name": "settings", "items": [MOVED[1]], "optional": False}
    got = mounted(placed(secret={"secretName": "settings", "optional": False}), objects=())
    sources = got["spec"]["volumes"][0]["projected"]["sources"]
    assert sources == [{"secret": {"name": "settings", "optional": False}}, {"secret": moved}, OURS]
    assert mounted(got, objects=()) == got

    named = mounted(
        placed(secret={"secretName": "settings", "items": [{"key": "x", "path": "production.py"}]}), objects=()
    )
    [theirs, _] = named["spec"]["volumes"][0]["projected"]["sources"]
    assert theirs["secret"] == {"name": "settings", "items": [{"key": "x", "path": "tutor_production.py"}]}


def test_what_may_hold_another_file_of_that_name() -> None:
    tutors, unseen = {"configMap": {"name": "openedx-settings-lms"}}, {"secret": {"name": "campus"}}
    expected = "Secret campus isn't in the build, and may hold another production.py"
    assert reason(placed(projected={"sources": [tutors, unseen]})) == expected
    # Tutor's hides it, or it holds nothing of the kind.
    unseen_files = {"secret": {"name": "campus", "items": [{"key": "key", "path": "key.pem"}]}}
    for sources in (
        [unseen, tutors],
        [tutors, unseen_files],
        [tutors, {"downwardAPI": {"items": []}}],
        [tutors, "odd"],
    ):
        assert reason(placed(projected={"sources": sources})) == ""
    missing = "the build has no ConfigMap openedx-settings-lms with a production.py for ours to extend"
    assert reason(placed(projected={"sources": [unseen, unseen]})) == missing
    assert reason(placed(projected={"sources": [unseen_files]})) == missing
    assert reason(placed(secret={"secretName": "settings", "items": [{"key": "a", "path": "a"}]})) == missing


def test_the_file_alone() -> None:
    """Tutor's gets a mount of its own beside it."""
    mount = {"mountPath": f"{PLACE}/production.py", "subPath": "production.py", "readOnly": True}
    other = {"mountPath": "/tmp/test.py", "subPath": "test.py"}  # noqa: S108 - a path in a pod
    got = mounted(placed(mount, other, configMap={"name": "openedx-settings-lms"}))

    named = {"name": "celery-settings-lms"}
    beside = {**mount, "mountPath": f"{PLACE}/tutor_production.py", "subPath": "tutor_production.py"}
    assert got["spec"]["containers"][0]["volumeMounts"] == [{**mount, **named}, {**other, **named}, {**beside, **named}]
    assert mounted(got) == got


def test_the_file_alone_in_a_directory_that_is_a_volume_itself() -> None:
    tree = placed({"mountPath": f"{PLACE}/production.py", "subPath": "production.py"}, configMap={"name": "mine"})
    assert reason(tree, config_map("mine", **{"production.py": ""})) == ""
    tree["spec"]["containers"][0]["volumeMounts"].append({"mountPath": PLACE, "name": "claim"})
    expected = "container lms mounts single files of openedx-settings-lms (subPath)"
    assert reason(tree, config_map("mine", **{"production.py": ""})) == expected


def test_a_directory_of_a_volume() -> None:
    """As one volume may hold the settings of both services."""
    items = [{"key": name, "path": f"lms/{name}"} for name in FILES]
    both = [
        {"configMap": {"name": "openedx-settings-cms"}},
        {"configMap": {"name": "openedx-settings-lms", "items": items}},
    ]
    tree = placed({"subPath": "lms/"}, projected={"sources": both})
    [cms, tutors, ours] = mounted(tree, objects=[TUTORS, config_map("openedx-settings-cms", **{"production.py": ""})])[
        "spec"]["volumes"][0]["projected"]["sources"]  # fmt: skip

    assert cms == both[0]
    assert [item["path"] for item in tutors["configMap"]["items"]] == ["lms/__init__.py", "lms/tutor_production.py"]
    assert ours["configMap"]["items"] == [{"key": "production.py", "path": "lms/production.py"}]


@pytest.mark.parametrize(
    "volume", [{"persistentVolumeClaim": {"claimName": "c"}}, {"csi": {"driver": "d"}}, {"emptyDir": {}}]
)
def test_other_kinds_of_volumes_hold_what_nobody_knows(volume: dict[str, Any]) -> None:
    assert find_volume(placed(**volume), LMS) is None


def test_binary_files_are_files() -> None:
    tutors = config_map("openedx-settings-lms", **{"production.py": ""})
    tutors.tree["binaryData"] = {"logo.png": "aaaa"}

    items = mounted(template(), objects=[tutors])["spec"]["volumes"][0]["projected"]["sources"][0]["configMap"]["items"]
    assert [item["key"] for item in items] == ["production.py", "logo.png"]


def test_a_second_time_has_no_effect_but_for_the_name() -> None:
    once = mounted(template())

    assert mounted(once, objects=()) == once
    again = mounted(once, "theirs")
    assert again != once
    assert find_volume(again, LMS) is not None
    assert str(again).replace("theirs", "ours") == str(once)


# ConfigMaps of the build


def test_tutors_config_map_is_the_namespaces() -> None:
    other = config_map("openedx-settings-lms", "other")
    mine = config_map("openedx-settings-lms-8d47ck4c27")
    mine.tree["data"]["production.py"] = other.tree["data"]["production.py"] = ""
    resources = Resources([config_map("openedx-settings-lms-extra"), other, mine])
    volume = find_volume(template(), LMS)
    assert volume is not None

    assert find_source(resources, LMS, "openedx", volume).resource is mine
    assert find_source(resources, LMS, "third", volume).obstacle


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
