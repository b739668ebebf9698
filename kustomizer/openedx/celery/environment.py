"""The environment of a container, as a kubelet makes it out of ``env`` and ``envFrom``."""

from __future__ import annotations

from kustomizer.manifests.tree import is_null, lookup, plain_value
from kustomizer.openedx.celery.values import MOST_PARTS, Known, Parts, Source, Unknown, Unseen
from kustomizer.openedx.workers import has_injected_variables
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kustomizer.manifests.resource import Resource, Resources
    from kustomizer.openedx.celery.values import Value

# Linux starts no process whose arguments and variables are more (bprm_stack_limits in fs/exec.c). Variables that name
# each other twice, fifty in a row, would be more than any memory.
_MOST_OF_A_PROCESS = 6 * 2**20
# What a container has besides: from its runtime, and from Tutor's Dockerfile.
_OF_EACH_POD = frozenset({"CMS_CFG", "HOME", "HOSTNAME", "LMS_CFG", "PATH", "PWD"})
_KINDS = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret", "configMapRef": "ConfigMap", "secretRef": "Secret"}

# fmt: off
# Programs that start another one as it is, and give it no variables that Celery heeds.
_SETS_NOTHING = (
    "catatonit", "chpst", "chroot", "ddtrace-run", "dockerize", "dumb-init", "elasticapm-run", "envoy-preflight",
    "exec", "gosu", "ionice", "linkerd-await", "memray", "newrelic-admin", "nice", "nohup", "numactl",
    "opentelemetry-instrument", "poetry", "prlimit", "py-spy", "pyroscope", "python", "runuser", "scuttle", "setpriv",
    "setsid", "stdbuf", "strace", "su-exec", "sudo", "taskset", "time", "tini", "uv", "wait-for", "watchmedo",
    "xvfb-run",
)
# Programs that fetch variables for what they start.
_SETS_MORE = frozenset({
    "aws-env", "aws-vault", "berglas", "chamber", "doppler", "dotenv", "envconsul", "envdir", "honcho", "infisical",
    "op", "secrethub-env", "sops", "ssm-env", "summon", "teller", "vals", "vault-env", "with-contenv",
})
# fmt: on
# What may stand beside a word of a script.
_BETWEEN = str.maketrans(dict.fromkeys(";&|()", " "))


class Start(Record):
    """What runs before Celery in a container."""

    field: str
    """The path of the command."""
    script: str = ""
    """The part of a shell's script before it."""
    programs: tuple[str, ...] = ()
    """The words before it of what starts it without a shell."""


