"""Real builds of real sites: with the function under each protocol, and without it, for the tests to compare.

A build of the full site takes a second or two, so each is made once in a run of the tests, whichever of its processes
asks first; the others read it from the run's temporary directory.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests import sites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FUNCTION = sites.ROOT / "generators" / "celery-workers"
PLUGIN_HOME = sites.ROOT / "generators" / "plugin"

HEAD = "apiVersion: celery.openedx.io/v1alpha1\nkind: CeleryWorkers\nmetadata:\n  name: celery-workers\n"
EXEC = f'  annotations:\n    {sites.FUNCTION}: "exec: {{path: {FUNCTION}}}"\n'
RECOMMENDED = "spec: {workers: {lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}}\n"
QUEUES = {
    "lms-worker": "edx.lms.core.default",
    "lms-worker-high": "edx.lms.core.high",
    "lms-worker-high-mem": "edx.lms.core.high_mem",
    "cms-worker": "edx.cms.core.default",
    "cms-worker-high": "edx.cms.core.high",
    "cms-worker-low": "edx.cms.core.low",
}
"""What each worker of the recommended configuration consumes."""

# A ConfigMap or Secret that kustomize generated.
HASH = re.compile(r"-[0-9a-z]{10}$")


class Loader(yaml.CSafeLoader):
    """PyYAML's safe loader, which also takes the plain ``=`` that kustomize writes."""


def construct_value(loader: Loader, node: yaml.ScalarNode) -> str:
    """Return the text of what PyYAML knows as a tag but can't construct."""
    return str(loader.construct_scalar(node))


Loader.add_constructor("tag:yaml.org,2002:value", construct_value)


class Document(NamedTuple):
    """One resource of a build's output: its text, byte for byte, and what it holds."""

    text: str
    tree: dict[str, Any]

    @property
    def kind(self) -> str:
        """The resource's kind."""
        return str(self.tree["kind"])

    @property
    def name(self) -> str:
        """The resource's name."""
        return str(self.tree["metadata"]["name"])

    @property
    def key(self) -> str:
        """What tells it from the others of the build: kind, namespace and name."""
        return f"{self.kind} {self.tree['metadata'].get('namespace', '')}/{self.name}"


class Build(NamedTuple):
    """What a build printed."""

    stdout: bytes
    stderr: str

    @property
    def documents(self) -> Sequence[Document]:
        """The resources, in the order of the output."""
        return documents(self.stdout)

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Return the Deployments by name."""
        return {item.name: item.tree for item in self.documents if item.kind == "Deployment"}

    def config_maps(self) -> dict[str, dict[str, Any]]:
        """Return the ConfigMaps by name."""
        return {item.name: item.tree for item in self.documents if item.kind == "ConfigMap"}


@functools.lru_cache(maxsize=64)
def documents(output: bytes) -> Sequence[Document]:
    """Return the documents of kustomize's output."""
    texts = output.decode().split("\n---\n")
    # Splitting takes the newline that ends a document.
    texts = [f"{text}\n" for text in texts[:-1]] + texts[-1:]
    return tuple(Document(text, yaml.load(text, Loader)) for text in texts)  # noqa: S506 - a safe loader


def keys(items: Iterable[Document]) -> list[str]:
    """Return what names each document."""
    return [item.key for item in items]


def stem(name: str) -> str:
    """Return a ConfigMap's name without the hash that kustomize gave it."""
    return HASH.sub("", name)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment as poor as a cron job's: no virtual environment, nothing of Python's or kustomize's."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **more}


def commands(directory: Path) -> Path:
    """Make a directory to put on PATH: the newest kustomize, and the function under the name of the package."""
    found = directory / "bin"
    found.mkdir()
    (found / "kustomize").symlink_to(sites.kustomize(sites.NEWEST))
    (found / "tutor-celery-workers").symlink_to(FUNCTION)
    return found


class Builds:
    """Makes builds of a site with one configuration, each once."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.cache.mkdir(exist_ok=True)

    def plain(self, env: Path, *, version: str = sites.NEWEST) -> Build:
        """Return what Tutor's own output builds to."""
        return self._build(env, "", (sites.kustomize(version), *sites.BUILD))

    def through_exec(self, env: Path, spec: str = RECOMMENDED, *, version: str = sites.NEWEST) -> Build:
        """Return the build with the function as a KRM exec function."""
        return self._build(env, HEAD + EXEC + spec, (sites.kustomize(version), *sites.BUILD))

    def through_legacy(self, env: Path, spec: str = RECOMMENDED, *, version: str = sites.NEWEST) -> Build:
        """Return the build with the function as a legacy exec plugin."""
        return self._build(env, HEAD + spec, (sites.kustomize(version), "build", "--enable-alpha-plugins"))

    def through_kubectl(self, env: Path, kubectl: str, spec: str = RECOMMENDED) -> Build:
        """Return the build with the function as a legacy exec plugin, by kubectl."""
        return self._build(env, HEAD + spec, (kubectl, "kustomize", "--enable-alpha-plugins"))

    def _build(self, env: Path, config: str, command: Sequence[str | Path]) -> Build:
        key = hashlib.sha256(repr((env, config, command)).encode()).hexdigest()[:16]

        def make(directory: Path) -> None:
            # kustomize refuses absolute paths.
            resources = os.path.relpath(env.resolve(), directory.resolve())
            # In the order in which the function left the resources: kustomize's own default is to sort them.
            lines = [f"resources: [{resources}]", "sortOptions: {order: fifo}"]
            if config:
                (directory / "config.yaml").write_text(config)
                lines.append("transformers: [config.yaml]")
            (directory / "kustomization.yaml").write_text("\n".join(lines))
            done = subprocess.run(
                [*command, directory],
                env=environment(directory, KUSTOMIZE_PLUGIN_HOME=str(PLUGIN_HOME)),
                check=False,
                capture_output=True,
            )
            assert done.returncode == 0, done.stderr.decode()
            (directory / "stdout").write_bytes(done.stdout)
            (directory / "stderr").write_bytes(done.stderr)

        directory = self.once(key, make)
        return Build((directory / "stdout").read_bytes(), (directory / "stderr").read_text())

    def once(self, key: str, make: Callable[[Path], None]) -> Path:
        """Return the directory ``key``, filled by ``make`` if no process of this run of the tests has done so.

        Where two do so at once the first one's result stays.
        """
        finished = self.cache / key
        if not finished.exists():
            directory = Path(tempfile.mkdtemp(prefix=key, dir=self.cache))
            make(directory)
            try:
                directory.rename(finished)
            except OSError:
                if not finished.exists():
                    raise
        return finished
