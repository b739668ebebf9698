"""Follows the statements of a settings file without running it.

What can't be followed makes the names that it may set unknown: nothing is guessed.
"""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.assignments import augment, delete, store
from kustomizer.openedx.celery.expressions import defined, evaluate
from kustomizer.openedx.celery.failures import handler_of, tried
from kustomizer.openedx.celery.followed import once
from kustomizer.openedx.celery.loops import Break, Continue, OfLoop, Uncertain, ends_round, follow_for, follow_while
from kustomizer.openedx.celery.mounts import MountedFile, beside
from kustomizer.openedx.celery.python_values import Listing, Module, Opaque, Table, doubt_in
from kustomizer.openedx.celery.skipped import may_have_run
from kustomizer.openedx.celery.touched import touched
from kustomizer.openedx.celery.values import Unknown
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX, names_in_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kustomizer.openedx.celery.followed import Asked
    from kustomizer.openedx.celery.mounts import Mounts
    from kustomizer.openedx.celery.scope import Scope


def follow(scope: Scope, file: MountedFile, mounts: Mounts | Asked, module: str, base: frozenset[str]) -> None:
    """Follow the statements of ``file``, which is ``module``; the modules ``base`` are where it starts from."""
    with scope.within(file.source):
        try:
            _Run(scope, file, mounts, module, base).statements(_tree(file.text).body)
        except (SyntaxError, ValueError, OfLoop):
            scope.doubt_all(Opaque("the file can't be read as Python"))
        except RecursionError:
            scope.doubt_all(Opaque("the file is nested too deeply to be followed"))


@functools.lru_cache(maxsize=64)
def _tree(text: str) -> ast.Module:
    # Most workers of a site load the same file, and Python takes milliseconds to parse one.
    return ast.parse(text)


