"""Items go back without what kustomize wrote into them for the call, and nobody can tell from the build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from kustomizer.function import run_resource_list
from kustomizer.manifests.call_annotations import without_call_ids
from kustomizer.manifests.writer import emit
from tests import builds as b, sites
from tests.acceptance.test_overlays import OVERLAYS, Checkout, checkout
from tests.kustomize_yaml import kustomize_trees

__all__ = ["checkout"]

FIRST, SECOND = "internal.config.kubernetes.io/id", "config.k8s.io/id"
PAIR = f"      {FIRST}: '12'\n      {SECOND}: '12'\n"


def item(annotations: str, *, data: str = "a: b", rest: str = "") -> str:
    return f"- apiVersion: v1\n  data:\n    {data}\n  metadata:\n    annotations:\n{annotations}    name: a\n{rest}"


@pytest.mark.parametrize(
    "others",
    [
        "      a: b\n",
        "      a: 'b\"c'\n",
        '      a: "b"\n',
        "      a: |\n        b\n\n        c\n",
        "      a: |\n        b\n      d: ''\n",
        "      a: |-\n        \"\n        '\n      b: c\n",
        "      kustomize.config.k8s.io/id: |\n        kind: A\n        name: a\n",
        f"      a: |\n        {FIRST}: '12'\n        {SECOND}: '12'\n",
    ],
)
def test_the_two_annotations_are_left_off(others: str) -> None:
    before, behind = item(others + PAIR), item(PAIR + others)

    assert without_call_ids(before) == without_call_ids(behind) == item(others)


OTHER = "      a: b\n"
OBJECT_ID = "kustomize.config.k8s.io/id"
FOUR = f"""\
      {OBJECT_ID}: |
        kind: A
        name: a
      config.kubernetes.io/index: '11'
      internal.config.kubernetes.io/index: '11'
      internal.config.kubernetes.io/annotations-migration-resource-id: '11'
"""


def test_the_four_before_them_are_left_off() -> None:
    assert without_call_ids(item(OTHER + FOUR + PAIR)) == item(OTHER)
    assert without_call_ids(item(FOUR + PAIR + OTHER)) == item(OTHER)


@pytest.mark.parametrize(
    "others",
    [
        # kustomize has to say what becomes of an empty mapping.
        FOUR,
        OTHER + FOUR.replace("'11'", "'12'", 1),
        OTHER + FOUR.replace("'11'", '"11"'),
        OTHER + FOUR.replace("      config", "      a.config.kubernetes.io/path: 'a'\n      config", 1),
        OTHER + FOUR.replace("        name: a\n", "      name: a\n"),
        OTHER + FOUR + "      z: a\n",
        OTHER + "".join(FOUR.splitlines(keepends=True)[:-1]),
        OTHER + "".join(FOUR.splitlines(keepends=True)[3:]),
        OTHER + f"      a: |\n{FOUR}".replace("\n      ", "\n        "),
    ],
)
def test_others_than_those_four_stay(others: str) -> None:
    assert without_call_ids(item(others + PAIR)) == item(others)


@pytest.mark.parametrize(
    "text",
    [
        item(OTHER),
        "- kind: A\n  metadata:\n    name: a\n",
        "- a\n",
        # kustomize has to say what becomes of an empty mapping.
        item(PAIR),
        # Not a pair, or not as kustomize writes it.
        item(OTHER + PAIR.replace("k8s.io/id: '12'", "k8s.io/id: '13'")),
        item(OTHER + PAIR.replace("'", "")),
        item(OTHER + PAIR.replace("'", '"')),
        item(OTHER + PAIR.splitlines(keepends=True)[0]),
        item(OTHER + PAIR.splitlines(keepends=True)[1]),
        item(OTHER + PAIR.replace(f"      {SECOND}", f"      c: d\n      {SECOND}")),
        # Text, and annotations of something else.
        item(OTHER, data=f"a: |\n{PAIR}"),
        item(OTHER, data=f"metadata: |\n      annotations:\n  {PAIR}"),
        item(OTHER, rest=f"  spec:\n    template:\n{PAIR}"),
        item(OTHER, rest=f"  spec:\n    annotations:\n{PAIR}"),
        item(OTHER, rest=f"  stringData:\n    a: |\n{PAIR}"),
        item(f'      a: "b\n{PAIR}        c"\n'),
        item(f'      a: b\n      c: "\n{PAIR}        c"\n'),
    ],
)
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert without_call_ids(text) == text


TEXTS = st.sampled_from([PAIR, f"{FIRST}: '3'\n{SECOND}: '3'", FIRST, SECOND, "a", '"', "'", "\n", "metadata:\n"])


@given(kustomize_trees(), st.dictionaries(st.sampled_from("abc"), TEXTS), TEXTS, st.integers(0, 99))
def test_nothing_else_is_left_off(tree: dict[str, Any], annotations: dict[str, str], text: str, number: int) -> None:
    ids = {FIRST: str(number), SECOND: str(number)}
    inner = {"metadata": {"annotations": {**annotations, **ids}}}
    tree = {"a": text, **tree, "data": {"b": text, **inner}, "spec": {"template": inner, "c": [inner]}, "z": text}
    numbered = {**tree, "metadata": {"annotations": {**annotations, **ids}, "name": text}}
    plain = {**tree, "metadata": {"annotations": annotations or ids, "name": text}}

    assert without_call_ids(emit([numbered])) == emit([plain])


@pytest.mark.parametrize("site", ["22", "full"])
def test_no_item_of_a_real_site_keeps_them(site: str, any_kustomize: Path) -> None:
    data = sites.function_input(any_kustomize, sites.site(site), b.HEAD + b.RECOMMENDED)
    output = run_resource_list(data)

    assert not output.failed
    assert f"{PAIR[:-5]}".encode() in data
    for line in (f"\n      {key}: ".encode() for key in (FIRST, SECOND, OBJECT_ID, "config.kubernetes.io/index")):
        assert data.count(line) > 20
        assert line not in output.data


def test_comments_that_would_be_lost_stay_kustomizes_to_put_back() -> None:
    """Of a worker with comments, as `kustomize fn run` hands over, what goes back is a tree."""
    data = sites.function_input(sites.kustomize(sites.NEWEST), sites.site("22"), b.HEAD + b.RECOMMENDED).decode()
    with_comment = data.replace("\n    name: lms-worker\n", "\n    name: lms-worker # why\n", 1)
    assert with_comment != data

    output = run_resource_list(with_comment.encode()).data.decode()
    assert output.count(f"\n      {FIRST}: ") == output.count(f"\n      {SECOND}: ") == 1
    # Every comment of a list in another form is lost.
    output = run_resource_list(f"# a\n{data}".encode()).data.decode()
    assert output.count(f"\n      {FIRST}: ") > 20


ODD = f"""\
# A comment
apiVersion: v1
kind: ConfigMap
metadata:
  name: odd # another
  annotations:
    {FIRST}: "77"
    {SECOND}: "77"
