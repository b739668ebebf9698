"""What README says can be typed works as it is typed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests import sites
from tests.builds import commands

README = (sites.ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    (tutor-kustomizer .*)$", README, flags=re.MULTILINE)


def test_readme_tells_of_commands() -> None:
    assert [shlex.split(command)[1] for command in COMMANDS] == ["init", "build", "queues", "check"]


def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    bin_directory = commands(tmp_path)
    command = bin_directory / "tutor-kustomizer"
    command.write_text(f"#!{sys.executable}\nfrom kustomizer.start import run\nrun()\n")
    command.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-euc", "\n".join(COMMANDS)],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{bin_directory}:{os.environ['PATH']}",
            "PYTHONPATH": str(sites.ROOT),
            "TUTOR_ROOT": str(sites.site("22").parent),
            "COLUMNS": "80",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "edx.lms.core.high_mem  lms-worker-high-mem" in done.stdout


def test_links_lead_to_files() -> None:
    for page in (sites.ROOT / "README.md", *sites.ROOT.glob("docs/**/*.md"), *sites.ROOT.glob("overlays/*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_configuration_shown_is_the_one_that_is_there() -> None:
    for path in re.findall(r"^# (\S+/\S+\.yaml)$", README, flags=re.MULTILINE):
        assert (sites.ROOT / path).is_file(), path
