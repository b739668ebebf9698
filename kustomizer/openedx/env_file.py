"""Reads what Open edX's own settings say about the broker: ``lms.env.yml``, and Python settings that overrule it."""

from __future__ import annotations

from kustomizer.errors import ERROR, Problem, UserError
from kustomizer.manifests import canonical_reader
from kustomizer.manifests.tree import lookup, plain_value
from kustomizer.openedx.workers import CONFIG_MAP
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.celery.view import CeleryView

_PREFIX = "CELERY_BROKER_"
_USE_SSL = "BROKER_USE_SSL"
# Starts of lines in files that may not have each key at the start of a line: braces, a key behind a question mark, a
# directive, a merge.
_OTHER_FORM = ("{", "?", "%", "<<")
# Starts of lines that continue the value above, or hold nothing.
_CONTINUES = (" ", "\t", "#", "-")


class EnvironmentFile(Record):
    """The values of ``lms.env.yml`` that concern the broker, and the ConfigMap that holds the file."""

    values: Mapping[str, Any]
    owner: Resource
    service: str

    @property
    def field(self) -> str:
        """The file's path in the ConfigMap."""
        return f'data["{self.service}.env.yml"]'

    def problem(self, name: str, message: str, remedy: str, *, severity: str = ERROR) -> Problem:
        """Return a finding about the value ``name``."""
        return self.owner.problem(f"{name} {message}", remedy, field=self.field, severity=severity)


def environment_file(
    resources: Resources, service: str, namespace: str, celery: CeleryView | None = None
) -> EnvironmentFile | None:
    """Return what ``<service>.env.yml`` says about the broker, None where the build has no such file.

    Raises UserError where it can't be read; the message quotes nothing from the file.
    """
    mounted = celery.settings.mounted_env_file if celery is not None else None
    if mounted is not None:
        of_container = EnvironmentFile(values={}, owner=mounted.owner, service=service)
        return of_container.replace(values=_values(mounted.text, of_container))
    for resource in resources.generated("ConfigMap", CONFIG_MAP, namespace):
        text = lookup(resource.tree, "data", f"{service}.env.yml")
        if isinstance(text, str):
            file = EnvironmentFile(values={}, owner=resource, service=service)
            return file.replace(values=_values(str(text), file))
    return None


def _values(text: str, file: EnvironmentFile) -> dict[str, Any]:
    values = _values_by_line(text)
    if values is None:
        values = _values_of_all(text, file)
    if type(values.get("CELERY_BROKER_PASSWORD")) not in (str, type(None)):
        # Open edX reads YAML 1.1 and makes a string with Python's str(), which doesn't give 0123 or 1e5 back.
        raise UserError(file.problem("CELERY_BROKER_PASSWORD", "isn't a string", "Put it in quotes"))
    return values


def _values_by_line(text: str) -> dict[str, Any] | None:
    """Return the values whose keys start lines, without parsing the rest; None where all of it has to be parsed."""
    settings: list[tuple[str, list[str]]] = []
    lines: list[str] | None = None
    for line in text.split("\n"):
        if line.startswith(_OTHER_FORM) or (line.startswith("---") and line[3:].strip()):
            return None
        if _concerns_broker(line.lstrip("\"'")):
            name = _key(line)
            if name is None:
                return None
            lines = [line]
            settings.append((name, lines))
        elif lines is not None and (not line.strip("\r") or line.startswith(_CONTINUES)) and not line.startswith("---"):
            lines.append(line)
        else:
            lines = None
    values: dict[str, Any] = {}
    for name, lines in settings:
        try:
            setting = plain_value(_read("\n".join(line for line in lines if not line.startswith("#"))))
        except UserError:
            return None
        if not isinstance(setting, dict) or list(setting) != [name]:
            return None
        values.update(setting)
    return values or None


def _concerns_broker(key: str) -> bool:
    return key.startswith((_PREFIX, _USE_SSL))


def _key(line: str) -> str | None:
    """Return the key at the start of ``line``, None where the line isn't as plain as that."""
    quote = line[0] if line[0] in "\"'" else ""
    name, quoted, rest = line[1:].partition(quote) if quote else (line.partition(":")[0].rstrip(" \t"), "", line)
    if quote:
        rest = rest.lstrip(" \t")
        if not quoted or not rest.startswith(":"):
            return None
    after = rest.partition(":")[2]
    known = name == _USE_SSL or (name.startswith(_PREFIX) and name.replace("_", "a").isalnum())
    return name if known and (not after or after[0] in " \t\r") else None


def _values_of_all(text: str, file: EnvironmentFile) -> dict[str, Any]:
    try:
        read = plain_value(_read(text))
    except UserError as error:
        # The reader's own message could quote a line of it.
        message = "can't be read as YAML, and the function needs the broker's address from it"
        problem = file.owner.problem(message, "Mend the plugin's patch that writes it", field=file.field)
        raise UserError(problem) from error
    return {name: value for name, value in read.items() if _concerns_broker(name)} if isinstance(read, dict) else {}


def _read(text: str) -> Any:
    try:
        return canonical_reader.read(text.rstrip("\n").split("\n"))
    except canonical_reader.NotCanonical:
        from kustomizer.manifests import full_reader  # noqa: PLC0415 - `import yaml` costs half of the function's time

        return full_reader.read(text)


def transport_options(file: EnvironmentFile) -> dict[str, Any]:
    """Return Celery's transport options, of which edx-platform makes ``BROKER_TRANSPORT_OPTIONS``."""
    options = file.values.get("CELERY_BROKER_TRANSPORT_OPTIONS")
    return options if isinstance(options, dict) else {}


def use_ssl(file: EnvironmentFile) -> Any:
    """Return the workers' TLS options; edx-platform reads the first name or, in older releases, the second.

    kombu takes options of the URL before both (``0?ssl_cert_reqs=required`` as the database).
    """
    return url_ssl(file) or file.values.get("BROKER_USE_SSL") or file.values.get("CELERY_BROKER_USE_SSL")


def url_ssl(file: EnvironmentFile) -> dict[str, str]:
    """Return the TLS options of the URL which Open edX makes."""
    query = str(file.values.get("CELERY_BROKER_VHOST") or "").partition("?")[2]
    options = (option.partition("=") for option in query.split("&"))
    return {name: value for name, _, value in options if name.startswith("ssl_")}
