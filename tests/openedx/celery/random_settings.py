"""Settings programs made at random: Python runs each, and what is told of it without running it has to be the same.

    python -m tests.openedx.celery.random_settings 5000

tries so many, from a first number on where a second argument gives one, and prints those of which something is wrong.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import random
import re
import sys
import types
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import quote

from kustomizer.errors import ResourceRef
from kustomizer.openedx.celery.jumps import SettingsFailed
from kustomizer.openedx.celery.mounts import MountedFile
from kustomizer.openedx.celery.python_values import Partial, doubt_in
from kustomizer.openedx.celery.scope import Scope
from kustomizer.openedx.celery.statements import follow
from kustomizer.openedx.celery.values import Known, Parts, Source, Unknown, Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kustomizer.openedx.celery.names import Doubt

MOST_CALLS = 5000
MOST_ITEMS = 10_000
MODULE = "random_settings_module"
# What the build shows of the environment, and what only the pod has.
VARIABLES = {"FLAG": "true", "PORT": "6380"}
SECRETS = {"SECRET": "s3 %/"}
HEAD = """
from urllib.parse import quote
import collections, contextlib, copy, functools, itertools, json, operator, os, sys, types
this = sys.modules[__name__]
HOST = os.path.basename('/a/host')
YES, NO = os.path.exists('/'), os.path.exists('/none')
i, j, s, t, b = 1, 2, 'a', 'b/c,d', True
k, l, d, e, u, p = [1, 2], ['a'], {'a': 1}, {'sub': {'a': 1}, 'list': [1]}, {'a'}, (1, 'a')
x = y = None
def f(z=None, w=None):
    return z
g = lambda z=None, w=None: 1
"""
NAMES = ("i", "j", "s", "t", "b", "k", "l", "d", "e", "u", "p", "x", "y")
"""Those that are compared."""

EXPRESSIONS = r"""
I:   i   j
S:   s   t
L:   k   l
D:   d   e
X:   x   y
F:   f   g
Q:   'i'   's'   'l'   'd'   'x'   'none'
key:   'a'   'b'   'sub'   'list'
var:   'FLAG'   'PORT'   'SECRET'   'NONE'   'CELERY_BROKER_URL'
error:   KeyError   ValueError   (KeyError, IndexError)   TypeError   Exception
int:   0   1   2   7   $I   $I   $I   $int + $int   $int - $int   $int * $int   $int // $int   -$int   len($list)
    len($dict)   int('4')   int(os.environ.get('PORT', '1'))   sum($ints)   max($ints)   $int if $bool else $int
    $list.count($any)   ($I := $int)   $dict.get($key, $int)   $F($int)   $dict.pop($key, $int)   $int or $int
    functools.reduce(lambda n, m: n + m, $ints)   $ints[-1]   sum(1 for x in $few)   (lambda i: $int)($int)
    min($int, $int)   round(2.5)   $ints.pop()
ints:   [1, 2]   [3, 1]   [$int]   [n * 2 for n in $ints]   sorted($ints)   list(range(3))   [*$ints, $int]
bool:   True   False   b   not $bool   $int < $int   $int == $int   $str in $str   $key in $dict   $bool and $bool
    $bool or $bool   $any is None   isinstance($any, str)   $any in $list   YES   NO   $var in os.environ
    any($bool for x in $few)   all($list)   $L is $L   'i' in globals()   $int < $int <= $int   bool($any)
str:   'a'   ''   'x,y'   $S   $S   $str + $str   f'{$int}'   f'{$str}-{$int:03d}'   f'{$str!r}'   str($int)
    '%s-%d' % ($str, $int)   '{}/{}'.format($str, $int)   $str.upper()   quote($str)   f'{$str}{$str!s}:{$str:>3}'
    '%s%s' % ($str, $str)   '%(a)s' % {'a': $str}   '{a}{}'.format($str, a=$str)   '-'.join([$str, $str])
    $secret   $str.replace('a', 'bc')   $str[1:]
    $str.split(',')[0]   ','.join($texts)   os.environ.get($var, $str)   $str if $bool else $str   $str or $str
    os.environ.pop($var, $str)   HOST   ($S := $str)   $str.partition('/')[2]   ''.join(sorted($str))   str($any)
