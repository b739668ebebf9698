"""Finds the Celery worker that a container's ``command`` and ``args`` start."""

from __future__ import annotations

from kustomizer.worker_command.command_line import CommandLine, Script, hides_options
from kustomizer.worker_command.options import Word, commands_of_celery, list_words, read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
# fmt: off
OTHER_COMMANDS = frozenset({
    "amqp", "beat", "call", "control", "events", "flower", "graph", "inspect", "list", "logtool", "migrate", "multi",
    "purge", "report", "result", "shell", "status", "upgrade",
})
# fmt: on
_SEVERAL = "`celery multi` starts its workers in the background, where Kubernetes neither sees nor stops them"
_HANDED_ON = "the shell string does more with its arguments than run them at its end"
_NO_WORD = str.maketrans(dict.fromkeys(";&|()'\"\\", " "))
"""Characters that may be next to a word of a script."""

_found: dict[tuple[tuple[str, ...] | None, tuple[str, ...] | None], CommandLine | None] = {}
"""The workers that were found, by the words of ``command`` and ``args``: a comparison asks several times for each."""
_MOST_FOUND = 4000


def find_worker(command: Sequence[str] | None, args: Sequence[str] | None) -> CommandLine | None:
    """Return the Celery worker that a container with this ``command`` and these ``args`` runs, None if it runs none."""
    key = (None if command is None else tuple(command), None if args is None else tuple(args))
    if key not in _found:
        if len(_found) >= _MOST_FOUND:
            _found.clear()
        _found[key] = _find_worker(*key)
    return _found[key]


def _find_worker(command: tuple[str, ...] | None, args: tuple[str, ...] | None) -> CommandLine | None:
    tokens = [*(command or ()), *(args or ())]
    line = CommandLine(command=command, args=args)
    worker = _worker_index(tokens)
    script = _script_index(tokens)
    if worker is None and _starts_several(tokens):
        return line.replace(uneditable=_SEVERAL)
    if script is not None and (worker is None or script < worker):
        from kustomizer.worker_command.shell_words import hands_on, may_run_arguments  # noqa: PLC0415 - only a shell string needs it

        first = hands_on(tokens[script]) if worker is not None else None
        # What comes first behind the script is its $0.
        is_run = first is not None and (first == 0 or not tokens[script + 1].endswith("celery"))
        found = None if is_run else _find_in_script(line.replace(place=script), tokens[script])
        if worker is None or found is not None or not (is_run or may_run_arguments(tokens[script])):
            return found
        line = line.replace(wrapper=tokens[script], uneditable="" if is_run else _HANDED_ON)
    if worker is None:
        return None
    split = len(command or ())
    words = list_words(tokens[worker + 1 :])
    in_command = max(split - worker - 1, 0)
    words[in_command:] = [word.replace(in_args=True) for word in words[in_command:]]
    return _with_words(line.replace(place=worker), words)


def _worker_index(tokens: Sequence[str]) -> int | None:
    """Return the index of ``worker`` after a ``celery`` and its own options."""
    for index in commands_of_celery(tokens):
        if index < len(tokens) and tokens[index] == "worker":
            return index
        if index < len(tokens) and tokens[index] in OTHER_COMMANDS:
            return None
        # This celery was something else, a user's name say: `gosu celery celery worker`.
    return None


def _starts_several(tokens: Sequence[str]) -> bool:
    """Tell whether `celery multi` starts workers, in a script, too; stopwait and its like start none."""
    if not any("multi" in token for token in tokens):
        return False
    words = " ".join(tokens).translate(_NO_WORD).split()
    starts = (["multi", "start"], ["multi", "restart"])
    return any(words[index : index + 2] in starts for index in commands_of_celery(words))


def _script_index(tokens: Sequence[str]) -> int | None:
    """Return the index of the script of a ``sh -c``: the first argument after the shell's options."""
    for start, token in enumerate(tokens):
        if token.rsplit("/", 1)[-1] not in SHELLS:
            continue
        has_script = False
        index = start + 1
        while index < len(tokens) and tokens[index][:1] in ("-", "+"):
            letters = "" if tokens[index].startswith("--") else tokens[index][1:]
            has_script = has_script or "c" in letters
            index += 2 if "o" in letters or "O" in letters else 1
        if has_script and index < len(tokens):
            return index
    return None


def _find_in_script(line: CommandLine, script: str) -> CommandLine | None:
    if "celery" not in script or "worker" not in script:
        return None
    from kustomizer.worker_command.shell_words import Unreadable, read_script  # noqa: PLC0415 - only a shell string needs it

    try:
        commands = read_script(script)
    except Unreadable as reason:
        return line.replace(uneditable=str(reason))
    if any(_holds_script(command.texts) for command in commands):
        return line.replace(uneditable="the shell string holds another one that names celery")
    # Whatever starts it (`exec`, `gosu`), a program called celery gets arguments.
    running = [
        command for command in commands if any(text.rsplit("/", 1)[-1] == "celery" for text in command.texts[:-1])
    ]
    workers = [(command, index) for command in running if (index := _worker_index(command.texts)) is not None]
    if not workers:
        return None
    if len(running) > 1:
        return line.replace(uneditable="the shell string runs celery more than once")
    command, index = workers[0]
    place = Script(head=script[: command.ends[index]], tail=script[command.ends[-1] :])
    line = _with_words(line.replace(script=place), command.words[index + 1 :])
    if line.has("--beat"):
        return line.replace(uneditable="the worker in the shell string runs beat, too")
    return line


def _holds_script(texts: Sequence[str]) -> bool:
    """Tell whether a command may run a celery command that is in one of its words: ``bash -c``, ``eval``."""
    before = texts[: _worker_index(texts)]
    return texts[0] not in ("echo", "printf") and any("celery" in text and " " in text for text in before)


def _with_words(line: CommandLine, words: Sequence[Word]) -> CommandLine:
    line = line.replace(items=read_all(words))
    for item in line.items:
        if item.trouble == "no value":
            return line.replace(uneditable=f"{item.spelling} at the end has no value")
        if hides_options(item):
            return line.replace(uneditable=f"{item.words[0].text} may hold options that can't be seen in it")
    return line
