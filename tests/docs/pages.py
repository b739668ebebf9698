"""What a page of docs/ tells a reader to type, and the files that it shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests import sites

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROMPTED = ("tutor", "tutor-kustomizer", "kubectl", "kustomize", "git", "pip", "uv", "pipx", "docker", "export", "cp")
_COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{'|'.join(_PROMPTED)})(?: |$)")


def page(name: str) -> str:
    """Return the text of ``docs/<name>.md``."""
    return (sites.ROOT / "docs" / f"{name}.md").read_text()


def commands(text: str) -> list[str]:
    """Return the commands of a page, in its order: lines that are indented by four, outside of fenced blocks."""
    plain = re.sub(r"(?ms)^```.*?^```$", "", text)
    blocks = re.findall(r"(?m)(?:^    \S.*\n(?:^ {4,}\S.*\n)*)+", plain + "\n")
    found: list[str] = []
    for block in blocks:
        lines = [line[4:] for line in block.splitlines()]
        if not _COMMAND.match(lines[0]):
            continue
        for line in lines:
            # A line goes on behind a backslash or a pipe, and where it is indented.
            if found and lines[0] != line and (line.startswith(" ") or found[-1].rstrip().endswith(("\\", "|"))):
                found[-1] += f"\n{line}"
            elif not line.startswith("#"):
                found.append(line)
    return found


def files(text: str) -> dict[str, str]:
    """Return the files of a page by name: fenced blocks whose first line is ``# name``."""
    found = {}
    for block in re.findall(r"(?ms)^```\w*\n(.*?)^```$", text):
        name = re.match(r"# (\S+)(?: .*)?\n", block)
        if name is not None and ("." in name[1] or "/" in name[1] or name[1] == "Dockerfile"):
            found[name[1]] = block[name.end() :]
    return found


def without(given: Sequence[str], *left_out: str) -> list[str]:
    """Return commands but those that begin with ``left_out``, each of which has to be there: no test is out of date."""
    for beginning in left_out:
        assert any(command.startswith(beginning) for command in given), beginning
    return [command for command in given if not command.startswith(left_out)]
