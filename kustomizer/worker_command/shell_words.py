"""The simple commands of a shell script, word by word and with their places, so that one word can be edited.

``shlex`` gives words without places and reads ``;`` or ``$(…)`` as parts of them. This reads what container commands
are made of (quotes, variables, continued lines, ``&&``) and says no to what it doesn't know, rather than guess.
"""

from __future__ import annotations

from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Never

BLANK = " \t"
ENDS_COMMAND = "\n;&|()"


class ShellWord(Record):
    """A word at ``script[start:end]``; ``text`` is what the shell makes of it, with variables as written."""

    text: str
    start: int
    end: int
    expands: bool = False


class SimpleCommand(Record):
    """The words between two separators (``;``, ``&&``, a new line, …)."""

    words: tuple[ShellWord, ...]
    redirected: bool = False


class Unreadable(Exception):  # noqa: N818 - says what is in the way, not that something failed
    """The script holds what this module doesn't read."""


def simple_commands(script: str) -> list[SimpleCommand]:
    """Return the simple commands of the script in their order; keywords (``if``, ``do``, ``exec``) count as words."""
    return _Reader(script).read()


class _Reader:
    def __init__(self, script: str) -> None:
        self.script = script
        self.at = 0
        self.commands: list[SimpleCommand] = []
        self.words: list[ShellWord] = []
        self.redirected = False
        self.start = -1
        self.text = ""
        self.expands = False

    def read(self) -> list[SimpleCommand]:
        while self.at < len(self.script):
            char = self.script[self.at]
            if char in BLANK or char in ENDS_COMMAND:
                self._end_word()
                if char in ENDS_COMMAND:
                    self._end_command()
                self.at += 1
            elif self.script.startswith("\\\n", self.at):
                self.at += 2
            elif char in "<>":
                self._redirection()
            elif char == "#" and self.start < 0:
                end = self.script.find("\n", self.at)
                self.at = end if end >= 0 else len(self.script)
            else:
                self._part(char)
        self._end_word()
        self._end_command()
        return self.commands

    def _part(self, char: str) -> None:
        """Read one character, variable or quoted string of a word."""
        if self.start < 0:
            self.start = self.at
        if char == "'":
            end = self.script.find("'", self.at + 1)
            if end < 0:
                self._no("a quote that isn't closed")
            self._take(self.script[self.at + 1 : end], end + 1)
        elif char == '"':
            self._double_quoted()
        elif char == "\\":
            self._take(self.script[self.at + 1 : self.at + 2] or self._no("a backslash at the end"), self.at + 2)
        elif char == "{" and self.script[self.at + 1 : self.at + 2] not in ("", *BLANK, "\n"):
            self._no("a brace expansion")
        else:
            self._plain(char)

    def _plain(self, char: str) -> None:
        if char == "`":
            self._no("a command substitution in backticks")
        if char != "$":
            self._take(char, self.at + 1)
            return
        self.expands = True
        end = self._expansion_end()
        self._take(self.script[self.at : end], end)

    def _expansion_end(self) -> int:
        opening = self.script[self.at + 1 : self.at + 2]
        if opening not in ("(", "{"):
            if opening in ("'", '"') and self.script[self.at] == "$":
                self._no("a $ before a quote")
            return self.at + 1
        closing = ")" if opening == "(" else "}"
        depth = 0
        for index in range(self.at + 1, len(self.script)):
            char = self.script[index]
            if char in "'\"\\`":
                self._no("quotes within $( ) or ${ }")
            depth += (char == opening) - (char == closing)
            if depth == 0:
                return index + 1
        return self._no(f"a ${opening} that isn't closed")

    def _double_quoted(self) -> None:
        self.at += 1
        while (char := self.script[self.at : self.at + 1]) != '"':
            if not char:
                self._no("a quote that isn't closed")
            following = self.script[self.at + 1 : self.at + 2]
            if char == "\\" and following and following in '$`"\\\n':
                self._take(following.strip("\n"), self.at + 2)
            elif char == "$" and following == '"':
                self._take(char, self.at + 1)
            else:
                self._plain(char)
        self.at += 1

    def _redirection(self) -> None:
        if self.script.startswith("<<", self.at):
            self._no("a here-document")
        self._end_word()
        self.redirected = True
        while self.script[self.at : self.at + 1] in ("<", ">", "&", "|"):
            self.at += 1

    def _take(self, text: str, end: int) -> None:
        self.text += text
        self.at = end

    def _end_word(self) -> None:
        if self.start >= 0:
            word = ShellWord(text=self.text, start=self.start, end=self.at, expands=self.expands)
            self.words.append(word)
        self.start, self.text, self.expands = -1, "", False

    def _end_command(self) -> None:
        if self.words:
            self.commands.append(SimpleCommand(words=tuple(self.words), redirected=self.redirected))
        self.words, self.redirected = [], False

    def _no(self, what: str) -> Never:
        raise Unreadable(f"the shell string holds {what}")


def quoted(text: str, *, expands: bool) -> str:
    """Write ``text`` as one word of a shell string; with ``expands``, the variables in it stay variables."""
    import shlex  # noqa: PLC0415 - only a shell string needs it

    if not expands or "$" not in text:
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
    return f'"{escaped}"'
