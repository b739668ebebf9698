"""In CI nothing hides behind a skip: tests/conftest.py is run over test files that try."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sites

HIDING = {
    "skip": "import pytest\ndef test(): pytest.skip('no redis')",
    "mark": "import pytest\n@pytest.mark.skipif(True, reason='no redis')\ndef test(): pass",
    "fixture": ("import pytest\n@pytest.fixture\ndef redis(): pytest.skip('no redis')\ndef test(redis): pass"),
    "xfail": "import pytest\n@pytest.mark.xfail(reason='no redis')\ndef test(): assert False",
    "module": "import pytest\npytest.skip('no redis', allow_module_level=True)",
    "import": "import pytest\npytest.importorskip('no_redis')\ndef test(): pass",
}


def run_pytest(tmp_path: Path, *options: str, ci: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_fine.py").write_text("def test(): pass\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", tmp_path, "-ra", *options, tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(sites.ROOT), "CI": ci},
        check=False,
        capture_output=True,
        text=True,
    )


def hide(tmp_path: Path) -> None:
    for name, code in HIDING.items():
        (tmp_path / f"test_{name}.py").write_text(code)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_way_fails_in_ci(workers: str, tmp_path: Path) -> None:
    hide(tmp_path)
    # A module that can't be collected would keep all others from running.
    done = run_pytest(tmp_path, "-n", workers, "--continue-on-collection-errors", ci="true")

    assert done.returncode == 1
    assert "2 failed, 1 passed, 4 errors" in done.stdout.splitlines()[-1]
    assert done.stdout.count("which is a failure in CI: ") >= len(HIDING)
    for reason in ("no redis", "no_redis"):
        assert reason in done.stdout


def test_each_way_passes_elsewhere(tmp_path: Path) -> None:
    hide(tmp_path)
    done = run_pytest(tmp_path, "-n", "0", ci="")

    assert done.returncode == 0
    assert "1 passed, 5 skipped, 1 xfailed" in done.stdout.splitlines()[-1]


def test_nothing_skipped_passes_in_ci(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, "-n", "1", ci="true").returncode == 0
