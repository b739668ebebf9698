"""Frozen, typed records that cost the function nothing to import.

``import dataclasses`` costs 7 ms of CPU and ``import msgspec`` 28 ms, while the whole function takes about 40
(``make bench`` measures both). Records are therefore annotated classes that mypy checks through PEP 681
(https://peps.python.org/pep-0681/), and this module builds them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from typing_extensions import Self, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_options: Any) -> Callable[[T], T]:  # noqa: D103 - stands in for typing's
        return lambda cls: cls


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of immutable values: annotated class attributes are the fields, their values the defaults.

    Fields are keyword-only, compare by value and are inherited by subclasses.
    """

    _fields: tuple[str, ...] = ()
    _field_names: frozenset[str] = frozenset()
    _defaults: dict[str, Any] = {}  # noqa: RUF012 - typing.ClassVar would import typing

    def __init_subclass__(cls) -> None:
        members = cls.__dict__
        # inspect.get_annotations would cost 8 ms to import.
        annotations = members.get("__annotations__", {})
        own = [name for name in annotations if name[0] != "_"]
        cls._fields = tuple(dict.fromkeys([*cls._fields, *own]))
        cls._field_names = frozenset(cls._fields)
        cls._defaults = {**cls._defaults, **{name: members[name] for name in own if name in members}}

    def __init__(self, **values: Any) -> None:
        state = self.__dict__
        state.update(self._defaults)
        state.update(values)
        if state.keys() != self._field_names:
            missing = [name for name in self._fields if name not in state]
            unknown = [name for name in state if name not in self._field_names]
            raise TypeError(f"{type(self).__name__}: missing {missing}, unknown {unknown}")

    def __setattr__(self, name: str, _value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} is read-only")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self._fields)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"

    def replace(self, **changes: Any) -> Self:
        """Return a copy with ``changes`` made."""
        return type(self)(**{**self.__dict__, **changes})
