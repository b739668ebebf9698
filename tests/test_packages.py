"""Each package says what it owns and what it may import, and holds nothing besides its modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kustomizer
from tests.parts import ROOT

PACKAGES = sorted(path.parent for path in Path(kustomizer.__path__[0]).glob("*/**/__init__.py"))


def layers() -> list[str]:
    """Return the layers of the contract in pyproject.toml, the uppermost first; Python 3.10 can't read TOML."""
    text = (ROOT / "pyproject.toml").read_text()
    listed: list[str] = ast.literal_eval(text.partition("\nlayers = ")[2].partition("]")[0] + "]")
    return listed


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_is_its_docstring(package: Path) -> None:
    (statement,) = ast.parse((package / "__init__.py").read_text()).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)


def test_what_a_package_may_import_is_what_the_contract_says() -> None:
    upper, lower = layers()[:-1], layers()[1:]
    below = {name: f"`{next_one}` and what stands below it" for name, next_one in zip(upper, lower, strict=True)}
    below["system"] = "`errors` and `record`"
    packages = [path.name for path in PACKAGES if path.parent.name == "kustomizer"]
    assert {name: below[name] for name in packages} == {
        name: (ROOT / "kustomizer" / name / "__init__.py").read_text().partition("\nMay import ")[2].partition(".")[0]
        for name in packages
    }
