"""What is printed in the place of a secret, and what stands for a field that isn't there."""

from __future__ import annotations

from kustomizer.record import Record

SECRET = "(secret)"
CHANGED_SECRET = "(secret, changed)"
"""Stands on the side of *after* where it isn't the secret that stood there before."""


class Absent(Record):
    """Type of ABSENT."""


ABSENT = Absent()
"""The field isn't there: on the side of *before* it is added, on the side of *after* it is removed."""
