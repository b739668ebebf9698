"""Trees as manifests hold them, with lists that have keys, lists that lost theirs, and texts of several lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

WORDS = ("a", "b", "lms", "TCP", "1", "true", "null", "")
SCALARS: SearchStrategy[Any] = st.one_of(
    st.sampled_from(WORDS), st.integers(0, 2), st.booleans(), st.none(), st.sampled_from((1.0, 0.5))
)
LINES = st.lists(st.sampled_from(("a", "b", "}", "")), max_size=8).map("\n".join)
ARGUMENTS = st.lists(
    st.sampled_from(("--queues=a,b", "--queues=b,a", "--concurrency=2", "-Q", "a", "-E", "--", "run", "--queues=a")),
    max_size=5,
).map(lambda more: ["celery", "--app=lms.celery", "worker", *more])


def _items(*fields: tuple[str, SearchStrategy[Any]]) -> SearchStrategy[list[Any]]:
    """Return lists of mappings of these fields, most of them there, with a value that may differ."""
    needed = dict(fields)
    item = st.one_of(
        st.fixed_dictionaries(needed, optional={"value": SCALARS}),
        st.fixed_dictionaries({}, optional={**needed, "value": SCALARS}),
    )
    return st.lists(item, max_size=4)


NAMES = st.sampled_from(("x", "y", "z"))
PORTS = st.sampled_from((80, 443, "80"))
LISTS = {
    "env": _items(("name", NAMES)),
    "volumeMounts": _items(("mountPath", NAMES)),
    "ports": st.one_of(
        _items(("containerPort", PORTS), ("protocol", st.sampled_from(("TCP", "UDP")))),
        _items(("port", PORTS), ("name", NAMES)),
    ),
    "tolerations": _items(("key", NAMES), ("operator", st.sampled_from(("Exists", "Equal"))), ("effect", NAMES)),
    "envFrom": _items(("configMapRef", st.fixed_dictionaries({"name": NAMES})), ("prefix", NAMES)),
    "rules": st.one_of(_items(("host", NAMES)), _items(("alert", NAMES))),
    "triggers": _items(("type", NAMES), ("metadata", st.fixed_dictionaries({"listName": NAMES}))),
    "anything": st.lists(SCALARS, max_size=4),
    "nested": st.lists(st.lists(SCALARS, max_size=2), max_size=3),
}


@st.composite
def container(draw: DrawFn) -> dict[str, Any]:
    found = {"name": draw(NAMES), "args": draw(ARGUMENTS)}
    for field in ("env", "ports", "volumeMounts"):
        if draw(st.booleans()):
            found[field] = draw(LISTS[field])
    return found


@st.composite
def trees(draw: DrawFn) -> dict[str, Any]:
    """Return an object."""
    fields = draw(st.lists(st.sampled_from(sorted(LISTS)), unique=True, max_size=4))
    spec: dict[str, Any] = {field: draw(LISTS[field]) for field in fields}
    if draw(st.booleans()):
        spec["template"] = {"spec": {"containers": draw(st.lists(container(), max_size=3))}}
    data = draw(st.dictionaries(st.sampled_from(("a.py", "b", "c")), st.one_of(LINES, SCALARS), max_size=3))
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec, "data": data}
