"""What Open edX's own settings make of ``lms.env.yml``, before any settings file of the site is run.

Told from lms/envs/production.py, cms/envs/production.py and the common.py files of the releases from Palm to Verawood
(https://github.com/openedx/openedx-platform). Where releases differ, the value isn't known.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kustomizer.errors import UserError
from kustomizer.manifests import canonical_reader
from kustomizer.manifests.tree import plain_value
from kustomizer.openedx.celery.python_values import Listing, Opaque, Table, doubt_in, wrapped
from kustomizer.openedx.celery.values import EDX_PLATFORMS

if TYPE_CHECKING:
    from kustomizer.openedx.celery.values import Source

# The settings that hold queues' names, and the variant that each stands for.
QUEUE_SETTINGS = {
    "default": "DEFAULT_PRIORITY_QUEUE",
    "high": "HIGH_PRIORITY_QUEUE",
    "high_mem": "HIGH_MEM_QUEUE",
    "low": "LOW_PRIORITY_QUEUE",
}
VARIANTS = {"lms": ("default", "high", "high_mem"), "cms": ("default", "high", "low")}
# Keys that production.py merges by itself.
_NOT_SETTINGS = frozenset(
    {"FEATURES", "TRACKING_BACKENDS", "EVENT_TRACKING_BACKENDS", "JWT_AUTH", "CELERY_QUEUES", "MKTG_URL_LINK_MAP"}
    | {"MKTG_URL_OVERRIDES", "REST_FRAMEWORK", "EVENT_BUS_PRODUCER_CONFIG"}
)
# Settings by which production.py makes EXPLICIT_QUEUES, and the tasks that it routes by each in all those releases.
_GRADES = "lms.djangoapps.grades.tasks"
_REPORTS = "lms.djangoapps.instructor_task.tasks"
_ROUTING_KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "lms": {
        "ACE_ROUTING_KEY": ("lms.djangoapps.verify_student.tasks.send_verification_status_email",),
        "BULK_EMAIL_ROUTING_KEY": ("lms.djangoapps.bulk_email.tasks.send_course_email",),
        "ENTITLEMENTS_EXPIRATION_ROUTING_KEY": ("common.djangoapps.entitlements.tasks.expire_old_entitlements",),
        "GRADES_DOWNLOAD_ROUTING_KEY": tuple(
            f"{_REPORTS}.{task}"
            for task in ("calculate_grades_csv", "calculate_problem_grade_report", "generate_certificates")
        ),
        "HEARTBEAT_CELERY_ROUTING_KEY": ("openedx.core.djangoapps.heartbeat.tasks.sample_task",),
        "POLICY_CHANGE_GRADES_ROUTING_KEY": (f"{_GRADES}.recalculate_course_and_subsection_grades_for_user",),
        "PROGRAM_CERTIFICATES_ROUTING_KEY": ("openedx.core.djangoapps.programs.tasks.award_program_certificates",),
        "SINGLE_LEARNER_COURSE_REGRADE_ROUTING_KEY": (f"{_GRADES}.recalculate_subsection_grade_v3",),
        "SOFTWARE_SECURE_VERIFICATION_ROUTING_KEY": (
            "lms.djangoapps.verify_student.tasks.send_request_to_ss_for_user",
        ),
    },
    "cms": {
        "POLICY_CHANGE_GRADES_ROUTING_KEY": (f"{_GRADES}.compute_all_grades_for_course",),
        "SINGLE_LEARNER_COURSE_REGRADE_ROUTING_KEY": (f"{_GRADES}.recalculate_course_and_subsection_grades_for_user",),
        "UPDATE_SEARCH_INDEX_JOB_QUEUE": ("cms.djangoapps.contentstore.tasks.update_search_index",),
    },
}
_BROKER = ("TRANSPORT", "USER", "PASSWORD", "HOSTNAME", "VHOST")


def settings(
    service: str, tokens: Table | Opaque, places: dict[str, Source]
) -> tuple[dict[str, Any], dict[str, Source]]:
    """Return the names that Open edX's settings for ``service`` give, and where each value is from.

    ``tokens`` is the content of ``<service>.env.yml``, ``places`` has the source of each key.
    """
    names: dict[str, Any] = {
        "CELERY_CREATE_MISSING_QUEUES": True,
        "CELERY_ROUTES": "openedx.core.lib.celery.routers.route_task",
        "CELERYBEAT_SCHEDULE": _partial(),
        "SERVICE_VARIANT": service,
    }
    originals = {variant: f"edx.{service}.core.{variant}" for variant in VARIANTS[service]}
    names |= {QUEUE_SETTINGS[variant]: queue for variant, queue in originals.items()}
    if isinstance(tokens, Table):
        names |= {key: value for key, value in tokens.items() if isinstance(key, str) and key not in _NOT_SETTINGS}
    sources = {name: places.get(name, EDX_PLATFORMS) for name in names}
    computed = {
        "BROKER_URL": _broker_url(tokens),
        "BROKER_TRANSPORT_OPTIONS": _transport_options(tokens),
        "BROKER_USE_SSL": _use_ssl(tokens),
        "CELERY_QUEUES": _queues(tokens, names, originals),
        "CELERY_DEFAULT_QUEUE": _default_queue(tokens, names, originals),
        "CELERYD_PREFETCH_MULTIPLIER": 1,
        "BROKER_POOL_LIMIT": 0,
        "EXPLICIT_QUEUES": _explicit_queues(service, tokens, places, names),
        "ENV_TOKENS": tokens,
        "AUTH_TOKENS": tokens,
    }
    made_of = {
        "BROKER_URL": "CELERY_BROKER_HOSTNAME",
        "BROKER_TRANSPORT_OPTIONS": "CELERY_BROKER_TRANSPORT_OPTIONS",
        "BROKER_USE_SSL": "BROKER_USE_SSL" if "BROKER_USE_SSL" in places else "CELERY_BROKER_USE_SSL",
        "CELERY_QUEUES": "CELERY_QUEUES",
        "CELERY_DEFAULT_QUEUE": "CELERY_DEFAULT_QUEUE",
    }
    names |= computed
    sources |= {name: places.get(made_of.get(name, ""), EDX_PLATFORMS) for name in computed}
    return names, sources


def _token(tokens: Table | Opaque, name: str, default: Any) -> Any:
    return tokens if isinstance(tokens, Opaque) else tokens.get(name, default)


def _broker_url(tokens: Table | Opaque) -> Any:
    parts = {part: _token(tokens, f"CELERY_BROKER_{part}", "") for part in _BROKER}
    if isinstance(tokens, Opaque):
        return tokens
    # Each as Python's str() has it: None becomes "None".
    return "{TRANSPORT}://{USER}:{PASSWORD}@{HOSTNAME}/{VHOST}".format(**parts)


def _transport_options(tokens: Table | Opaque) -> Any:
    options = _token(tokens, "CELERY_BROKER_TRANSPORT_OPTIONS", None)
    if options is None:
        options = Table()
    if isinstance(options, Table):
        return Table({"fanout_patterns": True, "fanout_prefix": True, **options})
    return options if isinstance(options, Opaque) else Opaque("Open edX doesn't start: it isn't a mapping")


def _use_ssl(tokens: Table | Opaque) -> Any:
    new, old = (_token(tokens, name, None) for name in ("BROKER_USE_SSL", "CELERY_BROKER_USE_SSL"))
    if isinstance(tokens, Opaque):
        return tokens
    if new and old and new != old:
        return Opaque(
            "BROKER_USE_SSL and CELERY_BROKER_USE_SSL differ, and which of them counts depends on the release"
        )
    return new or old or False


def _queues(tokens: Table | Opaque, names: dict[str, Any], originals: dict[str, str]) -> Any:
    if isinstance(tokens, Opaque):
        return tokens
    listed = tokens.get("CELERY_QUEUES")
    if listed and not isinstance(listed, (Listing, Table, str)):
        return Opaque("Open edX doesn't start: CELERY_QUEUES isn't a list")
    # The table is made before lms.env.yml is read: a queue that is renamed there stays in it under its old name.
    queues = Table({queue: Table() for queue in listed or originals.values()})
    alternates = tokens.get("ALTERNATE_WORKER_QUEUES", "")
    default = names["DEFAULT_PRIORITY_QUEUE"]
    if not isinstance(alternates, str) or not isinstance(default, str):
        return Opaque("Open edX doesn't start: ALTERNATE_WORKER_QUEUES isn't a text")
    service = names["SERVICE_VARIANT"]
    for alternate in alternates.split():
        # Until Sumac with a dot behind each, since without.
        older, newer = default.replace(f"{service}.", f"{alternate}."), default.replace(service, alternate)
        if older != newer:
            return Opaque(f"which queue is {alternate}'s depends on the release")
        queues.setdefault(newer, Table())
    doubt = doubt_in(queues)
    return doubt or queues


def _default_queue(tokens: Table | Opaque, names: dict[str, Any], originals: dict[str, str]) -> Any:
    if isinstance(tokens, Opaque):
        return tokens
    if "CELERY_DEFAULT_QUEUE" in tokens:
        return tokens["CELERY_DEFAULT_QUEUE"]
    if names["DEFAULT_PRIORITY_QUEUE"] != originals["default"]:
        # Since Ulmo it follows the name that lms.env.yml gives; before, it was set first.
        return Opaque("whether it follows DEFAULT_PRIORITY_QUEUE depends on the release")
    return originals["default"]


def _explicit_queues(service: str, tokens: Table | Opaque, places: dict[str, Source], names: dict[str, Any]) -> Table:
    """Return the routes of ``lms.env.yml`` to other queues than Open edX's own, each with its place.

    There are more, to those: Tutor's file has one of them.
    """
    queues, own = _partial(), [names[QUEUE_SETTINGS[variant]] for variant in VARIANTS[service]]
    for setting, tasks in _ROUTING_KEYS[service].items():
        queue = None if isinstance(tokens, Opaque) else tokens.get(setting)
        if isinstance(queue, str) and queue not in own:
            for task in tasks:
                queues[task] = Table({"queue": queue})
                queues[task].changed = places.get(setting)
    return queues


def _partial() -> Table:
    table = Table()
    table.partial = True
    return table


def read_tokens(text: str) -> Table | Opaque:
    """Return what Open edX reads out of a ``lms.env.yml``: PyYAML's reading, not kustomize's."""
    loaded = _loaded(text)
    return loaded if isinstance(loaded, Opaque) else wrapped(loaded)


@functools.lru_cache(maxsize=16)
def _loaded(text: str) -> Any:
    try:
        from kustomizer.manifests.full_reader import read_as_pyyaml  # noqa: PLC0415 - `import yaml` costs half of the function's time
    except UserError:
        return _read_plainly(text)
    try:
        loaded = read_as_pyyaml(text)
    except UserError:
        return Opaque("the file can't be read as YAML")
    return loaded if isinstance(loaded, dict) else Opaque("the file isn't a mapping")


def _read_plainly(text: str) -> Any:
    """Read a file that is as plain as Tutor's own, without PyYAML."""
    lines = [line for line in text.rstrip("\n").split("\n") if line.strip() and not line.lstrip().startswith("#")]
    try:
        loaded = plain_value(canonical_reader.read(lines))
    except (canonical_reader.NotCanonical, UserError):
        return Opaque("the file can't be read without PyYAML, which the function's Python hasn't got")
    return loaded if isinstance(loaded, dict) else Opaque("the file isn't a mapping")


@functools.lru_cache(maxsize=16)
def lines(text: str) -> dict[str, int]:
    """Return the line on which each top-level key's value begins, 0 where that can't be told."""
    tokens = _loaded(text)
    if isinstance(tokens, Opaque):
        return {}
    numbers = {key: 0 for key in tokens if isinstance(key, str)}
    for number, line in enumerate(text.split("\n"), start=1):
        key = line.lstrip("\"'").partition(":")[0].rstrip("\"' \t")
        if key in numbers:
            numbers[key] = number
    return numbers
