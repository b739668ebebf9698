"""What code may have done that isn't followed: the names that it may set, and what it may change.

It may have run or not, or something unknown may call it. Whatever it mentions otherwise than to read it may be changed,
under that name or another one.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.app_conf import Application, Configuration, changed
from kustomizer.openedx.celery.imports import unseen
from kustomizer.openedx.celery.jumps import EndUnknown, Left
from kustomizer.openedx.celery.mounts import MountedFile, beside
from kustomizer.openedx.celery.python_values import HOLDERS, Defined, Environ, Namespace, Opaque, parts_of
from kustomizer.openedx.celery.syntax import (
    COMPREHENSIONS,
    FUNCTIONS,
    body_of,
    ends_round,
    local_names,
    parsed,
    returns,
    stored,
    targets,
)
from kustomizer.openedx.celery.uses import text_of, use_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kustomizer.openedx.celery.scope import Scope

    Local = frozenset[str] | None
    """Names that are local at a node, and so not the module's; None outside of functions and classes."""

NAMESPACES = frozenset({"globals", "locals", "vars"})
_READING = frozenset({"copy", "count", "get", "index", "items", "keys", "values"})
CHANGING = frozenset(
    {"add", "append", "clear", "discard", "extend", "insert", "pop", "remove", "setdefault", "stored", "update"}
)
"""Uses that change the value: its methods, and ``stored`` (see ``use_of``)."""
_WITH_NAMES = (*FUNCTIONS, ast.ClassDef, *COMPREHENSIONS)
_LEAVES = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.Constant)


def may_have_run(
    scope: Scope, nodes: Sequence[ast.AST], why: Opaque, *, local: Local = None, maybe: bool = True
) -> None:
    """Note in ``scope`` all that these nodes may have done; ``local`` are the names that are local to them.

    With ``maybe``, a computed name probably sets nothing of Celery's.
    """
    notes = _Notes(scope, why, maybe=maybe)
    for node in nodes:
        notes.look(node, local)
    if local is None:
        scope.may_be_set(stored(nodes), why)


def skip(scope: Scope, nodes: Sequence[ast.AST], why: Opaque) -> None:
    """Note the effects of statements that may or may not have run.

    Raises Left where the function around them may have ended, EndUnknown where the loop may have.
    """
    scope.unknown.append(why)
    may_have_run(scope, nodes, why)
    if returns(nodes):
        raise Left
    if ends_round(nodes):
        raise EndUnknown


def escapes(scope: Scope, value: Any, why: Opaque, *, maybe: bool = True) -> None:
    """Note that unknown code has got ``value``, and may change or call it."""
    if isinstance(value, (Defined, Environ, Namespace, *HOLDERS, tuple)):
        _Notes(scope, why, maybe=maybe).escapes(value)


def parts_escape(scope: Scope, values: Iterable[Any], why: Opaque) -> None:
    """Note that unknown code has got what ``values`` contain."""
    for value in values:
        names = scope.names_of(value.module) if isinstance(value, Namespace) else None
        for part in parts_of(value) if names is None else [*names.values.values()]:
            if not isinstance(part, Defined) or names is None:
                escapes(scope, part, why)


def _inner(node: ast.AST, local: Local) -> Iterator[tuple[ast.AST, Local]]:
    """Yield the children of a node that opens a scope, each with the names that are local there."""
    if isinstance(node, COMPREHENSIONS):
        local = (local or frozenset()) | targets(node)
    body = body_of(node)
    yield from ((child, local) for child in ast.iter_child_nodes(node) if child not in body)
    around = local or frozenset()
    if isinstance(node, ast.ClassDef):
        # Its names are its own where it sets them, and none of its methods'; until then it sees the module's.
        set_there = around | {f"={name}" for name in local_names(node)}
        yield from ((child, around if isinstance(child, FUNCTIONS) else set_there) for child in body)
    elif body:
        yield from ((child, around | local_names(node)) for child in body)


