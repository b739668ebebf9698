"""What a settings file does with ``os.environ``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.python_values import Opaque, Partial, doubt_in, keys_doubt
from kustomizer.openedx.celery.values import Known, Parts, Unknown

if TYPE_CHECKING:
    from kustomizer.openedx.celery.call import Call
    from kustomizer.openedx.celery.scope import Scope


def of_environment(call: Call, method: str) -> Any:
    """Carry out a method of ``os.environ``."""
    if method == "get":
        return variable_asked(call)
    args, kwargs, doubt = call.arguments()
    why = doubt or Opaque("it reads or changes the environment", call.line)
    if method == "update":
        change_variables(call.scope, args[0] if args else kwargs, call.line)
        return None
    if method in ("setdefault", "pop") and args and isinstance(args[0], str):
        present = call.scope.environment(args[0])
        if isinstance(present, Unknown):
            call.scope.doubt_variable(args[0], why)
        elif method == "pop":
            call.scope.unset_variable(args[0])
            return str(present.value) if present is not None else args[1] if len(args) > 1 else why
        elif present is None:
            call.scope.set_variable(args[0], args[1] if len(args) > 1 else why, call.line)
            return args[1] if len(args) > 1 else why
        else:
            return str(present.value)
    elif method not in ("copy", "items", "keys", "values"):
        call.scope.doubt_variable("", why)
    return why


def change_variables(scope: Scope, values: Any, line: int) -> None:
    """Carry out what an ``update`` of the environment does."""
    if not isinstance(values, dict) or keys_doubt(values) is not None or doubt_in([*values]) is not None:
        scope.doubt_variable("", Opaque("it may be set in the environment", line))
        return
    for name, value in values.items():
        scope.set_variable(str(name), value, line)


def variable_asked(call: Call) -> Any:
    """Carry out ``os.getenv`` and ``os.environ.get``."""
    args, kwargs, doubt = call.arguments()
    if not args or doubt_in(args[0]):
        return doubt or Opaque("it reads the environment", call.line)
    missing = next(iter([*args[1:], *kwargs.values()]), None)
    return variable(call.scope, args[0], call.line, missing=missing)


def variable(scope: Scope, name: Any, line: int, *, missing: Any) -> Any:
    """Return an environment variable as Python finds it, ``missing`` where it isn't set."""
    value = scope.environment(str(name))
    if value is None:
        return missing
    if isinstance(value, Known):
        return str(value.value)
    return Partial(f"{name} of the environment is read, and {value.reason}", line, value.parts or Parts([None]))
