"""Follows the statements of a settings file without running it.

What can't be followed makes the names that it may set unknown: nothing is guessed.
"""

from __future__ import annotations

import ast
import contextlib
import functools
from typing import TYPE_CHECKING

from kustomizer.openedx.celery import library
from kustomizer.openedx.celery.calls import change_variables
from kustomizer.openedx.celery.expressions import defined, evaluate
from kustomizer.openedx.celery.followed import once
from kustomizer.openedx.celery.mounts import MountedFile, beside
from kustomizer.openedx.celery.python_values import (
    Environ,
    Listing,
    Module,
    Namespace,
    Opaque,
    Raises,
    Table,
    doubt_in,
    keys_doubt,
)
from kustomizer.openedx.celery.skipped import may_have_run
from kustomizer.openedx.celery.touched import stored, touched
from kustomizer.openedx.celery.values import Unknown
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX, names_in_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from kustomizer.openedx.celery.followed import Asked
    from kustomizer.openedx.celery.mounts import Mounts
    from kustomizer.openedx.celery.scope import Scope

_MOST_ROUNDS = 1000


def follow(settings: Scope, file: MountedFile, mounts: Mounts | Asked, module: str, base: frozenset[str]) -> None:
    """Follow the statements of ``file``, which is ``module``; the modules ``base`` are where it starts from."""
    with settings.within(file.source):
        try:
            _Run(settings, file, mounts, module, base).statements(_tree(file.text).body)
        except (SyntaxError, ValueError):
            settings.doubt_all(Opaque("the file can't be read as Python"))
        except RecursionError:
            settings.doubt_all(Opaque("the file is nested too deeply to be followed"))


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
        self._in_loop = False

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            handle = getattr(self, f"_{type(node).__name__.lower()}", None)
            if handle is None:
                self._skip([node], Opaque("it is computed", node.lineno))
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

    def _skip(self, nodes: Sequence[ast.stmt], why: Opaque) -> None:
        """Note what statements have done that may have run or not."""
        may_have_run(self._settings, nodes, why)
        if self._in_loop and any(
            isinstance(inner, (ast.Break, ast.Continue)) for top in nodes for inner in ast.walk(top)
        ):
            raise _Uncertain

    def _augassign(self, node: ast.AugAssign) -> None:
        old = self._evaluate(ast.copy_location(_loaded(node.target), node))
        if isinstance(old, Environ):
            change_variables(self._settings, self._evaluate(node.value), node.lineno)
            return
        if isinstance(old, Namespace):
            self._bind_all(self._evaluate(node.value), node.lineno)
            return
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

    def _bind_all(self, values: Any, line: int) -> None:
        if not isinstance(values, Table) or keys_doubt(values) is not None:
            self._settings.doubt_all(Opaque("computed names are set", line))
            return
        for name, value in values.items():
            self._settings.bind(str(name), value, line)

    def _store(self, target: ast.expr, value: Any, line: int) -> None:
        if isinstance(target, ast.Name):
            self._settings.bind(target.id, value, line)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, line)
        elif isinstance(target, ast.Subscript):
            self._store_item(target, value, line)
        elif isinstance(target, ast.Starred):
            self._store(target.value, value, line)
        elif isinstance(target, ast.Attribute):
            self._store_attribute(target, value, line)

    def _store_attribute(self, target: ast.Attribute, value: Any, line: int) -> None:
        holder = self._evaluate(target.value)
        if isinstance(holder, Namespace):
            self._settings.bind(target.attr, value, line)
        elif isinstance(holder, Module) and (holder.name, target.attr) == ("os", "environ"):
            self._settings.doubt_variable("", Opaque("the environment is another one", line))
        elif isinstance(holder, Opaque) and target.attr.isupper():
            # It may be this very module.
            self._settings.make_opaque([target.attr], Opaque(f"{ast.unparse(target)} is set, which may be it", line))

    def _unpack(self, target: ast.Tuple | ast.List, value: Any, line: int) -> None:
        targets, values = target.elts, value
        stars = [index for index, element in enumerate(targets) if isinstance(element, ast.Starred)]
        plain = isinstance(value, (tuple, Listing)) and getattr(value, "doubt", None) is None
        if plain and stars and len(value) >= len(targets) - 1:
            rest = len(targets) - 1 - stars[0]
            end = len(value) - rest
            values = [*value[: stars[0]], Listing(value[stars[0] : end]), *value[end:]]
        known = plain and len(values) == len(targets)
        for index, element_target in enumerate(targets):
            self._store(element_target, values[index] if known else Opaque("it is computed", line), line)

    def _store_item(self, target: ast.Subscript, value: Any, line: int) -> None:
        holder, key = self._evaluate(target.value), self._evaluate(target.slice)
        if isinstance(holder, Environ):
            if isinstance(key, str):
                self._settings.set_variable(key, value, line)
            else:
                self._settings.doubt_variable("", Opaque("a computed variable is set", line))
        elif isinstance(holder, Namespace):
            if isinstance(key, str):
                self._settings.bind(key, value, line)
            else:
                self._settings.doubt_all(Opaque("a computed name is set", line))
        elif isinstance(holder, Table) and doubt_in(key) is None:
            holder[key] = value
            self._settings.touch(holder, line)
        elif isinstance(holder, Opaque) and isinstance(key, str) and key.isupper():
            # It may be the names of this very module.
            self._settings.make_opaque([key], Opaque(f"an item {key} is set, which may be it", line))
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
            bound = alias.name if alias.asname else alias.name.partition(".")[0]
            module = Module(bound) if alias.name in library.MODULES else Opaque("it is a module", node.lineno)
            self._settings.bind(alias.asname or bound, module, node.lineno)

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
            self._skip([*node.body, *node.orelse], why)

    def _match(self, node: ast.Match) -> None:
        subject = self._evaluate(node.subject)
        doubt = doubt_in(subject)
        for position, choice in enumerate(node.cases):
            fits = None if doubt is not None else self._fits(choice.pattern, subject, node.lineno)
            if fits and choice.guard is not None:
                guard = self._evaluate(choice.guard)
                fits = None if doubt_in(guard) is not None else bool(guard)
            if fits is None:
                why = doubt or Opaque("it depends on a pattern", node.lineno)
                self._skip([inner for later in node.cases[position:] for inner in later.body], why)
                return
            if fits:
                self.statements(choice.body)
                return

    def _fits(self, pattern: ast.pattern, subject: Any, line: int) -> bool | None:
        """Tell whether a pattern fits, None where that isn't known."""
        if isinstance(pattern, ast.MatchValue):
            value = self._evaluate(pattern.value)
            return None if doubt_in(value) is not None else bool(value == subject)
        if isinstance(pattern, ast.MatchSingleton):
            return subject is pattern.value
        if isinstance(pattern, ast.MatchOr):
            # The first that fits counts, where none before it may.
            return next(
                (fit for each in pattern.patterns if (fit := self._fits(each, subject, line)) is not False), False
            )
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
            if pattern.name is not None:
                self._settings.bind(pattern.name, subject, line)
            return True
        return None

    def _for(self, node: ast.For) -> None:
        items = self._evaluate(node.iter)
        known = doubt_in(items) is None and keys_doubt(items) is None
        if known and isinstance(items, (list, tuple, dict)) and len(items) < _MOST_ROUNDS:
            self._rounds(node, [functools.partial(self._next, node, item) for item in list(items)])
            return
        self._settings.make_opaque(stored([node.target]), Opaque("it is set in a loop", node.lineno))
        self._skip_loop(node)

    def _next(self, node: ast.For, item: Any) -> bool:
        self._store(node.target, item, node.lineno)
        return True

    def _while(self, node: ast.While) -> None:
        def test() -> bool:
            value = self._evaluate(node.test)
            if doubt_in(value) is not None:
                raise _Uncertain
            return bool(value)

        self._rounds(node, [test] * _MOST_ROUNDS, is_open=True)

    def _rounds(
        self, node: ast.For | ast.While, rounds: Sequence[Callable[[], bool]], *, is_open: bool = False
    ) -> None:
        """Run a loop's body for each of ``rounds`` that gives true; ``is_open`` says that there would be more."""
        outer, self._in_loop = self._in_loop, True
        try:
            for start in rounds:
                self._settings.steps += 1
                if self._settings.is_long:
                    raise _Uncertain
                if not start():
                    break
                with contextlib.suppress(_Continue):
                    self.statements(node.body)
            else:
                if is_open:
                    raise _Uncertain
        except _Break:
            return
        except _Uncertain:
            self._in_loop = outer
            self._skip_loop(node)
            return
        finally:
            self._in_loop = outer
        self.statements(node.orelse)

    def _skip_loop(self, node: ast.For | ast.While) -> None:
        may_have_run(self._settings, [*node.body, *node.orelse], Opaque("it is set in a loop", node.lineno))

    def _break(self, node: ast.Break) -> None:
        raise _Break

    def _continue(self, node: ast.Continue) -> None:
        raise _Continue

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self._store(item.optional_vars, Opaque("it is opened", node.lineno), node.lineno)
        if not any("suppress" in ast.unparse(item.context_expr) for item in node.items):
            self.statements(node.body)
            return
        for position, statement in enumerate(node.body):
            if self._tried(statement) is not None:
                self._skip(node.body[position:], Opaque("it is set where something may fail", node.lineno))
                return

    def _try(self, node: ast.Try) -> None:
        for position, statement in enumerate(node.body):
            failure = self._tried(statement)
            if failure is None:
                continue
            handler = _handler_of(failure, node.handlers)
            if handler is not None:
                self.statements([*handler.body, *node.finalbody])
                return
            handlers = [inner for handler in node.handlers for inner in handler.body]
            uncertain = [*node.body[position:], *handlers, *node.orelse]
            why = Opaque("it is set where something may fail", node.lineno)
            if len(node.body) <= 2 and "FeaturesProxy" in ast.unparse(node):  # noqa: PLR2004 - as Tutor 22 has it
                self._settings.make_opaque(touched(uncertain), why)
            else:
                self._skip(uncertain, why)
            self.statements(node.finalbody)
            return
        self.statements([*node.orelse, *node.finalbody])

    def _tried(self, statement: ast.stmt) -> Opaque | None:
        """Carry out a statement that can't fail, and return None; otherwise what it fails with, or that it may."""
        if isinstance(statement, (ast.Pass, ast.FunctionDef)):
            self.statements([statement])
            return None
        unsure = Opaque("it may fail", statement.lineno)
        if isinstance(statement, ast.Import):
            known = all(alias.name in library.MODULES for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            names = [library.member(statement.module or "", alias.name) for alias in statement.names]
            known = not statement.level and None not in names
        elif isinstance(statement, ast.Delete) and len(statement.targets) == 1:
            value = self._evaluate(_loaded(statement.targets[0]))
            if isinstance(value, Opaque):
                return value
            known = True
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            value = self._evaluate(statement.value)
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if doubt_in(value) is None and all(isinstance(target, (ast.Name, ast.Subscript)) for target in targets):
                for target in targets:
                    self._store(target, value, statement.lineno)
                return None
            return value if isinstance(value, Raises) else unsure
        elif isinstance(statement, ast.Expr):
            value = self._evaluate(statement.value)
            is_known = not isinstance(value, Opaque) and getattr(value, "doubt", None) is None
            return None if is_known else value if isinstance(value, Raises) else unsure
        else:
            known = False
        if known:
            self.statements([statement])
        return None if known else unsure

    def _functiondef(self, node: ast.FunctionDef) -> None:
        value: Any = None
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None and not node.decorator_list:
            value = defined(node.args, body[0].value, self._settings)
        self._settings.define(node, value or Opaque("it is a function", node.lineno))

    def _classdef(self, node: ast.ClassDef) -> None:
        self._settings.bind(node.name, Opaque("it is a class", node.lineno), node.lineno)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._settings.remove(target.id)
            elif isinstance(target, ast.Subscript):
                holder, key = self._evaluate(target.value), self._evaluate(target.slice)
                if isinstance(holder, Environ):
                    name = key if isinstance(key, str) else ""
                    if name:
                        self._settings.set_variable(name, None, node.lineno)
                    else:
                        self._settings.doubt_variable("", Opaque("a computed variable is deleted", node.lineno))
                elif isinstance(holder, Table) and doubt_in(key) is None:
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


def _handler_of(failure: Opaque, handlers: list[ast.ExceptHandler]) -> ast.ExceptHandler | None:
    """Return what handles a failure, None where that isn't sure."""
    if not isinstance(failure, Raises):
        return None
    for handler in handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = [getattr(kind, "id", None) if kind is not None else "Exception" for kind in kinds]
        if {failure.error, "LookupError", "Exception", "BaseException"} & {*names}:
            return handler
        if not all(name in _OTHER_ERRORS for name in names):
            return None
    return None


_OTHER_ERRORS = frozenset(
    {"AttributeError", "ImportError", "IndexError", "ModuleNotFoundError", "TypeError", "ValueError"}
)


class _Break(Exception):  # noqa: N818 - a statement, and no error
    """A loop ends."""


class _Continue(Exception):  # noqa: N818 - as above
    """A loop goes on with the next round."""


class _Uncertain(Exception):  # noqa: N818 - as above
    """Whether a loop ends isn't known."""
