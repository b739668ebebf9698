"""Modules that are imported by name: the linter of imports sees none of them, so they are held to the layers here.

A module that imports by name may import modules of its own package only, which no layer forbids.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kustomizer
from kustomizer.commands import group
from kustomizer.config import model
from kustomizer.findings import rule
from kustomizer.manifests import name_hashes
from tests.parts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(kustomizer.__path__[0])
LAZY = {
    "kustomizer.config.model": {f"kustomizer.config.{module}": name for name, module in model.RARE.items()},
    "kustomizer.commands.group": {
        f"kustomizer.commands.{name.replace('-', '_')}": f"{name.replace('-', '_')}_command" for name in group.NAMES
    },
}
"""What imports by name: each module that it may import, and a name that it takes out of it."""


NAMES = {"import_module", "__import__", "exec_module", "run_module", "run_path"}


def imports_by_name(path: Path) -> Iterator[str]:
    text = path.read_text()
    # To parse all of them takes a second.
    if not any(name in text for name in (*NAMES, "__getattr__")):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in NAMES:
                yield name
        elif isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            yield node.name


def test_nothing_else_imports_by_name() -> None:
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if any(imports_by_name(path))
    }
    # A rule is whatever module lies in its package.
    assert found == {*LAZY, name_hashes.__name__, rule.__name__}


def test_one_takes_a_module_of_the_standard_library() -> None:
    assert {name_hashes._SHA256, "hashlib"} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("importer", "module", "name"),
    [(importer, module, name) for importer, modules in LAZY.items() for module, name in modules.items()],
)
def test_each_is_there_and_of_the_same_package(importer: str, module: str, name: str) -> None:
    assert hasattr(import_module(module), name)
    assert module.rpartition(".")[0] == importer.rpartition(".")[0]


def test_rare_sections_are_those_of_the_configuration() -> None:
    for name in model.RARE:
        assert getattr(model, name).__name__ == name


def test_a_command_without_a_file_to_ignore_does_not_begin_with_yaml() -> None:
    code = "import sys, kustomizer.commands.common; print('yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        # Tutor imports it at each of its starts.
        ("kustomizer.tutor_plugin.options", ("ruamel", "kustomizer.config", "kustomizer.transform", "yaml")),
        # A save of an env/ that is the same makes nothing.
        ("kustomizer.tutor_env.step", ("ruamel", "kustomizer.transform", "kustomizer.export", "kustomizer.site")),
        # What is made has no use for where each value stands.
        ("kustomizer.tutor_env.made", ("ruamel",)),
    ],
)
def test_a_save_of_env_imports_what_it_needs(module: str, unwanted: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout == "[]\n"
