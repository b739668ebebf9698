"""Follows the statements of a settings file without running it.

What can't be followed makes the names that it may set unknown: nothing is guessed.
"""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Any

from kustomizer.openedx.celery.assignments import augment, delete, store
from kustomizer.openedx.celery.expressions import FAULTS, evaluate, failed
from kustomizer.openedx.celery.failures import handler_of, tried
from kustomizer.openedx.celery.followed import once
from kustomizer.openedx.celery.functions import defined
from kustomizer.openedx.celery.imports import import_modules, import_names
from kustomizer.openedx.celery.jumps import Break, Continue, Jump, Left, Returned, SettingsFailed
from kustomizer.openedx.celery.loops import follow_for
from kustomizer.openedx.celery.mounts import MountedFile
from kustomizer.openedx.celery.python_values import Defined, Opaque, truth
from kustomizer.openedx.celery.skipped import escapes, may_have_run, skip
from kustomizer.openedx.celery.syntax import FUNCTIONS, dotted, parsed
from kustomizer.openedx.settings_module import TUTORS_FILE_PREFIX, head_of, without_stop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kustomizer.openedx.celery.scope import Scope
    from kustomizer.openedx.celery.values import Unknown


def follow(scope: Scope, file: MountedFile) -> None:
    """Follow the statements of ``file`` in the module of ``scope`` that is being followed."""
    scope.run = functools.partial(_run, scope)
    with scope.at(scope.module, file.source):
        try:
            _run_module(scope, _without_head(scope, file))
        except SettingsFailed as failed:
            scope.doubt_all(failed.why)
            scope.doubt_variable("", failed.why)
            raise
        except (SyntaxError, ValueError, Jump):
            scope.doubt_all(Opaque("the file can't be read as Python"))
        except RecursionError:
            why = Opaque("the file is nested too deeply to be followed")
            scope.doubt_all(why)
            scope.doubt_variable("", why)


def _run_module(scope: Scope, text: str) -> None:
    for node in parsed(text).body:
        if _is_ours(node):
            _run_tutors(scope, node.lineno)
        else:
            scope.run([node])


def _without_head(scope: Scope, file: MountedFile) -> str:
    """Follow what a file of ours begins with, once for all workers; return the rest of its text, on the same lines."""
    name = scope.module.rpartition(".")[2]
    head = head_of(file.text, f"{name}.py")
    tutors = _tutors(scope) if head and scope.is_new else None
    if not isinstance(tutors, MountedFile):
        return without_stop(file.text)
    key = (scope.origin, scope.module, head, tutors.text, tutors.source)
    once(key, scope, lambda: _run_module(scope, without_stop(head)))
    return "\n" * head.count("\n") + file.text[len(head) :]


