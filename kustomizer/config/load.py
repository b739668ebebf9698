"""Reads and checks a configuration: ``load(document)``, then ``worker_settings(config, service, variant)``.

The first returns the document as typed records; the second merges the layers of one worker's settings.
"""

from __future__ import annotations

from kustomizer import __version__
from kustomizer.config.checks import check_site, check_worker
from kustomizer.config.layers import merge_layers, options_by_meaning
from kustomizer.config.model import NOTHING, CeleryWorkers, Document, object_ref
from kustomizer.config.reader import decode
from kustomizer.config.types import is_version
from kustomizer.config.worker import Worker, worker_path
from kustomizer.errors import UserError
from kustomizer.manifests.tree import lookup, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def load(document: object) -> CeleryWorkers:
    """Read and check a configuration. Raises one UserError with all of its problems."""
    name = text_at(document, "metadata", "name")
    try:
        _refuse_newer(document)
        typed = decode(Document, document, path="")
        spec = document.get("spec") or NOTHING if isinstance(document, dict) else NOTHING
        config = CeleryWorkers(name=name, spec=typed.spec, given=spec)
        problems = check_site(config)
        scaled = set()
        for service in config.services():
            for variant in config.variants(service):
                try:
                    if worker_settings(config, service, variant).keda_enabled:
                        scaled.add((service, variant))
                except UserError as error:
                    problems += (problem.replace(resource=None) for problem in error.problems)
        if problems:
            raise UserError(*dict.fromkeys(problems))
    except UserError as error:
        raise UserError(*(problem.replace(resource=object_ref(name)) for problem in error.problems)) from None
    return config.replace(scaled=frozenset(scaled))


def worker_settings(
    config: CeleryWorkers, service: str, variant: str, *, builtin: Mapping[str, object] = NOTHING
) -> Worker:
    """Return the merged settings of one worker; ``queues`` is always set.

    ``builtin`` is the weakest layer, spelled as in the configuration.
    """
    layers = config.settings_layers(service, variant, builtin)
    merged = merge_layers(layers, option_key=options_by_meaning)
    merged["queues"] = config.queues(service, variant)
    worker = decode(Worker, merged, path=worker_path(service, variant))
    problems = check_worker(config, service, variant, worker)
    if problems:
        raise UserError(*(problem.replace(resource=config.ref) for problem in problems))
    return worker


def _refuse_newer(document: object) -> None:
    """Refuse a configuration for a newer version first: its other fields may be unknown here."""
    minimum = lookup(document, "spec", "minimumVersion")
    if isinstance(minimum, str) and is_version(minimum) and _numbers(minimum) > _numbers(__version__):
        message = f"this configuration needs tutor-kustomizer {minimum}, and this is {__version__}"
        remedy = f"Install version {minimum} or a newer one"
        raise UserError.of(field="spec.minimumVersion", message=message, remedy=remedy)


_LONGEST_PART = 20


def _numbers(version: str) -> list[int]:
    """Return a version's numbers, up to the first part that isn't one (``0.2.dev1``), without zeros at the end."""
    numbers: list[int] = []
    for part in version.split("."):
        # int() takes no thousands of digits.
        if not (part.isascii() and part.isdigit() and len(part) < _LONGEST_PART):
            break
        numbers.append(int(part))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers
