"""The golden cases: one directory each under tests/golden, readable as documentation of what the function does.

``config.yaml`` is the configuration and begins with a comment on what the case shows; ``input.yaml`` holds the
resources, as kustomize gives them to a legacy plugin. ``expected.yaml`` is what comes out, absent where the function
refuses; ``stderr.txt`` is what it says, absent where it says nothing. `pytest --refresh-golden` writes these two anew.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

if TYPE_CHECKING:
    from kustomizer.function import Output

GOLDEN = Path(__file__).parent / "golden"
TAIL = "functionConfig:\n"


class Case(NamedTuple):
    """One directory."""

    directory: Path

    @property
    def config(self) -> bytes:
        """The configuration, as a person wrote it."""
        return (self.directory / "config.yaml").read_bytes()

    @property
    def stream(self) -> str:
        """The resources, a document each."""
        return (self.directory / "input.yaml").read_text()

    @property
    def resource_list(self) -> bytes:
        """The same as a ResourceList."""
        return resource_list(self.stream, self.config)

    @property
    def expected(self) -> str:
        """What comes out; nothing where the case is refused."""
        return _text(self.directory / "expected.yaml")

    @property
    def stderr(self) -> str:
        """What is said."""
        return _text(self.directory / "stderr.txt")

    def refresh(self, output: Output) -> None:
        """Take the output as the expected one."""
        _write(self.directory / "expected.yaml", output.data.decode())
        _write(self.directory / "stderr.txt", said(output))


def cases() -> list[Case]:
    """Return every case, by name."""
    return [Case(path) for path in sorted(GOLDEN.iterdir())]


@functools.cache
def resource_list(stream: str, config: bytes | str) -> bytes:
    """Return what kustomize would make of these documents, and of a configuration, for an exec function."""
    head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
    items = "".join(f"- {_indented(document)[2:]}" for document in documents(stream))
    tree = yaml.safe_load(config)
    given = _indented(yaml.safe_dump(tree, default_flow_style=False, width=10_000, allow_unicode=True, sort_keys=False))
    return f"{head}{items}{TAIL}{given}".encode()


def documents(stream: str) -> list[str]:
    """Return the documents of a stream."""
    return [document for document in stream.split("---\n") if document]


def items(data: bytes) -> list[str]:
    """Return the items of a ResourceList as documents, byte for byte but for their indentation."""
    text = data.decode()
    start, end = text.index("\nitems:") + len("\nitems:"), text.index(f"\n{TAIL}")
    found = text[start:end].removeprefix("\n")
    if found == " []":
        return []
    return [
        "".join(line.removeprefix("  ") for line in f"  {item}\n".splitlines(True)) for item in found[2:].split("\n- ")
    ]


def said(output: Output) -> str:
    """Return the lines that go to stderr."""
    return "".join(f"{problem.severity}: {problem}\n" for problem in output.problems)


def _indented(document: str) -> str:
    return "".join(f"  {line}" if line.strip() else line for line in document.splitlines(True))


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _write(path: Path, text: str) -> None:
    if text:
        path.write_text(text)
    else:
        path.unlink(missing_ok=True)
