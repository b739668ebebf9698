"""The mark on a site whose env/ holds the split already: from which configuration it was made.

It is an annotation on our settings ConfigMaps, which changes no hash. An overlay over such an env/ with another
configuration is refused: each would undo the other's work.
"""

from __future__ import annotations

from kustomizer import SPLIT_BY as MARK
from kustomizer.errors import UserError
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.manifests.writer import emit
from kustomizer.openedx.settings_module import CONFIG_MAP_SUFFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kustomizer.config.model import CeleryWorkers
    from kustomizer.manifests.resource import Resource, Resources


def mark(resources: Resources, config: CeleryWorkers, source: str) -> None:
    """Mark the settings of the default workers with ``source``, where ``config`` comes from."""
    for resource in _default_settings(resources, config):
        metadata = resource.edit()["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), MARK: f"{_digest(config)} {source}"}


def take_mark(resources: Resources, config: CeleryWorkers) -> str:
    """Return the mark of a site that was split by ``config`` already, empty for any other, and take it off.

    Without it our settings are again what the function makes. Raises UserError where another configuration split it.
    """
    mark = ""
    for resource in resources.of_kind("ConfigMap"):
        if resource.mentions(MARK):
            text = str(plain_value(lookup(resource.tree, "metadata", "annotations", MARK)) or "")
            digest, _, source = text.partition(" ")
            if not text:
                continue
            if digest != _digest(config):
                message = f"env/ was split by another configuration already: {source} in Tutor's root"
                remedy = "Use one of the two: set KUSTOMIZER_OVERLAY (or KUSTOMIZER_SPLIT: false) in Tutor's "
                remedy += "configuration and run `tutor config save`, or apply env/ as it is"
                raise UserError(config.problem(message, remedy))
            annotations = resource.edit()["metadata"]["annotations"]
            del annotations[MARK]
            mark = text
    return mark


def keep_mark(resources: Resources, config: CeleryWorkers, text: str) -> None:
    """Put the mark ``text``, if there was one, back where the function has written the settings anew."""
    if not text:
        return
    for resource in _default_settings(resources, config):
        if lookup(resource.tree, "metadata", "annotations", MARK) is None:
            metadata = resource.edit()["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), MARK: text}


def _default_settings(resources: Resources, config: CeleryWorkers) -> list[Resource]:
    names = {f"{service}-worker{CONFIG_MAP_SUFFIX}" for service in config.services()}
    return [resource for resource in resources.of_kind("ConfigMap") if resource.name in names]


def _digest(config: CeleryWorkers) -> str:
    """Return what tells this configuration from others."""
    import hashlib  # noqa: PLC0415 - only for a site whose env/ holds the split

    return hashlib.sha256(emit(dict(config.given)).encode()).hexdigest()[:16]
