"""The function on what real Tutor writes, built by real kustomize: Tutor 16 to 22, and 22 with eleven plugins."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import builds as b, parts, sites
from tests.builds import Builds
from tests.kubernetes_schemas import assert_valid

QUEUES = {
    "lms": {"default": "lms-worker", "high": "lms-worker-high", "high_mem": "lms-worker-high-mem"},
    "cms": {"default": "cms-worker", "high": "cms-worker-high", "low": "cms-worker-low"},
}
WORKERS = {f"edx.{service}.core.{variant}": name for service, all_ in QUEUES.items() for variant, name in all_.items()}
ROUTED = b.RECOMMENDED.replace("}}}\n", "}}, routing: {lms: {some.task: {queue: edx.lms.core.high}}}}\n")
SETTINGS_FILES = ("__init__.py", "development.py", "production.py", "test.py")
# What the function gives a kind of worker unless the configuration says otherwise.
GRACE_PERIODS = {"lms-worker-high-mem": 3600}
ANNOTATIONS = {
    "lms-worker-high-mem": {
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
    }
}


def service_and_variant(queue: str) -> tuple[str, str]:
    _, service, _, variant = queue.split(".")
    return service, variant


def settings_map(build: b.Build, deployment: str) -> str:
    """Return the name, hash and all, of the one ConfigMap of ours for a worker."""
    pattern = re.compile(rf"{deployment}-celery-settings-[0-9a-z]{{10}}")
    (name,) = filter(pattern.fullmatch, build.config_maps())
    return name


def expected_worker(plain: dict[str, Any], queue: str, config_map: str) -> dict[str, Any]:
    """Return Tutor's worker with exactly the changes that are documented for the worker of ``queue``."""
    service, variant = service_and_variant(queue)
    name = WORKERS[queue]
    tree = copy.deepcopy(plain)
    template = tree["spec"]["template"]
    (container,) = template["spec"]["containers"]
    args = [arg for arg in container["args"] if not arg.startswith(("--queues", "--exclude-queues"))]
    if variant != "default":
        tree["metadata"]["name"] = container["name"] = name
        for labels in (tree["metadata"]["labels"], tree["spec"]["selector"]["matchLabels"]):
            labels["app.kubernetes.io/name"] = name
        template["metadata"]["labels"]["app.kubernetes.io/name"] = name
        hostname = next(arg for arg in args if arg.startswith("--hostname"))
        args[args.index(hostname)] = f"--hostname=edx.{service}.core.{variant}.%h"
        tree["spec"]["replicas"] = 1
    # Where it stands on the command line is no concern of Celery's.
    container["args"] = sorted([*args, f"--queues={queue}"])
    template["spec"]["terminationGracePeriodSeconds"] = GRACE_PERIODS.get(name, 600)
    template["metadata"]["annotations"].update(ANNOTATIONS.get(name, {}))
    for index, volume in enumerate(template["spec"]["volumes"]):
        if volume["name"] == f"settings-{service}":
            paths = {key: f"tutor_{key}" if key == "production.py" else key for key in SETTINGS_FILES}
            tutors = {
                "name": volume["configMap"]["name"],
                "items": [{"key": key, "path": path} for key, path in paths.items()],
            }
            ours = {"name": config_map, "items": [{"key": "production.py", "path": "production.py"}]}
            template["spec"]["volumes"][index] = {
                "name": f"celery-settings-{service}",
                "projected": {"sources": [{"configMap": tutors}, {"configMap": ours}]},
            }
    for mount in container["volumeMounts"]:
        if mount["name"] == f"settings-{service}":
            mount["name"] = f"celery-settings-{service}"
    return tree


def with_sorted_args(tree: dict[str, Any]) -> dict[str, Any]:
    tree = copy.deepcopy(tree)
    for container in tree["spec"]["template"]["spec"]["containers"]:
        container["args"].sort()
    return tree


