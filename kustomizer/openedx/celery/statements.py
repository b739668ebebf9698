"""Follows the statements of a settings file without running it.

What can't be followed makes the names that it may set unknown: nothing is guessed.
"""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from kustomizer.openedx.celery.expressions import evaluate
from kustomizer.openedx.celery.followed import once
from kustomizer.openedx.celery.mounts import MountedFile, beside
from kustomizer.openedx.celery.python_values import (
    IMPORTED,
    Listing,
    Namespace,
    Opaque,
    Table,
    doubt_in,
    keys_doubt,
)
from kustomizer.openedx.celery.touched import touched
from kustomizer.openedx.celery.values import Unknown
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX, names_in_head

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from kustomizer.openedx.celery.followed import Asked
    from kustomizer.openedx.celery.mounts import Mounts
    from kustomizer.openedx.celery.scope import Scope

_MOST_ROUNDS = 1000


def follow(settings: Scope, file: MountedFile, mounts: Mounts | Asked, module: str, base: frozenset[str]) -> None:
    """Follow the statements of ``file``, which is ``module``; the modules ``base`` are where it starts from."""
    with settings.within(file.source):
        try:
            tree = _tree(file.text)
        except (SyntaxError, ValueError, RecursionError):
            settings.doubt_all(Opaque("the file can't be read as Python"))
        else:
            _Run(settings, file, mounts, module, base).statements(tree.body)


@functools.lru_cache(maxsize=64)
def _tree(text: str) -> ast.Module:
    # Most workers of a site load the same file, and Python takes milliseconds to parse one.
    return ast.parse(text)


