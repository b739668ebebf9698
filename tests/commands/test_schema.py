"""`tutor-kustomizer schema` and the page that is made of it."""

from __future__ import annotations

import json

import yaml
from click.testing import CliRunner

from kustomizer.cli import main
from kustomizer.config.json_schema import function_definition, json_schema
from kustomizer.diff.reports import json_schema as diff_schema
from tests import sites


def test_the_schema_is_printed() -> None:
    assert json.loads(CliRunner().invoke(main, ["schema"]).stdout) == json_schema()


def test_the_reference_page_is_what_the_types_say() -> None:
    page = CliRunner().invoke(main, ["schema", "--markdown"]).stdout
    assert (sites.ROOT / "docs" / "configuration.md").read_text() == page, "run `make docs`"


def test_each_shell_gets_its_completion() -> None:
    for shell in ("bash", "zsh", "fish"):
        result = CliRunner().invoke(main, ["completion", shell])
        assert result.exit_code == 0
        assert "_TUTOR_KUSTOMIZER_COMPLETE" in result.stdout


def test_the_functions_definition() -> None:
    printed = CliRunner().invoke(main, ["schema", "--function"]).stdout
    assert yaml.safe_load(printed) == function_definition()
    assert CliRunner().invoke(main, ["schema", "--function", "--markdown"]).exit_code == 2


def test_the_schema_of_a_comparison() -> None:
    printed = CliRunner().invoke(main, ["schema", "--diff"]).stdout
    assert json.loads(printed) == diff_schema.json_schema()
    assert CliRunner().invoke(main, ["schema", "--function", "--diff"]).exit_code == 2
