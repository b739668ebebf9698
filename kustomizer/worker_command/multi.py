"""Reads `celery multi start`, which starts several workers in the background: what they take, so that it is known.

The arguments are read as Celery reads them (celery/apps/multi.py): ``-Q:1-2 images`` is for the first two nodes, and a
long option takes its value behind ``=`` alone.
"""

from __future__ import annotations

from kustomizer.manifests.digits import whole_number
from kustomizer.record import Record
from kustomizer.worker_command.options import commands_of_celery, list_words, read_all
from kustomizer.worker_command.shell_words import Unreadable, read_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kustomizer.worker_command.options import Item

REASON = "`celery multi` starts its workers in the background, where Kubernetes neither sees nor stops them"
# stopwait and its like start none.
_STARTS = (["multi", "start"], ["multi", "restart"])
_QUEUES = ("-Q", "--queues")
_ENDS = ";&|()\n"


class Several(Record):
    """What several workers have in common, and the queues that all of them take together."""

    items: tuple[Item, ...]
    doubt: str
    """Why it isn't known which queues they take, empty where it is."""


class _Workers(Record):
    """The workers of one `celery multi`: options of all of them, and the queues that each names."""

    options: tuple[str, ...]
    queues: tuple[str | None, ...]


def find_multi(tokens: Sequence[str], script: int | None) -> Several | None:
    """Return what `celery multi` starts, None where it starts nothing; ``script`` is a shell string's index."""
    commands = [tokens] if script is None else _commands(tokens[script])
    started = [_workers(after) for command in commands if (after := _started(command)) is not None]
    if not started:
        return None
    queues = [queues for workers in started for queues in workers.queues]
    named = [names for names in queues if names is not None]
    options = list(started[0].options) if len(started) == 1 else []
    if len(named) == len(queues):
        options.append(f"--queues={','.join(dict.fromkeys(','.join(named).split(',')))}")
    doubt = ""
    if script is not None and any("$" in names for names in named):
        doubt = "a shell makes what stands behind a $ in the queues of `celery multi`"
    elif 0 < len(named) < len(queues):
        doubt = "some of the workers that `celery multi` starts name their queues, and others don't"
    return Several(items=read_all(list_words(options)), doubt=doubt)


def _started(tokens: Sequence[str]) -> Sequence[str] | None:
    """Return what stands behind ``celery … multi start``, None where nothing is started."""
    for index in commands_of_celery(tokens):
        if [*tokens[index : index + 2]] in _STARTS:
            return tokens[index + 2 :]
    return None


def _workers(args: Sequence[str]) -> _Workers:
    common: dict[str, str | None] = {}
    own: dict[str, dict[str, str | None]] = {}
    nodes: list[str] = []
    index = 0
    while index < len(args) and args[index] != "--":
        name, value = args[index], None
        if name.startswith("--"):
            name, has_value, text = name.partition("=")
            value = text if has_value else None
        elif name.startswith("-"):
            if index + 1 < len(args) and not args[index + 1].startswith("-"):
                index += 1
                value = args[index]
        else:
            nodes.append(name)
        if name.startswith("-"):
            name, _, whose = name.partition(":")
            (own.setdefault(whose, {}) if whose else common)[name] = value
        index += 1
    count = whole_number(nodes[0]) if len(nodes) == 1 else None
    names = nodes if count is None else [str(number) for number in range(1, min(count, 99) + 1)]
    queues = []
    for number, node in enumerate(names, start=1):
        options = dict(common)
        for whose, theirs in own.items():
            if node in whose.split(",") or str(number) in _numbers(whose):
                options |= theirs
        given = [options[name] for name in options if name in _QUEUES]
        queues.append(given[-1] if given else None)
    differing = {*_QUEUES, *(name for theirs in own.values() for name in theirs)}
    shared = [(name, value) for name, value in common.items() if name not in differing]
    words = (word for name, value in shared for word in _written(name, value))
    return _Workers(options=tuple(words), queues=tuple(queues))


def _written(name: str, value: str | None) -> tuple[str, ...]:
    if value is None:
        return (name,)
    return (f"{name}={value}",) if name.startswith("--") else (name, value)


def _numbers(text: str) -> set[str]:
    """Return the numbers of nodes in ``1-3,5``."""
    numbers: set[str] = set()
    for part in text.split(","):
        first, last = (whole_number(end) for end in part.partition("-")[::2])
        if first is not None and last is not None:
            numbers |= {str(number) for number in range(first, min(last, 99) + 1)}
        else:
            numbers.add(part)
    return numbers


def _commands(script: str) -> Iterator[Sequence[str]]:
    """Yield the commands of a script; of one that can't be read, as far as plain words go."""
    try:
        commands: list[Sequence[str]] = [command.texts for command in read_script(script)]
    except Unreadable:
        commands = _plain_commands(script)
    return (command for command in commands if command and command[0] not in ("echo", "printf"))


def _plain_commands(script: str) -> list[Sequence[str]]:
    import shlex  # noqa: PLC0415 - hardly any script needs it

    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars=_ENDS)
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word.strip(_ENDS):
                commands[-1].append(word)
            else:
                commands.append([])
    except ValueError:
        # A quote that isn't closed: what stands before it was read.
        pass
    return [*commands]
