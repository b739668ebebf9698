"""The kinds of text in the configuration, within the limits of Kubernetes, Celery and Redis.

Each is a plain ``str`` for mypy and a :class:`~kustomizer.config.reader.Text` for the reader of the configuration.
"""

from __future__ import annotations

from kustomizer.config.reader import AsGiven
from kustomizer.config.values import Boolean, Either, JsonMap, Text, Whole
from kustomizer.errors import Problem
from kustomizer.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    ServiceName: TypeAlias = str
    VariantName: TypeAlias = str
    QueueName: TypeAlias = str
    TaskName: TypeAlias = str
    NonEmpty: TypeAlias = str
    Word: TypeAlias = str
    KubernetesName: TypeAlias = str
    HostName: TypeAlias = str
    SecretKey: TypeAlias = str
    EnvName: TypeAlias = str
    HostPort: TypeAlias = str
    PythonModule: TypeAlias = str
    Version: TypeAlias = str
    CountOrPercent: TypeAlias = int | str
    Surge: TypeAlias = int | str
    SwitchOrName: TypeAlias = bool | str
    RolloutType: TypeAlias = str
    Probe: TypeAlias = JsonMap | str
    EnvEntry: TypeAlias = JsonMap

DIGITS = frozenset("0123456789")
LOWER = frozenset("abcdefghijklmnopqrstuvwxyz") | DIGITS
LETTERS = LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LABEL_LENGTH = 63
NAME_LENGTH = 253
OPEN_EDX_SERVICES = ("lms", "cms")
"""The services that read Open edX's settings, and can therefore read ours."""
ENV_FILE_VARIABLES = {"lms": "LMS_CFG", "cms": "CMS_CFG"}
"""The variables that name a service's ``lms.env.yml`` or ``cms.env.yml``."""
LARGEST_PORT = 65535
PERCENTAGES = frozenset(f"{number}%" for number in range(101))
SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
INVISIBLE = r"\s\u0000-\u001f\u007f-\u009f\ufeff"


def is_label(text: str, extra: str = "-") -> bool:
    """Tell whether ``text`` consists of lower-case letters and digits and, inside, of ``extra`` (RFC 1123)."""
    return bool(text) and text[0] in LOWER and text[-1] in LOWER and (LOWER | set(extra)).issuperset(text)


def _is_surge(text: str) -> bool:
    number = text.removesuffix("%")
    is_number = number != text and DIGITS.issuperset(number) and 0 < len(number) < 5  # noqa: PLR2004 - four digits
    return is_number and (number == "0" or number[0] != "0")


def is_visible(text: str) -> bool:
    """Tell whether ``text`` isn't empty and has no whitespace or control characters."""
    if text.isprintable():
        return bool(text) and " " not in text
    return not any(c.isspace() or c < " " or "\x7f" <= c <= "\x9f" or c == "\ufeff" for c in text)


def is_queue_name(text: str) -> bool:
    """Tell whether ``--queues``, which splits on commas, can name this queue."""
    return "," not in text and is_visible(text)


def _is_subdomain(text: str) -> bool:
    return all(is_label(part) for part in text.split("."))


def _is_secret_key(text: str) -> bool:
    return bool(text) and (LETTERS | set("-._")).issuperset(text)


def _is_env_name(text: str) -> bool:
    return _is_secret_key(text) and text[0] not in DIGITS


def _is_host_port(text: str) -> bool:
    host, _, port = text.rpartition(":")
    numeric = DIGITS.issuperset(port) and port[:1] not in ("", "0") and len(port) <= len(str(LARGEST_PORT))
    return numeric and int(port) <= LARGEST_PORT and is_visible(host) and not set("/@,") & set(host)


def _is_module(text: str) -> bool:
    return text.isascii() and all(part.isidentifier() for part in text.split("."))


def is_version(text: str) -> bool:
    """Tell whether ``text`` consists of numbers with dots between them."""
    return all(part and DIGITS.issuperset(part) for part in text.split("."))


