"""Overlays as people write them, made at random, and what a build of each has to hold to.

    python -m tests.random_overlays 500

builds so many, from a first number on where a second argument gives one, and says which of them differ.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests import builds as b, sites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SITES = ("16", "18", "21", *[sites.NEWEST_TUTOR] * 3, "full")
WORKLOADS = ("lms", "cms", "lms-worker", "cms-worker", "mysql", "redis", "caddy", "nothing-of-this-name")
# kustomize's function, but with the ids that kustomize gave each item for the call.
KEEPS_IDS = """\
#!{python} -ISs
import sys
sys.path.insert(0, {root!r})
from kustomizer.manifests import protocols
protocols.without_call_ids = lambda text: text
from kustomizer.function import main
main()
"""
SPECS = (
    b.RECOMMENDED,
    "spec: {defaults: {keda: {enabled: true}}, unassignedQueues: KeepOnDefault, workers: {lms: {high: {}}}}\n",
    "spec: {settings: {names: Kustomize}, unassignedQueues: KeepOnDefault, workers: {cms: {high: {replicas: 3}}}}\n",
    "spec: {unassignedQueues: KeepOnDefault, routing: {lms: {a.task: {queue: edx.lms.core.high}}}, "
    "workers: {lms: {high: {}}}}\n",
)


class Outcome(NamedTuple):
    """What came of one overlay."""

    seed: int
    built: bool
    """Whether plain kustomize builds it."""
    wrong: str
    """What differs, empty where nothing does."""


class Overlay:
    """A random overlay with the function over a site, and another layer above it in one of two."""

    def __init__(self, seed: int, directory: Path) -> None:
        """Choose what it holds; nothing is written yet."""
        self._random = random.Random(seed)  # noqa: S311 - for tests
        self._directory = directory
        self.site = self._random.choice(SITES)
        self._spec = self._random.choice(SPECS)
        self._inner, self._outer = self._layer("inner"), self._layer("outer")
        self._has_outer = self._random.random() < 0.5
        self._is_last = self._random.random() < 0.5

    def write(self, name: str, function: Path | None) -> Path:
        """Write the overlay with this function, or with none; return the directory to build."""
        root = self._directory / name
        inner = dict(self._inner)
        site = os.path.relpath(sites.site(self.site).resolve(), root / "inner")
        inner["resources"] = [site, *inner.get("resources", [])]
        if function is not None:
            transformers = inner.get("transformers", [])
            ours = ["config.yaml"]
            inner["transformers"] = [*transformers, *ours] if self._is_last else [*ours, *transformers]
        self._write(root / "inner", inner, function)
        if not self._has_outer:
            return root / "inner"
        outer = dict(self._outer)
        outer["resources"] = ["../inner", *outer.get("resources", [])]
        self._write(root / "outer", outer, None)
        return root / "outer"

    def _write(self, directory: Path, kustomization: dict[str, Any], function: Path | None) -> None:
        directory.mkdir(parents=True)
        files = kustomization.pop("files", {})
        for name, text in files.items():
            file = directory / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization, sort_keys=False))
        if function is not None:
            annotation = f'  annotations:\n    {sites.FUNCTION}: "exec: {{path: {function}}}"\n'
            (directory / "config.yaml").write_text(b.HEAD + annotation + self._spec)

    def _layer(self, name: str) -> dict[str, Any]:
        layer: dict[str, Any] = {"files": {}}
        parts: list[Callable[[dict[str, Any], str], None]] = [
            self._images,
            self._replicas,
            self._labels,
            self._annotations,
            self._names,
            self._patches,
            self._patches,
            self._generators,
            self._options,
            self._component,
            self._resource,
            self._transformer,
            self._replacement,
        ]
        for part in self._random.sample(parts, self._random.randint(1, 7)):
            part(layer, name)
        return layer

    def _images(self, layer: dict[str, Any], _: str) -> None:
        names = ("docker.io/overhangio/openedx", "docker.io/redis", "docker.io/mysql", "docker.io/caddy")
        changes = ({"newTag": "mine"}, {"newName": "registry.example.com/mine"}, {"digest": f"sha256:{'0' * 64}"})
        layer["images"] = [{"name": name, **self._random.choice(changes)} for name in self._some(names)]

    def _replicas(self, layer: dict[str, Any], _: str) -> None:
        layer["replicas"] = [{"name": name, "count": self._random.randint(0, 4)} for name in self._some(WORKLOADS[:4])]

    def _labels(self, layer: dict[str, Any], name: str) -> None:
        label = {"pairs": {f"team-{name}": "learning"}}
        if self._random.random() < 0.4:
            label["includeTemplates"] = True  # type: ignore[assignment]
        if self._random.random() < 0.2:
            label["includeSelectors"] = True  # type: ignore[assignment]
        layer["labels"] = [label]

    def _annotations(self, layer: dict[str, Any], name: str) -> None:
        values = ("a", '"quoted"', "two\nlines\n", "123", "true", "ä ☃", " blank ", "a: b # c")
        layer["commonAnnotations"] = {f"example.com/{name}": self._random.choice(values)}

    def _names(self, layer: dict[str, Any], name: str) -> None:
        field, value = self._random.choice((("namespace", "elsewhere"), ("namePrefix", "a-"), ("nameSuffix", "-b")))
        if name == "outer" or field == "namespace":
            layer[field] = value

    def _patches(self, layer: dict[str, Any], name: str) -> None:
        workload = self._random.choice(WORKLOADS)
        strategic = {"spec": {"template": {"spec": self._random.choice(_POD_CHANGES)}}}
        whole = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": workload}, **strategic}
        operations = self._random.choice(_OPERATIONS)
        targets = (
            {"kind": "Deployment", "name": workload},
            {"kind": "Deployment", "name": ".*-worker"},
            {"kind": "Deployment", "name": ".*worker.*"},
            {"kind": "Deployment"},
            {"group": "apps", "version": "v1", "kind": "Deployment"},
            {"labelSelector": "app.kubernetes.io/name=lms-worker"},
            {"kind": "Deployment", "labelSelector": "app.kubernetes.io/part-of=openedx"},
            {"kind": "Deployment", "annotationSelector": "app.kubernetes.io/version"},
        )
        count = len(layer["files"])
        form = self._random.randrange(4)
        if form == 0:
            patch: dict[str, Any] = {"patch": yaml.safe_dump(whole)}
        elif form == 1:
            layer["files"][f"patch-{name}-{count}.yaml"] = yaml.safe_dump(whole)
            patch = {"path": f"patch-{name}-{count}.yaml"}
        elif form == 2:
            patch = {"target": self._random.choice(targets), "patch": yaml.safe_dump(operations)}
        else:
            named = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "any"}, **strategic}
            patch = {"target": self._random.choice(targets), "patch": yaml.safe_dump(named)}
        layer.setdefault("patches", []).append(patch)

    def _generators(self, layer: dict[str, Any], name: str) -> None:
        kind = self._random.choice(("configMapGenerator", "secretGenerator"))
        texts = ("plain", "two\nlines\n", "cr\r\nlf\r\n", "tab\tand ☃", "")
        entry: dict[str, Any] = {"name": f"mine-{name}", "literals": ["a=b"]}
        layer["files"]["value.txt"] = self._random.choice(texts)
        entry["files"] = ["value.txt"]
        if kind == "configMapGenerator" and self._random.random() < 0.5:
            entry["name"] = self._random.choice(("openedx-settings-lms", "openedx-config", "caddy-config"))
            entry["behavior"] = self._random.choice(("merge", "merge", "replace"))
            # Without the worker's settings module the function has nothing to run.
            if entry["name"] == "openedx-settings-lms":
                entry["behavior"] = "merge"
        if self._random.random() < 0.3:
            entry["options"] = {"disableNameSuffixHash": True}
        layer.setdefault(kind, []).append(entry)

    def _options(self, layer: dict[str, Any], name: str) -> None:
        layer["generatorOptions"] = self._random.choice(
            ({"labels": {"made": name}}, {"annotations": {"made": name}}, {"disableNameSuffixHash": False})
        )

    def _component(self, layer: dict[str, Any], name: str) -> None:
        patch = {
            "target": {"kind": "Deployment", "name": self._random.choice(WORKLOADS)},
            "patch": yaml.safe_dump(_OPERATIONS[0]),
        }
        component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "patches": [patch]}
        layer["files"][f"component-{name}/kustomization.yaml"] = yaml.safe_dump(component)
        layer["components"] = [f"component-{name}"]

    def _resource(self, layer: dict[str, Any], name: str) -> None:
        text = yaml.safe_dump_all(self._some(_RESOURCES))
        layer["files"][f"more-{name}.yaml"] = text.replace("NAME", name)
        layer["resources"] = [f"more-{name}.yaml"]

    def _transformer(self, layer: dict[str, Any], name: str) -> None:
        objects = (
            {
                "apiVersion": "builtin",
                "kind": "PatchTransformer",
                "metadata": {"name": f"patch-{name}"},
                "target": {"kind": "Deployment", "name": "lms-worker.*"},
                "patch": yaml.safe_dump(_OPERATIONS[1]),
            },
            {
                "apiVersion": "builtin",
                "kind": "LabelTransformer",
                "metadata": {"name": f"labels-{name}"},
                "labels": {"by": "transformer"},
                "fieldSpecs": [{"path": "metadata/labels", "create": True}],
            },
        )
        layer["files"][f"transformer-{name}.yaml"] = yaml.safe_dump(self._random.choice(objects))
        layer["transformers"] = [f"transformer-{name}.yaml"]

    def _replacement(self, layer: dict[str, Any], _: str) -> None:
        source = {"kind": "Deployment", "name": "lms", "fieldPath": "metadata.name"}
        select = self._random.choice(({"kind": "Deployment", "name": "lms-worker"}, {"kind": "Deployment"}))
        path = "metadata.annotations.[example.com/source]"
        target = {"select": select, "fieldPaths": [path], "options": {"create": True}}
        layer["replacements"] = [{"source": source, "targets": [target]}]

    def _some(self, choices: tuple[Any, ...]) -> list[Any]:
        return self._random.sample(choices, self._random.randint(1, len(choices)))


_POD_CHANGES: tuple[dict[str, Any], ...] = (
    {"nodeSelector": {"pool": "workers"}},
    {"tolerations": [{"key": "a", "operator": "Exists"}]},
    {"imagePullSecrets": [{"name": "pull"}]},
    {"terminationGracePeriodSeconds": 1200},
    {"initContainers": [{"name": "wait", "image": "busybox", "command": ["true"]}]},
    {"containers": [{"name": "sidecar", "image": "example.com/sidecar:1", "restartPolicy": "Always"}]},
    {"securityContext": {"fsGroup": 2000}},
    {"volumes": [{"name": "scratch", "emptyDir": {}}]},
)
_OPERATIONS: tuple[list[dict[str, Any]], ...] = (
    [{"op": "add", "path": "/spec/template/metadata/annotations", "value": {"a": "b"}}],
    [{"op": "add", "path": "/metadata/annotations/example.com~1patched", "value": "yes"}],
    [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "example.com/openedx:1"}],
    [{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "MORE", "value": "1"}}],
    [{"op": "add", "path": "/spec/template/spec/priorityClassName", "value": "high"}],
)
_RESOURCES: tuple[dict[str, Any], ...] = (
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more-NAME"}, "data": {"a": "b\n\nc\n"}},
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny-NAME"},
        "spec": {"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress"]},
    },
    {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "widget-NAME"},
        "spec": {"list": [1, "2", None, True], "text": "a: b"},
    },
)


def check(seed: int, version: str) -> Outcome:
    """Build the overlay of this number with and without the function, and with one that keeps kustomize's ids."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch).resolve()
        overlay = Overlay(seed, directory)
        keeps_ids = directory / "keeps-ids"
        keeps_ids.write_text(KEEPS_IDS.format(python=sys.executable, root=str(sites.ROOT)))
        keeps_ids.chmod(0o755)
        plain, ours, with_ids = (
            _built(overlay.write(name, function), version, directory)
            for name, function in (("plain", None), ("ours", b.FUNCTION), ("with-ids", keeps_ids))
        )
    if plain is None:
        return Outcome(seed, built=False, wrong="")
    if ours is None or with_ids is None:
        wrong = "" if ours == with_ids else "only one of the two functions builds"
        return Outcome(seed, built=False, wrong=wrong)
    wrong = "" if ours == with_ids else "not what it is with kustomize's ids"
    lost = [document for document in _foreign(plain) if document not in set(ours.split("\n---\n"))]
    return Outcome(seed, built=True, wrong=wrong or (f"changed what isn't ours:\n{lost[0]}" if lost else ""))


def _built(directory: Path, version: str, home: Path) -> str | None:
    command = [str(sites.kustomize(version)), *sites.BUILD, str(directory)]
    done = subprocess.run(command, env=b.environment(home), capture_output=True, text=True, check=False)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def _foreign(build: str) -> Iterator[str]:
    """Yield the documents that the function leaves alone: all but Tutor's workers, and who sends them tasks."""
    for document in build.split("\n---\n"):
        if "-worker" not in document and "openedx-settings-" not in document:
            yield document


def main() -> int:
    """Build as many as the first argument says; return the exit status."""
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    outcomes = []
    for seed in range(first, first + count):
        for version in (sites.NEWEST, sites.OLDEST)[: 2 if seed % 5 == 0 else 1]:
            outcome = check(seed, version)
            outcomes.append(outcome)
            if outcome.wrong:
                print(f"{seed}, kustomize {version}: {outcome.wrong}", flush=True)
    built = sum(outcome.built for outcome in outcomes)
    wrong = sum(bool(outcome.wrong) for outcome in outcomes)
    print(f"{len(outcomes)} builds of {count} overlays: {built} built, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
