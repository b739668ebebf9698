"""The options of ``celery worker``: their table, how click reads them, and which of them a site may set itself.

The table is what ``celery.bin.worker.worker.params`` holds in Celery 5.2 to 5.7; a test compares it with the installed
Celery. Click knows no abbreviations (``--queue``), reads ``-QA`` and ``-EQA`` as optparse does, and takes
the next word as an option's value even if it begins with ``--`` (``click.parser._OptionParser``).
"""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Option(Record):
    """One option.

    The first of the ``spellings`` is a long one and its name here, the last is the short one if there is one. ``kind``
    is ``flag`` (takes no value), ``text``, ``integer``, ``number``, ``choice``, ``queues`` (comma-separated),
    ``autoscale`` or ``concurrency`` (a number, or from Celery 5.7 on ``auto``).
    """

    spellings: tuple[str, ...]
    kind: str = "text"
    choices: tuple[str, ...] = ()
    since: str = ""
    """The Celery version that brought it; empty for the options that 5.2 has."""
    before_worker: bool = False
    """An option of ``celery`` itself, which comes before ``worker``."""
    reserved: tuple[str, str] | None = None
    """Why a site can't set it in extraArgs, and what to do instead."""

    @property
    def name(self) -> str:
        """The long spelling that names the option."""
        return self.spellings[0]

    @property
    def is_flag(self) -> bool:
        """Whether the option takes no value."""
        return self.kind == "flag"

    def write(self, value: str | None) -> str:
        """Return the option as one argument, in its long spelling.

        All versions know the long spellings, except for ``--optimization``, which came with Celery 5.3: ``-O`` is
        written. Celery patches the standard library in time for ``--pool=gevent`` or ``-P gevent``, not ``-Pgevent``:
        https://github.com/celery/celery/blob/v5.6.0/celery/__init__.py#L88
        """
        if value is None:
            return self.name
        if self.name == "--optimization" and value:
            return f"-O{value}"
        return f"{self.name}={value}"


_RESERVED = {
    "--hostname": ("the node is named after the worker, so that no two workers have one name", "Remove it"),
    "--detach": (
        "the container would end as soon as the worker went to the background",
        "Remove it; Kubernetes keeps the worker running",
    ),
    "--purge": (
        "every pod that starts would delete the tasks that wait on its queues",
        "Remove it; `celery purge` empties a queue once",
    ),
    "--queues": ("what a worker consumes is stated in one place", "Set `queues` of the worker instead"),
    "--exclude-queues": ("a worker consumes its `queues` and no others", "Set `queues` of the worker instead"),
    "--beat": (
        "every copy would run its own scheduler, and each periodic task would be sent several times",
        "Remove it; run `celery beat` in a Deployment of its own, with one replica",
    ),
    "--help": ("Celery prints its help and ends", "Remove it"),
}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "FATAL")
_POOLS = ("prefork", "eventlet", "gevent", "solo", "processes", "threads", "custom")
_MISPLACED = ("it is an option of `celery` itself, not of its worker", "Remove it")


def _worker(*spellings: str, kind: str = "text", choices: tuple[str, ...] = (), since: str = "") -> Option:
    reserved = _RESERVED.get(spellings[0])
    return Option(spellings=spellings, kind=kind, choices=choices, since=since, reserved=reserved)


def _celery(*spellings: str, kind: str = "text", since: str = "") -> Option:
    return Option(spellings=spellings, kind=kind, since=since, before_worker=True, reserved=_MISPLACED)


OPTIONS: tuple[Option, ...] = (
    _worker("--hostname", "-n"),
    _worker("--detach", "-D", kind="flag"),
    _worker("--statedb", "-S"),
    _worker("--loglevel", "-l", kind="choice", choices=_LEVELS),
    _worker("--optimization", "-O", kind="choice", choices=("default", "fair")),
    _worker("--prefetch-multiplier", kind="integer"),
    _worker("--disable-prefetch", kind="flag", since="5.6"),
    _worker("--concurrency", "-c", kind="concurrency"),
    _worker("--pool", "-P", kind="choice", choices=_POOLS),
    _worker("--pool-start-method", kind="choice", choices=("fork", "spawn"), since="5.7"),
    _worker("--task-events", "--events", "-E", kind="flag"),
    _worker("--time-limit", kind="number"),
    _worker("--soft-time-limit", kind="number"),
    _worker("--max-tasks-per-child", kind="integer"),
    _worker("--max-memory-per-child", kind="integer"),
    _worker("--purge", "--discard", kind="flag"),
    _worker("--queues", "-Q", kind="queues"),
    _worker("--exclude-queues", "-X", kind="queues"),
    _worker("--include", "-I", kind="queues"),
    _worker("--without-gossip", kind="flag"),
    _worker("--without-mingle", kind="flag"),
    _worker("--without-heartbeat", kind="flag"),
    _worker("--heartbeat-interval", kind="integer"),
    _worker("--autoscale", kind="autoscale"),
    _worker("--beat", "-B", kind="flag"),
    _worker("--schedule-filename", "--schedule", "-s"),
    _worker("--scheduler"),
    _worker("--logfile", "-f"),
    _worker("--pidfile"),
    _worker("--uid"),
    _worker("--gid"),
    _worker("--umask"),
    _worker("--executable"),
    _worker("--help", kind="flag"),
    _celery("--app", "-A"),
    _celery("--broker", "-b"),
    _celery("--result-backend"),
    _celery("--loader"),
    _celery("--config"),
    _celery("--workdir"),
    _celery("--no-color", "-C", kind="flag"),
    _celery("--quiet", "-q", kind="flag"),
    _celery("--version", kind="flag"),
    _celery("--skip-checks", kind="flag", since="5.3"),
)
SPELLINGS: dict[str, Option] = {spelling: option for option in OPTIONS for spelling in option.spellings}

