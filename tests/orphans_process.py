"""celery-restore-orphans as a build emits it, as a process of this machine: what the image has is this Python's."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.pods import Container, Source, container

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "celery-restore-orphans"
_ETC, _ACCOUNT = f"/etc/{NAME}", "/var/run/secrets/kubernetes.io/serviceaccount"
PATIENCE = 2
LOOKED = "celery-orphans-looked"


def laid_out(
    deployment: Mapping[str, Any], objects: Source, root: Path, *, every: float, older: float, account: Path
) -> Container:
    """Return the container with its files below ``root``, and these times in its settings, in real seconds.

    Workers have a second or two to answer: more would be most of the time that passes in a test.
    """
    place = root / "openedx"
    made = container(deployment, objects, place)
    for path in (root / "etc").rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.write_text(_faster(path.read_text(), every, older).replace(_ETC, str(root / _ETC[1:])))
    argv = [word.replace(_ETC, str(root / _ETC[1:])) for word in made.argv]
    # In a pod the kubelet has the account's files there.
    return made._replace(argv=[sys.executable, *argv[1:], str(account)], root=root)


def _faster(text: str, every: float, older: float) -> str:
    for name, value in (("every", every), ("older", older), ("patience", PATIENCE)):
        text = re.sub(rf"(?m)^(    '{name}': )\d+,$", rf"\g<1>{value},", text)
    return text


def environ(made: Container, api: Mapping[str, str]) -> dict[str, str]:
    """Return what the process has in its environment; of this project it has nothing."""
    path = f"{Path(sys.executable).parent}:{os.defpath}"
    return {"PATH": path, **made.env, "TMPDIR": str(made.root / "tmp"), **api}
