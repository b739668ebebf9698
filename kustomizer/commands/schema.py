"""`tutor-kustomizer schema`: the JSON Schema of the configuration, for editors."""

from __future__ import annotations

import json

import click

from kustomizer.config_schema import json_schema, reference_markdown


@click.command("schema")
@click.option("--markdown", is_flag=True, help="Print the reference page instead.")
def schema_command(markdown: bool) -> None:
    """Print the JSON Schema of CeleryWorkers."""
    click.echo(reference_markdown() if markdown else json.dumps(json_schema(), indent=2), nl=not markdown)
