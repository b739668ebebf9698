"""The words that replace a secret in a report, and the value of a field that isn't there."""

from __future__ import annotations

from kustomizer.record import Record

SECRET = "(secret)"
CHANGED_SECRET = "(secret, changed)"
"""Printed on the side of *after* where the secret differs from the one before."""


class Absent(Record):
    """Type of ABSENT."""


ABSENT = Absent()
"""The value of a field that isn't there: as the value *before* of an added one, *after* of a removed one."""
