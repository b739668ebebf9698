"""`tutor-kustomizer schema`: the JSON Schema of the configuration, for editors, and what else describes it."""

from __future__ import annotations

import json

import click

from kustomizer.config_schema import json_schema, reference_markdown
from kustomizer.emit import emit
from kustomizer.function_definition import function_definition


@click.command("schema")
@click.option("--markdown", is_flag=True, help="Print the reference page instead.")
@click.option("--function", is_flag=True, help="Print the function's KRMFunctionDefinition instead.")
def schema_command(markdown: bool, function: bool) -> None:
    """Print the JSON Schema of CeleryWorkers."""
    if markdown and function:
        raise click.UsageError("--markdown or --function, not both")
    if function:
        click.echo(emit(function_definition()), nl=False)
    elif markdown:
        click.echo(reference_markdown(), nl=False)
    else:
        click.echo(json.dumps(json_schema(), indent=2))
