"""A worker's command line: reads its options, and edits them.

An edit keeps everything else: the same strings, the same split between ``command`` and ``args``, and in
``sh -c "celery … worker …"`` the same text around the option that changed. ``extra_args`` checks the options that a
site sets itself.
"""

from __future__ import annotations

from kustomizer.record import Record
from kustomizer.worker_command.options import RIVALS, SPELLINGS, Item, Setting, Word, list_words, read, read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.worker_command.options import Option


def names_host(hostname: str | None) -> bool:
    """Tell whether a node's name has the pod's in it; a variable may hold it, and nothing behind the @ means it.

    ``--hostname`` writes the name of a worker among Celery's nodes (celery/utils/nodenames.py).
    """
    name = hostname or "%h"
    return any(mark in name for mark in ("%h", "%n", "$")) or name.endswith("@")


def split_queues(value: str) -> tuple[str, ...]:
    """Return the queues of a ``--queues`` value as Celery reads it: with blanks and empty names."""
    return tuple(value.split(","))


class Script(Record):
    """A shell string around the worker's options: the text before and after them."""

    head: str
    tail: str


class CommandLine(Record):
    """A worker's command line. Methods take the option names of ``options.OPTIONS``, and raise KeyError for others."""

    command: tuple[str, ...] | None
    args: tuple[str, ...] | None
    items: tuple[Item, ...] = ()
    """The options and arguments after ``worker``."""
    place: int = 0
    """The index of ``worker``, or of the shell string, in command and args put together."""
    script: Script | None = None
    wrapper: str = ""
    """What a shell runs before it hands these words on (``exec "$@"``)."""
    uneditable: str = ""
    """Why the line can't be edited, for a message. ``items`` may then be incomplete, and edits raise ValueError."""

    @property
    def doubt(self) -> str:
        """Why it isn't known which queues it names, empty where it is."""
        # What stands in it in plain words is meant.
        hides_them = self.queues is None and any(hides_options(item) for item in self.items)
        return self.uneditable if hides_them or not self.items else ""

    def option(self, name: str) -> str | None:
        """Return the option's last value, which counts; None without the option, and for a flag."""
        settings = self._find(name)
        return settings[-1].value if settings else None

    def has(self, name: str) -> bool:
        """Tell whether the option or flag is given."""
        return bool(self._find(name))

    @property
    def queues(self) -> tuple[str, ...] | None:
        """The queues that the worker consumes; None when it consumes whatever its settings define."""
        value = self.option("--queues")
        return None if value is None else split_queues(value)

    @property
    def excluded_queues(self) -> tuple[str, ...] | None:
        """The queues of the settings that the worker doesn't consume; None without the option."""
        value = self.option("--exclude-queues")
        return None if value is None else split_queues(value)

    @property
    def hostname(self) -> str | None:
        """The node name as it is written, with ``%h`` for the pod's name."""
        return self.option("--hostname")

    @property
    def names_host(self) -> bool:
        """Whether the node's name has the pod's in it."""
        return names_host(self.hostname)

    def hostname_for(self, name: str) -> str:
        """Return a node name for ``name`` that ends in the host like this worker's, ``.%h`` or ``@%h``.

        Tutor 16 and 17 write ``%%h``, for which Celery puts a stray percent sign before the host
        (``celery@edx.lms.core.default.%lms-worker-…``): it becomes ``%h`` here.
        """
        hostname = self.hostname or ""
        starts = [index for index in (hostname.find("%"), hostname.find("$")) if index > 0]
        if not starts or not self.names_host:
            return f"{name}@%h"
        start = min(starts)
        separator = "@" if hostname[start - 1].isalnum() else hostname[start - 1]
        return name + separator + hostname[start:].replace("%%", "%")

    def with_option(self, name: str, value: str | None = None) -> CommandLine:
        """Set the option once, as ``--name=value``: where it first stood, or after the others. Flags have no value.

        ``--concurrency`` removes an inherited ``--autoscale``, and the other way round: with both, Celery looks at
        ``--autoscale`` alone.
        """
        self._check_editable()
        option = SPELLINGS[name]
        if option.is_flag != (value is None):
            raise ValueError(f"{name}={value}: {name} is {'a flag' if option.is_flag else 'not a flag'}")
        base = self.without_option(RIVALS[option.name]) if option.name in RIVALS else self
        items: list[Item] = []
        placed = False
        for item in base.items:
            rest = item.without(option.name)
            if rest is not None:
                items.append(rest)
            if rest is not item and not placed:
                items.append(base._written(option, value, item, behind=rest))
                placed = True
        if not placed:
            end = len(items) - (1 if items and items[-1].spelling == "--" else 0)
            items.insert(end, base._written(option, value, None, before=items[end] if end < len(items) else None))
        return base._with_items(tuple(items))

    def without_option(self, name: str) -> CommandLine:
        """Remove every occurrence of the option, with its values."""
        self._check_editable()
        left = (item.without(SPELLINGS[name].name) for item in self.items)
        return self._with_items(tuple(item for item in left if item is not None))

    def with_extra(self, args: Sequence[str]) -> CommandLine:
        """Set the options of extraArgs; each replaces the inherited option of the same meaning.

        Raises ValueError for arguments that ``check_extra_args`` refuses.
        """
        result = self
        for item in read_all(list_words(args)):
            if item.trouble:
                raise ValueError(f"extraArgs: {item.spelling}: {item.trouble}")
            for setting in item.settings:
                result = result.with_option(setting.option.name, setting.value)
        return result

    def _find(self, name: str) -> list[Setting]:
        option = SPELLINGS[name]
        return [setting for item in self.items for setting in item.settings if setting.option is option]

    def _check_editable(self) -> None:
        if self.uneditable:
            raise ValueError(self.uneditable)

    def _written(
        self,
        option: Option,
        value: str | None,
        old: Item | None,
        *,
        behind: Item | None = None,
        before: Item | None = None,
    ) -> Item:
        """Return the option as one word: instead of ``old``, ``behind`` the rest of it, ``before`` an item, or last."""
        text = option.write(value)
        if old is not None and [word.text for word in old.words] == [text]:
            return old
        neighbour = old or before
        if behind is not None:
            # The remaining letters may be in command and their value in args.
            like = behind.words[-1]
        elif neighbour is not None:
            like = neighbour.words[0]
        else:
            gap = self.items[-1].words[0].gap if self.items else " "
            raw = "" if self.script is None else "''"
            like = Word(text="", raw=raw, gap=gap, in_args=self.script is None and self.args is not None)
        expands = old is not None and any(word.expands for word in old.words)
        return read([like.rewritten(text, expands=expands)])

    def _with_items(self, items: tuple[Item, ...]) -> CommandLine:
        words = [word for item in items for word in item.words]
        in_command = len(self.command or ())
        before = (*(self.command or ()), *(self.args or ()))
        if self.script is not None:
            text = "".join((self.script.head, *(word.gap + word.raw for word in words), self.script.tail))
            tokens = (*before[: self.place], text, *before[self.place + 1 :])
        else:
            in_command = min(in_command, self.place + 1) + sum(not word.in_args for word in words)
            tokens = (*before[: self.place + 1], *(word.text for word in words))
        command = None if self.command is None else tokens[:in_command]
        args = None if self.args is None else tokens[in_command:]
        return self.replace(command=command, args=args, items=items)


def hides_options(item: Item) -> bool:
    """Tell whether an argument may hold options that only a shell or the kubelet puts there."""
    return item.trouble in ("positional", "unknown") and item.words[0].expands
