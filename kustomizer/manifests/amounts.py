"""Amounts as Kubernetes writes them (``5Gi``, ``500m``, ``1e3``), and requests held to limits, as by an API server."""

from __future__ import annotations

from kustomizer.manifests.tree import is_null, lookup, plain_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FACTORS = {letter: 1000.0**power for power, letter in enumerate("kMGTPE", 1)}
_FACTORS |= {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
# Divided by: `100m` is `0.1` to the last bit.
_PARTS = {letter: 1000.0**power for power, letter in enumerate("mun", 1)}
_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_OF_STORAGE = "Write ephemeral-storage, or ask for the space in a claim"
_OF_OTHERS = "Write cpu, memory or ephemeral-storage; a device's name has its maker in front, as nvidia.com/gpu"
_NUMBER = frozenset("0123456789.")
# Two spellings of one amount differ by less than that (`1.1Gi`, and the same in bytes).
_SAME = 1e-9
# Below it nobody means a part of a byte. An API server warns of each, of 1.1Gi too ("fractional byte value … is
# invalid, must be an integer", pkg/api/pod/warnings.go of Kubernetes), and a kubelet rounds up.
_LEAST_BYTES = 1024
_SUFFIXES = {"m": "m is a thousandth", "u": "u is a millionth", "n": "n is a billionth"}


def amount(value: object) -> float | None:
    """Return ``value``, a string or a number, as a number; None where it isn't a quantity, or is a negative one.

    Without Decimal and its regular expression: to import them takes longer than all comparisons of a build.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value)
    sign = text[:1] if text[:1] in ("+", "-") else ""
    text = text[len(sign) :]
    number = text.rstrip("iKMGTPEkmun")
    suffix = text[len(number) :]
    if suffix and suffix not in _FACTORS and suffix not in _PARTS:
        return None
    digits, exponent, power = number.replace("E", "e").partition("e")
    power_digits = power[1:] if power[:1] in ("+", "-") else power
    if exponent and (suffix or not (power_digits.isascii() and power_digits.isdecimal())):
        return None
    if not _NUMBER.issuperset(digits) or digits.count(".") > 1 or not digits.strip("."):
        return None
    result = float(f"{digits}{exponent}{power}") * _FACTORS.get(suffix, 1.0) / _PARTS.get(suffix, 1.0)
    return None if (sign == "-" and result) or result == float("inf") else result


def resource_faults(resources: Any, *, whole: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield the path, fault and remedy of each request and limit that an API server or a node refuses.

    ``whole`` says that these are all that the container has, so that a missing limit is one.
    """
    tree = plain_value(resources)
    if not isinstance(tree, dict):
        return
    amounts: dict[tuple[str, str], float] = {}
    for section in ("requests", "limits"):
        values = tree.get(section)
        if not is_null(values) and not isinstance(values, dict):
            yield section, "isn't a mapping", "Write what it names: {memory: 512Mi}, say"
        for name, value in values.items() if isinstance(values, dict) else ():
            # All but a few names say whose they are (validateContainerResourceName).
            is_known = name in _RESOURCES or name.startswith("hugepages-") or "/" in name
            if not is_null(value) and not is_known:
                remedy = _OF_STORAGE if "storage" in name else _OF_OTHERS
                yield f"{section}.{name}", f"{name} is no resource that Kubernetes knows", remedy
                continue
            number = None if is_null(value) else amount(value)
            if number is not None and not _is_part_of_a_byte(name, number):
                amounts[section, name] = number
            elif number is not None:
                why = _SUFFIXES.get(str(value)[-1:], "a number without a unit counts bytes")
                yield f"{section}.{name}", f"{value} is {number:g} bytes: {why}", "Write 512Mi, say"
            elif not is_null(value):
                yield f"{section}.{name}", f"{value!r} is no amount that Kubernetes knows", "Write 500m, 2 or 8Gi, say"
    for (section, name), number in amounts.items():
        if section == "requests":
            limit = amounts.get(("limits", name))
            message = _above(tree, name, number, limit, whole=whole)
            if message:
                yield f"requests.{name}", message, "Raise the limit, or lower the request"


def faults_beside_pods(resources: Any, of_pod: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the same of a container's requests and limits that are more than the pod's own, which Kubernetes 1.34 has.

    They are compared as validatePodResourceConsistency does (pkg/apis/core/validation of Kubernetes), but for a sum.
    """
    for section in ("requests", "limits"):
        values, whole = (plain_value(lookup(tree, section)) for tree in (resources, of_pod))
        for name, value in values.items() if isinstance(values, dict) and isinstance(whole, dict) else ():
            value_amount, most = amount(value), amount(whole.get(name))
            if value_amount is not None and most is not None and value_amount > most * (1 + _SAME):
                message = f"{value} is more than the whole pod's {section}.{name}, {whole[name]}"
                yield f"{section}.{name}", message, "Lower it, or raise the pod's own resources"


def _is_part_of_a_byte(name: object, number: float) -> bool:
    in_bytes = name in ("memory", "ephemeral-storage")
    return in_bytes and 0 < number < _LEAST_BYTES and (number < 1 or abs(number - round(number)) > _SAME)


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
