"""docs/tutorial.md from its first command to its last, on a real Tutor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.docs.pages import commands, page, without
from tests.docs.place import place

if TYPE_CHECKING:
    from pathlib import Path

# The two ways, each from its first command to its last.
TEXT, OTHER_WAY = page("tutorial").split("## Or without an overlay")
# In the order of the page; installing is tests/acceptance/test_wheel.py's, a live pod tests/commands/test_verify.py's.
COMMANDS = without(commands(TEXT), "pip install .", "tutor-kustomizer verify")
TUTORS = without(commands(OTHER_WAY), "tutor kustomizer verify")


def asked(command: str) -> str:
    """Return the command as somebody says it who isn't there to answer."""
    return f"{command} --yes" if re.fullmatch(r"tutor(-| )kustomizer apply.*", command) else command


def test_the_tutorial(tmp_path: Path) -> None:
    site = place(tmp_path)
    said = site.done(*map(asked, COMMANDS))
    assert "deployment lms-worker-bulk" not in said
    # What the page shows is what is printed.
    for shown in re.findall(r"(?ms)^```\n(.*?)^```$", TEXT)[1:]:
        assert shown in said
    assert "```mermaid" in said
    assert "Deployment lms-worker-bulk" in site.applied()
    assert "ScaledObject lms-worker-high-mem-scaledobject" in site.applied()
    # Tutor has taken the routing over by the second time.
    assert "Nothing changes" not in said.rpartition("before:")[2]
    text = (site.directory / "tutor/env/apps/openedx/settings/lms/production.py").read_text()
    assert "bulk_email" in text


def test_what_init_says_is_what_the_page_shows(tmp_path: Path) -> None:
    site = place(tmp_path)
    end = next(index for index, command in enumerate(COMMANDS) if "init" in command.split())
    ended = site.run(*COMMANDS[:end], *[command for command in COMMANDS[end : end + 2] if "init" in command])
    assert re.findall(r"(?ms)^```\n(.*?)^```$", TEXT)[0] in ended.stderr


def test_the_table_of_files_is_what_init_writes(tmp_path: Path) -> None:
    site = place(tmp_path)
    site.done(*COMMANDS[:4])
    assert sorted(re.findall(r"(?m)^\| `(overlay/\S+)` \|", TEXT)) == sorted(
        f"overlay/{path.name}" for path in (site.directory / "overlay").iterdir()
    )


def test_the_way_without_an_overlay(tmp_path: Path) -> None:
    site = place(tmp_path)
    ended = site.run(*COMMANDS[:2], *TUTORS)
    assert ended.returncode == 0, ended.stderr
    for shown in re.findall(r"(?ms)^```\n(.*?)^```$", OTHER_WAY):
        assert shown in ended.stderr
    assert "celery-workers.yaml has changed: tutor config save" in ended.stdout
    # What `tutor k8s start` applies.
    assert "kubectl apply --kustomize" in ended.stdout
    assert "name: lms-worker-bulk\n" in site.done("kubectl kustomize tutor/env")