data:
  # A third
  text: |
    metadata:
      annotations:
        {FIRST}: '3'
        {SECOND}: '3'
  z: "1"
  a: "2"
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: nothing}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: empty
  annotations: {{}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: odd
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata:
      labels: {{a: b}}
      annotations:
        {FIRST}: '3'
        {SECOND}: '3'
    spec:
      containers: # more
      - {{name: z, image: y, args: [c, "b"]}}
      - {{image: y, name: a}}
"""
LAYERED = """\
resources: [../../base, ../../generators, odd.yaml]
configMapGenerator:
- name: openedx-config
  behavior: merge
  literals: [more=text]
- name: others
  literals: [a=b]
patches:
- target: {kind: Deployment, name: lms-worker}
  patch: |
    - {op: add, path: /metadata/annotations/patched, value: "yes"}
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: cms-worker}
    spec: {template: {spec: {containers: [{name: cms-worker, env: [{name: A, value: "1"}]}]}}}
transformers: [../../generators, ../../generators/guard, labels.yaml, behind.yaml]
buildMetadata: [originAnnotations, transformerAnnotations]
"""
LABELS = """\
apiVersion: builtin
kind: LabelTransformer
metadata: {name: labels}
labels: {added: later}
fieldSpecs: [{path: metadata/labels, create: true}]
"""
BEHIND = f"""\
apiVersion: v1
kind: Behind
metadata:
  name: behind
  annotations:
    {sites.FUNCTION}: "exec: {{path: ./behind.sh}}"
"""


FIFO = "sortOptions: {order: fifo}\n"


def layered(copy: Checkout) -> None:
    """Make overlays with everything that could tell a number that is there from one that isn't."""
    for overlay, kustomization in {"layered": LAYERED, "fifo": LAYERED + FIFO}.items():
        directory = copy.root / "overlays" / overlay
        directory.mkdir()
        files = {"odd.yaml": ODD, "kustomization.yaml": kustomization, "labels.yaml": LABELS, "behind.yaml": BEHIND}
        for name, text in {**files, "behind.sh": "#!/bin/sh\nexec tee seen.yaml\n"}.items():
            (directory / name).write_text(text)
        (directory / "behind.sh").chmod(0o755)


def keep_them(copy: Checkout) -> None:
    with (copy.root / "kustomizer" / "call_ids.py").open("a") as file:
        file.write("\n\ndef without_call_ids(text: str) -> str:\n    return text\n")


@pytest.mark.parametrize(
    ("site", "overlay"),
    [
        *((site, overlay) for overlay in ("layered", "fifo") for site in ("22", "full")),
        *(("22", overlay) for overlay in OVERLAYS if overlay != "kubectl"),
        ("full", "multiqueue"),
    ],
)
def test_builds_are_the_same_with_and_without(
    site: str, overlay: str, checkout: Callable[..., Checkout], any_kustomize: Path
) -> None:
    built = []
    for keep in (False, True):
        copy = checkout(site, venv=keep)
        layered(copy)
        if keep:
            keep_them(copy)
        flags = " ".join(sites.BUILD)
        ran = copy.run(
            f"kustomize {flags} overlays/{overlay}", kustomize=any_kustomize, path=b.environment(copy.root)["PATH"]
        )
        assert ran.status == 0, ran.stderr
        seen = copy.root / "overlays" / overlay / "seen.yaml"
        built.append((ran.stdout, ran.stderr, seen.read_text() if seen.exists() else ""))

    assert built[0] == built[1]
    assert b"name: lms-worker-high-mem\n" in built[0][0]