def _is_ours(node: ast.stmt) -> bool:
    """Tell whether this runs Tutor's settings in our module, as `settings_module.render` writes it."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) > 1):
        return False
    call = node.value
    is_exec = isinstance(call.func, ast.Name) and call.func.id == "exec"
    return is_exec and ast.unparse(call) == "exec(compile(_tutor.read_bytes(), str(_tutor), 'exec'), globals())"


def _tutors(scope: Scope) -> MountedFile | Unknown | None:
    package, _, name = scope.module.rpartition(".")
    return scope.container.module(f"{package}.{TUTORS_FILE_PREFIX}{name}" if package else TUTORS_FILE_PREFIX + name)


def _run_tutors(scope: Scope, line: int) -> None:
    file = _tutors(scope)
    if not isinstance(file, MountedFile):
        why = f"{scope.module} isn't part of the build" if file is None else file.reason
        source = None if file is None else file.source
        scope.doubt_all(Opaque(f"{why}, and may set it", line), maybe=True, source=source)
        return
    follow(scope, file)


def _run(scope: Scope, nodes: Iterable[ast.stmt]) -> None:
    for node in nodes:
        handle = _KINDS.get(type(node))
        if handle is None:
            skip(scope, [node], Opaque(f"`{type(node).__name__.lower()}` isn't followed", node.lineno))
        else:
            doubt = scope.doubt
            try:
                handle(scope, node)
            except FAULTS:
                failed(scope, node)
            # What a function has read counts for the statement that calls it.
            if not scope.is_local:
                scope.doubt = doubt


def _assign(scope: Scope, node: ast.Assign | ast.AnnAssign) -> None:
    if isinstance(node, ast.AnnAssign) and any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(node.annotation)):
        # Since Python 3.14 nothing evaluates it.
        skip(scope, [node.annotation], Opaque("it is set in an annotation", node.lineno))
    if node.value is not None:
        value = evaluate(node.value, scope)
        for target in [node.target] if isinstance(node, ast.AnnAssign) else node.targets:
            store(scope, target, value, node.lineno)


def _if(scope: Scope, node: ast.If) -> None:
    test = truth(evaluate(node.test, scope))
    if isinstance(test, Opaque):
        why = Opaque(f"it depends on a condition: {test.reason}", node.lineno)
        skip(scope, [*node.body, *node.orelse], why)
    else:
        scope.run(node.body if test else node.orelse)


def _break(_scope: Scope, _node: ast.Break) -> None:
    raise Break


def _continue(_scope: Scope, _node: ast.Continue) -> None:
    raise Continue


def _return(scope: Scope, node: ast.Return) -> None:
    raise Returned(None if node.value is None else evaluate(node.value, scope))


def _raise(scope: Scope, node: ast.Raise) -> None:
    scope.fail(Opaque("there is a raise", node.lineno))
    if scope.calls:
        raise Left


def _assert(scope: Scope, node: ast.Assert) -> None:
    is_true = truth(evaluate(node.test, scope))
    if is_true is False:
        scope.fail(Opaque("what is asserted isn't so", node.lineno))
    if is_true is not True:
        scope.unknown.append(Opaque("it may fail", node.lineno))


def _with(scope: Scope, node: ast.With) -> None:
    for item in node.items:
        escapes(scope, evaluate(item.context_expr, scope), Opaque("it is a context", node.lineno))
        if item.optional_vars is not None:
            store(scope, item.optional_vars, Opaque("it is opened", node.lineno), node.lineno)
    if all(isinstance(item.context_expr, ast.Call) and dotted(item.context_expr.func) == "open" for item in node.items):
        scope.run(node.body)
        return
    # Any other context may pass over what fails.
    for position, statement in enumerate(node.body):
        if tried(statement, scope) is not None:
            skip(scope, node.body[position:], Opaque("it is set where a failure may be passed over", node.lineno))
            return


def _try(scope: Scope, node: ast.Try) -> None:
    try:
        _try_body(scope, node)
    except Jump:
        scope.run(node.finalbody)
        raise
    scope.run(node.finalbody)


def _try_body(scope: Scope, node: ast.Try) -> None:
    for position, statement in enumerate(node.body):
        failure = tried(statement, scope)
        if failure is None:
            continue
        handler = handler_of(failure, node.handlers)
        if handler is None:
            uncertain = [*node.body[position:], *node.handlers, *node.orelse]
            skip(scope, uncertain, Opaque("it is set where something may fail", node.lineno))
        else:
            if handler.name is not None:
                scope.bind(handler.name, Opaque("it is an exception", handler.lineno), handler.lineno)
            scope.run(handler.body)
        return
    scope.run(node.orelse)


def _functiondef(scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    value = defined(node, scope, evaluate)
    _decorate(scope, node, value)
    scope.bind(node.name, value, node.lineno)


def _classdef(scope: Scope, node: ast.ClassDef) -> None:
    value = Defined(node, scope.module, scope.place, {}, is_plain=False)
    # What decorates a method may call it.
    statements = [each for each in node.body if not isinstance(each, FUNCTIONS) or each.decorator_list]
    why = Opaque(f"class {node.name} may set it", node.lineno)
    scope.unknown.append(why)
    may_have_run(scope, statements, why, local=frozenset(), maybe=False)
    _decorate(scope, node, value, *node.bases, *(keyword.value for keyword in node.keywords))
    scope.bind(node.name, value, node.lineno)


def _decorate(
    scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, value: Defined, *more: ast.expr
) -> None:
    """Heed what gets a function or class as soon as it is defined."""
    for maker in (*node.decorator_list, *more):
        escapes(scope, evaluate(maker, scope), Opaque(f"what {node.name} is made with may set it", node.lineno))
    if node.decorator_list:
        why = Opaque(f"{node.name} may be called, and set it", node.lineno)
        scope.unknown.append(why)
        escapes(scope, value, why)


def _delete(scope: Scope, node: ast.Delete) -> None:
    for target in node.targets:
        delete(scope, target, node.lineno)


def _pass(_scope: Scope, _node: ast.stmt) -> None:
    pass


_KINDS: dict[type, Any] = {
    ast.AnnAssign: _assign,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AsyncFunctionDef: _functiondef,
    ast.AugAssign: augment,
    ast.Break: _break,
    ast.ClassDef: _classdef,
    ast.Continue: _continue,
    ast.Delete: _delete,
    ast.Expr: lambda scope, node: evaluate(node.value, scope),
    ast.For: follow_for,
    ast.FunctionDef: _functiondef,
    ast.Global: _pass,
    ast.If: _if,
    ast.Import: lambda scope, node: import_modules(scope, node, follow),
    ast.ImportFrom: lambda scope, node: import_names(scope, node, follow),
    ast.Pass: _pass,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
    ast.With: _with,
}
