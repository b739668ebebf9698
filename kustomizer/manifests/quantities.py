"""Amounts as Kubernetes writes them: ``5Gi``, ``500m``, ``1e3``."""

from __future__ import annotations

import re
from decimal import Decimal

# https://github.com/kubernetes/apimachinery/blob/v0.34.0/pkg/api/resource/quantity.go
_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,3}))?")
_FACTORS = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_FACTORS |= {letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)}
_FACTORS |= {letter: Decimal(1000) ** -power for power, letter in enumerate("mun", 1)}


def quantity(value: object) -> Decimal | None:
    """Return ``value``, a string or a number, as a number; None where it isn't a quantity."""
    match = _QUANTITY.fullmatch(str(value)) if isinstance(value, (str, int, float)) else None
    if match is None or isinstance(value, bool):
        return None
    number, suffix, exponent = match.groups()
    return Decimal(number) * (_FACTORS[suffix] if suffix else Decimal(10) ** int(exponent or 0))