class _Run:
    """One file's statements."""

    def __init__(
        self, settings: Scope, file: MountedFile, mounts: Mounts | Asked, module: str, base: frozenset[str]
    ) -> None:
        self._settings = settings
        self._file = file
        self._mounts = mounts
        self._module = module
        self._base = base

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            handle = getattr(self, f"_{type(node).__name__.lower()}", None)
            if handle is None:
                self._settings.make_opaque(touched([node]), Opaque("it is computed", node.lineno))
            else:
                handle(node)

    def _evaluate(self, node: ast.expr) -> Any:
        return evaluate(node, self._settings)

    def _assign(self, node: ast.Assign) -> None:
        value = self._evaluate(node.value)
        for target in node.targets:
            self._store(target, value, node.lineno)

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._store(node.target, self._evaluate(node.value), node.lineno)

    def _augassign(self, node: ast.AugAssign) -> None:
        old = self._evaluate(ast.copy_location(_loaded(node.target), node))
        new = self._evaluate(ast.copy_location(ast.BinOp(_loaded(node.target), node.op, node.value), node))
        if isinstance(old, (Table, Listing)) and isinstance(new, (Table, Listing)) and old.doubt is None:
            # In place: other names that hold it see it, too.
            if isinstance(old, Table):
                old.update(new)
            else:
                old[:] = new
            self._settings.touch(old, node.lineno)
            return
        if isinstance(new, Opaque):
            self._settings.spoil(old, new)
        self._store(node.target, new, node.lineno)

    def _store(self, target: ast.expr, value: Any, line: int) -> None:
        if isinstance(target, ast.Name):
            self._settings.bind(target.id, value, line)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, line)
        elif isinstance(target, ast.Subscript):
            self._store_item(target, value, line)
        elif isinstance(target, ast.Starred):
            self._store(target.value, Opaque("it is computed", line), line)

    def _unpack(self, target: ast.Tuple | ast.List, value: Any, line: int) -> None:
        plain = isinstance(value, (tuple, Listing)) and doubt_in(value) is None and len(value) == len(target.elts)
        for index, element_target in enumerate(target.elts):
            known = plain and not any(isinstance(element, ast.Starred) for element in target.elts)
            self._store(element_target, value[index] if known else Opaque("it is computed", line), line)

    def _store_item(self, target: ast.Subscript, value: Any, line: int) -> None:
        holder, key = self._evaluate(target.value), self._evaluate(target.slice)
        if isinstance(holder, Namespace):
            if isinstance(key, str):
                self._settings.bind(key, value, line)
            else:
                self._settings.doubt_all(Opaque("a computed name is set", line))
        elif isinstance(holder, Table) and doubt_in(key) is None:
            holder[key] = value
            self._settings.touch(holder, line)
        else:
            self._settings.spoil(holder, Opaque("an item of it is computed", line))

    def _expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call) and self._is_ours(node.value):
            self._run_tutors(node.lineno)
        else:
            self._evaluate(node.value)

    @staticmethod
    def _is_ours(call: ast.Call) -> bool:
        """Tell whether this runs Tutor's settings in our module, as `settings_module.render` writes it."""
        if not (isinstance(call.func, ast.Name) and call.func.id == "exec" and len(call.args) > 1):
            return False
        return ast.unparse(call) == "exec(compile(_tutor.read_bytes(), str(_tutor), 'exec'), globals())"

    def _run_tutors(self, line: int) -> None:
        package, _, name = self._module.rpartition(".")
        file = self._mounts.module(f"{package}.{TUTORS_FILE_PREFIX}{name}" if package else TUTORS_FILE_PREFIX + name)
        set_before = names_in_head(self._file.text, f"{name}.py")
        if not (set_before and self._settings.has_set(set_before) and isinstance(file, MountedFile)):
            self._run_file(file, self._module, line)
            return
        key = (self._settings.origin, self._module, file.text, file.source, set_before)
        once(
            key,
            self._settings,
            self._mounts,
            lambda asked: follow(self._settings, file, asked, self._module, self._base),
        )

    def _run_file(self, file: MountedFile | Unknown | None, module: str, line: int) -> None:
        if not isinstance(file, MountedFile) or self._settings.is_deep:
            why = f"{module} isn't part of the build" if file is None else getattr(file, "reason", "it is deep")
            source = file.source if isinstance(file, Unknown) else None
            self._settings.doubt_all(Opaque(f"{why}, and may set it", line), maybe=True, source=source)
        else:
            follow(self._settings, file, self._mounts, module, self._base)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._settings.bind(alias.asname or alias.name.partition(".")[0], Opaque("it is a module", node.lineno))

    def _importfrom(self, node: ast.ImportFrom) -> None:
        module = beside(node.module or "", node.level, self._module)
        named = self._follow_beside(module) if node.names[0].name != "*" else None
        for alias in node.names:
            if alias.name != "*":
                value = IMPORTED.get((module, alias.name))
                if named is not None and named.has(alias.name):
                    read, _, doubt = named.read(alias.name)
                    # What can be changed may be, through another name.
                    value = read if doubt is None and isinstance(read, (str, int, float)) else None
                if value is None:
                    value = Opaque(f"it is imported from {module}", node.lineno)
                self._settings.bind(alias.asname or alias.name, value, node.lineno)
            elif module not in self._base:
                self._run_file(self._mounts.module(module), module, node.lineno)

    def _follow_beside(self, module: str) -> Scope | None:
        """Return the names of a mounted module, None where it isn't one or loads others' settings itself."""
        file = self._mounts.module(module) if module not in self._base and self._settings.is_shallow else None
        if not isinstance(file, MountedFile) or "import *" in file.text:
            return None
        scope = self._settings.empty()
        follow(scope, file, self._mounts, module, self._base)
        return scope

    def _if(self, node: ast.If) -> None:
        test = self._evaluate(node.test)
        doubt = test.doubt if isinstance(test, (Table, Listing)) else doubt_in(test)
        if doubt is None:
            self.statements(node.body if test else node.orelse)
        else:
            why = Opaque(f"it depends on a condition: {doubt.reason}", node.lineno)
            self._settings.make_opaque(touched([*node.body, *node.orelse]), why)
            self._doubt_calls([*node.body, *node.orelse])

    def _doubt_calls(self, nodes: list[ast.stmt]) -> None:
        """Heed star imports and computed names in statements that may not run."""
        for node in (inner for top in nodes for inner in ast.walk(top)):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                self._settings.doubt_all(Opaque(f"{node.module} may set it", node.lineno), maybe=True)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if self._settings.defines(node.func.id):
                    self._settings.run_unseen(node.func.id, node.lineno)
                elif node.func.id in ("globals", "locals", "vars", "exec", "setattr"):
                    self._settings.doubt_all(Opaque("a computed name may be set", node.lineno), maybe=True)

    def _for(self, node: ast.For) -> None:
        items = self._evaluate(node.iter)
        simple = not any(isinstance(inner, (ast.Break, ast.Continue)) for top in node.body for inner in ast.walk(top))
        if (
            doubt_in(items) is None
            and keys_doubt(items) is None
            and simple
            and isinstance(items, (list, tuple, dict))
            and len(items) < _MOST_ROUNDS
        ):
            for item in list(items):
                self._store(node.target, item, node.lineno)
                self.statements(node.body)
            self.statements(node.orelse)
            return
        names = touched([*node.body, *node.orelse]) | {
            inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)
        }
        self._settings.make_opaque(names, Opaque("it is set in a loop", node.lineno))
        self._doubt_calls([*node.body, *node.orelse])

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self._store(item.optional_vars, Opaque("it is opened", node.lineno), node.lineno)
        self.statements(node.body)

    def _try(self, node: ast.Try) -> None:
        if _cannot_fail(node.body):
            self.statements([*node.body, *node.orelse, *node.finalbody])
            return
        uncertain = [*node.body, *(statement for handler in node.handlers for statement in handler.body), *node.orelse]
        self._settings.make_opaque(touched(uncertain), Opaque("it is set where something may fail", node.lineno))
        if not (len(node.body) <= 2 and "FeaturesProxy" in ast.unparse(node)):  # noqa: PLR2004 - as Tutor 22 has it
            self._doubt_calls(uncertain)
        self.statements(node.finalbody)

    def _functiondef(self, node: ast.FunctionDef) -> None:
        names = {name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names}
        names_used = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))
        stored = {inner.id for inner in names_used if isinstance(inner.ctx, ast.Store)}
        self._settings.define(node.name, names | (touched(node.body) - stored), node.lineno)

    def _classdef(self, node: ast.ClassDef) -> None:
        self._settings.bind(node.name, Opaque("it is a class", node.lineno), node.lineno)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._settings.remove(target.id)
            elif isinstance(target, ast.Subscript):
                holder, key = self._evaluate(target.value), self._evaluate(target.slice)
                if isinstance(holder, Table) and doubt_in(key) is None:
                    holder.pop(key, None)
                    self._settings.touch(holder, node.lineno)
                else:
                    self._settings.spoil(holder, Opaque("an item of it is deleted", node.lineno))

    def _pass(self, node: ast.stmt) -> None:
        pass

    _raise = _assert = _global = _nonlocal = _pass


def _loaded(target: ast.expr) -> ast.expr:
    """Return an assignment's target as an expression that is read."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    if isinstance(target, ast.Subscript):
        return ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
    return target


def _cannot_fail(nodes: list[ast.stmt]) -> bool:
    return all(isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant) for statement in nodes)
