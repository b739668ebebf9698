"""Amounts, as Kubernetes reads them."""

from __future__ import annotations

import pytest

from kustomizer.manifests.amounts import amount


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5Gi", 5 * 1024**3),
        ("5120Mi", 5 * 1024**3),
        ("1.5Ki", 1536),
        ("1E", 10**18),
        ("1e3", 1000),
        ("1E3", 1000),
        ("2k", 2000),
        (".5", 0.5),
        ("5.", 5),
        (7, 7),
        (1.5, 1.5),
        ("500m", 0.5),
        ("3n", 0.000000003),
        ("0.1", 0.1),
        ("290m", 0.29),
        ("-0", 0),
    ],
)
def test_an_amount(value: object, number: float) -> None:
    assert amount(value) == number


@pytest.mark.parametrize("value", [None, True, "", "-1", "Gi", "5 Gi", "5GB", "5K", "1e9999", "(secret)", [1]])
def test_no_amount(value: object) -> None:
    assert amount(value) is None