if not TYPE_CHECKING:
    ServiceName = Text(
        "a service's name such as lms, of lower-case letters, digits and '-'",
        accepts=is_label,
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        max_length=LABEL_LENGTH,
        placeholder="service",
    )
    VariantName = Text(
        "a worker's name such as high_mem, of lower-case letters, digits, '_' and '-'",
        accepts=lambda text: is_label(text, "-_"),
        pattern="^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$",
        max_length=LABEL_LENGTH,
        placeholder="variant",
    )
    QueueName = Text(
        "a queue's name, without white space or comma",
        accepts=is_queue_name,
        pattern=f"^[^,{INVISIBLE}]+$",
    )
    TaskName = Text("a task's name", min_length=1, placeholder="task")
    NonEmpty = Text("a string that isn't empty", min_length=1)
    Word = Text("a string without white space", accepts=is_visible, pattern=f"^[^{INVISIBLE}]+$")
    KubernetesName = Text(
        "the name of a Kubernetes object, of lower-case letters, digits, '-' and '.'",
        accepts=_is_subdomain,
        pattern=f"^{SUBDOMAIN}$",
        max_length=NAME_LENGTH,
    )
    HostName = Text(
        "a host name in lower case, without port or path",
        accepts=_is_subdomain,
        pattern=f"^{SUBDOMAIN}$",
        max_length=NAME_LENGTH,
    )
    SecretKey = Text(
        "a key of a Secret, of letters, digits, '-', '_' and '.'",
        accepts=_is_secret_key,
        pattern="^[-._a-zA-Z0-9]+$",
        max_length=NAME_LENGTH,
    )
    EnvName = Text(
        "the name of an environment variable",
        accepts=_is_env_name,
        pattern="^[-._a-zA-Z][-._a-zA-Z0-9]*$",
    )
    HostPort = Text(
        "a host and its port, such as redis.example.com:6379",
        accepts=_is_host_port,
        pattern=f"^[^,/@{INVISIBLE}]+:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{{2}}|6[0-4][0-9]{{3}}|[1-5][0-9]{{4}}|[1-9][0-9]{{0,3}})$",
    )
    PythonModule = Text(
        "the dotted name of a Python module",
        accepts=_is_module,
        pattern="^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$",
    )
    Version = Text(
        "a version such as '0.1'",
        accepts=is_version,
        pattern="^[0-9]+([.][0-9]+)*$",
        remedy="Write numbers with dots between them, in quotes",
    )
    CountOrPercent = Either(
        "a whole number of pods or a percentage such as '50%'",
        Whole("a whole number, 0 or more", minimum=0),
        Text("a percentage", accepts=PERCENTAGES.__contains__, pattern="^(100|[1-9]?[0-9])%$"),
    )
    # More than all pods may be there besides (ValidateRollingUpdateDeployment).
    Surge = Either(
        "a whole number of pods or a percentage such as '50%'",
        Whole("a whole number, 0 or more", minimum=0),
        Text("a percentage", accepts=_is_surge, pattern="^(0|[1-9][0-9]{0,3})%$"),
    )
    SwitchOrName = Either("true, false or the name of a HorizontalPodAutoscaler", Boolean(), KubernetesName)
    Probe = Either("Celery or a map", Text("Celery", accepts="Celery".__eq__, pattern="^Celery$"), JsonMap)
    RolloutType = Text(
        "RollingUpdate",
        accepts="RollingUpdate".__eq__,
        pattern="^RollingUpdate$",
        remedy="For Recreate, set rollingUpdate: {maxSurge: 0, maxUnavailable: 100%}: applied server-side over a "
        "Deployment that runs, Recreate is refused",
    )


class EnvVar(Record):
    """An environment variable as in Kubernetes' ``containers[].env``."""

    name: EnvName
    """Its name."""

    value: str | None = None
    """Its value. `null` removes an inherited variable of this name. Numbers and booleans need quotes."""

    value_from: JsonMap | None = None
    """Source of the value, as in Kubernetes: `secretKeyRef`, `configMapKeyRef`, `fieldRef`."""


if not TYPE_CHECKING:
    EnvEntry = AsGiven(EnvVar)


def env_problems(entries: Sequence[JsonMap], path: str) -> list[Problem]:
    """Return the problems of a list of environment variables that its entries' types don't show."""
    problems = []
    first: dict[object, int] = {}
    for index, entry in enumerate(entries):
        at = f"{path}[{index}]"
        if first.setdefault(entry["name"], index) != index:
            message = f"{entry['name']} is set twice, see {path}[{first[entry['name']]}]"
            problems.append(Problem(field=f"{at}.name", message=message, remedy="Keep one of them"))
        if entry.get("value") is not None and entry.get("valueFrom") is not None:
            problems.append(Problem(field=at, message="has both value and valueFrom", remedy="Keep one of them"))
    return problems


def tutors_settings(service: str) -> str:
    """Return the Django settings module that Tutor has lms or cms load."""
    return f"{service}.envs.tutor.production"
