"""Records as what JSON and YAML can hold; other programs know the fields by their names."""

from __future__ import annotations

from typing import Any

from kustomizer.record import Record


def record_data(value: Any) -> Any:
    """Return ``value`` with each record in it as a mapping of its fields: ``in_force`` is called ``inForce``."""
    if isinstance(value, Record):
        return {json_name(name): record_data(getattr(value, name)) for name in value._fields}
    if isinstance(value, dict):
        return {key: record_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [record_data(item) for item in value]
    return value


def json_name(name: str) -> str:
    """Return what JSON calls the field ``name`` of a record."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
