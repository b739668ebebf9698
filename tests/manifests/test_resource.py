from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings, strategies as st

from kustomizer.errors import ResourceRef, UserError
from kustomizer.manifests.identity import _any, _usual, scan_entries, scan_header
from kustomizer.manifests.resource import Resource, Resources, is_internal_annotation, same_object
from kustomizer.manifests.tree import plain_value
from kustomizer.manifests.writer import emit
from tests.examples import examples
from tests.kustomize_yaml import kustomize_trees, letters, texts

# As kustomize 5.8.1 hands over a generated ConfigMap.
ITEM = """\
- apiVersion: v1
  data:
    settings.py: |+
      name: not this one

      kind: neither

    text: a
  kind: ConfigMap
  metadata:
    annotations:
      app.kubernetes.io/version: 22.0.3
      internal.config.kubernetes.io/needsHashSuffix: enabled
      internal.config.kubernetes.io/previousNames: settings
      kustomize.config.k8s.io/id: |
        kind: ConfigMap
        name: settings
        namespace: openedx
        version: v1
      note: |
        a

        b
      config.kubernetes.io/index: '2'
      internal.config.kubernetes.io/id: '3'
      config.k8s.io/id: '3'
    labels:
      name: label
    name: openedx-settings
    namespace: openedx
"""


def item(kind: str, name: str, namespace: str = "openedx", api_version: str = "v1", **fields: str) -> Resource:
    metadata = f"metadata:\n    name: {name}\n" + (f"    namespace: {namespace}\n" if namespace else "")
    more = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    return Resource(f"- apiVersion: {api_version}\n  kind: {kind}\n  {metadata}{more}", indent=2)


def names(resources: Resources) -> list[str]:
    return [resource.name for resource in resources]


