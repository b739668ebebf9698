"""The configuration of a split in env/: the operator's file, what other plugins add, or the recommended queues."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kustomizer import API_VERSION, KIND
from kustomizer.config.layers import merge_maps
from kustomizer.config.load import load
from kustomizer.config.model import CeleryWorkers
from kustomizer.errors import UserError
from kustomizer.manifests import full_reader
from kustomizer.manifests.resource import Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.overlay.config_file import config_file
from kustomizer.overlay.survey import survey
from kustomizer.overlay.templates import configuration_text
from kustomizer.record import Record
from kustomizer.tutor_env.state import RECOMMENDED


class SplitConfiguration(Record):
    """A configuration, and where it comes from: a file by its path, or RECOMMENDED."""

    config: CeleryWorkers
    source: str


def read_configuration(
    root: Path, named: Path | None, added: Mapping[str, Any], resources: Resources
) -> SplitConfiguration:
    """Return the configuration for a site of Tutor's, ``resources``.

    ``named`` is the operator's file, if there is one: what it says wins over ``added``, a ``spec`` in which other
    plugins have put workers and routing. Raises UserError where the configuration isn't right.
    """
    if named is None:
        surveyed = survey(resources)
        if surveyed.refused:
            # Nobody would read here that a service is left out.
            raise UserError(*surveyed.refused)
        if not any(service.variants for service in surveyed.services):
            raise UserError.of(
                "this Tutor emits no lms-worker or cms-worker whose queues are Open edX's",
                remedy="Write a configuration: tutor kustomizer init; or leave env/ as it is: "
                "tutor config save --set KUSTOMIZER_SPLIT=false",
            )
        document = plain_value(full_reader.read(configuration_text(surveyed)))
        return SplitConfiguration(config=_loaded(document, added), source=RECOMMENDED)
    source = named.relative_to(root).as_posix() if named.is_relative_to(root) else str(named)
    return SplitConfiguration(config=configured(named, added), source=source)


def configured(named: Path | None, added: Mapping[str, Any]) -> CeleryWorkers:
    """Return what the operator's file and other plugins say, without the recommended queues where there is no file.

    Raises UserError where the configuration isn't right.
    """
    if named is None:
        return _loaded({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "celery-workers"}}, added)
    document = config_file(named).own
    try:
        return _loaded(document, added)
    except UserError as error:
        raise error.within(named) from None


def _loaded(document: Mapping[str, Any], added: Mapping[str, Any]) -> CeleryWorkers:
    if added:
        spec = document.get("spec")
        document = {**document, "spec": merge_maps(dict(added), spec if isinstance(spec, dict) else {})}
    return load(_in_order(document))


def _in_order(value: Any) -> Any:
    """Return ``value`` with the keys of its mappings sorted, as kustomize hands a configuration to the function."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=str)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value
