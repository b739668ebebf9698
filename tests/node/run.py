"""Run the tests of a node in namespaces of their own: `python -m tests.node.run [what pytest takes]`.

`--check` only says whether a node can run on this machine.

Network, mounts and processes of the node are in namespaces that this process makes. They end when this process does,
whichever way, and so all that was started, mounted and addressed in them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.node.machine import NAMESPACES, UnfitError, check, groups
from tests.parts import ROOT

DIRECTORY, GROUP = "NODE_DIRECTORY", "NODE_GROUP"
# kubelet, containerd and CNI write there, whatever they are told. $1 is a directory of the test's.
_SET_UP = """
set -e
mount --make-rprivate /
for place in etc var/lib var/log; do
    mkdir -p "$1/over/$place" "$1/work/$place"
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$1/over/$place,workdir=$1/work/$place" "/$place"
done
mount -t tmpfs tmpfs /run
shift
ip link set lo up
"$@"
"""
ALL = "tests/node"


def main(arguments: list[str]) -> int:
    """Run the tests; return pytest's exit status, or 1 where no node can run."""
    try:
        check()
    except UnfitError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    if arguments == ["--check"]:
        return 0
    named = any(argument.startswith(ALL) for argument in arguments)
    pytest = [sys.executable, "-m", "pytest", *([] if named else [ALL]), *arguments]
    with tempfile.TemporaryDirectory(prefix="node-", ignore_cleanup_errors=True) as name, groups() as group:
        directory = Path(name).resolve()
        # The set-up's shell is the namespace's first process: it waits for all that lose their parent.
        command = [*NAMESPACES, "sh", "-c", _SET_UP, "sh", str(directory), *pytest, f"--basetemp={directory / 'tests'}"]
        environ = {**os.environ, DIRECTORY: str(directory), GROUP: group}
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