def consumed(deployments: dict[str, dict[str, Any]], services: Sequence[str] = ("lms", "cms")) -> Counter[str]:
    """Return how many workers consume each queue; the last ``--queues`` counts, as for Celery."""
    found: Counter[str] = Counter()
    for tree in deployments.values():
        for container in tree["spec"]["template"]["spec"]["containers"]:
            args = container.get("args") or []
            if any(f"--app={service}.celery" in args for service in services) and "worker" in args:
                queues = [arg for arg in args if arg.startswith("--queues=")]
                found.update(queues[-1].removeprefix("--queues=").split(","))
    return found


def test_everything_else_stays_byte_for_byte(any_site: Path, builds: Builds) -> None:
    plain, ours = builds.plain(any_site), builds.through_exec(any_site)

    before = {item.key: item.text for item in plain.documents}
    after = {item.key: item.text for item in ours.documents}
    assert len(after) == len(ours.documents)
    changed = {key for key, text in before.items() if after.get(key) != text}
    assert changed == {"Deployment openedx/lms-worker", "Deployment openedx/cms-worker"}
    assert changed <= after.keys()
    tutors = {name for name in plain.config_maps() if b.stem(name).startswith("openedx-")}
    assert {b.stem(name) for name in tutors} >= {"openedx-config", "openedx-settings-lms", "openedx-settings-cms"}
    assert tutors <= ours.config_maps().keys()


def test_only_what_is_expected_is_new(any_site: Path, builds: Builds) -> None:
    plain, ours = builds.plain(any_site), builds.through_exec(any_site)

    new = [item for item in ours.documents if item.key not in set(b.keys(plain.documents))]
    names = set(WORKERS.values())
    assert {item.name for item in new if item.kind == "Deployment"} == names - {"lms-worker", "cms-worker"}
    assert {item.name for item in new if item.kind == "ConfigMap"} == {settings_map(ours, name) for name in names}
    assert {item.kind for item in new} == {"Deployment", "ConfigMap"}
    # Nothing of kustomize's bookkeeping is left on them, and they belong to the site.
    for item in new:
        metadata = item.tree["metadata"]
        assert metadata["namespace"] == "openedx"
        assert set(metadata["annotations"]) == {"app.kubernetes.io/version"}
        assert metadata["labels"]["app.kubernetes.io/part-of"] == "openedx"


def test_order_of_the_functions_output(any_site: Path, kustomize: Path, tmp_path: Path) -> None:
    """What is new follows the Deployment that it was copied from."""
    given = sites.function_input(kustomize, any_site, b.HEAD + b.RECOMMENDED)
    old, new = items(given), items(run_function(given, tmp_path))

    assert [key for key in new if key in set(old)] == old
    for service, variants in QUEUES.items():
        names = variants.values()
        added = {f"Deployment {name}" for name in names} | {f"ConfigMap {name}-celery-settings" for name in names}
        start = new.index(f"Deployment {service}-worker")
        # The copies' settings have their hash from the function.
        assert set(map(b.stem, new[start : start + len(added)])) == added


def items(resource_list: bytes) -> list[str]:
    return [f"{item['kind']} {item['metadata']['name']}" for item in load(resource_list)["items"]]


def load(text: bytes) -> Any:
    return yaml.load(text, b.Loader)  # noqa: S506 - a safe loader


def test_order_of_the_build(any_site: Path, builds: Builds) -> None:
    """kustomize keeps the order of what it had, and puts behind it what a function adds, in the function's order."""
    old = b.keys(builds.plain(any_site).documents)

    assert b.keys(builds.through_exec(any_site).documents)[: len(old)] == old


def test_workers_are_tutors_with_the_documented_changes(any_site: Path, builds: Builds) -> None:
    plain, ours = builds.plain(any_site).deployments(), builds.through_exec(any_site)

    for queue, name in WORKERS.items():
        service, _ = service_and_variant(queue)
        expected = expected_worker(plain[f"{service}-worker"], queue, settings_map(ours, name))
        assert with_sorted_args(ours.deployments()[name]) == expected


