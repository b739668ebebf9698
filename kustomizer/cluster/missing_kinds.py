"""Kinds that a cluster doesn't know: kubectl says it in two lines for each object, here each kind is said once."""

from __future__ import annotations

import re

from kustomizer.system.wording import joined

_MISSING = re.compile(
    r'\[?resource mapping not found for name: "(?P<name>[^"]*)"[^\n]*: '
    r'no matches for kind "(?P<kind>[^"]+)" in version "(?P<version>[^"]+)"\n'
    r"ensure CRDs are installed first(?:, |\]?\n?)"
)
_SHOWN = 3
_BRINGS = {"keda.sh": "KEDA", "monitoring.coreos.com": "the Prometheus operator"}
REMEDY = "Install what brings such a kind, or take the objects out of the build"


def without_missing_kinds(words: str) -> tuple[str, str]:
    """Return what else kubectl says in ``words``, and a sentence about kinds that the cluster doesn't know."""
    found: dict[tuple[str, str], list[str]] = {}
    for match in _MISSING.finditer(words):
        found.setdefault((match["kind"], match["version"]), []).append(match["name"])
    lines = [
        f"the cluster doesn't know {kind} of {version}{_brought(version)}: {joined(names, most=_SHOWN)}"
        for (kind, version), names in found.items()
    ]
    return _MISSING.sub("", words).strip(), "\n".join(lines)


def _brought(version: str) -> str:
    brings = _BRINGS.get(version.partition("/")[0])
    return f", which {brings} brings" if brings else ""