class _Run:
    """One file's statements."""

    def __init__(
        self, scope: Scope, file: MountedFile, mounts: Mounts | Asked, module: str, base: frozenset[str]
    ) -> None:
        self._scope = scope
        self._file = file
        self._mounts = mounts
        self._module = module
        self._base = base

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            handle = getattr(self, f"_{type(node).__name__.lower()}", None)
            if handle is None:
                self._skip([node], Opaque("it is computed", node.lineno))
            else:
                handle(node)

    def _evaluate(self, node: ast.expr) -> Any:
        return evaluate(node, self._scope)

    def _assign(self, node: ast.Assign) -> None:
        value = self._evaluate(node.value)
        for target in node.targets:
            store(self._scope, target, value, node.lineno)

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            store(self._scope, node.target, self._evaluate(node.value), node.lineno)

    def _skip(self, nodes: Sequence[ast.stmt], why: Opaque) -> None:
        """Note what statements have done that may have run or not."""
        may_have_run(self._scope, nodes, why)
        if ends_round(nodes):
            raise Uncertain

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
        if not (set_before and self._scope.has_set(set_before) and isinstance(file, MountedFile)):
            self._run_file(file, self._module, line)
            return
        key = (self._scope.origin, self._module, file.text, file.source, set_before)
        once(
            key,
            self._scope,
            self._mounts,
            lambda asked: follow(self._scope, file, asked, self._module, self._base),
        )

    def _run_file(self, file: MountedFile | Unknown | None, module: str, line: int) -> None:
        if not isinstance(file, MountedFile) or self._scope.is_deep:
            why = f"{module} isn't part of the build" if file is None else getattr(file, "reason", "it is deep")
            source = file.source if isinstance(file, Unknown) else None
            self._scope.doubt_all(Opaque(f"{why}, and may set it", line), maybe=True, source=source)
        else:
            follow(self._scope, file, self._mounts, module, self._base)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            bound = alias.name if alias.asname else alias.name.partition(".")[0]
            module = Module(bound) if alias.name in library.MODULES else Opaque("it is a module", node.lineno)
            self._scope.bind(alias.asname or bound, module, node.lineno)

    def _importfrom(self, node: ast.ImportFrom) -> None:
        module = beside(node.module or "", node.level, self._module)
        named = self._follow_beside(module) if node.names[0].name != "*" else None
        for alias in node.names:
            if alias.name != "*":
                value = library.member(module, alias.name)
                if named is not None and named.has(alias.name):
                    read, _, doubt = named.read(alias.name)
                    # What can be changed may be, through another name.
                    value = read if doubt is None and isinstance(read, (str, int, float)) else None
                if value is None:
                    value = Opaque(f"it is imported from {module}", node.lineno)
                self._scope.bind(alias.asname or alias.name, value, node.lineno)
            elif module not in self._base:
                self._run_file(self._mounts.module(module), module, node.lineno)

    def _follow_beside(self, module: str) -> Scope | None:
        """Return the names of a mounted module, None where it isn't one or loads others' settings itself."""
        file = self._mounts.module(module) if module not in self._base and self._scope.is_shallow else None
        if not isinstance(file, MountedFile) or "import *" in file.text:
            return None
        scope = self._scope.empty()
        follow(scope, file, self._mounts, module, self._base)
        return scope

    def _if(self, node: ast.If) -> None:
        test = self._evaluate(node.test)
        doubt = test.doubt if isinstance(test, (Table, Listing)) else doubt_in(test)
        if doubt is None:
            self.statements(node.body if test else node.orelse)
        else:
            why = Opaque(f"it depends on a condition: {doubt.reason}", node.lineno)
            self._skip([*node.body, *node.orelse], why)

    def _match(self, node: ast.Match) -> None:
        from kustomizer.openedx.celery.patterns import fits  # noqa: PLC0415 - few settings have a match

        subject = self._evaluate(node.subject)
        doubt = doubt_in(subject)
        for position, choice in enumerate(node.cases):
            is_fit = None if doubt is not None else fits(choice, subject, self._scope, node.lineno)
            if is_fit is None:
                why = doubt or Opaque("it depends on a pattern", node.lineno)
                self._skip([inner for later in node.cases[position:] for inner in later.body], why)
                return
            if is_fit:
                self.statements(choice.body)
                return

    def _for(self, node: ast.For) -> None:
        follow_for(node, self._scope, self.statements)

    def _while(self, node: ast.While) -> None:
        follow_while(node, self._scope, self.statements)

    def _break(self, node: ast.Break) -> None:
        raise Break

    def _continue(self, node: ast.Continue) -> None:
        raise Continue

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                store(self._scope, item.optional_vars, Opaque("it is opened", node.lineno), node.lineno)
        if not any("suppress" in ast.unparse(item.context_expr) for item in node.items):
            self.statements(node.body)
            return
        for position, statement in enumerate(node.body):
            if tried(statement, self._scope, self.statements) is not None:
                self._skip(node.body[position:], Opaque("it is set where something may fail", node.lineno))
                return

    def _try(self, node: ast.Try) -> None:
        for position, statement in enumerate(node.body):
            failure = tried(statement, self._scope, self.statements)
            if failure is None:
                continue
            handler = handler_of(failure, node.handlers)
            if handler is not None:
                self.statements([*handler.body, *node.finalbody])
                return
            handlers = [inner for handler in node.handlers for inner in handler.body]
            uncertain = [*node.body[position:], *handlers, *node.orelse]
            why = Opaque("it is set where something may fail", node.lineno)
            if len(node.body) <= 2 and "FeaturesProxy" in ast.unparse(node):  # noqa: PLR2004 - as Tutor 22 has it
                self._scope.make_opaque(touched(uncertain), why)
            else:
                self._skip(uncertain, why)
            self.statements(node.finalbody)
            return
        self.statements([*node.orelse, *node.finalbody])

    def _functiondef(self, node: ast.FunctionDef) -> None:
        value: Any = None
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None and not node.decorator_list:
            value = defined(node.args, body[0].value, self._scope)
        self._scope.define(node, value or Opaque("it is a function", node.lineno))

    def _classdef(self, node: ast.ClassDef) -> None:
        self._scope.bind(node.name, Opaque("it is a class", node.lineno), node.lineno)

    def _augassign(self, node: ast.AugAssign) -> None:
        augment(self._scope, node)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            delete(self._scope, target, node.lineno)

    def _pass(self, node: ast.stmt) -> None:
        pass

    _raise = _assert = _global = _nonlocal = _pass
