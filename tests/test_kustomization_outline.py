"""What is read off a kustomization without a YAML parser is what a parser finds there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kustomizer.kustomization_fields import GENERATORS
from kustomizer.kustomization_outline import WITH_DIRECTORIES, Unknown, read_outline, read_rules
from tests import sites

LISTS = (*WITH_DIRECTORIES, "configurations")
PATCH = """\
patches:
- patch: |-
    name: not-a-generator
    configMapGenerator:
    - name: neither

    # no comment
  target: {kind: Deployment}
- path: a.yaml
"""
PLAIN = {
    "a comment": "# resources: [no]\nresources:\n# no\n- a  \n\n- ../b/c.yaml\nnamespace: n\n",
    "indented": "resources:\n    - a\n    - b\nconfigurations: [c, d.yaml]\n",
    "a marker": "---\nresources:\n- a\n",
    "no items": "resources:\n- a\nlabels:\n  - pairs: {a: b}\n",
    "a patch": PATCH + "resources:\n- a\n" + PATCH.replace("patches", "replacements"),
    "generators": "configMapGenerator:\n- name: a\n  literals:\n  - name: b\n  options:\n    labels:\n"
    "          name: c\n- behavior: merge\n  name: d\nsecretGenerator:\n  - envs: [e]\n    name: f\n",
    "no affix": 'namePrefix: ""\nnameSuffix:\n',
    "an affix": "namePrefix: a-\n",
    "Windows's line ends": "resources:\r\n- a\r\n- b\r\n",
}
BY_THE_PARSER = {
    "JSON": '{"resources": ["a"], "configMapGenerator": [{"name": "b"}]}',
    "quotes": "resources:\n- 'a'\n- \"b\"\n",
    "a comment behind": "resources:\n- a # why\n",
    "a list on lines": "resources: [a,\n  b]\n",
    "no blank": "resources: [a,b]\n",
    "an empty list": "resources: []\nconfigMapGenerator: []\n",
    "nested": "resources:\n- - a\n",
    "a mapping": "resources:\n- a: b\n",
    "a quoted name": "configMapGenerator:\n- name: 'a'\n",
    "a quoted key": "configMapGenerator:\n- 'name': a\n",
    "a name in braces": "configMapGenerator:\n- {name: a, literals: [b=c]}\n- name: d\n",
    "a key behind a dash": "configMapGenerator:\n-   name: a\n-   name: b\n",
    "an anchor": "resources: &a\n- b\nconfigurations: *a\n",
    "a quoted field": "'resources':\n- a\n",
    "a folded scalar": "namePrefix: >-\n  a\n",
    "an indented mapping": "  resources:\n  - a\n",
    "a text of lines": "metadata:\n  annotations: 'a\n\n  resources:'\nresources:\n- a\n",
}


def outline(text: str, place: Path) -> dict[str, Any]:
    (place / "kustomization.yaml").write_text(text, newline="")
    return read_outline(str(place))


def relevant(tree: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked of an outline."""
    found: dict[str, Any] = {field: [*map(str, tree[field] or ())] for field in LISTS if field in tree}
    for field in GENERATORS:
        if field in tree:
            found[field] = [entry.get("name") for entry in tree[field]]
    return {"fields": set(tree), "affixes": any(tree.get(field) for field in ("namePrefix", "nameSuffix")), **found}


@pytest.mark.parametrize("case", [*PLAIN, *BY_THE_PARSER])
def test_it_is_what_a_parser_finds(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {**PLAIN, **BY_THE_PARSER}[case]
    if case in PLAIN:
        monkeypatch.setitem(sys.modules, "kustomizer.full_yaml", None)

    assert relevant(outline(text, tmp_path)) == relevant(yaml.safe_load(text))


@pytest.mark.parametrize("site", sites.SITES)
def test_tutors(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kustomization, with comments and plugins' patches in it, needs no parser."""
    env = sites.site(site)
    monkeypatch.setitem(sys.modules, "kustomizer.full_yaml", None)
    found = read_outline(str(env))

    assert relevant(found) == relevant(yaml.safe_load((env / "kustomization.yml").read_text()))
    assert "openedx-config" in read_rules(str(env), found).generated


@pytest.mark.parametrize(
    "text",
    ["- a\n", "a\n", "resources:\n- a\n---\nresources:\n- b\n", "resources: [\n", "\tresources:\n"],
)
def test_what_is_no_kustomization(text: str, tmp_path: Path) -> None:
    with pytest.raises(Unknown):
        print(outline(text, tmp_path))


def test_rules_of_all_that_it_is_made_of(tmp_path: Path) -> None:
    files = {
        "kustomization.yaml": "resources: [one, a.yaml]\nsecretGenerator: [{name: s}]\n",
        "one/Kustomization": "resources:\n- ../two\nconfigurations:\n- rules.yaml\n",
        "two/kustomization.yml": "components: [../../three]\nconfigMapGenerator:\n- name: c\n",
        "three/kustomization.yaml": "kind: Component\nconfigurations: [other.yaml]\n",
        "a.yaml": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    # As it is named from the directory that a link leads to.
    (tmp_path / "elsewhere" / "one").parent.mkdir()
    (tmp_path / "one").rename(tmp_path / "elsewhere" / "one")
    (tmp_path / "one").symlink_to("elsewhere/one")
    (tmp_path / "two").rename(tmp_path / "elsewhere" / "two")
    rules = read_rules(str(tmp_path), read_outline(str(tmp_path)))

    assert rules.generated == {"s", "c"}
    assert rules.configurations == [f"{tmp_path}/elsewhere/one/rules.yaml", f"{tmp_path}/three/other.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "resources: [nowhere]\n",
        "resources: [https://example.com/a]\n",
        "resources: [.]\n",
        "resources: [below]\n",
        "nameSuffix: -a\n",
    ],
)
def test_what_nobody_knows_what_it_comes_to(text: str, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "kustomization.yaml").write_text("helmCharts: []\n")
    with pytest.raises((Unknown, FileNotFoundError)):
        read_rules(str(tmp_path), outline(text, tmp_path))