def test_arguments_keep_their_order(any_site: Path, builds: Builds) -> None:
    plain, ours = builds.plain(any_site).deployments(), builds.through_exec(any_site).deployments()

    def inherited(tree: dict[str, Any]) -> list[str]:
        args: list[str] = tree["spec"]["template"]["spec"]["containers"][0]["args"]
        return [arg for arg in args if not arg.startswith(("--queues", "--exclude-queues", "--hostname"))]

    for queue, name in WORKERS.items():
        service, _ = service_and_variant(queue)
        assert inherited(ours[name]) == inherited(plain[f"{service}-worker"])
        args = ours[name]["spec"]["template"]["spec"]["containers"][0]["args"]
        assert [arg.partition("=")[0] for arg in args].count("--queues") == 1


def test_every_queue_has_exactly_one_consumer(any_site: Path, builds: Builds) -> None:
    before = builds.plain(any_site).deployments()["lms-worker"]["spec"]["template"]["spec"]["containers"][0]["args"]
    after = consumed(builds.through_exec(any_site).deployments())

    assert after == Counter(dict.fromkeys(WORKERS, 1))
    if any(arg.startswith("--queues") for arg in before):
        assert consumed(builds.plain(any_site).deployments()).keys() == after.keys()


def test_deployments_are_valid(any_site: Path, builds: Builds) -> None:
    ours = builds.through_exec(any_site)

    for name in WORKERS.values():
        assert_valid(ours.deployments()[name])
        assert_valid(ours.config_maps()[settings_map(ours, name)])


def test_every_reference_resolves(any_site: Path, builds: Builds) -> None:
    """A pod whose ConfigMap isn't there waits for ever."""
    ours = builds.through_exec(any_site, ROUTED)

    missing = {name: dangling(tree, ours) for name, tree in ours.deployments().items()}
    assert not any(missing.values())


def dangling(deployment: dict[str, Any], build: b.Build) -> set[str]:
    """Return the ConfigMaps that a Deployment's volumes name and the build doesn't have, or not with these keys."""
    found = set()
    for volume in deployment["spec"]["template"]["spec"].get("volumes") or ():
        for source in volume.get("projected", {}).get("sources") or [volume]:
            reference = source.get("configMap")
            if reference is None:
                continue
            config_map = build.config_maps().get(reference["name"])
            wanted = {item["key"] for item in reference.get("items") or ()}
            if config_map is None or not wanted <= config_map["data"].keys():
                found.add(reference["name"])
    return found


def test_plugins_come_along(builds: Builds) -> None:
    env = sites.site("full")
    plain, ours = builds.plain(env).deployments(), builds.through_exec(env).deployments()

    for queue, name in WORKERS.items():
        service, _ = service_and_variant(queue)
        (container,) = ours[name]["spec"]["template"]["spec"]["containers"]
        (emitted,) = plain[f"{service}-worker"]["spec"]["template"]["spec"]["containers"]
        # tutor-contrib-pod-autoscaling's, by Tutor's k8s-override; tutor-indigo's image.
        assert container["resources"] == emitted["resources"] != {}
        assert container["image"] == emitted["image"] == "docker.io/overhangio/openedx:22.0.3-indigo"
        assert "--prefetch-multiplier=1" in container["args"]


def test_another_applications_worker_is_left_alone(builds: Builds) -> None:
    env = sites.site("full")
    plain, ours = builds.plain(env), builds.through_exec(env)

    assert "superset-worker" in plain.deployments()
    assert ours.deployments()["superset-worker"] == plain.deployments()["superset-worker"]


def test_autoscalers_that_miss_the_copies_are_named(builds: Builds) -> None:
    lines = ours_of(builds.through_exec(sites.site("full")).stderr)

    for service, variants in QUEUES.items():
        (line,) = [line for line in lines if f"HorizontalPodAutoscaler {service}-worker " in line]
        assert "warning" in line
        assert all(name in line for variant, name in variants.items() if variant != "default")
        assert "copyTargeting" in line
    assert len(lines) == 2


@pytest.mark.parametrize("name", sites.PLAIN_SITES)
def test_a_plain_site_gets_no_warnings(name: str, builds: Builds) -> None:
    assert ours_of(builds.through_exec(sites.site(name)).stderr) == []