RIVALS = {"--concurrency": "--autoscale", "--autoscale": "--concurrency"}
"""With ``--autoscale`` Celery ignores ``--concurrency`` (``celery/worker/components.py``, ``Pool``)."""


class Word(Record):
    """One argument. In a shell string, ``raw`` is how it is written and ``gap`` the blanks before it."""

    text: str
    raw: str = ""
    gap: str = " "
    in_args: bool = False
    expands: bool = False
    """Whether the kubelet (``$(VAR)``) or a shell (``$VAR``) replaces a part of it."""

    def rewritten(self, text: str, *, expands: bool) -> Word:
        """Return the word with another text in the same place."""
        if not self.raw:
            return self.replace(text=text, expands=expands)
        return self.replace(text=text, raw=_quoted(text, expands=expands), expands=expands)


def _quoted(text: str, *, expands: bool) -> str:
    """Write ``text`` as one word of a shell string; with ``expands``, the variables in it stay variables."""
    import shlex  # noqa: PLC0415 - only a shell string needs it

    if not expands or "$" not in text:
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    return f'"{escaped}"'


class Setting(Record):
    """An option that is set, with its value; flags have none."""

    option: Option
    value: str | None = None


class Item(Record):
    """Words that belong together: an option and its value, a cluster of short options, or another argument."""

    words: tuple[Word, ...]
    settings: tuple[Setting, ...] = ()
    trouble: str = ""
    """Why click refuses it: ``positional``, ``unknown``, ``no value``, ``no flag value``."""
    spelling: str = ""
    """The option as it was spelled; the refused one if there is trouble."""

    def without(self, *names: str) -> Item | None:
        """Return the item without these options; None if nothing is left."""
        left = tuple(setting for setting in self.settings if setting.option.name not in names)
        if len(left) == len(self.settings):
            return self
        if not left:
            return None
        first, *separate = self.words
        letters = "".join(setting.option.spellings[-1][1:] for setting in left)
        value = left[-1].value
        if value is None:
            separate = []
        elif not separate:
            letters += value
        return read([first.rewritten("-" + letters, expands=first.expands and value is not None), *separate])


def read(words: Sequence[Word], start: int = 0) -> Item:
    """Read the option, with its value, or the argument that begins at ``words[start]``."""
    word = words[start]
    name, has_value, value = word.text.partition("=")
    option = SPELLINGS.get(name) if name.startswith("--") else None
    if option is not None:
        if option.is_flag:
            setting = Setting(option=option)
            return Item(words=(word,), settings=(setting,), trouble="no flag value" if has_value else "", spelling=name)
        if has_value:
            return Item(words=(word,), settings=(Setting(option=option, value=value),), spelling=name)
        return _with_next(words, start, (), option, name)
    if word.text.startswith("--") or word.text == "-" or not word.text.startswith("-"):
        is_option = word.text.startswith("--") and word.text != "--"
        return Item(words=(word,), trouble="unknown" if is_option else "positional", spelling=name)
    return _cluster(words, start)


def _cluster(words: Sequence[Word], start: int) -> Item:
    """Read ``-E``, ``-QA``, ``-EQA`` or ``-EQ A``: flags, then at most one option with the rest as its value."""
    word = words[start]
    flags: list[Setting] = []
    for position, letter in enumerate(word.text[1:], start=2):
        option = SPELLINGS.get("-" + letter)
        if option is None:
            return Item(words=(word,), trouble="unknown", spelling="-" + letter)
        if option.is_flag:
            flags.append(Setting(option=option))
        elif position < len(word.text):
            setting = Setting(option=option, value=word.text[position:])
            return Item(words=(word,), settings=(*flags, setting), spelling="-" + letter)
        else:
            return _with_next(words, start, tuple(flags), option, "-" + letter)
    return Item(words=(word,), settings=tuple(flags), spelling=word.text[:2])


def _with_next(words: Sequence[Word], start: int, flags: tuple[Setting, ...], option: Option, spelling: str) -> Item:
    if start + 1 == len(words):
        return Item(words=(words[start],), settings=flags, trouble="no value", spelling=spelling)
    setting = Setting(option=option, value=words[start + 1].text)
    return Item(words=tuple(words[start : start + 2]), settings=(*flags, setting), spelling=spelling)


def read_all(words: Sequence[Word]) -> tuple[Item, ...]:
    """Read the words after ``worker``; ``--`` and everything behind it is one last item."""
    items: list[Item] = []
    index = 0
    while index < len(words):
        if words[index].text == "--":
            items.append(Item(words=tuple(words[index:]), trouble="positional", spelling="--"))
            break
        items.append(read(words, index))
        index += len(items[-1].words)
    return tuple(items)


def commands_of_celery(tokens: Sequence[str]) -> Iterator[int]:
    """Yield the index of the token after each ``celery`` and its own options; it may be the end of ``tokens``."""
    words = list_words(tokens)
    # A celery may be the value of another one's option: what stands behind that was read already.
    ends: dict[int, int] = {}
    for start, token in enumerate(tokens):
        if token.rsplit("/", 1)[-1] != "celery":
            continue
        index, passed = start + 1, []
        while index not in ends and index < len(words) and words[index].text.startswith("-"):
            passed.append(index)
            index += 1 if words[index].text == "--" else len(read(words, index).words)
        end = ends.get(index, index)
        ends.update(dict.fromkeys(passed, end))
        yield end


def list_words(tokens: Sequence[str]) -> list[Word]:
    """Return the words of a ``command`` or ``args`` list, in which the kubelet expands ``$(VAR)``."""
    return [Word(text=token, expands="$(" in token) for token in tokens]
