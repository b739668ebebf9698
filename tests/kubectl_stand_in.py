"""A kubectl that keeps what is applied in a directory: as the real one (1.32, on a 1.34 API server) answered.

STAND_IN names the directory: ``applied/`` holds the objects, ``owner`` the manager who owns what another may not set
without --force-conflicts, ``log`` what was run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.builds import Loader

CONFLICT = """\
error: Apply failed with 1 conflict: conflict with "{owner}" using apps/v1 at 2026-01-02T03:04:05Z: .spec.replicas
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
"""
OWNED = ("Deployment", "lms-worker")


def main() -> int:
    """Run one command; what changes nothing that is applied is only written down."""
    directory = Path(os.environ["STAND_IN"])
    arguments = sys.argv[1:]
    with (directory / "log").open("a") as log:
        log.write(" ".join(arguments) + "\n")
    verb = next((word for word in arguments if not word.startswith("-")), "")
    # What Tutor applies, client-side, isn't looked into.
    if verb not in {"apply", "diff"} or "--server-side" not in arguments:
        return 0
    text = _given(arguments)
    owner = directory / "owner"
    objects = {_name(each): each for each in yaml.load_all(text, Loader) if each}
    if owner.exists() and "--force-conflicts" not in arguments:
        names = [(each["kind"], each["metadata"]["name"]) for each in objects.values()]
        for kind, name in names:
            if (kind, name) != OWNED:
                sys.stdout.write(f"{kind.lower()}.group/{name} serverside-applied (server dry run)\n")
        if OWNED in names:
            sys.stderr.write(CONFLICT.format(owner=owner.read_text()))
            return 1
        return 0
    if verb == "diff":
        return _diff(directory, objects)
    if "--dry-run=server" in arguments:
        return 0
    if (directory / "refuses").exists():
        sys.stderr.write((directory / "refuses").read_text() or "Error from server (Forbidden): no\n")
        return 1
    for name, each in objects.items():
        (directory / "applied" / name).write_text(_dump(each))
        sys.stdout.write(f"{each['kind'].lower()}/{each['metadata']['name']} serverside-applied\n")
    owner.unlink(missing_ok=True)
    return 0


def _dump(node: Any) -> str:
    text: str = yaml.dump(node, Dumper=yaml.CSafeDumper)
    return text


def _given(arguments: list[str]) -> str:
    """Return the documents: of a file, of a kustomization that the real kubectl builds, or of stdin."""
    for option, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if option in {"-k", "--kustomize"}:
            command = ["kubectl", "kustomize", value]
            return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
        if option == "-f" and value != "-":
            return Path(value).read_text()
    return sys.stdin.read()


def _name(tree: dict[str, Any]) -> str:
    version = tree["apiVersion"].replace("/", ".")
    return ".".join([version, tree["kind"], tree["metadata"].get("namespace", ""), tree["metadata"]["name"]])


def _diff(directory: Path, objects: dict[str, Any]) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        live, merged = Path(temporary) / "LIVE-1", Path(temporary) / "MERGED-1"
        live.mkdir()
        merged.mkdir()
        for name, tree in objects.items():
            applied = directory / "applied" / name
            counted = {"uid": "1", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z"}
            text, there = "", {}
            if applied.exists():
                there = yaml.load(applied.read_text(), Loader)  # noqa: S506 - a safe loader
                there["metadata"] |= counted
                if tree["kind"] == "Deployment":
                    there["spec"].setdefault("replicas", 1)
                text = _dump({**there, "status": {"replicas": 2}})
            (live / name).write_text(text)
            tree["metadata"] |= {**counted, "generation": 4}
            if tree["kind"] == "Deployment":
                # The API server's default, or what an autoscaler has set: the field stays as it is.
                tree["spec"].setdefault("replicas", there["spec"].get("replicas", 1) if text else 1)
            (merged / name).write_text(_dump({**tree, "status": {"replicas": 2}}))
        command = [*os.environ.get("KUBECTL_EXTERNAL_DIFF", "diff -u -N").split(" "), str(live), str(merged)]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
