"""Amounts, as Kubernetes reads them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kustomizer.manifests.quantities import quantity


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
        (".5", Decimal("0.5")),
        ("5.", 5),
        (7, 7),
        (1.5, Decimal("1.5")),
        ("500m", Decimal("0.5")),
        ("3n", Decimal("0.000000003")),
        ("-1", -1),
    ],
)
def test_an_amount(value: object, number: Decimal) -> None:
    assert quantity(value) == number


@pytest.mark.parametrize("value", [None, True, "", "Gi", "5 Gi", "5GB", "5K", "1e9999", "(secret)", [1]])
def test_no_amount(value: object) -> None:
    assert quantity(value) is None