secret:   os.environ['SECRET']   os.environ.get('SECRET', $str)   $str + $secret   f'{$secret}.{$str}'   '%s' % $secret
few:   $list[:3]   $ints   (1, 2)
texts:   ['a', 'b']   $str.split(',')   list($dict)   [$str for x in $few]   sorted(u)   list(u)   map(str, $ints)
list:   []   $L   $L   $L   $ints   [$any, $any]   [*$list, $any]   $list + $list   $L[:]   list($list)
    list($dict.items())   list($dict.values())   list(zip($list, $list))   [$any for x in $few]   [[]] * 2
    [x for x in $few if $bool]   copy.copy($L)   copy.deepcopy($L)   $list or $list   $dict.setdefault('list', [])
    list(enumerate($list))   [$F($any) for x in $few]   (lambda: $L)()   [y := 1, y]   list(map($F, $few))
dict:   {}   $D   $D   $D   {'a': $any}   {$key: $any, 'b': $any}   {**$dict, $key: $any}   dict($D, a=$any)
    $D | $dict   {n: $any for n in $texts}   {n: m for n, m in $dict.items() if $bool}   $D.copy()
    copy.deepcopy($D)   dict(zip($texts, $list))   $dict.setdefault('sub', {})   {HOST: $any}   $dict or $dict
    json.loads('{"a": [1]}')   (lambda **more: more)(a=$any)   dict.fromkeys($texts, $any)   {'n': $D}
any:   $int   $str   $bool   $list   $dict   None   p   u   $X   $X   $F()   $F($any)   $dict[$key]   $list[0]
    $list[$int]   $dict.get($key)   $list.pop()   next(iter($list), None)   $any if $bool else $any   $any or $any
    $any and $any   ($X := $any)   globals().get($Q, $any)   getattr(this, 'x')   [$any, $any][$bool]
    (lambda *more: $any)($any)   $L.append   $D.update   lambda: $any   $D.items()   zip($list, $list)   range(3)
    this   max($list, $list, key=len)   {$any for x in $ints}   set($texts)
"""
"""What stands for what, three spaces apart: $int is any expression of a number, $I a name that holds one."""
STATEMENTS = r"""
$I = $int   $I = $int   $S = $str   $S = $str   $S = $secret   $S = $secret   $S += $secret   b = $bool
os.environ['CELERY_BROKER_URL'] = $secret   $L = $list   $L = $list   $D = $dict   $D = $dict
$X = $any   $X = $any   u = {$str}   p = ($any, $list)   $N = $X = $any   $I, $X = $int, $any   x, *l = $list
x, y = y, x   $I += $int   $S += $str   $L += $list   $L += ($any,)   $D |= $dict   u |= {$str}   $X += $any
p += ($any,)   $D[$key] = $any   $D[$any] = $any   $D['sub'][$key] = $any   $D[$key] += $any   del $D[$key]
$L[0] = $any   del $L[0]   $L[$ints.pop()] += $any   del $N   $D.update($dict)   $D.update(a=$any)   $D.clear()
$D.update(zip($texts, $list))   $D.setdefault('sub', {})[$key] = $any   $D.pop($key)   $L.append($any)
$L.extend($list)   $L.insert(0, $any)   $L.pop()   $L.remove($any)   $L.sort()   u.add($str)   u.pop()
list(map($L.append, $few))   functools.partial($L.append, $any)()   getattr($L, 'append')($any)
[$L.append(n) for n in $few]   any($D.update(a=n) for n in $ints)   operator.setitem($D, $key, $any)
($D if $bool else $D).update($dict)   $D.get($key, $L).append($any)   [$L, $list][$int].append($any)
$F = lambda z=None, w=None: $any   $F()   $X = $F($any)   $F($L)   $X = $F(w=$any)   list(map($F, $few))
globals()[$Q] = $any   globals().update(i=$int)   setattr(this, $Q, $any)   this.x = $any   vars()[$Q] = $any
exec('i = 5')   locals()[$S] = $any   globals().pop($Q, None)   os.environ[$var] = $str
os.environ.setdefault($var, $str)   del os.environ[$var]   os.environ.update({$var: $str})   assert $bool   pass
$any   print($any)
"""
BLOCKS = r"""
$X = $L.append
$X($any)

$X = $D.get
$D[$key] = $L
$X($key)

$D = {'l': $L}
$D['l'].append($any)

if $bool:
    $block

if $bool:
    $block
else:
    $block

if YES:
    $block

if NO:
    $block

for $X in $few:
    $block

for $I in $ints:
    $block

