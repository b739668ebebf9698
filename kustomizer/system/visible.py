"""Makes every character of a manifest's text visible.

A control character may move a terminal's cursor. One that turns the direction of text may make people read a line in
another way than the cluster does (https://trojansource.codes). A lone surrogate isn't UTF-8, and nobody sees a blank at
the end of a line.
"""

from __future__ import annotations


def visible(text: str) -> str:
    """Return ``text`` on one line, with an escape for each character that people don't see."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    shown = text.rstrip(" ")
    return shown + "\\x20" * (len(text) - len(shown))


def visible_lines(text: str) -> list[str]:
    """Return the lines of ``text``, with every character visible; a newline at its end begins no line."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [visible(line) for line in lines]


def harmless(text: str) -> str:
    """Return what another program has said, for a terminal or a job's log: it moves no cursor and is no command.

    :func:`kustomizer.findings.github.without_commands` says what is one.
    """
    lines = [
        line if line.isprintable() else "\t".join(map(visible, line.split("\t")))
        for line in text.replace("##", "#\\x23").split("\n")
    ]
    return "\n".join(line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line for line in lines)
