"""Reads plain YAML values into annotated records, and reports all of their problems at once.

The annotations of a :class:`Record` declare the fields. :func:`interpret` reads them as the strings that ``from
__future__ import annotations`` leaves, so that nothing has to import ``typing``. An annotation may be::

    bool  str  int  Positive  NonNegative  Seconds  Delay      values (more of them in kustomizer.config.types)
    Literal["Error", "Ignore"]                                 one of these words
    list[X]  dict[str, X]                                      of any of these; the key may be a named kind of text
    JsonMap                                                    Kubernetes' own structures, passed through
    SomeRecord                                                 a section with fields of its own
    X | None                                                   null is a value: it means 'not set here'

For a section, map or list that isn't ``| None``, null means empty: people write ``high:`` with nothing behind it for
``high: {}``. Fields are snake_case in Python and camelCase in YAML.
"""

from __future__ import annotations

import sys

from kustomizer.config.values import Boolean, Choice, Text, Type, Whole, did_you_mean, join
from kustomizer.errors import Problem, UserError
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    R = TypeVar("R", bound=Record)

INITIALISMS = {"hpa": "HPA"}


class ListOf(Type):
    """A list whose items are all of one type."""

    expects = "a list"
    blank = list

    def __init__(self, item: Type) -> None:
        self.item = item

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the list with its items read."""
        if isinstance(value, list):
            return [self.item.read(item, f"{at}[{index}]", problems) for index, item in enumerate(value)]
        self.refuse(value, at, problems, "Write each item on a line of its own, after a dash")
        return value


class MapOf(Type):
    """A map with free keys whose values are all of one type."""

    expects = "a map"
    blank = dict

    def __init__(self, key: Text, item: Type) -> None:
        self.key, self.item = key, item

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the map with its values read."""
        if not isinstance(value, dict):
            self.refuse(value, at, problems)
            return value
        for key in value:
            self.key.read(key, join(at, key), problems)
        return {key: self.item.read_entry(item, join(at, key), problems) for key, item in value.items()}


class Section(Type):
    """A map whose keys are the fields of a record.

    ``_refused`` of the record has (field, reason) pairs for fields that somebody may expect there.
    """

    expects = "a map"
    blank = dict

    def __init__(self, record: type[Record]) -> None:
        self.record = record

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the record, or None if there are problems."""
        if not isinstance(value, dict):
            self.refuse(value, at, problems)
            return None
        fields, known_before, values = fields_of(self.record), len(problems), {}
        for key, item in value.items():
            if key in fields:
                values[fields[key].name] = fields[key].type.read_entry(item, join(at, key), problems)
            else:
                problems.append(self._unknown(key, at, fields))
        for key, field in fields.items():
            if field.name not in values and field.required:
                remedy = f"Set it to {field.type.expects}"
                problems.append(Problem(field=join(at, key), message="is missing", remedy=remedy))
        return None if len(problems) > known_before else self.record(**values)

    def _unknown(self, key: object, at: str, fields: Mapping[str, RecordField]) -> Problem:
        refused: Mapping[object, str] = dict(getattr(self.record, "_refused", ()))
        if key in refused:
            return Problem(field=join(at, key), message="isn't allowed here", remedy=refused[key])
        remedy = did_you_mean(key, list(fields)) or f"Known fields: {', '.join(fields)}"
        return Problem(field=join(at, key), message="unknown field", remedy=remedy)


class AsGiven(Section):
    """A section that is checked against a record and passed through unchanged."""

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return the value unchanged."""
        super().read(value, at, problems)
        return value


class Nullable(Type):
    """A type whose values may also be null."""

    def __init__(self, inner: Type) -> None:
        self.inner, self.expects = inner, inner.expects

    def read(self, value: object, at: str, problems: list[Problem]) -> Any:
        """Return None for null."""
        return None if value is None else self.inner.read(value, at, problems)


BASIC: dict[str, Type] = {
    "bool": Boolean(),
    "str": Text("a string"),
    "int": Whole("a whole number", minimum=-(2**31)),
}


class RecordField:
    """One field of a record. Its annotation is interpreted on first use, since a build has few of the fields."""

    def __init__(self, name: str, annotation: str, owner: type[Record], required: bool) -> None:
        self.name, self.owner, self.required = name, owner, required
        self._annotation = annotation
        self._type: Type | None = None

    @property
    def type(self) -> Type:
        """The type of the field's values."""
        if self._type is None:
            self._type = interpret(self._annotation, sys.modules[self.owner.__module__])
        return self._type


_fields: dict[type[Record], dict[str, RecordField]] = {}


def fields_of(record: type[Record]) -> dict[str, RecordField]:
    """Return the fields of ``record`` by their names in YAML."""
    if record not in _fields:
        annotations: dict[str, tuple[str, type[Record]]] = {}
        for owner in reversed(record.__mro__):
            for name, annotation in owner.__dict__.get("__annotations__", {}).items():  # noqa: RUF063 - see record.py
                annotations[name] = (annotation, owner)
        _fields[record] = {
            yaml_name(name): RecordField(name, *annotations[name], required=name not in record._defaults)
            for name in record._fields
        }
    return _fields[record]


def interpret(annotation: str, module: object) -> Type:
    """Return the type of an ``annotation`` in ``module``."""
    if annotation.endswith(" | None"):
        return Nullable(interpret(annotation.removesuffix(" | None"), module))
    outer, _, inner = annotation.removesuffix("]").partition("[")
    if outer == "Literal":
        return Choice([word.strip(" '\"") for word in inner.split(",")])
    if outer == "list":
        return ListOf(interpret(inner, module))
    if outer == "dict":
        key, _, item = inner.partition(", ")
        kind = interpret(key, module)
        assert isinstance(kind, Text), annotation  # noqa: S101 - the declaration is wrong
        return MapOf(kind, interpret(item, module))
    named_type = BASIC.get(outer) or getattr(module, outer)
    return named_type if isinstance(named_type, Type) else Section(named_type)


def decode(record: type[R], value: object, *, path: str) -> R:
    """Read ``value`` into a ``record``. Raises one UserError with all of its problems.

    ``path`` is the value's path in its document, with which each problem's ``field`` begins.
    """
    problems: list[Problem] = []
    result: R = Section(record).read_entry(value, path, problems)
    if problems:
        raise UserError(*problems)
    return result


def yaml_name(name: str) -> str:
    """Return the name that the field ``name`` of a record has in YAML."""
    first, *rest = name.split("_")
    return first + "".join(INITIALISMS.get(part) or part.capitalize() for part in rest)
