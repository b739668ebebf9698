"""Requests and limits of a container, as an API server judges them.

It compares without :mod:`kustomizer.manifests.quantities`, whose imports take longer than the whole comparison.
"""

from __future__ import annotations

from kustomizer.manifests.tree import is_null, lookup, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FACTORS = {letter: 1000.0**power for power, letter in enumerate("kMGTPE", 1)}
_FACTORS |= {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
_FACTORS |= {letter: 1000.0**-power for power, letter in enumerate("mun", 1)}
_NUMBER = frozenset("0123456789.")
# Two spellings of one amount differ by less than that (`0.1`, `100m`).
_SAME = 1e-9
# What is written with m and is less, nobody means.
_LEAST_BYTES = 1024


def amount(value: object) -> float | None:
    """Return a quantity that isn't negative as a number, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value)
    number = text.rstrip("iKMGTPEkmun")
    suffix = text[len(number) :]
    if suffix and suffix not in _FACTORS:
        return None
    digits, exponent, power = number.replace("E", "e").partition("e")
    if exponent and (suffix or not power.lstrip("+-").isdecimal()):
        return None
    if not _NUMBER.issuperset(digits) or digits.count(".") > 1 or not digits.strip("."):
        return None
    return float(f"{digits}{exponent}{power}") * _FACTORS.get(suffix, 1.0)


def resource_faults(resources: Any, *, whole: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield the path, fault and remedy of each request and limit that an API server or a node refuses.

    ``whole`` says that these are all that the container has, so that a missing limit is one.
    """
    tree = plain_value(resources)
    if not isinstance(tree, dict):
        return
    found: dict[tuple[str, str], float] = {}
    for section in ("requests", "limits"):
        values = tree.get(section)
        for name, value in values.items() if isinstance(values, dict) else ():
            number = None if is_null(value) else amount(value)
            if number is not None and not _is_part_of_a_byte(name, value, number):
                found[section, name] = number
            elif number is not None:
                yield f"{section}.{name}", f"{value} is {number:g} bytes: m is a thousandth", "Write 512Mi, say"
            elif not is_null(value):
                yield f"{section}.{name}", f"{value!r} is no amount that Kubernetes knows", "Write 500m, 2 or 8Gi, say"
    for (section, name), number in found.items():
        if section == "requests":
            limit = found.get(("limits", name))
            message = _above(tree, name, number, limit, whole=whole)
            if message:
                yield f"requests.{name}", message, "Raise the limit, or lower the request"


def _is_part_of_a_byte(name: object, value: object, number: float) -> bool:
    in_bytes = name in ("memory", "ephemeral-storage")
    return in_bytes and str(value)[-1:] in ("m", "u", "n") and 0 < number < _LEAST_BYTES


def _above(tree: Any, name: Any, number: float, limit: float | None, *, whole: bool) -> str:
    """Say why a request doesn't fit its limit, empty where it does."""
    request, stated = tree["requests"][name], lookup(tree, "limits", name)
    if limit is not None and number > limit * (1 + _SAME):
        return f"{request} is more than limits.{name}, {stated}"
    # IsOvercommitAllowed (pkg/apis/core/v1/helper/helpers.go of Kubernetes): GPUs, say, and huge pages.
    domain, slash, _ = str(name).rpartition("/")
    if not (slash and not domain.endswith("kubernetes.io")) and not str(name).startswith("hugepages-"):
        return ""
    if is_null(stated):
        return f"{request} has no limits.{name}, which has to be the same" if whole else ""
    if limit is None:
        return ""
    return f"{request} isn't limits.{name}, {stated}, which it has to be" if number < limit * (1 - _SAME) else ""
