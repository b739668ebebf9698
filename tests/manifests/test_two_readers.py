"""The function makes the same of the same resources, whether the fast reader can read them or the full one has to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from benchmarks import inputs
from kustomizer.function import run_resource_list
from kustomizer.manifests import canonical_reader, full_reader
from kustomizer.manifests.protocols import read_resource_list
from kustomizer.manifests.tree import plain_value
from tests.examples import examples
from tests.golden_cases import TAIL, Case, cases, said

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
CASES = {case.directory.name: case for case in cases()}


def dumped(tree: Any, **options: Any) -> str:
    return str(yaml.safe_dump(tree, sort_keys=False, width=10_000, **options))


def indented(text: str, by: str) -> str:
    return "".join(f"{by}{line}" if line.strip() else line for line in text.splitlines(True))


def with_comments(tree: Any) -> str:
    # In double quotes no line of a text ends in a colon.
    lines = dumped(tree, default_style='"').splitlines()
    return "# one\n" + "".join(f"{line} # two\n" if line.endswith(":") else f"{line}\n" for line in lines)


FORMS: dict[str, Callable[[Any], str]] = {
    "flow, on one line": lambda tree: f"{json.dumps(tree)}\n",
    "flow, on several lines": lambda tree: f"{json.dumps(tree, indent=3, ensure_ascii=False)}\n",
    "flow, as YAML": lambda tree: dumped(tree, default_flow_style=True),
    "four spaces": lambda tree: dumped(tree, indent=4),
    "everything in double quotes": lambda tree: dumped(tree, default_style='"'),
    "texts in single quotes": lambda tree: dumped(tree, default_style="'"),
    "folded texts": lambda tree: dumped(tree, default_style=">"),
    "lines that are broken": lambda tree: yaml.safe_dump(tree, sort_keys=False, width=20),
    "comments": with_comments,
}
"""How else a tree may be written; what kustomize itself writes is none of them."""


def rewritten(data: bytes, forms: Sequence[str], *, whole: str = "") -> bytes:
    """Return a ResourceList with each item written in another form, in turn, an empty one as it was.

    With ``whole`` the list itself is in that form.
    """
    tree = plain_value(full_reader.read(data.decode()))
    if whole:
        return FORMS[whole](tree).encode()
    head, items, tail = parts(data)
    texts = []
    for index, item in enumerate(items):
        form = forms[index % len(forms)]
        text = indented(FORMS[form](tree["items"][index]), "  ") if form else f"  {item[2:]}"
        # A comment can't follow the dash on its line, nor a block that starts with one.
        texts.append(f"-\n{text}" if text.lstrip().startswith("#") else f"- {text[2:]}")
    return f"{head}{''.join(texts)}{tail}".encode()


def parts(data: bytes) -> tuple[str, list[str], str]:
    """Return what stands before the items, the items and what stands behind them."""
    text = data.decode()
    start, end = text.index("\n- ") + 1, text.index(f"\n{TAIL}") + 1
    return text[:start], [f"- {item}\n" for item in text[start + 2 : end - 1].split("\n- ")], text[end:]


CALL_ANNOTATIONS = (
    "kustomize.config.k8s.io/id",
    "config.kubernetes.io/index",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "internal.config.kubernetes.io/id",
    "config.k8s.io/id",
)


def made(data: bytes) -> tuple[list[Any], str]:
    """Return the resources that the function makes of ``data``, and what it says.

    What kustomize wrote for the call is set aside: the function leaves it off where the text is kustomize's.
    """
    output = run_resource_list(data)
    found = plain_value(full_reader.read(output.data.decode()))["items"]
    for item in found:
        for key in CALL_ANNOTATIONS:
            item["metadata"].get("annotations", {}).pop(key, None)
    return found, said(output)


def is_canonical(data: bytes) -> list[bool]:
    """Return whether the fast reader can read each item."""
    result = []
    for resource in read_resource_list(data).resources:
        try:
            canonical_reader.read(f"  {resource.text[2:]}".removesuffix("\n").split("\n"), 2)
        except canonical_reader.NotCanonical:
            result.append(False)
        else:
            result.append(bool(resource.text))
    return result


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("site", ["plain", "full"])
def test_real_sites_in_other_forms(site: str, form: str) -> None:
    data = inputs.captured(site, inputs.spec(flower=True))
    expected = made(data)
    assert all(is_canonical(data))
    assert len(expected[0]) > inputs.item_count(data)

    items = rewritten(data, [form])
    assert not all(is_canonical(items))
    assert made(items) == expected
    assert made(rewritten(data, [], whole=form)) == expected


@pytest.mark.parametrize("name", CASES)
def test_golden_cases_in_another_form(name: str) -> None:
    data = CASES[name].resource_list

    assert made(rewritten(data, [], whole="flow, on one line")) == made(data)


SMALL = ["recommended", "routing", "copy-targeting", "keda", "unassigned-error", "tutor-16"]


@given(st.sampled_from(SMALL).map(CASES.__getitem__), st.lists(st.sampled_from(["", *FORMS]), min_size=1, max_size=12))
@settings(max_examples=examples(60))
def test_each_item_in_a_form_of_its_own(case: Case, forms: list[str]) -> None:
    data = case.resource_list

    assert made(rewritten(data, forms)) == made(data)