for $S, $X in list($dict.items()):
    $block

for $X in $L:
    if len($L) > 9:
        break
    $block

for $I in $ints:
    if $bool:
        break
    $block
else:
    $block

for $I in $ints:
    for $X in $few:
        if $bool:
            continue
        $block
    else:
        break

try:
    $block
except $error:
    $block

try:
    $X = $dict[$key]
except $error:
    $block
else:
    $block
finally:
    $block

try:
    $block
    raise KeyError
except KeyError:
    $block

try:
    $I = int($str)
except ValueError:
    $block

with contextlib.suppress($error):
    $block
    $block

match $any:
    case str():
        $block
    case [$X, *_]:
        $block
    case _:
        $block

def $F(z=None, w=None):
    $block
    return $any

def $F(z=None, w=None):
    if $bool:
        return $any
    $block
    return z

def $F(z=None, w=None):
    global $N
    $N = $any
    $block

def $F(z=None, w=[]):
    w.append(z)
    return w

def $F(*more, **named):
    $block
    return $any

def $F(z=None, w=None):
    n = 0
    def inner():
        nonlocal n
        n += 1
        return n
    return inner()

def $F(z=None, w=None):
    $block
    yield $any

def $F(z=None, w=None):
    try:
        $block
        return $any
    finally:
        $block

def made(function):
    function()
    return function
@made
def $F(z=None, w=None):
    $block

class C:
    a = $any
    def go(self):
        $block
        return $any
$X = C().go()

class C:
    $block

held = types.SimpleNamespace(a=$L)
held.a.append($any)

for $S in [$Q, $Q]:
    globals()[$S] = $any

from os import environ
$S = environ.get($var, $str)
"""
"""Statements of several lines: $block is others, and $N any name."""


def _forms() -> dict[str, list[str]]:
    forms: dict[str, list[str]] = {"N": [*NAMES]}
    for line in EXPRESSIONS.strip().replace("\n    ", "   ").split("\n"):
        kind, _, rest = line.partition(":   ")
        forms[kind] = rest.split("   ")
    forms["statement"] = [*STATEMENTS.strip().replace("\n", "   ").split("   "), *BLOCKS.strip().split("\n\n")]
    return forms


FORMS = _forms()
_PLACE = re.compile(r"\$(\w+)")


class _Writer:
    """Writes a random program; ``deepest`` says how far expressions go into each other."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - nothing secret
        self.deepest = self.random.choice((2, 2, 3))

    def written(self, kind: str, depth: int) -> str:
        """Return a text of ``kind``."""
        forms = FORMS[kind]
        if depth > self.deepest:
            forms = [form for form in forms if not any(name.islower() for name in _PLACE.findall(form))] or forms
        form = self.random.choice(forms)
        text = _PLACE.sub(lambda place: self.written(place[1], depth + 1), form)
        return f"({text})" if kind in ("int", "bool", "str", "list", "dict", "any") and " " in form else text

    def statement(self, depth: int = 0) -> str:
        """Return a statement with all that is in it."""
        forms = [form for form in FORMS["statement"] if depth < 2 or "$block" not in form]
        lines = self.random.choice(forms).split("\n")
        return "\n".join(self._line(line, depth) for line in lines)

    def _line(self, line: str, depth: int) -> str:
        before, block, _ = line.partition("$block")
        if block:
            inner = "\n".join(self.statement(depth + 1) for _ in range(self.random.choice((1, 1, 2))))
            return "\n".join(before + each for each in inner.split("\n"))
        return _PLACE.sub(lambda place: self.written(place[1], 1), line)


class _Container:
    def get(self, name: str) -> Known | Unknown | None:
        if name in SECRETS:
            parts = Parts([Unseen(secret="vault", key=name)])
            return Unknown(reason="it is secret", source=Source(field="env"), parts=parts)
        return Known(value=VARIABLES[name], source=Source(field="env")) if name in VARIABLES else None

    def module(self, _name: str) -> None:
        return None


class _Owner:
    ref = ResourceRef(kind="ConfigMap", name="settings")


def told(text: str) -> Scope:
    """Return what is told of a program that isn't run."""
    scope = Scope({}, {}, _Container(), module=MODULE, base="lms.envs.production")
    with contextlib.suppress(SettingsFailed):
        follow(scope, MountedFile(text=text, owner=_Owner(), key="settings.py"))  # type: ignore[arg-type]
    return scope


