"""Reads the commands of a shell string word by word, so that one option in it can be edited.

It reads what plugins write: plain commands in a row (``source /env; exec celery …``), quotes and variables. What else
there is (pipes, redirections, loops, commands in the background) may stand in commands before these, which are left as
they are; where it isn't known to end before, it is refused by name. ``shlex`` can't be used: it drops the quotes, and
takes ``;`` for a part of a word.
"""

from __future__ import annotations

import re

from kustomizer.record import Record
from kustomizer.worker_command.options import Word

_VARIABLE = r"\$(?:[\w@*#?]|\{[^{}'\"`$\\]+\}|\(\w+\))"
_PIECE = (
    r"'(?P<single>[^']*)'"
    rf"|\"(?P<double>(?:[^\"\\`$]|\\[\s\S]|{_VARIABLE})*)\""
    r"|\\(?P<escaped>[^\n])"
    rf"|(?P<plain>[^ \t\n'\"\\`$;&|()<>{{}}]|{_VARIABLE})"
)
# The alternatives start with different characters, so that no text takes more than linear time.
_TOKEN = re.compile(
    r"(?P<gap>(?:[ \t]|\\\n)*)"
    rf"(?:(?P<comment>#[^\n]*)|(?P<word>(?:{_PIECE})+)|(?P<end>&&|\|\||[;\n])|(?P<odd>[\s\S])|$)"
)
_PIECES = re.compile(_PIECE)
_ODD = {
    "&": "a command in the background",
    "|": "a pipe",
    "<": "a redirection",
    ">": "a redirection",
    "(": "a group of commands",
    ")": "a group of commands",
    "{": "braces",
    "}": "braces",
    "'": "a quote that isn't closed",
    '"': "a quote that isn't closed, or that holds more than plain variables",
    "`": "a command in backticks",
    "$": "more than a plain variable behind a $",
    "\\": "a backslash at the end",
}
_ENDS = str.maketrans(dict.fromkeys("&|\n", ";"))
# fmt: off
_KEYWORDS = frozenset({
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "select", "then", "until",
    "while",
})
# fmt: on
_OPENING = frozenset({"case", "for", "if", "select", "until", "while"})
_CLOSING = frozenset({"done", "esac", "fi"})
# Behind them nobody knows where a command begins.
_ENDLESS = frozenset("'\"`\\")


class ShellCommand(Record):
    """One command; ``ends`` has the index behind each word in the shell string."""

    words: tuple[Word, ...]
    ends: tuple[int, ...]

    @property
    def texts(self) -> list[str]:
        """What the shell makes of the words."""
        return [word.text for word in self.words]


class Unreadable(Exception):  # noqa: N818 - says what is in the way, not that something failed
    """The shell string holds what this module doesn't read."""


def read_script(script: str) -> list[ShellCommand]:
    """Return the commands of a shell string in their order. Raises Unreadable, which says what can't be read.

    What can't be read before the last commands, a loop that waits for a database say, is one command of one word, whose
    text is what may run something that these words name.
    """
    try:
        return _commands(script)
    except Unreadable:
        start = _after_unreadable(script)
        commands = _commands(script, start) if start else []
        if not commands:
            raise
        before = Word(text=" ".join(_heeded(script, start)), raw=script[:start])
        return [ShellCommand(words=(before,), ends=(start,)), *commands]


def _commands(script: str, start: int = 0) -> list[ShellCommand]:
    commands: list[ShellCommand] = []
    words: list[Word] = []
    ends: list[int] = []
    for token in _TOKEN.finditer(script, start):
        if token["odd"]:
            raise Unreadable(f"the shell string holds {_ODD[token['odd']]}")
        if token["gap"] and words and ends[-1] == token.start() and not token["gap"].strip("\\\n"):
            raise Unreadable("the shell string holds a word that goes on in the next line")
        if token["word"]:
            words.append(_word(token["word"], token["gap"]))
            ends.append(token.end())
        elif words and not token["comment"]:
            if words[0].raw in _KEYWORDS:
                raise Unreadable(f"the shell string holds a shell's {words[0].raw!r}")
            commands.append(ShellCommand(words=tuple(words), ends=tuple(ends)))
            words, ends = [], []
    return commands


