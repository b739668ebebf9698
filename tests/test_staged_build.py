"""An overlay that is built in stages gives the bytes that kustomize gives, or kustomize builds it itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from kustomizer import staged_site
from kustomizer.commands.init import init
from kustomizer.errors import UserError
from kustomizer.export_parts import object_of
from kustomizer.kustomization_outline import Unknown
from kustomizer.kustomize import Kustomize, build
from kustomizer.report import read_report
from kustomizer.resource_list import read_build, read_resource_list
from kustomizer.resources import NEEDS_HASH_SUFFIX
from kustomizer.staged_overlay import StagedOverlay, write_staged_overlay
from kustomizer.survey import survey
from kustomizer.tree import lookup
from tests import sites
from tests.builds import EXEC, FUNCTION, HEAD, RECOMMENDED, Builds, environment
from tests.test_call_ids import LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kustomizer.resources import Resource

CONFIG = HEAD + EXEC + RECOMMENDED
WARNED = "spec: {unassignedQueues: Ignore, workers: {lms: {high: {}}}}\n"
SECOND_HEAD = HEAD.replace("name: celery", "name: second")
ONE, ANOTHER = "spec: {workers: {lms: {high: {}, high_mem: {}}}}\n", "spec: {workers: {cms: {high: {}, low: {}}}}\n"
OVERLAY = "resources: [../env]\ntransformers: [config.yaml]\n"
OTHER = """\
apiVersion: example.com/v1
kind: Other
metadata:
  name: other
  annotations:
    config.kubernetes.io/function: "exec: {path: ./other.sh}"
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n"
NAME_REFERENCES = (sites.ROOT / "base" / "name-references.yaml").read_text()
GUARD = (sites.ROOT / "generators" / "guard" / "replacements.yaml").read_text()
BELOW = {
    "second": "namespace: other\nconfigMapGenerator: [{name: openedx-config, literals: [a=b]}]\n",
    "prefixed": "namePrefix: a-\nconfigMapGenerator: [{name: prefixed, literals: [a=b]}]\n",
    "variables": "resources: [../extra]\nvars: [{name: X, objref: {apiVersion: v1, kind: ConfigMap, name: extra}}]\n",
    "remote": "resources: [https://example.com/a]\n",
    "renamed": "resources: [../extra]\npatches:\n- options:\n    allowNameChange: true\n  path: patch.yaml\n",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with a site and what an overlay may name."""
    (tmp_path / "env").symlink_to(sites.site("22"))
    for name in ("extra", "component", "other", "second", "prefixed", "variables", "remote", "renamed"):
        (tmp_path / name).mkdir()
    (tmp_path / "guard.yaml").write_text(GUARD)
    for name, text in BELOW.items():
        (tmp_path / name / "kustomization.yaml").write_text(text)
    (tmp_path / "extra" / "kustomization.yaml").write_text("resources: [config-map.yaml]\n")
    (tmp_path / "extra" / "config-map.yaml").write_text(CONFIG_MAP)
    (tmp_path / "component" / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {part: component}}]\n"
    )
    (tmp_path / "other" / "kustomization.yaml").write_text("resources: [other.yaml]\n")
    (tmp_path / "other" / "other.yaml").write_text(OTHER)
    return tmp_path


def overlay(place: Path, kustomization: str = OVERLAY, **files: str) -> Path:
    """Write an overlay; ``files`` are named with two underscores for a slash, and end in .yaml."""
    directory = place / "overlay"
    directory.mkdir()
    (directory / "kustomization.yaml").write_text(kustomization)
    for name, text in {"config": CONFIG, **files}.items():
        file = directory / f"{name.replace('__', '/')}.yaml"
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    return directory


def by_kustomize(directory: Path, executable: Path, env: Mapping[str, str]) -> tuple[int, str, str]:
    done = subprocess.run([executable, *sites.BUILD, directory], env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def written(directory: Path, place: Path) -> StagedOverlay | None:
    try:
        return write_staged_overlay(str(directory), str(place / "written"))
    except (Unknown, OSError, ValueError):
        return None


def is_called(staged: StagedOverlay, *configs: str) -> bool:
    try:
        staged.check_configs(configs)
    except Unknown:
        return False
    return True


class Hold(Protocol):
    """Holds a build of ours to kustomize's own, and to having been made in stages."""

    def __call__(self, directory: Path, executable: Path, /) -> None:
        """Raise AssertionError where they differ."""


@pytest.fixture
def hold(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Hold:
    home, temporary, programs = (tmp_path_factory.mktemp(name) for name in ("home", "tmp", "bin"))
    (programs / "tutor-celery-workers").symlink_to(FUNCTION)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def check(directory: Path, executable: Path) -> None:
        status, stdout, stderr = by_kustomize(directory, executable, environment(home, PATH=os.environ["PATH"]))
        assert status == 0, stderr
        built = build(directory, Kustomize(path=str(executable), version=""), reported=True)
        assert built.text == stdout
        assert built.notes == stderr
        assert built.report.startswith(b"stream "), "kustomize built it"
        assert list(temporary.iterdir()) == []

    return check


@pytest.mark.parametrize(
    ("site", "name"),
    [("22", "multiqueue"), ("22", "autoscaling"), ("22", "monitoring"), ("22", "production"), ("full", "monitoring")],
)
def test_our_overlays(site: str, name: str, any_kustomize: Path, hold: Hold, tmp_path: Path) -> None:
    for part in ("base", "generators", "overlays"):
        shutil.copytree(sites.ROOT / part, tmp_path / part)
    for part in ("kustomizer", ".venv"):
        (tmp_path / part).symlink_to(sites.ROOT / part)
    (tmp_path / "tutor").mkdir()
    (tmp_path / "tutor" / "env").symlink_to(sites.site(site))
    hold(tmp_path / "overlays" / name, any_kustomize)


@pytest.mark.parametrize("largest", [1, 7])
@pytest.mark.parametrize("overlay", ["full/monitoring", "22/production"])
def test_in_parts(largest: int, overlay: str, hold: Hold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What refers to something that gets another name is built together with it."""
    monkeypatch.setattr(staged_site, "_PART", largest)
    site, name = overlay.split("/")
    test_our_overlays(site, name, sites.kustomize(sites.NEWEST), hold, tmp_path)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (3, 4, 0, 6, 2, 5, 1)])
def test_who_refers_to_several_puts_them_together(order: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_site, "_PART", 1)
    texts = ["name: a\n", "name: b\n", "name: c\n", "b: 'b'\n", 'c: "c"\n', "both: b\nand:\n- c\n", "name: none-of-a\n"]
    parts = staged_site._parts([texts[at] for at in order], {"a", "b", "c"})

    assert sorted(map(sorted, parts)) == sorted([texts[:1], sorted(texts[1:6]), texts[6:]])
    monkeypatch.setattr(staged_site, "_PART", 6)
    assert len(staged_site._parts([texts[at] for at in order], {"a", "b", "c"})) == 2
    assert staged_site._parts([], set()) == []


def test_many_queues(kustomize: Path, hold: Hold, place: Path) -> None:
    workers = ", ".join(f"queue{number}: {{queues: [queue{number}]}}" for number in range(60))
    spec = (
        f"spec: {{unassignedQueues: Ignore, defaults: {{keda: {{enabled: true}}}}, workers: {{lms: {{{workers}}}}}}}\n"
    )
    hold(overlay(place, config=HEAD + EXEC + spec), kustomize)


@pytest.mark.parametrize("site", ["16", "18", "22"])
def test_what_init_writes(site: str, any_kustomize: Path, hold: Hold, builds: Builds, tmp_path: Path) -> None:
    found = survey(read_build(builds.plain(sites.site(site)).stdout))
    init(tmp_path / "overlay", sites.site(site), found, force=False)
    hold(tmp_path / "overlay", any_kustomize)


BESIDE = "resources: [../env]\ntransformers: [config.yaml, other.yaml]\n"
EXTRA = "resources: [../env, ../extra]\ntransformers: [config.yaml]\n"
PATCH = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {patched: 'yes'}\n"
REPLACEMENT = """\
source: {kind: ConfigMap, name: extra, fieldPath: data.a}
targets: [{select: {kind: ConfigMap, name: extra}, fieldPaths: [data.c], options: {create: true}}]
"""
GENERATOR = "configMapGenerator: [{name: g, files: [key=config.yaml, c/a.yaml], literals: [a=b]}]\n"
BLOCK = CONFIG.replace('"exec: {path: ', "|\n      exec:\n        path: ").replace('}"', "")
BOTH = "configMapGenerator: [{name: both, literals: [a=b]}]\nsecretGenerator: [{name: both, literals: [a=b]}]\n"
LOOKS_HASHED = CONFIG_MAP.replace("name: extra", "name: extra-2456789bcd, namespace: openedx")
OF_KINDS = (
    *("v1 Service", "v1 LimitRange", "v1 Secret", "v1 Namespace", "v1 ServiceAccount", "batch/v1 CronJob"),
    *("example.com/v1 Widget", "apps/v1 StatefulSet", "rbac.authorization.k8s.io/v1 ClusterRole", "v1 Endpoints"),
    *("admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", "apps/v1 DaemonSet", "v1 ResourceQuota"),
    *(
        "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
    ),
    *(
        "policy/v1 PodDisruptionBudget",
        "apps/v1 Deployment",
        "example.com/v2 Gadget",
        "scheduling.k8s.io/v1 PriorityClass",
        "v1 Pod",
    ),
)
KINDS = "---\n".join(
    f"apiVersion: {kind.split()[0]}\nkind: {kind.split()[1]}\nmetadata: {{name: {name}}}\n"
    for kind in OF_KINDS
    for name in ("z-last", "first")
)
KEDA = """\
spec:
  defaults: {keda: {enabled: true}}
  broker: {existingSecret: {name: redis, passwordKey: password}}
  workers: {lms: {high: {}, high_mem: {}}}
"""
KEDAS_SECRET = (
    "secretGenerator: [{name: redis, literals: [password=secret], namespace: openedx}]\nconfigurations: [rules.yaml]\n"
)
NOT_LATIN = GENERATOR.replace("a=b", "ключ=значение 東京, 'long=ä ö ü'")
IN_STAGES: dict[str, tuple[str, dict[str, str]]] = {
    "the function has something to say": (OVERLAY, {"config": HEAD + EXEC + WARNED}),
    "a comment": (f"# A comment.\n{OVERLAY.replace('[', '[  ')}", {}),
    "indented": ("resources:\n  # Tutor's.\n  - ../env\ntransformers:\n  - config.yaml\n", {}),
    "JSON": ('{"resources": ["../env"], "transformers": ["config.yaml"]}', {}),
    "a file": (OVERLAY.replace("env", "env, extra.yaml").replace("config", "./config"), {"extra": CONFIG_MAP}),
    "a file further down": (OVERLAY.replace("env", "env, below/a.yaml"), {"below__a": CONFIG_MAP}),
    "a component": (f"{OVERLAY}components: [../component]\nnameSuffix: ''\n", {}),
    "an image": (f"{OVERLAY}images: [{{name: docker.io/redis, newTag: '7'}}]\nnamespace: other\n", {}),
    "a patch": (f"{EXTRA}patches: [{{path: patch.yaml}}]\n", {"patch": PATCH}),
    "an old patch": (f"{EXTRA}patchesStrategicMerge: [patch.yaml]\n", {"patch": PATCH}),
    "a replacement": (f"{EXTRA}replacements: [{{path: replacement.yaml}}]\n", {"replacement": REPLACEMENT}),
    "generated": (OVERLAY + GENERATOR, {"c__a": "a: b\n"}),
    "the guard": (BESIDE, {"other": GUARD}),
    "a directory": (
        "resources: [../env]\ntransformers: [sub]\n",
        {"sub__kustomization": "resources: [config.yaml]\n", "sub__config": CONFIG},
    ),
    "two configurations": (BESIDE, {"config": HEAD + EXEC + ONE, "other": SECOND_HEAD + EXEC + ANOTHER}),
    "no namespace": (f"resources: [extra.yaml, ../env]\ntransformers: [config.yaml]\n{BOTH}", {"extra": CONFIG_MAP}),
    "all kinds": (OVERLAY.replace("env", "env, extra.yaml"), {"extra": KINDS}),
    "a Secret that KEDA reads": (f"{OVERLAY}{KEDAS_SECRET}", {"config": HEAD + EXEC + KEDA, "rules": NAME_REFERENCES}),
    "the same name twice": (OVERLAY.replace("env", "env, ../second"), {}),
    "letters that aren't Latin": (OVERLAY + NOT_LATIN, {"c__a": "a: ä\n"}),
    "an annotation of lines": (OVERLAY, {"config": BLOCK}),
}


@pytest.mark.parametrize("case", IN_STAGES)
def test_overlays_of_others(case: str, any_kustomize: Path, hold: Hold, place: Path) -> None:
    kustomization, files = IN_STAGES[case]
    hold(overlay(place, kustomization, **files), any_kustomize)


OURS = "# What a program is known by: from kustomizer.function import main\n"
BY_ANOTHER = CONFIG.replace(str(FUNCTION), "/bin/cat").replace("name: celery", "name: other")
RENAMES = "path: patch.yaml, target: {kind: ConfigMap}, options: {allowNameChange: true}"
IN_LINE = "".join(f"  {line}\n" for line in CONFIG.splitlines())
LEFT_TO_KUSTOMIZE: dict[str, tuple[str, dict[str, str]]] = {
    "a transformer behind the function": (BESIDE, {"other": LABELS}),
    "a transformer before the function": (OVERLAY.replace("[config", "[other.yaml, config"), {"other": LABELS}),
    "a patch that renames": (f"{EXTRA}patches: [{{{RENAMES}}}]\n", {"patch": PATCH}),
    "a patch that renames below": (OVERLAY.replace("env", "env, ../renamed"), {}),
    "an object for kustomize alone": (
        OVERLAY.replace("env", "env, extra.yaml"),
        {
            "extra": CONFIG_MAP.replace(
                "{name: extra}", "{name: extra, annotations: {config.kubernetes.io/local-config: 't'}}"
            )
        },
    ),
    "kustomize's own annotation": (
        OVERLAY.replace("env", "env, extra.yaml"),
        {"extra": CONFIG_MAP.replace("{name: extra}", "{name: extra, annotations: {kustomize.config.k8s.io/id: a}}")},
    ),
    "a mark of what gets a hash": (f"{OVERLAY}commonAnnotations: {{{NEEDS_HASH_SUFFIX}: enabled}}\n", {}),
    "a root of its own": (OVERLAY.replace("../env", "/env"), {}),
    "what looks remote": (OVERLAY.replace("env", "env, github.com/a/b"), {"github.com__a__b__kustomization": ""}),
    "a configuration that refers to others": (
        f"{OVERLAY}configurations: [rules.yaml]\n",
        {"rules": NAME_REFERENCES.replace("kind: ScaledObject", "kind: CeleryWorkers")},
    ),
    "two guards": ("resources: [../env]\ntransformers: [config.yaml, other.yaml, ./other.yaml]\n", {"other": GUARD}),
    "a guard of no name": (BESIDE, {"other": GUARD.replace("  name: the-function-has-run\n", "  labels: {a: b}\n")}),
    "a guard that is a component": (
        BESIDE.replace("other.yaml", "sub"),
        {"sub__kustomization": "kind: Component\nresources: [guard.yaml]\n", "sub__guard": GUARD},
    ),
    "a guard elsewhere": (BESIDE.replace("other.yaml", "../guard.yaml"), {}),
    "a guard elsewhere, by a directory": (
        BESIDE.replace("other.yaml", "sub"),
        {"sub__kustomization": "resources: [../../guard.yaml]\n"},
    ),
    "two objects": (OVERLAY, {"config": f"{LABELS}---\n{CONFIG}"}),
    "a guard that does more": (BESIDE, {"other": GUARD.replace("    - metadata.name\n", "    - data.name\n")}),
    "a guard that is patched": (
        BESIDE.replace("other.yaml", "sub"),
        {"sub__kustomization": "resources: [guard.yaml]\npatches: [{path: a.yaml}]\n", "sub__guard": GUARD},
    ),
    "a configuration behind the guard": (
        BESIDE.replace("[config.yaml, other.yaml]", "[a.yaml, other.yaml, config.yaml]"),
        {"a": CONFIG, "other": GUARD},
    ),
    "another order": (f"{OVERLAY}sortOptions: {{order: fifo}}\n", {}),
    "names that change": (f"{OVERLAY}namePrefix: a-\n", {}),
    "names that change below": (OVERLAY.replace("env", "env, ../prefixed"), {}),
    "variables below": (OVERLAY.replace("env", "env, ../variables"), {}),
    "remote below": (OVERLAY.replace("env", "env, ../remote"), {}),
    "ConfigMaps that refer to others": (
        f"{OVERLAY}configurations: [rules.yaml]\n",
        {"rules": NAME_REFERENCES.replace("kind: ScaledObject", "kind: ConfigMap")},
    ),
    "rules beside the configuration": (
        "resources: [../env]\ntransformers: [sub]\n",
        {
            "sub__kustomization": "resources: [config.yaml]\nconfigurations: [rules.yaml]\n",
            "sub__config": CONFIG.replace("..", "../.."),
            "sub__rules": NAME_REFERENCES,
        },
    ),
    "it writes where an object came from": (f"{OVERLAY}buildMetadata: [originAnnotations]\n", {}),
    "a field that isn't known": (f"{OVERLAY}generators: [config.yaml]\n", {}),
    "rules of resources that aren't known": (f"{OVERLAY}crds: [config.yaml]\n", {}),
    "no function": ("resources: [../env]\n", {}),
    "a legacy plugin as it is": (OVERLAY, {"config": HEAD + RECOMMENDED}),
    "no program": (OVERLAY, {"config": CONFIG.replace(str(FUNCTION), "/nowhere/function")}),
    "another kind": (OVERLAY, {"config": CONFIG.replace("CeleryWorkers", "Other")}),
    "another function beside it": (OVERLAY, {"config": f"{CONFIG}---\n{OTHER}"}),
    "another function": ("resources: [../env]\ntransformers: [config.yaml, ../other]\n", {}),
    "an old annotation": (BESIDE, {"other": OTHER.replace("kubernetes.io/function", "k8s.io/function")}),
    "two programs": (BESIDE, {"other": BY_ANOTHER}),
    "a file that isn't there": (BESIDE, {}),
    "another's file": (OVERLAY.replace("env", "env, ../extra/config-map.yaml"), {}),
    "remote": (OVERLAY.replace("env", "env, https://example.com/a"), {}),
    "not a list": (OVERLAY.replace("[../env]", "../env"), {}),
    "not a string": (OVERLAY.replace("config.yaml", "config.yaml, 1"), {}),
    "in line": (f"resources: [../env]\ntransformers:\n- |\n{IN_LINE}", {}),
    "a pattern": (f"{OVERLAY}configMapGenerator: [{{name: g, files: ['*.yaml']}}]\n", {}),
    "no name of a file": (OVERLAY.replace("../env", '"../env\\0"'), {}),
    "a configuration of no name": (OVERLAY.replace("config.yaml", '"config\\0.yaml"'), {}),
    "not YAML": ("resources: [\n", {}),
    "not a mapping": ("- ../env\n", {}),
}


@pytest.mark.parametrize("case", LEFT_TO_KUSTOMIZE)
def test_what_kustomize_builds_itself(case: str, place: Path) -> None:
    kustomization, files = LEFT_TO_KUSTOMIZE[case]
    assert written(overlay(place, kustomization, **files), place) is None


def test_links_and_two_kustomizations_are_left_to_kustomize(place: Path) -> None:
    directory = overlay(place)
    assert written(directory, place) is not None
    shutil.rmtree(place / "written")
    (directory / "kustomization.yml").write_text(OVERLAY)
    assert written(directory, place) is None
    (directory / "kustomization.yml").unlink()
    (directory / "config.yaml").rename(place / "config.yaml")
    (directory / "config.yaml").symlink_to("../config.yaml")
    assert written(directory, place) is None
    (directory / "config.yaml").unlink()
    (place / "config.yaml").rename(directory / "config.yaml")
    shutil.rmtree(place / "written")
    assert written(directory, place) is not None
    shutil.rmtree(place / "written")
    (directory / "kustomization.yaml").rename(place / "a.yaml")
    (directory / "kustomization.yaml").symlink_to("../a.yaml")
    assert written(directory, place) is None
    assert written(place / "nowhere", place) is None


def test_a_cycle_is_kustomizes_to_refuse(place: Path) -> None:
    """Written elsewhere, the overlay wouldn't lie in a directory that it names."""
    (place / "kustomization.yaml").write_text("resources: [env]\n")
    assert written(overlay(place, OVERLAY.replace("../env", "..")), place) is None


@pytest.mark.parametrize("site", sites.SITES)
def test_the_function_is_given_what_kustomize_would_hand_over(
    site: str, any_kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In that order, without hashes, and with the mark of what gets one; but for kustomize's other bookkeeping."""
    monkeypatch.setenv("HOME", str(place))
    (place / "env").unlink()
    (place / "env").symlink_to(sites.site(site))
    report = build(overlay(place, EXTRA), Kustomize(path=str(any_kustomize), version=""), reported=True).report
    assert report.startswith(b"stream ")
    (place / "other" / "kustomization.yaml").write_text(EXTRA.partition("\n")[0])
    real = sites.function_input(any_kustomize, place / "other", CONFIG)

    given = read_report(report)[0].given
    assert [*map(handed_over, given)] == [*map(handed_over, read_resource_list(real).resources)]
    assert sum(marked for _, marked in map(handed_over, given)) > 4


def handed_over(resource: Resource) -> tuple[Any, bool]:
    """Return an object as plain values, and whether it is to have a hash."""
    tree = object_of(resource)
    # Their namespace follows the account's only in the end; to the function they are nothing.
    tree.pop("subjects", None)
    if not tree["metadata"].get("annotations"):
        tree["metadata"].pop("annotations", None)
    return tree, lookup(resource.tree, "metadata", "annotations", NEEDS_HASH_SUFFIX) == "enabled"


def test_a_function_that_takes_out_what_has_a_hash(
    any_kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What refers to it keeps the name that it had before: kustomize finds nothing to follow."""
    monkeypatch.setenv("HOME", str(place))
    program = place / "celery-workers"
    program.write_text(
        f"""#!{sys.executable}
{OURS}import re, subprocess, sys
text = subprocess.run([{str(FUNCTION)!r}, *sys.argv[1:]], stdout=subprocess.PIPE, text=True, check=True).stdout
mark, margin = ("---\\n", "") if len(sys.argv) > 1 else ("\\n- ", "  ")
items = text.split(mark)
kept = [item for item in items if not re.search(f"(?m)^{{margin}}  name: (redis|caddy)-config$", item)]
assert len(kept) == len(items) - 2
print(mark.join(kept), end="")
"""
    )
    program.chmod(0o755)
    directory = overlay(place, config=CONFIG.replace(str(FUNCTION), str(program)))
    built = build(directory, Kustomize(path=str(any_kustomize), version=""), reported=True)
    assert built.report.startswith(b"stream ")
    assert built.text == by_kustomize(directory, any_kustomize, environment(place))[1]
    assert "name: redis-config\n" in built.text


def test_what_is_spelled_as_a_number_stays_one(kustomize: Path, place: Path) -> None:
    """Kustomize refuses it; written anew as text, it would be taken."""
    directory = overlay(place, f"{OVERLAY}commonLabels:\n  version: 1.10\n")
    assert written(directory, place) is not None
    with pytest.raises(UserError, match="number"):
        build(directory, Kustomize(path=str(kustomize), version=""))


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (f"exec: {{path: {FUNCTION}}}", True),
        (f"exec:\n  path: {FUNCTION}\n", True),
        (f'exec: {{"path": "{FUNCTION}"}}', True),
        (f"exec: {{path: {FUNCTION}, args: [a]}}", False),
        (f"exec:\n  path: {FUNCTION}\nimage: a\n", False),
        ("exec: {path: /bin/cat}", False),
        ("exec: {path: no-such-program}", False),
        ("exec: path: a", False),
        ("", False),
    ],
)
def test_the_program_that_a_configuration_names(annotation: str, expected: bool, place: Path) -> None:
    staged = written(overlay(place), place)
    assert staged is not None
    config = {"kind": "CeleryWorkers", "metadata": {"annotations": {sites.FUNCTION: annotation}}}
    assert is_called(staged, json.dumps(config)) is expected


def test_other_configurations_than_were_read(place: Path) -> None:
    """A patch may have changed what they say."""
    staged = written(overlay(place), place)
    assert staged is not None
    assert is_called(staged, CONFIG)
    for others in ([], [CONFIG, CONFIG], ["{}"], ["["], [CONFIG.replace("kind: C", "kind: Not-C")]):
        assert not is_called(staged, *others)
    assert not is_called(staged, f"{CONFIG}# config.k8s.io/function\n")


def test_a_program_with_arguments_is_called_as_it_says(
    kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(place))
    program = place / "celery-workers"
    program.write_text(f'#!/bin/sh\n{OURS}[ "$1" != -c ] || exec cat\nexec {FUNCTION} "$@"\n')
    program.chmod(0o755)
    directory = overlay(place, config=CONFIG.replace(f"path: {FUNCTION}", f"path: {program}, args: [-c]"))
    assert written(directory, place) is not None
    with pytest.raises(UserError, match="built without the function"):
        build(directory, Kustomize(path=str(kustomize), version=""))


def test_a_build_that_fails_says_what_kustomize_says_of_the_overlay(
    kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    (place / "tmp").mkdir()
    directory = overlay(place, config=HEAD + EXEC + "spec: {workers: {lms: {hgh: {}}}}\n")
    status, _, stderr = by_kustomize(directory, kustomize, environment(place))
    with pytest.raises(UserError) as raised:
        build(directory, Kustomize(path=str(kustomize), version=""))
    assert status == 1
    assert str(raised.value) == f"{kustomize} can't build {directory}:\n{stderr.strip()}"
    assert list((place / "tmp").iterdir()) == []


def test_a_guard_of_a_service_that_is_not_split(kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    directory = overlay(place, BESIDE, config=HEAD + EXEC + ANOTHER, other=GUARD)
    with pytest.raises(UserError, match="of a service that the configuration splits"):
        build(directory, Kustomize(path=str(kustomize), version=""))


def test_kubectl_runs_the_function_of_an_annotated_overlay(
    kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It skips exec functions, but runs plugins."""
    kubectl = sites.TOOLS / "control-plane" / "kubernetes" / "kubectl"
    monkeypatch.setenv("HOME", str(place))
    directory = overlay(place)
    built = build(directory, Kustomize(path=str(kubectl), version="", is_kubectl=True))
    _, expected, _ = by_kustomize(directory, kustomize, environment(place))
    assert built.text == expected


def test_the_users_own_plugins_are_found(kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = place / ".config" / "kustomize" / "plugin" / "example.com" / "v1" / "marker" / "Marker"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(f"#!/bin/sh\ncat <<EOF\n{CONFIG_MAP}EOF\n")
    plugin.chmod(0o755)
    (place / "extra" / "kustomization.yaml").write_text("generators: [marker.yaml]\n")
    (place / "extra" / "marker.yaml").write_text("apiVersion: example.com/v1\nkind: Marker\nmetadata: {name: a}\n")
    monkeypatch.setenv("HOME", str(place))
    directory = overlay(place, OVERLAY.replace("env", "env, ../extra"))
    assert written(directory, place) is None
    assert "name: extra\n" in build(directory, Kustomize(path=str(kustomize), version="")).text


def left_to_kustomize(directory: Path, executable: Path, home: Path) -> str:
    """Return what a build gives that stops on its way through the stages, held to kustomize's own."""
    status, stdout, stderr = by_kustomize(directory, executable, environment(home))
    assert status == 0, stderr
    built = build(directory, Kustomize(path=str(executable), version=""), reported=True)
    assert (built.text, built.notes) == (stdout, stderr)
    assert built.report.startswith(b"list "), "it was built in stages"
    return built.text


@pytest.mark.parametrize("stem", ["extra", "openedx-config"])
def test_names_that_look_generated(
    stem: str, any_kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(place))
    extra = LOOKS_HASHED.replace("extra", stem)
    directory = overlay(place, OVERLAY.replace("env", "env, extra.yaml"), extra=extra)
    left_to_kustomize(directory, any_kustomize, place)


def test_a_site_that_was_built_before(
    any_kustomize: Path, builds: Builds, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its names look generated, and none is."""
    monkeypatch.setenv("HOME", str(place))
    built = builds.plain(sites.site("22")).stdout.decode()
    left_to_kustomize(overlay(place, OVERLAY.replace("../env", "built.yaml"), built=built), any_kustomize, place)


def test_a_generated_name_that_was_written_by_hand(
    any_kustomize: Path, builds: Builds, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the value of a variable it refers to nothing."""
    monkeypatch.setenv("HOME", str(place))
    built = builds.plain(sites.site("22")).stdout.decode()
    name = next(word for word in built.split() if word.startswith("openedx-config-"))
    variable = {"name": "A", "value": name}
    operation = {"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": variable}
    patch = f"patches: [{{target: {{kind: Deployment, name: lms-worker}}, patch: '{json.dumps([operation])}'}}]\n"
    text = left_to_kustomize(overlay(place, OVERLAY + patch), any_kustomize, place)
    assert f"value: {name}\n" in text


def test_a_guard_that_finds_two(kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    extra = CONFIG_MAP.replace("{name: extra}", "{name: lms-worker-celery-settings, namespace: other}")
    directory = overlay(place, BESIDE.replace("env", "env, extra.yaml"), other=GUARD, extra=extra)
    with pytest.raises(UserError, match="multiple matches"):
        build(directory, Kustomize(path=str(kustomize), version=""))


def test_a_way_through_a_link(kustomize: Path, hold: Hold, place: Path) -> None:
    """kustomize takes ``link/..`` for the directory with the link in it."""
    directory = overlay(place, OVERLAY.replace("env", "env, link/../extra"))
    (place / "component" / "deep").mkdir()
    (directory / "link").symlink_to(place / "component" / "deep")
    shutil.copytree(place / "extra", directory / "extra")
    shutil.copytree(place / "extra", place / "component" / "extra")
    (place / "component" / "extra" / "config-map.yaml").write_text(CONFIG_MAP.replace("a: b", "c: d"))
    assert written(directory, place) is None
    (directory / "kustomization.yaml").write_text(OVERLAY.replace("env", "env, ./extra/../extra"))
    hold(directory, kustomize)


def test_another_kustomization_below(kustomize: Path, hold: Hold, place: Path) -> None:
    """Tutor's stands at the margin; one in JSON doesn't."""
    (place / "extra" / "kustomization.yaml").write_text('{"configMapGenerator": [{"name": "c", "literals": ["a=b"]}]}')
    hold(overlay(place, EXTRA), kustomize)


ODD = {
    "another order": ("print(*reversed(text.split('---\\n')), sep='---\\n', end='')", "remainder-0"),
    "one object more": (
        "print(text, text.split('---\\n')[-1].replace('name: ', 'name: z'), sep='---\\n', end='')",
        "remainder-0",
    ),
    "one object less": ("print(*text.split('---\\n')[1:], sep='---\\n', end='')", "remainder-0"),
    "another name": ("print(text.replace('name: openedx-config-', 'name: openedx-config-x'), end='')", "remainder-0"),
    "a warning": ("print(text, end=''); print('warning', file=sys.stderr)", "remainder-0"),
    "no success": ("sys.exit(1)", "remainder-0"),
    "nothing": ("pass", "staged"),
    "no header": ("print(text.replace('\\nkind: Service\\n', '\\n'), end='')", "staged"),
    "no configuration": ("print(text[:text.rfind('---\\n')], end='')", "staged"),
    "no site": ("sys.exit(1)", "staged"),
}


@pytest.mark.parametrize("case", ODD)
def test_a_stage_that_gives_something_else(
    case: str, kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, stage = ODD[case]
    monkeypatch.setenv("HOME", str(place))
    program = place / "kustomize"
    program.write_text(
        f"""#!{sys.executable}
import subprocess, sys
done = subprocess.run([{str(kustomize)!r}, *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
text = done.stdout
if sys.argv[-1].endswith("/{stage}"):
    {code}
else:
    print(text, end="")
sys.exit(done.returncode)
"""
    )
    program.chmod(0o755)
    directory = overlay(place)
    built = build(directory, Kustomize(path=str(program), version=""), reported=True)
    assert built.report.startswith(b"list "), "it was built in stages"
    assert built.text == by_kustomize(directory, kustomize, environment(place))[1]


def test_a_function_that_fails(kustomize: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be one that reads the configuration first, or nothing at all."""
    monkeypatch.setenv("HOME", str(place))
    program = place / "celery-workers"
    program.write_text(f'#!/bin/sh\n[ -z "$1" ] || exit 1\nexec {FUNCTION}\n')
    program.chmod(0o755)
    directory = overlay(place, config=CONFIG.replace(str(FUNCTION), str(program)))
    built = build(directory, Kustomize(path=str(kustomize), version=""), reported=True)
    assert built.report.startswith(b"list ")
    assert "name: lms-worker-high\n" in built.text