class EndlessError(BaseException):
    """A program calls more than it should."""


def run(statements: list[str]) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Return the names and the environment of a program once it was run; statements that fail are taken out of it.

    Raises EndlessError where it takes long.
    """
    while True:
        module = types.ModuleType(MODULE)
        with mock.patch.dict(os.environ, {**VARIABLES, **SECRETS}), mock.patch.dict(sys.modules, {MODULE: module}):
            os.environ.pop("CELERY_BROKER_URL", None)
            failing = next((number for number, text in enumerate(statements) if not _succeeds(text, module)), None)
            if failing is None:
                return vars(module), dict(os.environ)
        del statements[failing]


def _succeeds(statement: str, module: types.ModuleType) -> bool:
    calls = itertools.count()

    def note(*_: object) -> None:
        # A list that is doubled while a loop goes through it fills the memory in a few rounds.
        long = any(len(value) > MOST_ITEMS for value in vars(module).values() if isinstance(value, (list, str, tuple)))
        if long or next(calls) > MOST_CALLS:
            raise EndlessError

    # A generator that nobody ends is closed at any time, also once there were too many calls.
    with contextlib.redirect_stdout(io.StringIO()), mock.patch.object(sys, "unraisablehook", lambda _: None):
        sys.setprofile(note)
        try:
            exec(statement, vars(module))  # noqa: S102 - a program of these forms, which reads and writes nothing
        except Exception:
            return False
        finally:
            sys.setprofile(None)
    return True


def program(seed: int) -> list[str]:
    """Return the statements of a random program."""
    writer = _Writer(seed)
    return [HEAD, *(writer.statement() for _ in range(writer.random.choice((2, 4, 8))))]


def told_of(seed: int) -> list[tuple[Any, Source, Doubt | None]]:
    """Return what is told of each name of a random program, once statements that fail are taken out of it."""
    statements = program(seed)
    with contextlib.suppress(EndlessError):
        run(statements)
    scope = told("\n".join(statements))
    return [scope.read(name) for name in NAMES]


def wrong(seed: int) -> str:
    """Return what is told wrongly of a random program, and the program; empty where nothing is."""
    statements = program(seed)
    try:
        names, environment = run(statements)
    except EndlessError:
        return ""
    text = "\n".join(statements)
    scope = told(text)
    lines: list[str] = []
    for name in NAMES:
        value, _, doubt = scope.read(name)
        value = put_together(value)
        if doubt is None and doubt_in(value) is None and not same(value, names.get(name)):
            lines.append(f"{name} is {names.get(name)!r}, not {value!r}")
    for name in (*VARIABLES, "CELERY_BROKER_URL"):
        variable = scope.environment(name)
        known = environment.get(name)
        if isinstance(variable, Unknown) and variable.parts and not variable.may_be_unset:
            text = put_together(Partial("", 0, variable.parts))
            known = text if isinstance(text, str) else known
        elif not isinstance(variable, Unknown):
            known = None if variable is None else variable.value
        if known != environment.get(name):
            lines.append(f"{name} is {environment.get(name)!r} in the environment, not {known!r}")
    return "\n".join([f"# {seed}: {'; '.join(lines)}", *statements[1:]]) if lines else ""


def put_together(value: Any) -> Any:
    """Return the text that a value is when its secret parts are what only the pod has; any other as it is."""
    if not isinstance(value, Partial) or None in value.parts:
        return value
    texts = (SECRETS[part.key] if isinstance(part, Unseen) else str(part) for part in value.parts)
    return "".join(
        quote(text) if isinstance(part, Unseen) and part.is_quoted else text
        for part, text in zip(value.parts, texts, strict=True)
    )


def same(value: Any, real: Any) -> bool:
    """Tell whether a value is the real one, and of its type."""
    for kind in (dict, list, tuple, set, frozenset):
        if isinstance(value, kind) or isinstance(real, kind):
            is_same = isinstance(value, kind) and isinstance(real, kind) and len(value) == len(real)
            if kind is dict:
                return is_same and all(map(same, value.items(), real.items()))
            return is_same and (value == real if kind in (set, frozenset) else all(map(same, value, real)))
    return type(value) is type(real) and bool(value == real)


if __name__ == "__main__":
    count, first = (int(text) for text in (*sys.argv[1:], "0")[:2])
    found = [text for text in map(wrong, range(first, first + count)) if text]
    print("\n".join(found))
    sys.exit(bool(found))
