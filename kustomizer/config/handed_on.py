"""What an API server refuses in maps that are handed on as they are: a liveness probe, and an HPA's behavior.

Told from validateProbe (pkg/apis/core/validation) and validateScalingRules (pkg/apis/autoscaling/validation) of
Kubernetes.
KEDA takes any behavior, and then can't make its HPA.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_OF_PROBES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_RULES = ("scaleUp", "scaleDown")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800

Fault = tuple[tuple[str, ...], str, str]
"""The path of a field, what is wrong with it, and the remedy."""


def probe_faults(probe: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is refused in a liveness probe."""
    handlers = [name for name in _HANDLERS if probe.get(name) is not None]
    if len(handlers) != 1:
        message = f"has {' and '.join(handlers)}" if handlers else "says nothing to look at"
        yield (), message, f"State one of {', '.join(_HANDLERS)}"
    for name in _OF_PROBES:
        if not _is_within(probe.get(name), 0):
            yield (name,), "isn't a whole number, 0 or more", "Write it without quotes"
    if probe.get("successThreshold") not in (None, 0, 1):
        yield ("successThreshold",), "has to be 1 for a liveness probe", "Leave it out"


def behavior_faults(behavior: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is refused in the behavior of a HorizontalPodAutoscaler."""
    for name, rules in behavior.items():
        if name not in _RULES:
            yield (name,), "unknown field", f"Known fields: {', '.join(_RULES)}"
            continue
        if not isinstance(rules, dict):
            continue
        if not _is_within(rules.get("stabilizationWindowSeconds"), 0, _LONGEST_WINDOW):
            remedy = f"Set it to {_LONGEST_WINDOW} or less"
            yield (name, "stabilizationWindowSeconds"), f"isn't a whole number from 0 to {_LONGEST_WINDOW}", remedy
        if rules.get("selectPolicy") not in (None, "Max", "Min", "Disabled"):
            yield (name, "selectPolicy"), "isn't Max, Min or Disabled", "Write one of them"
        for policy in rules.get("policies") or ():
            yield from _policy_faults(name, policy)


def _policy_faults(rules: str, policy: Any) -> Iterator[Fault]:
    path, given = (rules, "policies"), policy if isinstance(policy, dict) else {}
    if given.get("type") not in ("Pods", "Percent"):
        yield path, "has a policy whose type isn't Pods or Percent", "Write one of them"
    for name, most in (("value", None), ("periodSeconds", _LONGEST_PERIOD)):
        if given.get(name) is None or not _is_within(given[name], 1, most):
            numbers = f"from 1 to {most}" if most else "of 1 or more"
            yield path, f"has a policy whose {name} isn't a whole number {numbers}", "Mend it"


def _is_within(value: Any, least: int, most: int | None = None) -> bool:
    # 2.0 is 2 for every client of an API server.
    is_whole = type(value) is int or (type(value) is float and value.is_integer())
    return value is None or (is_whole and least <= value and (most is None or value <= most))
