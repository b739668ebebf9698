"""`make node` says what a machine lacks for it, before anything is built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.parts import ROOT
from tests.tools.checkout import copied_tools


def test_says_what_a_node_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.node.run", "--check"]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": str(tmp_path)}, check=False, capture_output=True, text=True)

    needed = "there is no containerd: apt-get install containerd" if os.geteuid() == 0 else "a kubelet needs root"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {needed}")


def test_images_are_made_of_debians_packages(tmp_path: Path) -> None:
    command = [sys.executable, str(copied_tools(tmp_path) / "get_node_layers"), f"--dir={tmp_path / 'layers'}"]
    (tmp_path / "checkout" / "requirements").symlink_to(ROOT / "requirements")
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, check=False, capture_output=True, text=True)

    assert done.returncode == 1
    assert "Error: there is no apt-get" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "layers").exists()
