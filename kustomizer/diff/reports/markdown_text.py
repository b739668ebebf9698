"""Quotes the text of manifests in Markdown, so that it stays text on GitHub and GitLab.

A name or a message may hold HTML, a mention, a reference to an issue, a backtick or a GitLab quick action
(https://docs.gitlab.com/user/project/quick_actions/: a line that begins with a slash). Mentions and references are
searched in the rendered page, so HTML entities don't hide them, but a code span does
(https://github.com/gjtorikian/html-pipeline): text that could mean something stands in one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from kustomizer.system.visible import visible

_BACKTICKS = re.compile("`+")
_PLAIN = frozenset("-./+='\"→…")
_OPENING, _CLOSING = "(", ".,;:)?"
# Words that become links by themselves: the address of a page, a commit, an issue.
_LINKED = re.compile(r"www\..*|[0-9a-f]{7,}|gh-.*", re.IGNORECASE)
# A command that a message quotes, and a word: such a command or anything between blanks.
_QUOTED = re.compile("`[^`]+`")
_WORDS = re.compile(r"\(?`[^`]+`[.,;:)?]*|[^ ]+")
# Begins a list at the start of a line.
_NUMBER = re.compile(r"[0-9]+[.)]?")


def code(text: str) -> str:
    """Return ``text`` as a code span; empty text stays empty."""
    text = visible(text)
    if not text:
        return ""
    fence = "`" * (_longest(text) + 1)
    blank = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def html_code(text: str) -> str:
    """Return ``text`` as code in HTML, within which Markdown means nothing."""
    return f"<code>{html.escape(visible(text))}</code>"


def prose(text: str) -> str:
    """Return a sentence, with each word that Markdown could read as something else as code."""
    words = _WORDS.findall(visible(text.strip(" ")))
    return " ".join(_word(word, first=number == 0) for number, word in enumerate(words))


def fenced(lines: Iterable[str], language: str) -> str:
    """Return ``lines`` as a block of code, whatever they hold."""
    text = "\n".join(lines)
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def details(summary: str, body: str) -> str:
    """Return ``body``, Markdown, folded behind ``summary``, which is HTML on one line."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _word(word: str, *, first: bool) -> str:
    bare = word.lstrip(_OPENING).rstrip(_CLOSING)
    if not bare:
        return word if not first else code(word)
    before, _, after = word.partition(bare)
    if _QUOTED.fullmatch(bare):
        return f"{before}{code(bare[1:-1])}{after}"
    begins = bare[0].isalnum() or (not first and bare[0] in _PLAIN)
    plain = all(char.isalnum() or char in _PLAIN for char in bare)
    if begins and plain and not _LINKED.fullmatch(bare) and not (first and _NUMBER.fullmatch(word)):
        return word
    return f"{before}{code(bare)}{after}"


def _longest(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
