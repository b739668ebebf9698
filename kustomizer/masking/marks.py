"""The words printed in the place of a secret, and the mark of a field that isn't there."""

from __future__ import annotations

from kustomizer.record import Record

SECRET = "(secret)"
CHANGED_SECRET = "(secret, changed)"
"""Printed on the side of *after* where the secret isn't the one that was there before."""


class Absent(Record):
    """Type of ABSENT."""


ABSENT = Absent()
"""The field isn't there: on the side of *before* it is added, on the side of *after* it is removed."""
