"""Real Tutor sites and real kustomize, as `make parts` put them into .tools: tests need no network for them.

``site("22")`` is what ``tutor config save`` wrote; ``function_input`` is what kustomize makes of it for a KRM function;
``render_oracle`` is the same site rendered with tutor-contrib-celery.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import versions

from tests import parts

if TYPE_CHECKING:
    from collections.abc import Mapping


ROOT, TOOLS = parts.ROOT, parts.TOOLS

PLAIN_SITES = tuple(versions.TUTOR)
"""One site per Tutor version, without plugins."""
SITES = (*PLAIN_SITES, "full")
"""All that the function has to work on; "full" is the newest Tutor with eleven plugins."""

NEWEST, OLDEST = versions.KUSTOMIZE
NEWEST_TUTOR = versions.NEWEST_TUTOR

BUILD = ("build", "--enable-alpha-plugins", "--enable-exec")
FUNCTION = "config.kubernetes.io/function"


def site(name: str) -> Path:
    """Return the ``env`` directory of a site: "16" to "22", "full" or "oracle"."""
    return parts.present(TOOLS / "sites" / name / "env")


def tutor(version: str) -> Path:
    """Return the ``tutor`` command of a version: "16" to "22"."""
    return parts.present(TOOLS / "tutor" / version / "bin" / "tutor")


def kustomize(version: str) -> Path:
    """Return the executable of a kustomize version: ``NEWEST`` or ``OLDEST``."""
    return parts.present(TOOLS / "kustomize" / version / "kustomize")


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> bytes:
    """Return the stdout of ``command``; when it fails, the error holds what it said on stderr."""
    done = subprocess.run([str(word) for word in command], env=env, check=False, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: exit status {done.returncode}:\n{done.stderr.decode()}")
    return done.stdout


def build(kustomize: Path, directory: Path) -> bytes:
    """Return what ``kustomize build`` makes of ``directory``, with exec functions enabled."""
    return run(kustomize, *BUILD, directory)


@functools.cache
def function_input(kustomize: Path, env_dir: Path, config_yaml: str) -> bytes:
    """Return the bytes that kustomize gives a KRM function with this configuration, as a transformer over a site.

    The function annotation of ``config_yaml`` is made to name `tee` in place of the function; it is added when there is
    none (``metadata`` has to be in block style then, without annotations).
    """
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch).resolve()
        # A function runs in the directory of the kustomization that lists it.
        (directory / "tee.sh").write_text("#!/bin/sh\nexec tee input.yaml\n")
        (directory / "tee.sh").chmod(0o755)
        (directory / "config.yaml").write_text(naming_tee(config_yaml))
        # kustomize refuses absolute paths.
        resources = os.path.relpath(env_dir.resolve(), directory)
        (directory / "kustomization.yaml").write_text(f"resources: [{resources}]\ntransformers: [config.yaml]\n")
        build(kustomize, directory)
        return (directory / "input.yaml").read_bytes()


CALL_IDS = rb"""
      kustomize\.config\.k8s\.io/id: \|(?:
        .*)+
      config\.kubernetes\.io/index: '(\d+)'
      internal\.config\.kubernetes\.io/index: '\1'
      internal\.config\.kubernetes\.io/annotations-migration-resource-id: '\1'
      internal\.config\.kubernetes\.io/id: '(\d+)'
      config\.k8s\.io/id: '\2'(?=\n)"""


def without_call_ids(data: bytes) -> bytes:
    """Return what a function was given without what kustomize wrote for the call, which ours doesn't hand back."""
    changed, count = re.subn(CALL_IDS, b"", data)
    if not count:
        raise ValueError("no item has a number")
    return changed


def naming_tee(config_yaml: str) -> str:
    """Return ``config_yaml`` with tee.sh as its function; comments and quotes stay for the test to see."""
    if FUNCTION in config_yaml:
        changed, count = re.subn(r"\bpath: *[^\s{},]+", "path: ./tee.sh", config_yaml, count=1)
    else:
        annotation = f'metadata:\n  annotations:\n    {FUNCTION}: "exec: {{path: ./tee.sh}}"\n'
        changed, count = re.subn(r"(?m)^metadata:\n(?!  annotations:)", annotation, config_yaml, count=1)
    if count != 1:
        raise ValueError(f"can't make this configuration run tee.sh:\n{config_yaml}")
    return changed


def render_oracle(tmp_path: Path, workers_config: str, settings: Mapping[str, str] | None = None) -> Path:
    """Return the ``env`` directory of the site "oracle", rendered by Tutor 22 with tutor-contrib-celery on.

    ``workers_config`` is Python that changes the dictionary ``workers_config``, as upstream's documentation has it:
    ``workers_config["lms"]["high"] = {}``. ``settings`` are Tutor settings, their values in YAML. The secrets are those
    of ``site("oracle")``, so that the two differ in nothing but the plugin's work.
    """
    root = tmp_path / "oracle"
    plugins = root / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(site("oracle").parent / "config.yml", root / "config.yml")
    body = "".join(f"    {line}\n" for line in workers_config.strip().splitlines())
    (plugins / "workers.py").write_text(
        "from tutorcelery.hooks import CELERY_WORKERS_CONFIG\n\n\n"
        "@CELERY_WORKERS_CONFIG.add()\n"
        "def configure(workers_config):\n"
        f"{body}"
        "    return workers_config\n"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("TUTOR_")}
    env |= {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(plugins)}
    run(tutor(NEWEST_TUTOR), "plugins", "enable", "celery", "workers", env=env)
    options = [f"--set={key}={value}" for key, value in (settings or {}).items()]
    run(tutor(NEWEST_TUTOR), "config", "save", *options, env=env)
    return root / "env"
