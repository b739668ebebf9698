"""`tutor-kustomizer schema`: prints the JSON Schema of the configuration, for editors, and other descriptions of it."""

from __future__ import annotations

import json

import click

from kustomizer.config.json_schema import json_schema, reference_markdown


@click.command("schema")
@click.option("--markdown", is_flag=True, help="Print the reference page instead.")
@click.option("--diff", is_flag=True, help="Print the JSON Schema of `diff -o json` instead.")
def schema_command(markdown: bool, diff: bool) -> None:
    """Print the JSON Schema of CeleryWorkers."""
    if markdown and diff:
        raise click.UsageError("--markdown or --diff")
    if markdown:
        click.echo(reference_markdown(), nl=False)
        return
    schema = json_schema()
    if diff:
        from kustomizer.diff.reports import json_schema as of_diff  # noqa: PLC0415 - it brings the sites' model

        schema = of_diff.json_schema()
    click.echo(json.dumps(schema, indent=2))
