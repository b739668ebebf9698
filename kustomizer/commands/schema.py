"""`tutor-kustomizer schema`: prints the JSON Schema of the configuration, for editors, and other descriptions of it."""

from __future__ import annotations

import json

import click

from kustomizer.config.json_schema import function_definition, json_schema, reference_markdown
from kustomizer.manifests.writer import emit


@click.command("schema")
@click.option("--markdown", is_flag=True, help="Print the reference page instead.")
@click.option("--function", is_flag=True, help="Print the function's KRMFunctionDefinition instead.")
@click.option("--diff", is_flag=True, help="Print the JSON Schema of `diff -o json` instead.")
def schema_command(markdown: bool, function: bool, diff: bool) -> None:
    """Print the JSON Schema of CeleryWorkers."""
    if markdown + function + diff > 1:
        raise click.UsageError("one of --markdown, --function and --diff")
    if function:
        click.echo(emit(function_definition()), nl=False)
        return
    if markdown:
        click.echo(reference_markdown(), nl=False)
        return
    schema = json_schema()
    if diff:
        from kustomizer.diff.reports import json_schema as of_diff  # noqa: PLC0415 - it brings the sites' model

        schema = of_diff.json_schema()
    click.echo(json.dumps(schema, indent=2))
