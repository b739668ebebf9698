"""tools/get_runners with a Go and an npm of the test's own: what they are asked for, and what is said of a failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from versions import ACT, GITLAB_CI_LOCAL, GO

from tests.parts import ROOT

GOES = f"""\
#!/bin/sh
case "$*" in
*GOVERSION*) echo go{GO.newest} ;;
*install*) echo "go $* ($GOTOOLCHAIN)" >>"$LOG"; echo act >"$GOBIN/act" ;;
esac
"""
NPM = '#!/bin/sh\necho "npm $*" >>"$LOG"\n'


class Runners:
    """What is on PATH, and where the runners are put."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "log"
        (directory / "bin").mkdir()
        self.program("go", GOES)
        self.program("npm", NPM)

    def program(self, name: str, text: str) -> None:
        path = self.directory / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def get(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.directory / "bin") + ":/bin", "LOG": str(self.log), "HOME": str(self.directory)}
        script = [sys.executable, str(ROOT / "tools" / "get_runners"), "--dir", str(self.directory / "tools")]
        return subprocess.run([*script, *arguments], env=environment, capture_output=True, text=True, check=False)

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def runners(tmp_path: Path) -> Runners:
    return Runners(tmp_path)


def test_both_are_got_once_in_their_versions(runners: Runners) -> None:
    for _time in range(2):
        done = runners.get()
        assert done.returncode == 0, done.stderr
    build, install = runners.asked
    # A module may ask for a newer Go.
    assert build.endswith(f" install github.com/nektos/act@v{ACT} (auto)")
    assert install.startswith("npm install --ignore-scripts ")
    assert install.endswith(f" gitlab-ci-local@{GITLAB_CI_LOCAL}")
    assert (runners.directory / "tools" / "act" / "act").read_text() == "act\n"
    assert sorted(path.name for path in (runners.directory / "tools").iterdir() if path.is_dir()) == [
        "act",
        "gitlab-ci-local",
    ]


def test_another_version_is_got_anew(runners: Runners) -> None:
    runners.get("act")
    (runners.directory / "tools" / "act" / ".stamp").write_text("0.0.1")
    assert runners.get("act").returncode == 0
    assert len(runners.asked) == 2


@pytest.mark.parametrize(("name", "program"), [("act", "go"), ("gitlab-ci-local", "npm")])
def test_what_fails_is_said_and_leaves_nothing(name: str, program: str, runners: Runners) -> None:
    answers = f'case "$*" in *GOVERSION*) echo go{GO.newest} ;; *) echo "no network" >&2; exit 1 ;; esac'
    runners.program(program, f"#!/bin/sh\n{answers}\n")
    done = runners.get(name)
    assert done.returncode == 1
    assert "no network" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in (runners.directory / "tools").iterdir() if path.is_dir()]


def test_an_unknown_runner_is_refused(runners: Runners) -> None:
    done = runners.get("jenkins")
    assert done.returncode == 2
    assert "no such runner: jenkins (there are act, gitlab-ci-local)" in done.stderr
