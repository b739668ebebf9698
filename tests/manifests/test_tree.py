from __future__ import annotations

from typing import Any

import pytest

from kustomizer.manifests.tree import Scalar, clone, is_null, lookup, number_at, plain_value

# What kyaml 0.21.1 (go.yaml.in/yaml/v3, in kustomize 5.8.1) decodes unquoted scalars to.
NUMBERS: dict[str, int | float] = {
    "12": 12, "-12": -12, "+12": 12, "0": 0, "-0": 0, "00": 0,
    "0x1F": 31, "0X1F": 31, "-0x1f": -31, "0x_1F": 31, "0xFFFFFFFFFFFFFFFF": 2**64 - 1,
    "0o12": 10, "0O12": 10, "-0o7": -7, "012": 10, "-012": -10, "0777": 511, "0_1": 1,
    "0b101": 5, "0B11": 3, "-0b11": -3, "+0b11": 3,
    "1_000": 1000, "1__0": 10, "1_": 1, "-_1": -1,
    "18446744073709551615": 2**64 - 1, "-9223372036854775808": -(2**63),
    "18446744073709551616": 2.0**64, "-9223372036854775809": -(2.0**63),
    "08": 8.0, "1e3": 1000.0, "1E3": 1000.0, "1e+3": 1000.0, "1.5": 1.5, "1.": 1.0, ".5": 0.5, "-.5": -0.5,
    "1_5.5": 15.5, "1._5": 1.5, ".5_5": 0.55, "-1.5e-3": -0.0015,
    ".inf": float("inf"), "+.Inf": float("inf"), "-.INF": float("-inf"),
}  # fmt: skip
STRINGS = (
    "yes", "No", "on", "OFF", "y", "n", "tRue", "nULL", "=", "<<", "a", "_1", "0x", "0xG", "0o8", "0b12", "1e", "1e400",
    ".", "..", "-", "+", "--1", "+-1", "._5", ".e1", ".iNf", ".Nan", "+.nan", "inf", "nan", "Infinity", "1:30",
    "2001-01-01", "2001-12-14t21:59:43.10-05:00", "1.2.3", "10Mi", "100m", "1d", "0x1p4", "0xFFFFFFFFFFFFFFFFFF",
    "1" + "0" * 5000, "1\N{ARABIC-INDIC DIGIT THREE}", "\N{SUPERSCRIPT TWO}", "1\n2",
)  # fmt: skip


def plain(token: str) -> Scalar:
    return Scalar(token, token, plain=True)


@pytest.mark.parametrize(("token", "expected"), [pytest.param(*pair, id=pair[0][:30]) for pair in NUMBERS.items()])
def test_unquoted_numbers_are_go_yamls(token: str, expected: float) -> None:
    value = plain_value(plain(token))
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize("token", STRINGS, ids=lambda token: ascii(token)[:20])
def test_what_is_no_number_is_a_string(token: str) -> None:
    assert plain_value(plain(token)) == token
    assert type(plain_value(plain(token))) is str


def test_not_a_number() -> None:
    assert repr(plain_value(plain(".NaN"))) == "nan"


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(("true", "True", "TRUE"), True), (("false", "False", "FALSE"), False), (("", "~", "null", "Null", "NULL"), None)],
)
def test_words_with_a_type(tokens: tuple[str, ...], expected: object) -> None:
    for token in tokens:
        assert plain_value(plain(token)) is expected
        assert plain_value(Scalar(token, f"'{token}'")) == token


def test_null_however_it_is_written() -> None:
    assert all(map(is_null, [None, plain("~"), plain("")]))
    others: list[object] = [Scalar("~", "'~'"), "", "null", 0, False, {}, []]
    assert not any(map(is_null, others))


def test_plain_values_hold_no_scalars() -> None:
    tree = {plain("a"): [plain("1"), {Scalar("b", '"b"'): "c"}], "d": None}
    value = plain_value(tree)
    assert value == {"a": [1, {"b": "c"}], "d": None}
    assert {type(key) for key in (*value, *value["a"][1])} == {str}


def test_a_clone_shares_no_collection() -> None:
    tree: dict[str, Any] = {"a": [{"b": plain("1")}]}
    copy = clone(tree)
    copy["a"][0]["c"] = copy["a"]
    assert tree == {"a": [{"b": "1"}]}
    assert copy["a"][0]["b"] is tree["a"][0]["b"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), {"a": [{"b": "c"}]}),
        (("a", 0, "b"), "c"),
        (("a", 1, "b"), None),
        (("a", -1), None),
        (("a", "b"), None),
        (("x", "y"), None),
        (("a", 0, "b", "c"), None),
    ],
)
def test_lookup_of_a_path(path: tuple[str | int, ...], expected: object) -> None:
    assert lookup({"a": [{"b": "c"}]}, *path) == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [("2", 2), ("2.0", 2), ("2e1", 20), ("2.5", None), ("'2'", None), ("${N}", None), (".inf", None), ("true", None)],
)
def test_whole_numbers_as_clients_hand_them_on(token: str, expected: int | None) -> None:
    """sigs.k8s.io/yaml 1.6.0 makes `{"replicas":2}` of `replicas: 2.0`."""
    node = Scalar("2", token) if token == "'2'" else plain(token)
    number = number_at({"spec": {"replicas": node}}, "spec", "replicas")
    assert (number, type(number)) == (expected, type(expected))
    assert number_at({}, "spec", "replicas") is None