def _heeded(script: str, end: int) -> list[str]:
    """Return the words before ``end``, without comments and what is only printed."""
    heeded: list[str] = []
    words: list[str] = []
    for token in _TOKEN.finditer(script, 0, end):
        if token["word"]:
            words.append(_word(token["word"], "").text)
        elif token["odd"] or token["end"]:
            first = next((word for word in words if word not in _KEYWORDS), "")
            # What is printed into a pipe or a file may be run.
            heeded += words if token["odd"] or first not in ("echo", "printf") else ()
            words = []
    return heeded


def _after_unreadable(script: str) -> int:
    """Return where a command begins behind the last one that isn't read; 0 where that can't be told."""
    start, depth = 0, 0
    is_odd, begins = False, True
    for token in _TOKEN.finditer(script):
        odd, word = token["odd"], token["word"]
        if odd in _ENDLESS or (odd == "<" and script.startswith("<<", token.end() - 1)):
            return 0
        if odd:
            depth += (odd in "({") - (odd in ")}")
            is_odd, begins = True, odd in "|&({"
        elif word:
            is_keyword = begins and word in _KEYWORDS
            depth += (is_keyword and word in _OPENING) - (is_keyword and word in _CLOSING)
            is_odd, begins = is_odd or is_keyword, is_keyword
        elif token["end"]:
            if depth == 0 and is_odd:
                start, is_odd = token.end(), False
            begins = True
        if depth < 0:
            return 0
    return start


def starters(script: str) -> list[str]:
    """Return the words before ``celery``, or before what is handed on, in a script's last command: what starts it."""
    try:
        words = [command.texts for command in read_script(f"{script}\n")][-1]
    except Unreadable:
        words = _last_words(script)
    end = next((index for index, word in enumerate(words) if word.rpartition("/")[2] == "celery" or "$@" in word), 0)
    # A script's name that is handed on, "$0", is celery itself.
    named = [i for i, word in enumerate(words[:end]) if word.strip('"') not in ("exec", "$0") and "=" not in word]
    return words[named[0] : end] if named else []


def _last_words(script: str) -> list[str]:
    return script.translate(_ENDS).rstrip("; ").rpartition(";")[2].split()


def hands_on(script: str) -> int | None:
    """Return the first of a script's own arguments that it runs at its end, counted from its name; None without any.

    ``exec "$@"`` begins with the second one, ``exec "$0" "$@"`` with the name itself.
    """
    last = _last_words(script)
    if last[-1:] not in (['"$@"'], ["$@"], ['"${@}"']) or last[0] in ("echo", "printf") or "celery" in script:
        return None
    return 0 if last[-2:-1] in (['"$0"'], ["$0"]) else 1


def may_run_arguments(script: str) -> bool:
    """Tell whether a script does anything but print its own arguments."""
    return any(
        mark in command and command.split()[0] not in ("echo", "printf")
        for command in script.translate(_ENDS).split(";")
        for mark in ("$@", "${@}")
    )


def _word(raw: str, gap: str) -> Word:
    """Return the word that is written as ``raw``; variables stay in its text as they are written."""
    text, expands = "", False
    for piece in _PIECES.finditer(raw):
        double = piece["double"]
        if double is not None:
            expands = expands or "$" in re.sub(r"\\[\s\S]", "", double)
            text += re.sub(r"\\([$`\"\\\n])", lambda escape: escape[1].strip("\n"), double)
        else:
            expands = expands or (piece["plain"] or "").startswith("$")
            text += piece["single"] or piece["escaped"] or piece["plain"] or ""
    return Word(text=text, raw=raw, gap=gap, expands=expands)
