"""What a settings file imports: modules beside it that are mounted are followed, once each, as Python runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.app_conf import application
from kustomizer.openedx.celery.mounts import MountedFile, beside
from kustomizer.openedx.celery.python_values import Module, Namespace, Opaque, doubt_in
from kustomizer.openedx.celery.values import Unknown

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from kustomizer.openedx.celery.names import Names
    from kustomizer.openedx.celery.scope import Scope
    from kustomizer.openedx.celery.values import Source

    Follow = Callable[[Scope, MountedFile], None]


def import_modules(scope: Scope, node: ast.Import, follow: Follow) -> None:
    """Carry out ``import``."""
    for alias in node.names:
        bound = alias.name if alias.asname else alias.name.partition(".")[0]
        value: Any = Module(bound) if alias.name in library.MODULES else None
        if value is None:
            names = _module(scope, alias.name, follow)
            value = Namespace(bound) if names is not None and bound == alias.name else None
        if value is None:
            value = Opaque("it is a module", node.lineno)
            scope.unknown.append(value)
        scope.bind(alias.asname or bound, value, node.lineno)


def import_names(scope: Scope, node: ast.ImportFrom, follow: Follow) -> None:
    """Carry out ``from … import``."""
    module = beside(node.module or "", node.level, scope.module)
    for alias in node.names:
        if alias.name == "*":
            _import_all(scope, module, node.lineno, follow)
            continue
        value = application(module, alias.name, node.lineno) or _member(scope, module, alias.name, node.lineno, follow)
        if value is None:
            value = Opaque(f"it is imported from {module}", node.lineno)
            scope.unknown.append(value)
            scope.may_be_had(alias.name, value)
        scope.bind(alias.asname or alias.name, value, node.lineno)


def _member(scope: Scope, module: str, name: str, line: int, follow: Follow) -> Any:
    """Return what a module has under a name, None where that isn't known."""
    library_value = library.member(module, name)
    names = _module(scope, module, follow) if library_value is None else None
    if names is not None and name in names.values:
        value, _, doubt = names.read(name)
        return None if doubt is not None else value
    submodule = f"{module}.{name}"
    if library_value is None and _module(scope, submodule, follow) is not None:
        return Namespace(submodule)
    if names is not None and names.everything is None and module != scope.base:
        scope.fail(Opaque(f"{module} has no {name}", line))
    return library_value


def _module(scope: Scope, module: str, follow: Follow) -> Names | None:
    """Return the names of a module that is mounted, or Open edX's own settings; None of any other."""
    names = scope.names_of(module)
    file = scope.container.module(module) if names is None else None
    if isinstance(file, MountedFile):
        names, before = scope.add(module), len(scope.unknown)
        with scope.at(module):
            follow(scope, file)
        names.failure = next(iter(scope.unknown[before:]), None)
    elif names is not None and names.failure is not None:
        scope.unknown.append(names.failure)
    return names


def _import_all(scope: Scope, module: str, line: int, follow: Follow) -> None:
    names = _module(scope, module, follow)
    if names is None:
        _not_seen(scope, module, line)
        return
    listed, _, _ = names.read("__all__")
    if names.everything is not None:
        scope.doubt_all(names.everything.why, maybe=names.everything.maybe, source=names.everything.source)
    if doubt_in(listed) is not None:
        scope.doubt_all(Opaque(f"what {module} has in __all__ isn't known", line))
        listed = None
    public = (name for name in [*names.values] if not name.startswith("_"))
    for name in public if listed is None else [name for name in listed if name in names.values]:
        scope.import_name(name, names)


def _not_seen(scope: Scope, module: str, line: int) -> None:
    """Heed a star import of a module whose text the build hasn't got."""
    if module.rpartition(".")[0] == scope.base.rpartition(".")[0] and module.endswith(".common"):
        # Open edX's own settings go on from it: it has most of their names, with other values.
        for name in [*scope.names_of(scope.base).values]:  # type: ignore[union-attr]
            scope.bind(name, Opaque(f"it is as {module} has it", line), line)
        return
    why, source = unseen(scope, module, line)
    scope.unknown.append(why)
    scope.doubt_all(why, maybe=True, source=source)


def unseen(scope: Scope, module: str, line: int) -> tuple[Opaque, Source | None]:
    """Return why a star import of a module that isn't followed leaves names in doubt, and what would say more."""
    file = scope.container.module(module)
    if isinstance(file, Unknown):
        return Opaque(f"{file.reason}, and may set it", line), file.source
    return Opaque(f"{module} isn't part of the build, and may set it", line), None
