"""Reads the settings of tutor-contrib-celery: from its Tutor, or as far as a site's files show them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kustomizer.errors import UserError
from kustomizer.manifests.full_reader import read
from kustomizer.manifests.tree import plain_value
from kustomizer.masking.messages import without_secrets
from kustomizer.record import Record
from kustomizer.system.files import read_text
from kustomizer.system.processes import which

# Runs in the Python of that Tutor. Plugins may print to stdout, so the answer goes into a file.
PROBE = """\
import json, sys
from tutor import config, env, hooks
root, answer = sys.argv[1:]
hooks.Actions.CORE_READY.do()
hooks.Actions.PROJECT_ROOT_READY.do(root)
full = config.load_full(root)
from tutorcelery.hooks import CELERY_WORKERS_CONFIG
# What it has rendered: a filter that is asked once more may change its own dictionaries once more.
plugin = sys.modules.get("tutorcelery.plugin")
workers = plugin.get_celery_workers_config() if plugin else CELERY_WORKERS_CONFIG.apply({})
wanted = [key for key in full if key.startswith("CELERY_") or key in ("LMS_HOST", "K8S_NAMESPACE", "PLUGINS")]
values = {key: env.render_unknown(full, full[key]) for key in wanted}
# Plugins are Python: a set of options, a path, a generator.
def plain(value):
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, bytes) else str(value)
with open(answer, "w") as file:
    json.dump({"workers": workers, "values": values}, file, default=plain)
"""
TIMEOUT = 120


class ContribSettings(Record):
    """The workers of each service by variant, and the values of config.yml."""

    values: dict[str, Any]
    workers: dict[str, dict[str, dict[str, Any]]] | None = None
    """The result of the filter CELERY_WORKERS_CONFIG, None where Tutor wasn't asked."""
    trouble: str = ""
    """Why Tutor wasn't asked."""

    def value(self, name: str, default: Any = None) -> Any:
        """Return a value, None where only Tutor can render it."""
        value = self.values.get(name, default)
        if isinstance(value, str):
            value = re.sub(r"\{\{ *LMS_HOST *\}\}", str(self.values.get("LMS_HOST", "")), value)
            return None if "{{" in value else value
        return value

    def is_on(self, name: str) -> bool:
        """Tell whether a switch is on; `tutor config save --set` may store a string."""
        return str(self.value(name, False)).lower() in {"true", "1", "yes", "on"}


def read_settings(root: Path, tutor: str | None) -> ContribSettings:
    """Return the settings of the site in ``root``, from its ``tutor`` where that can be run.

    Raises UserError where a ``tutor`` was given and doesn't answer.
    """
    # First of all, as Tutor prints a traceback where it can't read the file.
    values = _config_yml(root)
    trouble = "there is no `tutor` on PATH"
    try:
        python = _python(tutor)
        if python is not None:
            answer = _ask(python, root)
            return ContribSettings(values=answer["values"], workers=answer["workers"])
    except UserError as error:
        if tutor is not None:
            raise
        trouble = error.problems[0].message
    return ContribSettings(values=values, trouble=trouble)


def _python(tutor: str | None) -> str | None:
    """Return the Python of the named Tutor, of this environment, or of the Tutor on PATH."""
    if tutor is None and find_spec("tutorcelery") is not None:
        return sys.executable
    executable = tutor or which("tutor")
    return None if executable is None else _interpreter(Path(executable))


def _ask(python: str, root: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tutor-kustomizer-") as directory:
        file = Path(directory) / "answer"
        command = [python, "-c", PROBE, str(root.resolve()), str(file)]
        environment: Mapping[str, str] = {**os.environ, "TUTOR_ROOT": str(root.resolve())}
        try:
            process = subprocess.run(
                command, capture_output=True, text=True, env=environment, timeout=TIMEOUT, check=False
            )
            answer = json.loads(file.read_text(encoding="utf-8")) if process.returncode == 0 else None
        except (OSError, subprocess.TimeoutExpired, ValueError) as error:
            raise UserError.of(f"Tutor ({python}) can't be asked: {error}") from None
    if not isinstance(answer, dict):
        reason = (without_secrets(process.stderr.strip()).splitlines() or ["it says nothing"])[-1]
        raise UserError.of(
            f"Tutor ({python}) can't tell what CELERY_WORKERS_CONFIG gives: {reason}",
            remedy="Name the `tutor` that has the plugin with --tutor, while the plugin is still on",
        )
    return answer


def _interpreter(executable: Path) -> str:
    """Return the Python that runs a script which pip, pipx or uv installed."""
    try:
        head = executable.read_bytes()[:1000].decode("utf-8", "replace")
    except OSError as error:
        raise UserError.of(f"{executable} can't be read: {error.strerror}") from None
    # pip puts a path that is too long for the first line into the second: `'''exec' /path/python "$0" "$@"`.
    match = re.match(r"#!(?:/bin/sh\n'''exec' )?\"?([^\"\n]*?python[^\s\"]*)", head)
    if match is None:
        message = f"{executable} isn't a script that names its Python"
        raise UserError.of(message, remedy="Name the `tutor` of a virtual environment with --tutor")
    return match[1]


def _config_yml(root: Path) -> dict[str, Any]:
    path = root / "config.yml"
    text = read_text(path)
    try:
        values = plain_value(read(text))
    except UserError as error:
        raise error.within(path) from None
    return values if isinstance(values, dict) else {}