class _Notes:
    def __init__(self, scope: Scope, why: Opaque, *, maybe: bool) -> None:
        self._scope, self._why, self._maybe = scope, why, maybe
        self._above: list[ast.AST] = []
        self._seen: set[int | str] = set()
        self._depth = 0
        """How many functions are being looked through, one inside of another."""

    def look(self, node: ast.AST, local: Local) -> None:
        """Note what a node may do."""
        if isinstance(node, _LEAVES):
            return
        handle = _KINDS.get(type(node))
        if handle is not None:
            handle(self, node, local)
        self._above.append(node)
        if isinstance(node, _WITH_NAMES):
            for child, names in _inner(node, local):
                self.look(child, names)
        else:
            for child in ast.iter_child_nodes(node):
                self.look(child, local)
        self._above.pop()

    def escapes(self, value: Any) -> None:
        """Note that unknown code has got a value, and may change or call it."""
        if isinstance(value, Defined) and id(value.node) not in self._seen:
            self._seen.add(id(value.node))
            above, self._above = self._above, []
            self._depth += 1
            with self._scope.at(value.module, value.place):
                for default in value.defaults.values():
                    self.escapes(default)
                for child, names in _inner(value.node, frozenset()):
                    self.look(child, names)
            self._depth -= 1
            self._above = above
        elif isinstance(value, Environ):
            self._scope.doubt_variable("", self._why)
        elif isinstance(value, Namespace):
            self._sets("", value.module)
        elif isinstance(value, (*HOLDERS, tuple)):
            self._scope.spoil(value, self._why)
            for part in parts_of(value):
                if isinstance(part, (Defined, Environ, Namespace)):
                    self.escapes(part)

    @property
    def _is_later(self) -> bool:
        """Whether the present node is in a function, which may be called at any time."""
        return self._depth > 0 or any(isinstance(node, FUNCTIONS) for node in self._above)

    def _sets(self, name: str, module: str) -> None:
        """Note that a name of a module may be set, inside of a function at any time; no ``name`` is a computed one."""
        with self._scope.at(module):
            if not name:
                why = Opaque(f"a computed name may be set: {self._why.reason}", self._why.line)
                self._scope.doubt_all(why, maybe=self._maybe)
            elif self._is_later:
                self._scope.lose(name, self._why)
            else:
                self._scope.may_be_set([name], self._why)

    def _used(self, value: Any, node: ast.AST, above: Sequence[ast.AST]) -> None:
        """Note what the nodes ``above`` may do with ``value``, the value of ``node``."""
        use, key = use_of(node, above)
        if isinstance(value, Environ):
            if use in ("stored", "pop", "setdefault"):
                self._scope.doubt_variable(key, self._why)
            elif use not in _READING | {"item", "keys", "parts", "through"}:
                self._scope.doubt_variable("", self._why)
        elif isinstance(value, Namespace):
            if use in ("attribute", "item", "get") and key not in ("", "__dict__"):
                with self._scope.at(value.module):
                    climb = 2 if use == "get" else 1
                    self._used(self._scope.value(key), above[-climb], above[:-climb])
            elif use in ("stored", "pop", "setdefault"):
                self._sets(key, value.module)
            elif use not in _READING | {"keys"}:
                self._sets("", value.module)
        elif isinstance(value, (*HOLDERS, tuple)):
            is_flat = not any(isinstance(part, (*HOLDERS, tuple)) for part in parts_of(value))
            shows_keys = use == "keys" or (use == "through" and isinstance(value, dict))
            if not shows_keys and not (is_flat and use in _READING | {"item", "parts", "through"}):
                self.escapes(value)
        elif isinstance(value, Defined):
            self.escapes(value)
        elif isinstance(value, Application) and key == "conf":
            self._used(value.conf, above[-1], above[:-1])
        elif isinstance(value, Configuration):
            is_one = use in ("attribute", "item", "stored") and key not in ("", "update")
            changed(self._scope, [key] if is_one else None, self._why.line)

    def _name(self, node: ast.Name, local: Local) -> None:
        if local is not None and node.id in local:
            return
        value = self._scope.value(node.id)
        if isinstance(node.ctx, ast.Load):
            if self._is_later and use_of(node, self._above)[0] in CHANGING:
                # By then it may be another one.
                self._scope.lose(node.id, self._why)
            self._used(Environ() if node.id == "environ" and value is None else value, node, self._above)
            return
        if self._above and isinstance(self._above[-1], ast.AugAssign):
            self.escapes(value)
        if local is not None and f"={node.id}" not in local and self._is_later:
            self._sets(node.id, self._scope.module)

    def _global(self, node: ast.Global, _local: Local) -> None:
        for name in node.names:
            self._sets(name, self._scope.module)

    def _attribute(self, node: ast.Attribute, _local: Local) -> None:
        if node.attr == "environ":
            self._used(Environ(), node, self._above)
        elif node.attr == "modules" and self._above:
            module = text_of(getattr(self._above[-1], "slice", node)) or self._scope.module
            if self._scope.names_of(module) is not None:
                self._used(Namespace(module), self._above[-1], self._above[:-1])
        elif not isinstance(node.ctx, ast.Load):
            self._scope.may_be_set_anywhere(node.attr, self._why)

    def _subscript(self, node: ast.Subscript, _local: Local) -> None:
        name = text_of(node.slice)
        if not isinstance(node.ctx, ast.Load) and name:
            self._scope.may_be_set_anywhere(name, self._why)

    def _call(self, node: ast.Call, _local: Local) -> None:
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        name = text_of(node.args[1]) if called in ("setattr", "delattr") and len(node.args) > 1 else ""
        if called in NAMESPACES and not node.args:
            self._used(Namespace(self._scope.module), node, self._above)
        elif name:
            self._scope.may_be_set_anywhere(name, self._why)
        elif called in ("exec", "eval"):
            self._scope.doubt_all(self._why)
        elif called in ("setattr", "delattr"):
            self._sets("", self._scope.module)

    def _import(self, node: ast.Import | ast.ImportFrom, _local: Local) -> None:
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            module = beside(node.module or "", node.level, self._scope.module)
            names = [module, *(f"{module}.{name}" for name in names)]
        for name in names:
            self._of_module(name)
        self._has_of_modules(node, names)
        if names[-1].endswith("*"):
            if self._scope.names_of(names[0]) is not None:
                self._scope.doubt_all(Opaque(f"{names[0]} may set it", node.lineno))
            else:
                why, source = unseen(self._scope, names[0], node.lineno)
                self._scope.doubt_all(why, maybe=True, source=source)

    def _has_of_modules(self, node: ast.Import | ast.ImportFrom, names: Sequence[str]) -> None:
        """Note that the import has other names share the values of modules that were followed."""
        for name in names:
            module_names = self._scope.names_of(name)
            if module_names is None:
                continue
            is_of = isinstance(node, ast.ImportFrom) and name is names[0] and names[-1] != f"{name}.*"
            members = (
                [module_names.values.get(alias.name) for alias in node.names]
                if is_of
                else [*module_names.values.values()]
            )
            for value in members:
                if isinstance(value, (Defined, *HOLDERS, tuple)):
                    self.escapes(value)
            if not is_of:
                self._sets("", name)

    def _of_module(self, module: str) -> None:
        """Note what the statements of a mounted module may do, unless it was followed already."""
        names, file = self._scope.names_of(module), self._scope.container.module(module)
        is_over = names is not None and names.failure is None
        if is_over or not isinstance(file, MountedFile) or module in self._seen:
            return
        self._seen.add(module)
        above, self._above = self._above, []
        with self._scope.at(module, file.source):
            self._scope.add(module).failure = self._why
            self._scope.doubt_all(self._why)
            try:
                nodes = parsed(file.text).body
            except (SyntaxError, ValueError):
                nodes = []
            for node in nodes:
                self.look(node, None)
            self._scope.may_be_set(stored(nodes), self._why)
        self._above = above


_KINDS: dict[type, Any] = {
    ast.Attribute: _Notes._attribute,
    ast.Call: _Notes._call,
    ast.Global: _Notes._global,
    ast.Import: _Notes._import,
    ast.ImportFrom: _Notes._import,
    ast.Name: _Notes._name,
    ast.Subscript: _Notes._subscript,
}