def ours_of(stderr: str) -> list[str]:
    """Return the function's lines; kustomize has warnings of its own about what older Tutors write."""
    return [line for line in stderr.splitlines() if line.startswith("tutor-celery-workers: ")]


def test_routing_reaches_what_sends_tasks(any_site: Path, builds: Builds) -> None:
    """With routing the web pods load ours, too, and nothing else that isn't a pod template changes."""
    plain, ours = builds.plain(any_site), builds.through_exec(any_site, ROUTED)

    before = {item.key: item.text for item in plain.documents}
    after = {item.key: item.text for item in ours.documents}
    changed = {key for key, text in before.items() if after[key] != text}
    sending = {
        item.key
        for item in plain.documents
        if item.kind in {"Deployment", "CronJob"} and "name: openedx-settings-lms-" in item.text
    }
    assert {"Deployment openedx/lms", "Deployment openedx/lms-worker"} <= sending
    assert changed == sending
    told = {line.split(":")[2].split()[1] for line in ours_of(ours.stderr) if " info: " in line}
    assert {"lms-job", "cms-job"} <= told


def run_function(resource_list: bytes, tmp_path: Path) -> bytes:
    return subprocess.run(
        [b.FUNCTION], input=resource_list, env=b.environment(tmp_path), check=True, stdout=subprocess.PIPE
    ).stdout


@pytest.mark.parametrize("spec", [b.RECOMMENDED, ROUTED], ids=["recommended", "routed"])
def test_fixed_point(spec: str, any_site: Path, any_kustomize: Path, tmp_path: Path) -> None:
    given = sites.function_input(any_kustomize, any_site, b.HEAD + spec)

    once = run_function(given, tmp_path)
    assert once != given
    assert run_function(given, tmp_path) == once
    twice = run_function(once, tmp_path)
    assert load(twice)["items"] == load(once)["items"]
    assert twice == once


def test_input_comes_back_as_it_was(any_site: Path, kustomize: Path, tmp_path: Path) -> None:
    """In the ResourceList, too, what isn't touched is handed back byte for byte, and in its order.

    But for what kustomize wrote into it for the call, that is, and reads to no effect.
    """
    data = sites.function_input(kustomize, any_site, b.HEAD + b.RECOMMENDED)
    once = run_function(data, tmp_path).decode()

    given = sites.without_call_ids(data).decode()
    items = given[given.index("\n- ") : given.index("\nfunctionConfig:")].split("\n- ")[1:]
    worker = re.compile(r"(?ms)^  kind: Deployment$.*^    name: [lc]ms-worker$")
    untouched = [item for item in items if not worker.search(item)]
    assert len(untouched) == len(items) - 2
    assert all(f"\n- {item}\n" in once for item in untouched)
    assert once.endswith(given[given.index("\nfunctionConfig:") :]) or "\nresults:\n" in once


def test_kustomize_versions_agree(any_site: Path, builds: Builds) -> None:
    assert builds.plain(any_site, version=sites.OLDEST).stdout == builds.plain(any_site).stdout
    assert builds.through_exec(any_site, version=sites.OLDEST).stdout == builds.through_exec(any_site).stdout


def test_protocols_agree(any_site: Path, builds: Builds, capsys: pytest.CaptureFixture[str]) -> None:
    expected = builds.through_exec(any_site)
    ran = []
    for version in (sites.NEWEST, sites.OLDEST):
        built = builds.through_legacy(any_site, version=version)
        assert built.stdout == expected.stdout
        # kustomize 5.8 shows what a legacy plugin says only when it fails: overlays/README.md names it.
        assert ours_of(built.stderr) == (ours_of(expected.stderr) if version == sites.OLDEST else [])
        ran.append(f"kustomize {version}")
    kubectl = parts.program("kubectl")
    assert builds.through_kubectl(any_site, kubectl).stdout == expected.stdout
    ran.append(kubectl)
    with capsys.disabled():
        print(f"\nlegacy exec plugin on {any_site.parent.name}, run by: {', '.join(ran)}", file=sys.stderr)