def test_header_without_parsing() -> None:
    resource = Resource(ITEM, indent=2)
    assert (resource.api_version, resource.kind) == ("v1", "ConfigMap")
    assert (resource.namespace, resource.name) == ("openedx", "openedx-settings")
    assert resource.ref == ResourceRef(api_version="v1", kind="ConfigMap", namespace="openedx", name="openedx-settings")
    assert resource.identity == ("", "ConfigMap", "openedx", "openedx-settings")
    assert resource._tree is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Scanned:
        ("apiVersion: apps/v1\nkind: A\nmetadata:\n  name: b\n  namespace: c\n", ("apps/v1", "A", "c", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b", ("v1", "A", "", "b")),
        ("metadata:\n  name: b\nspec:\n  namespace: c\nkind: A\napiVersion: v1\n", ("v1", "A", "", "b")),
        # Left to the parser:
        ("apiVersion: v1\nkind: A\nmetadata: {name: b, namespace: c}\n", ("v1", "A", "c", "b")),
        ("{apiVersion: v1, kind: A, metadata: {name: b}}\n", ("v1", "A", "", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n    name: b\n    namespace: c\n", ("v1", "A", "c", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  'namespace': c\n", ("v1", "A", "c", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  namespace : c\n", ("v1", "A", "c", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  namespace:\n    c\n", ("v1", "A", "c", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  ? namespace\n  : c\n", ("v1", "A", "c", "b")),
        ("x: &x {namespace: c}\napiVersion: v1\nkind: A\nmetadata:\n  name: b\n  <<: *x\n", ("v1", "A", "c", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b\n    d\n", ("v1", "A", "", "b d")),
        ("apiVersion: v1\nkind: A\n\n  B\nmetadata:\n  name: b\n", ("v1", "A\nB", "", "b")),
        ("apiVersion: v1\nkind: A # B\nmetadata:\n  name: 'b'\n", ("v1", "A", "", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  namespace: null\n", ("v1", "A", "", "b")),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: 12\n  namespace: 'null'\n", ("v1", "A", "null", "12")),
        ("apiVersion: v1\nkind: A\n", ("v1", "A", "", "")),
        ("a: b\n", ("", "", "", "")),
        ("kind: [A]\nmetadata: b\n", ("", "['A']", "", "")),
    ],
)
def test_header_however_it_is_written(text: str, expected: tuple[str, ...]) -> None:
    resource = Resource(text)
    assert (resource.api_version, resource.kind, resource.namespace, resource.name) == expected
    assert Resource(text)._header_of_tree() == expected


def test_a_header_in_kustomizes_order_costs_the_least() -> None:
    text = ITEM.replace("        a\n\n        b\n", "        a\n")
    assert _usual(text, 2) == _any(text, 2) == ("v1", "ConfigMap", "openedx", "openedx-settings")
    stream = "apiVersion: v1\nkind: A\nmetadata:\n  name: b\n  namespace: c"
    assert _usual(stream, 0) == _any(stream, 0) == ("v1", "A", "c", "b")
    assert _usual(f"{stream}\nspec: {{}}\n", 0) == ("v1", "A", "c", "b")
    for wrong in ("kind: A\n  B", "apiVersion: v1\n  B", "namespace: c\n   d", "namespace: c\n\n    d"):
        assert _usual(stream.replace(wrong.partition("\n")[0], wrong), 0) is None


def test_a_scanned_header_stops_at_nothing_within_the_metadata() -> None:
    assert scan_header(ITEM, 2) == ("v1", "ConfigMap", "openedx", "openedx-settings")
    cluster = ITEM.replace("    namespace: openedx\n", "").replace("previousNames:", "previousNamespaces:")
    assert scan_header(cluster.replace("        namespace: openedx\n", ""), 2) == (
        "v1",
        "ConfigMap",
        "",
        "openedx-settings",
    )


KEYS = st.sampled_from(["apiVersion", "kind", "metadata", "name", "namespace", "annotations", "data"])
WORDS = st.sampled_from(["v1", "a/b", "A", "null", "Null", "true", "a-b", "12", "a:", "-", "~", "a.b_c/d:e"])


def objects() -> st.SearchStrategy[dict[str, Any]]:
    """Trees whose keys are a header's, in any order and at any depth."""
    scalars = WORDS | texts()
    inner = st.recursive(scalars, lambda nodes: st.dictionaries(KEYS, nodes, max_size=5), max_leaves=8)
    metadata = st.dictionaries(KEYS, scalars | inner, max_size=5)
    head = {"apiVersion": WORDS, "kind": WORDS, "metadata": metadata}
    pairs = st.fixed_dictionaries({}, optional={**head, "data": inner, "name": inner, "namespace": inner})
    return pairs.flatmap(lambda tree: st.permutations(list(tree.items())).map(dict))


@given(objects() | kustomize_trees(), st.sampled_from([0, 2]))
@settings(max_examples=examples(500))
def test_a_scanned_header_is_the_trees(tree: dict[str, Any], indent: int) -> None:
    assume(tree)
    text = emit([tree], 0) if indent else emit(tree)
    scanned = scan_header(text, indent)
    assert scanned in {None, Resource(text, indent=indent)._header_of_tree()}
    assert _usual(text, indent) in {None, _any(text, indent)}


@st.composite
def changed_texts(draw: st.DrawFn, line: str) -> str:
    """Return ITEM with some letters in the place of others, or with a break, or ``line``."""
    start = draw(st.integers(0, len(ITEM)))
    end = draw(st.integers(start, min(len(ITEM), start + 12)))
    new = draw(st.text(letters(), max_size=3) | st.sampled_from(["\n", "\n  ", "\n    ", line]))
    return ITEM[:start] + new + ITEM[end:]


@given(changed_texts("    namespace: b\n"))
@settings(max_examples=examples(500))
def test_a_scanned_header_is_the_trees_in_changed_text(text: str) -> None:
    scanned = scan_header(text, 2)
    assert _usual(text, 2) in {None, _any(text, 2)}
    if scanned is None:
        return
    try:
        header = Resource(text, indent=2)._header_of_tree()
    except UserError:
        return
    assert scanned == header


def test_entries_without_parsing() -> None:
    text = "\n      name: not this one\n\n      kind: neither\n"
    assert scan_entries(ITEM, 2, "data", "binaryData") == {"settings.py": f" |+{text}", "text": " a"}
    assert scan_entries(ITEM, 2, "binaryData") == {}


@pytest.mark.parametrize(
    "text",
    [
        "data:\n    a: b\n",
        "data: {a: b}\n",
        "data:\n",
        "data:\n  'a': b\n",
        "data:\n  a:b: c\n",
        "data:\n  a : b\n",
        "data:\n  ? a\n  : b\n",
        "data:\n  <<: *b\n",
        "data:\n  # a\n  a: b\n",
        "data:\n  a: b\n# c\n  c: d\n",
        "data:\n  a: b\n \n  c: d\n",
    ],
)
def test_other_entries_are_left_to_the_parser(text: str) -> None:
    assert scan_entries(text, 0, "data") is None
    assert scan_entries(f"kind: A\n{text}", 0, "data") is None


@given(objects() | kustomize_trees(), KEYS, st.sampled_from([0, 2]))
@settings(max_examples=examples(500))
def test_scanned_entries_are_the_trees(tree: dict[str, Any], field: str, indent: int) -> None:
    assume(tree)
    text = emit([tree], 0) if indent else emit(tree)
    check_entries(text, indent, field)


@given(changed_texts("    b: c\n"))
@settings(max_examples=examples(500))
def test_scanned_entries_are_the_trees_in_changed_text(text: str) -> None:
    check_entries(text, 2, "data")


def check_entries(text: str, indent: int, field: str) -> None:
    """Hold what is scanned to what a parser reads, where a parser takes the text."""
    scanned = scan_entries(text, indent, field)
    if scanned is None:
        return
    try:
        entries = Resource(text, indent=indent).tree.get(field, {})
    except UserError:
        return
    assert list(scanned) == [str(key) for key in entries]


@pytest.mark.parametrize(
    "text",
    [
        "a: lms-worker\n",
        "lms-worker: a\n",
        "a: |\n  celery --app lms-worker\n",
        'a: "lms\\x2dworker"\n',
        'a: "lms\\u002Dworker"\n',
        'a: "lms\\U0000002dworker"\n',
        'a: "\\uFEFF\\x6C\\x6D\\x73-worker"\n',
        'a: "lms-\\\n  worker"\n',
        "a: >\n  the\n  lms-worker\n",
    ],
)
def test_a_word_in_a_scalar_is_mentioned(text: str) -> None:
    resource = Resource(text)
    assert resource.mentions("lms-worker")
    assert "lms-worker" in str(plain_value(resource.tree)), "the test's own text"


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    else:
        yield node


@given(kustomize_trees(), st.sampled_from(["a", "key", "code", "0x1F", "functionConfig", "lms-worker"]))
def test_no_mention_is_certain(tree: dict[str, Any], word: str) -> None:
    resource = Resource(emit(tree))
    if any(word in text for text in strings(tree)):
        assert resource.mentions(word)


def test_no_mention() -> None:
    resource = Resource("a: 'lms worker'\nb: \"\\n\\t\\\\\"\n")
    assert not resource.mentions("lms-worker")
    resource.edit()["c"] = "lms-worker"
    assert resource.mentions("lms-worker")


def test_an_untouched_resource_goes_out_as_it_came() -> None:
    text = "-   apiVersion:   v1 # a\n    kind:   'A'\n"
    resource = Resource(text, indent=4)
    assert resource.render() == text
    assert resource.kind == "A"
    assert resource.render() == text


def test_an_edited_resource_goes_out_as_its_tree() -> None:
    resource = Resource(ITEM, indent=2)
    resource.edit()["data"]["text"] = "b"
    assert resource.render() == ITEM.replace("    text: a\n", "    text: b\n")
    resource.tree["metadata"]["name"] = "renamed"
    assert resource.name == "renamed"


@pytest.mark.parametrize("chomping", ["", "-", "+"])
@pytest.mark.parametrize("blank", ["", "\n", "\n\n"])
def test_a_block_of_text_at_the_end_keeps_its_blank_lines(chomping: str, blank: str) -> None:
    text = f"- a: |{chomping}\n    b\n{blank}"
    resource = Resource(text, indent=2)
    resource.edit()
    assert resource.render() == text
    assert resource.tree == {"a": {"": "b\n", "-": "b", "+": f"b\n{blank}"}[chomping]}


def test_a_new_resource() -> None:
    resource = Resource.new({"apiVersion": "v1", "kind": "A", "metadata": {"name": "b"}}, indent=2)
    assert resource.render() == "- apiVersion: v1\n  kind: A\n  metadata:\n    name: b\n"
    assert Resource.new(resource.tree, indent=0).render() == "apiVersion: v1\nkind: A\nmetadata:\n  name: b\n"
    resource.tree["metadata"]["name"] = "c"
    assert resource.name == "c"


@pytest.mark.parametrize("text", ["- a\n", "- - a: b\n", "- \n", "- # a\n"])
def test_an_item_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="an item of the input is not an object"):
        _ = Resource(text, indent=2).tree


def test_a_copy_has_none_of_kustomizes_bookkeeping() -> None:
    resource = Resource(ITEM, indent=2)
    copy = resource.copy_tree()
    assert list(copy["metadata"]["annotations"]) == ["app.kubernetes.io/version", "note"]
    copy["data"]["text"] = "changed"
    assert resource.tree["data"]["text"] == "a"
    bare = Resource("- a: b\n  metadata:\n    annotations:\n      config.k8s.io/id: '1'\n    name: c\n", indent=2)
    assert bare.copy_tree() == {"a": "b", "metadata": {"name": "c"}}


@pytest.mark.parametrize(
    ("key", "internal"),
    [
        ("kustomize.config.k8s.io/id", True),
        ("kustomize.config.k8s.io/needs-hash", False),
        ("internal.config.kubernetes.io/previousNames", True),
        ("config.kubernetes.io/index", True),
        ("config.k8s.io/id", True),
        ("app.kubernetes.io/version", False),
        ("xconfig.kubernetes.io/index", False),
    ],
)
def test_internal_annotations(key: str, internal: bool) -> None:
    assert is_internal_annotation(key) is internal


def test_same_object_but_for_bookkeeping_and_spelling() -> None:
    left = Resource(ITEM, indent=2).tree
    right = Resource(
        ITEM.replace("previousNames: settings", "previousNames: others").replace("22.0.3", "'22.0.3'"), indent=2
    )
    assert same_object(left, right.tree)
    assert not same_object(left, Resource(ITEM.replace("text: a", "text: b"), indent=2).tree)


def test_resources_are_found() -> None:
    resources = Resources([item("A", "a"), item("B", "a"), item("A", "b"), item("A", "a", "other")])
    assert [resource.kind for resource in resources.of_kind("B", "A")] == ["B", "A", "A", "A"]
    assert [resource.namespace for resource in resources.find("A", "a")] == ["openedx", "other"]
    assert [resource.namespace for resource in resources.find("A", "a", "other")] == ["other"]
    assert resources.find("A", "a", "") == []
    found = resources.get(("", "B", "openedx", "a"))
    assert found is not None
    assert found.kind == "B"
    assert resources.get(("apps", "B", "openedx", "a")) is None


def test_added_resources_follow_theirs() -> None:
    first, last = item("A", "first"), item("A", "last")
    resources = Resources([first, last])
    second, third, fourth = item("A", "second"), item("A", "third"), item("A", "fourth")
    resources.add(second, after=first)
    resources.add(fourth, after=first)
    resources.add(third, after=second)
    assert names(resources) == ["first", "second", "third", "fourth", "last"]
    assert resources.get(third.identity) is third


def test_removed_resources_are_gone_and_their_followers_stay() -> None:
    first, second = item("A", "first"), item("A", "second")
    resources = Resources([first, item("A", "last")])
    resources.add(second, after=first)
    resources.remove(first)
    assert names(resources) == ["second", "last"]
    assert resources.get(first.identity) is None
    resources.remove(second)
    assert names(resources) == ["last"]
    again = item("A", "second")
    resources.add(again, after=first)
    assert names(resources) == ["second", "last"]


def test_what_is_there_already_is_not_added() -> None:
    first = item("A", "first", spec="x")
    resources = Resources([first])
    resources.add(item("A", "first", spec="x"), after=first)
    assert names(resources) == ["first"]
    with pytest.raises(UserError, match=r"^A first in namespace openedx: .*already has an object of this name"):
        resources.add(item("A", "first", spec="z"), after=first)
    resources.add(item("A", "first", api_version="apps/v1", spec="z"), after=first)
    assert names(resources) == ["first", "first"]


@pytest.mark.parametrize("text", ["kind: List\n", "kind: List\nitems: []\n", "kind: PodList\nitems: null\n"])
def test_a_list_without_items_is_no_object(text: str) -> None:
    """kustomize 5.8.2 takes a list apart, and leaves one without `items` in the build, as often as it is there."""
    lists = [Resource(f"apiVersion: v1\n{text}") for _ in range(2)]
    resources = Resources([item("A", "a"), *lists])
    assert [each.render() for each in resources][1:] == [f"apiVersion: v1\n{text}"] * 2
    assert resources.of_kind("List", "PodList") == []
    with pytest.raises(UserError, match=r"an item of the input has no metadata.name"):
        Resources([Resource("apiVersion: v1\nkind: List\nitems: [{}]\n")])


def test_every_duplicate_and_nameless_item_is_told() -> None:
    items = [item("A", "a"), item("A", "a", api_version="v2"), item("B", "''"), item("''", "c"), item("A", "a", "x")]
    with pytest.raises(UserError) as caught:
        Resources(items)
    assert [(problem.message, problem.field) for problem in caught.value.problems] == [
        ("the input contains this object twice", ""),
        ("an item of the input has no metadata.name", "metadata.name"),
        ("an item of the input has no kind", "kind"),
    ]
