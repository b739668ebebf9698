"""A kubectl whose `exec` reaches the processes that tests.control_plane.kubelet runs; all else the real one does."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

_NAMESPACES = {"user": "--user", "mnt": "--mount", "uts": "--uts"}
"""Those of tests.control_plane.names, and how nsenter calls them."""


def exec_kubectl(directory: Path, kubectl: Path) -> Path:
    """Write it into ``directory``, in front of ``kubectl``, and return the directory for PATH."""
    directory.mkdir(parents=True)
    program = directory / "kubectl"
    words = shlex.join([sys.executable, "-I", __file__, str(kubectl)])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    return directory


def main() -> int:
    """Run a command as if in a pod: with its process's environment and directory, and the names that it resolves."""
    kubectl, *arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else 0
    # --namespace=NAMESPACE exec --stdin POD --container=NAME
    verb, *names = [word for word in arguments[:at] if not word.startswith("-")] or [""]
    if verb != "exec":
        return subprocess.run([kubectl, *arguments], check=False).returncode
    [pod] = names
    process = _process_of(pod)
    if process is None:
        print(f"Error from server (NotFound): pod {pod} has no process", file=sys.stderr)
        return 1
    environ = dict(item.split("=", 1) for item in (process / "environ").read_text().split("\0") if "=" in item)
    enter = [option for name, option in _NAMESPACES.items() if _id(process, name) != _id(Path("/proc/self"), name)]
    there = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str((process / "cwd").readlink())]
    command = ["nsenter", f"--target={process.name}", *enter, "--", *there, *arguments[at + 1 :]]
    return subprocess.run(command, env=environ, check=False).returncode


def _process_of(pod: str) -> Path | None:
    """Return the entry in /proc of a process of ``pod``."""
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and f"\0POD={pod}\0" in f"\0{(process / 'environ').read_text()}\0":
                return process
        except (OSError, UnicodeDecodeError):
            # It has ended, or is somebody else's.
            continue
    return None


def _id(process: Path, namespace: str) -> str:
    return str((process / "ns" / namespace).readlink())


if __name__ == "__main__":
    sys.exit(main())