class Environment:
    """The variables of one container, each with its source."""

    def __init__(
        self, resources: Resources, owner: Resource, path: str, container: Any, start: Start | None = None
    ) -> None:
        """Read the variables; ``start`` says what runs before Celery, and may set others."""
        self._resources = resources
        self._owner = owner
        self._values: dict[str, Value] = {}
        self._unseen: list[tuple[str, Unknown, str | None]] = []
        """What may set variables that the build doesn't show: each with the prefix that it gives them, and a Secret."""
        self._expanded = 0
        for index, source in enumerate(entries(container, "envFrom")):
            self._add_all(source, f"{path}.envFrom[{index}]")
        for index, entry in enumerate(entries(container, "env")):
            name = lookup(entry, "name")
            value = None if is_null(name) else self._entry(entry, f"{path}.env[{index}]")
            if value is not None:
                self._values[str(name)] = value
        if has_injected_variables(owner):
            annotations = Source(resource=owner.ref, field="spec.template.metadata.annotations")
            self._may_set("what a webhook puts in (vault-env-from-path) may set it", annotations)
        if start is not None:
            self._heed(start.script, self._source(start.field))
            self._heed_programs(start.programs, self._source(start.field))
            self._heed_env(start.programs, self._source(start.field))

    def _heed(self, script: str, source: Source) -> None:
        """Note what a shell script may set."""
        words = [word.strip("\"'") for word in script.translate(_BETWEEN).split()]
        if "source" in words or "." in words:
            self._may_set("a file that a shell script reads may set it", source)
        for word, following in zip(words, [*words[1:], ""], strict=False):
            name, equals, _ = word.partition("=")
            if equals and name.isidentifier():
                self._values[name] = Unknown(reason="a shell script sets it", source=source)
            if word == "eval" or (word == "export" and ("$" in following.partition("=")[0] or "`" in following)):
                self._may_set(f"a shell script's {word} may set it", source)
        if "read" in words:
            names = words[words.index("read") + 1 :]
            self._values |= {name: Unknown(reason="a shell script reads it", source=source) for name in names}
        if script:
            from kustomizer.worker_command.shell_words import starters  # noqa: PLC0415 - only a shell string needs it

            self._heed_programs(starters(script), source)

    def _heed_programs(self, words: Sequence[str], source: Source) -> None:
        """Note what the programs that start Celery may set: ``chamber exec production --``, ``nice chpst -e /env``."""
        programs = [word.rpartition("/")[2] for word in words]
        is_unknown = bool(words) and programs[0] != "env" and not programs[0].startswith(_SETS_NOTHING)
        # Behind a program that sets nothing there may be one that does.
        setters = words[:1] if is_unknown else [word for word in words if word.rpartition("/")[2] in _SETS_MORE]
        for word in setters[:1]:
            self._may_set(f"{word}, which starts Celery, may set it", source)
        if programs[:1] == ["chpst"] and "-e" in words:
            self._may_set("the directory of chpst's -e may set it", source)
        if any(word.startswith("--env-file") for word in words):
            self._may_set("the file of --env-file may set it", source)

    def _heed_env(self, words: Sequence[str], source: Source) -> None:
        """Note what ``env NAME=value`` sets, wherever it stands before Celery."""
        programs = [word.rpartition("/")[2] for word in words]
        for word in words[programs.index("env") + 1 :] if "env" in programs else ():
            name, equals, value = word.partition("=")
            if word.startswith("-"):
                self._may_set("an option of env may set it, or take it out", source)
            elif not equals:
                return
            elif name.isidentifier():
                self._values[name] = self.expanded(value).replace(source=source)

    def _may_set(self, reason: str, source: Source) -> None:
        self._unseen.append(("", Unknown(reason=reason, source=source, may_be_unset=True), None))

    def get(self, name: str) -> Value | None:
        """Return a variable's value, None where nothing sets it that the build shows."""
        value = self._set(name)
        if value is None and name in _OF_EACH_POD:
            return Unknown(reason="only a running pod knows it", source=self._source(""), may_be_unset=True)
        return value

    def _set(self, name: str) -> Value | None:
        value = self._values.get(name)
        if value is None:
            value = self._of_unseen(name)
        return value or self._link(name)

    def _of_unseen(self, name: str) -> Unknown | None:
        """Return a variable that what the build hasn't got may set, None where nothing may."""
        found = [each for each in self._unseen if name.startswith(each[0])]
        if not found:
            return None
        prefix, unseen, secret = found[0]
        # Of several, any may have it.
        if secret is None or len(found) > 1:
            return unseen
        return unseen.replace(parts=Parts([Unseen(secret=secret, key=name.removeprefix(prefix))]))

    def _link(self, name: str) -> Unknown | None:
        """Return a variable that names a Service of the namespace, None where it is none of these."""
        service, is_link, _ = name.partition("_SERVICE_" if "_SERVICE_" in name else "_PORT")
        if not is_link:
            return None
        # https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
        link = service.lower().replace("_", "-")
        has_links = plain_value(lookup(self._owner.tree, "spec", "template", "spec", "enableServiceLinks")) is not False
        is_there = has_links and self._resources.find("Service", link, self._owner.namespace)
        if not is_there and link != "kubernetes":
            return None
        return Unknown(reason=f"Kubernetes sets it for Service {link}", source=self._source(""), may_be_unset=True)

    def expanded(self, text: str) -> Value:
        """Return ``text`` with the kubelet's ``$(NAME)`` expanded; an unset name stays as it is."""
        source = self._source("")
        parts: list[Any] = []
        unknown: Unknown | None = None
        start, last_bracket, room = 0, text.rfind(")"), _MOST_OF_A_PROCESS - self._expanded
        while (dollar := text.find("$", start)) >= 0:
            parts.append(text[start:dollar])
            start = dollar + 1
            if text.startswith("$", start):
                parts.append("$")
                start += 1
            elif text.startswith("(", start) and start < last_bracket:
                end = text.find(")", start)
                name = text[start + 1 : end]
                value = self._set(name)
                start = end + 1
                if isinstance(value, Unknown):
                    unknown = unknown or value
                    parts += value.parts or (None,)
                    continue
                inserted = f"$({name})" if value is None else str(value.value)
                room -= len(inserted)
                if room < 0:
                    return Unknown(reason="its variables are more than a process can have", source=source)
                parts.append(inserted)
            else:
                parts.append("$")
        parts.append(text[start:])
        if unknown is not None:
            known_in_part = Parts(part for part in parts if part != "")
            is_much = len(known_in_part) > MOST_PARTS
            return unknown.replace(parts=Parts() if is_much else known_in_part, may_be_unset=False)
        return Known(value="".join(parts), source=source)

    def _source(self, field: str) -> Source:
        return Source(resource=self._owner.ref, field=field)

    def _entry(self, entry: Any, path: str) -> Value | None:
        value_from = lookup(entry, "valueFrom")
        if is_null(value_from) or not isinstance(value_from, dict):
            text = lookup(entry, "value")
            expanded = self.expanded("" if is_null(text) else str(text))
            self._expanded += len(expanded.value) if isinstance(expanded, Known) else 0
            return expanded.replace(source=self._source(path))
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            reference = value_from.get(field)
            if isinstance(reference, dict):
                return self._referred(kind, reference, f"{path}.valueFrom.{field}")
        return Unknown(reason="only a running pod knows it", source=self._source(f"{path}.valueFrom"))

    def _not_read(self, name: str, key: str, path: str) -> Unknown:
        reason = f"what Secret {name} has under {key} isn't base64, and may be encrypted or put in later"
        return Unknown(reason=reason, source=self._source(path))

    def _referred(self, kind: str, reference: dict[str, Any], path: str) -> Value | None:
        name, key = str(lookup(reference, "name") or ""), str(lookup(reference, "key") or "")
        owner_and_data = data_of(self._resources, kind, name, self._owner.namespace)
        optional = plain_value(lookup(reference, "optional")) is True
        if owner_and_data is None:
            reason = f"{kind} {name} isn't in the build"
            parts = Parts([Unseen(secret=name, key=key)] if kind == "Secret" else ())
            return Unknown(reason=reason, source=self._source(path), may_be_unset=optional, parts=parts)
        resource, data = owner_and_data
        if key not in data:
            if not is_null(lookup(resource.tree, "data", key)):
                return self._not_read(name, key, path)
            # A kubelet leaves an optional one out, and starts no container without any other.
            reason = f"{kind} {name} has no key {key}"
            return None if optional else Unknown(reason=reason, source=self._source(path))
        field = f'data["{key}"]'
        return Known(value=str(data[key]), source=Source(resource=resource.ref, field=field))

    def _add_all(self, source: Any, path: str) -> None:
        prefix = lookup(source, "prefix")
        prefix = "" if is_null(prefix) else str(prefix)
        for field in ("configMapRef", "secretRef"):
            reference = lookup(source, field)
            if not isinstance(reference, dict):
                continue
            kind, name = _KINDS[field], str(lookup(reference, "name") or "")
            owner_and_data = data_of(self._resources, kind, name, self._owner.namespace)
            where = self._source(f"{path}.{field}")
            if owner_and_data is None:
                reason = f"{kind} {name}, which isn't in the build, may set it"
                unseen = Unknown(reason=reason, source=where, may_be_unset=True)
                self._unseen.append((prefix, unseen, name if kind == "Secret" else None))
                # Of two sources of one name the later one counts.
                self._values = {name: value for name, value in self._values.items() if not name.startswith(prefix)}
                continue
            resource, data = owner_and_data
            for key, value in data.items():
                source_of_key = Source(resource=resource.ref, field=f'data["{key}"]')
                self._values[f"{prefix}{key}"] = Known(value=str(value), source=source_of_key)
            whole = lookup(resource.tree, "data")
            for key, value in whole.items() if kind == "Secret" and isinstance(whole, dict) else ():
                if str(key) not in data and not is_null(value):
                    self._values[f"{prefix}{key}"] = self._not_read(name, str(key), f"{path}.{field}")


def entries(node: Any, field: str) -> list[Any]:
    """Return the items of a list field, none where something else stands there."""
    items = lookup(node, field)
    return items if isinstance(items, list) else []


def data_of(resources: Resources, kind: str, name: str, namespace: str) -> tuple[Resource, dict[str, Any]] | None:
    """Return a ConfigMap or Secret with its data, of which str() gives the texts; None where the build hasn't got it.

    Each worker asks for one text of several.
    """
    from kustomizer.manifests.secret_data import decoded  # noqa: PLC0415 - base64 costs what hardly any site needs

    for resource in resources.generated(kind, name, namespace):
        if kind == "Secret":
            return resource, decoded(resource)
        data = lookup(resource.tree, "data")
        return resource, {k: v for k, v in data.items() if not is_null(v)} if isinstance(data, dict) else {}
    return None
