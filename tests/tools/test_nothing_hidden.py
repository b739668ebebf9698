"""In CI nothing hides behind a skip or a missing part: the plugin is run over test files that try."""

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
    "fixture": "import pytest\n@pytest.fixture\ndef redis(): pytest.skip('no redis')\ndef test(redis): pass",
    "xfail": "import pytest\n@pytest.mark.xfail(reason='no redis')\ndef test(): assert False",
    "module": "import pytest\npytest.skip('no redis', allow_module_level=True)",
    "import": "import pytest\npytest.importorskip('no_redis')\ndef test(): pass",
}
NEEDS_PARTS = """\
from pathlib import Path
import pytest
from tests import parts
@pytest.fixture
def redis(): return parts.program("no-such-server")
def test_by_fixture(redis): pass
def test_by_call(): parts.present(Path(__file__).with_name("missing"))
"""
HAS_PART = "from pathlib import Path\nfrom tests import parts\ndef test(): parts.present(Path(__file__))\n"


def run_pytest(tmp_path: Path, *options: str, ci: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "test_fine.py").write_text("def test(): pass\n")
    # Hypothesis and the cache only take time here.
    command = [sys.executable, "-m", "pytest", "-p", "tests.nothing_hidden", "-p", "no:hypothesispytest"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "--rootdir", tmp_path, "-ra", *options, tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(sites.ROOT), "CI": ci},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def hiding(tmp_path: Path) -> Path:
    for name, code in HIDING.items():
        (tmp_path / f"test_{name}.py").write_text(code)
    return tmp_path


@pytest.fixture
def needing_parts(tmp_path: Path) -> Path:
    (tmp_path / "test_missing.py").write_text(NEEDS_PARTS)
    (tmp_path / "test_there.py").write_text(HAS_PART)
    return tmp_path


@pytest.mark.parametrize("workers", ["0", "2"])
def test_each_way_fails_in_ci(workers: str, hiding: Path, needing_parts: Path) -> None:
    # A module that can't be collected would keep all others from running.
    done = run_pytest(needing_parts, "-n", workers, "--continue-on-collection-errors", ci="true")

    assert done.returncode == 1
    assert "3 failed, 2 passed, 5 errors" in done.stdout.splitlines()[-1]
    assert done.stdout.count("which is a failure in CI: ") >= len(HIDING)
    for reason in (
        "no redis",
        "no_redis",
        "no no-such-server: run `make parts`",
        "missing is missing: run `make parts`",
    ):
        assert reason in done.stdout


def test_each_way_passes_elsewhere(hiding: Path) -> None:
    done = run_pytest(hiding, "-n", "0", ci="")

    assert done.returncode == 0
    assert "1 passed, 5 skipped, 1 xfailed" in done.stdout.splitlines()[-1]


def test_what_is_left_out_is_said_elsewhere(needing_parts: Path) -> None:
    done = run_pytest(needing_parts, "-n", "1", ci="")

    assert done.returncode == 0
    assert "left out: 2 tests that need parts (make parts)" in done.stdout.splitlines()
    assert "2 passed, 2 left out" in done.stdout.splitlines()[-1]


def test_the_quick_tests_leave_out_what_is_there_too(needing_parts: Path) -> None:
    """In CI as well, where they are asked for by name."""
    done = run_pytest(needing_parts, "-n", "0", "--quick", ci="true")

    assert done.returncode == 0
    assert "left out: 3 tests that need parts (make parts)" in done.stdout.splitlines()
    assert "1 passed, 3 left out" in done.stdout.splitlines()[-1]
