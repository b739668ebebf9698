"""Each package says what it owns and what it may import, and holds nothing besides its modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kustomizer
from tests.parts import ROOT

PACKAGES = sorted(path.parent for path in Path(kustomizer.__path__[0]).glob("*/**/__init__.py"))


def floors() -> list[list[str]]:
    """Return the layers of the contract in pyproject.toml, the uppermost first; Python 3.10 can't read TOML."""
    text = (ROOT / "pyproject.toml").read_text()
    listed: list[str] = ast.literal_eval(text.partition("\nlayers = ")[2].partition("]")[0] + "]")
    return [layer.split(" | ") for layer in listed]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_is_its_docstring(package: Path) -> None:
    (statement,) = ast.parse((package / "__init__.py").read_text()).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)


def test_what_a_package_may_import_is_what_the_contract_says() -> None:
    packages = [path.name for path in PACKAGES if path.parent.name == "kustomizer"]
    # `function` and its like are entry points, which nobody imports.
    below = {
        name: [each for each in lower if each in (*packages, "errors", "record")]
        for upper, lower in zip(floors()[:-1], floors()[1:], strict=True)
        for name in upper
    }
    said = {
        name: (ROOT / "kustomizer" / name / "__init__.py")
        .read_text()
        .partition("\nMay import ")[2]
        .partition(", and what")[0]
        for name in packages
    }
    assert {name: text.replace("`", "").replace(" and ", ", ").split(", ") for name, text in said.items()} == {
        name: below[name] for name in packages
    }


def test_no_module_imports_what_runs_in_pods() -> None:
    """The linter of imports sees no directory without an `__init__`."""
    modules = (path for path in Path(kustomizer.__path__[0]).rglob("*.py") if path.parent.name != "data")
    assert [path.name for path in modules if "kustomizer.data" in path.read_text()] == []
