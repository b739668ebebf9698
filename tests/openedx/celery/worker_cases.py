"""Workers whose Celery is told something in one way or another: what a site's operator or plugin may do to Tutor's."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Objects = list[dict[str, Any]]
    Edit = Callable[[dict[str, Any], Objects], None]

OPTIONS = "CELERY_BROKER_TRANSPORT_OPTIONS"


class Case(NamedTuple):
    """A worker, and which of its answers nobody can know from the build."""

    name: str
    objects: Objects
    service: str
    unknown: frozenset[str]
    """Attributes of the view that have to be Unknown, without a value that holds otherwise."""
    doubtful: frozenset[str]
    """Those that have to be Unknown and name what holds unless something unseen sets it."""

    @property
    def deployment(self) -> dict[str, Any]:
        return self.objects[0]


BROKER = ("broker_url", "broker")
# Whatever the settings say, where the queues are named on the command line.
SETTINGS = (
    *BROKER,
    *("default_queue", "transport_options", "visibility_timeout", "key_prefix", "use_ssl", "default_priority"),
    *("lists", "acknowledges_late", "rejects_on_worker_lost", "soft_shutdown_timeout", "pool", "names"),
    *("prefetch_multiplier", "routes"),
)


def case(
    name: str,
    *options: str,
    settings: str = "",
    env_file: str = "",
    env: Sequence[Mapping[str, Any]] = (),
    before: Sequence[str] = (),
    others: Sequence[dict[str, Any]] = (),
    edit: Edit | None = None,
    service: str = "lms",
    queues: bool = True,
    unknown: Sequence[str] = (),
    doubtful: Sequence[str] = (),
) -> Case:
    """Return Tutor's worker with more ``options``, or options ``before`` the word worker, and so on."""
    taken = [f"--queues=edx.{service}.core.default,edx.{service}.core.high"] if queues else []
    args = ["celery", f"--app={service}.celery", *before, "worker", "--loglevel=info", *taken, *options]
    container: dict[str, Any] = {
        "name": f"{service}-worker",
        "image": "docker.io/overhangio/openedx:22.0.3",
        "args": args,
        "env": [
            {"name": "SERVICE_VARIANT", "value": service},
            {"name": "DJANGO_SETTINGS_MODULE", "value": f"{service}.envs.tutor.production"},
            *(dict(each) for each in env),
        ],
        "volumeMounts": [
            {"mountPath": f"/openedx/edx-platform/{service}/envs/tutor/", "name": f"settings-{service}"},
            {"mountPath": "/openedx/config", "name": "config"},
        ],
    }
    volumes = [
        {"name": f"settings-{service}", "configMap": {"name": f"openedx-settings-{service}"}},
        {"name": "config", "configMap": {"name": "openedx-config"}},
    ]
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{service}-worker"},
        "spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}},
    }
    production = (
        f"from {service}.envs.production import *\nimport json\nimport os\n"
        'INSTALLED_APPS.remove("lms.djangoapps.coursewarehistoryextended")\nDATABASE_ROUTERS = []\n'
        f"{settings}"
    )
    objects = [
        deployment,
        config_map(f"openedx-settings-{service}", {"__init__.py": "", "production.py": production}),
        config_map("openedx-config", {f"{service}.env.yml": with_broker(env_file, service)}),
        *others,
    ]
    if edit is not None:
        edit(container, objects)
    return Case(name, objects, service, frozenset(unknown), frozenset(doubtful))


def with_broker(text: str, service: str = "lms") -> str:
    """Return an env.yml with what Tutor writes for its own Redis, where ``text`` doesn't."""
    tutors = {
        "CELERY_BROKER_TRANSPORT": '"redis"',
        "CELERY_BROKER_HOSTNAME": '"redis:6379"',
        "CELERY_BROKER_VHOST": '"0"',
        "CELERY_BROKER_USER": '""',
        "CELERY_BROKER_PASSWORD": '""',
        "ALTERNATE_WORKER_QUEUES": '"lms"' if service == "cms" else '"cms"',
    }
    lines = [f"{name}: {value}\n" for name, value in tutors.items() if f"{name}:" not in text]
    return 'SITE_NAME: "lms.example.com"\n' + "".join(lines) + text


def config_map(name: str, data: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}


def secret(name: str, data: Mapping[str, str]) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}


def value(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "value": text}


def of_secret(variable: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def _settings_elsewhere(container: dict[str, Any], objects: Objects) -> None:
    objects[1]["metadata"]["name"] = "openedx-settings-lms-patched"
    objects[0]["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] = "openedx-settings-lms-patched"


def _one_file_mounted(container: dict[str, Any], objects: Objects) -> None:
    mount = container["volumeMounts"][0]
    mount |= {"mountPath": "/openedx/edx-platform/lms/envs/tutor/production.py", "subPath": "production.py"}


def _projected(container: dict[str, Any], objects: Objects) -> None:
    volume = objects[0]["spec"]["template"]["spec"]["volumes"][0]
    source = {"configMap": volume.pop("configMap")}
    text = objects[1]["data"]["production.py"] + "CELERY_ACKS_LATE = True\n"
    objects.append(config_map("more", {"production.py": text}))
    volume["projected"] = {"sources": [source, {"configMap": {"name": "more"}}]}


def _renamed_by_items(container: dict[str, Any], objects: Objects) -> None:
    objects[1]["data"]["other.py"] = objects[1]["data"].pop("production.py") + "CELERY_ACKS_LATE = True\n"
    volume = objects[0]["spec"]["template"]["spec"]["volumes"][0]
    volume["configMap"]["items"] = [{"key": "other.py", "path": "production.py"}]


def _other_env_file(container: dict[str, Any], objects: Objects) -> None:
    objects[2]["data"]["mine.yml"] = with_broker('CELERY_BROKER_HOSTNAME: "elsewhere:7000"\n')
    container["env"].append(value("LMS_CFG", "/openedx/config/mine.yml"))


def _env_file_in_secret(container: dict[str, Any], objects: Objects) -> None:
    objects[2] = secret("openedx-config", objects[2]["data"])
    objects[0]["spec"]["template"]["spec"]["volumes"][1] = {
        "name": "config",
        "secret": {"secretName": "openedx-config"},
    }


def _in_script(container: dict[str, Any], objects: Objects) -> None:
    program, app, *words = container.pop("args")
    container["command"] = ["sh", "-c", f"exec {program} {app} -b redis://script:1/1 {' '.join(words)} --concurrency=3"]


def _variable_in_script(container: dict[str, Any], objects: Objects) -> None:
    words = container.pop("args")
    container["command"] = ["sh", "-c", f"export CELERY_BROKER_URL=redis://script/1; exec {' '.join(words)}"]


def _started_by_env(container: dict[str, Any], objects: Objects) -> None:
    container["command"] = ["env", "CELERY_BROKER_URL=redis://by-env:1/3"]


def _started_by_nice(container: dict[str, Any], objects: Objects) -> None:
    container["command"] = ["nice", "-n", "1"]


def _handed_on(container: dict[str, Any], objects: Objects) -> None:
    container["command"] = ["sh", "-c", 'export CELERY_BROKER_URL=redis://script/1; exec "$@"', "--"]


def _command_and_args(container: dict[str, Any], objects: Objects) -> None:
    container["command"], container["args"] = container["args"][:3], container["args"][3:]


def _sibling_module(container: dict[str, Any], objects: Objects) -> None:
    objects[1]["data"]["common.py"] = "HOST = 'sibling'\nCELERY_DEFAULT_PRIORITY = 4\n"
    objects[1]["data"]["production.py"] += "from .common import *\nBROKER_URL = f'redis://{HOST}:6379/2'\n"


def _names_of_a_sibling(container: dict[str, Any], objects: Objects) -> None:
    text = (
        "import os\nHOST = os.environ.get('HOST', 'named')\nOPTIONS = {'visibility_timeout': 5}\nURL = os.urandom(1)\n"
    )
    objects[1]["data"]["redis_conf.py"] = text
    objects[1]["data"]["production.py"] += "from .redis_conf import HOST as _h\nBROKER_URL = f'redis://{_h}:6379/2'\n"


def _options_of_a_sibling(container: dict[str, Any], objects: Objects) -> None:
    _names_of_a_sibling(container, objects)
    objects[1]["data"]["production.py"] += "from lms.envs.tutor.redis_conf import OPTIONS as BROKER_TRANSPORT_OPTIONS\n"


def _other_module(container: dict[str, Any], objects: Objects) -> None:
    container["env"][1] = value("DJANGO_SETTINGS_MODULE", "lms.envs.tutor.campus")
    objects[1]["data"]["campus.py"] = "from lms.envs.tutor.production import *\nCELERY_ACKS_LATE = True\n"


def _env_from(*sources: dict[str, Any]) -> Edit:
    def edit(container: dict[str, Any], _: Objects) -> None:
        container["envFrom"] = list(sources)

    return edit


def _ours(container: dict[str, Any], objects: Objects) -> None:
    """As the function itself leaves a worker."""
    from kustomizer.openedx.settings_module import CelerySettings, render, settings_file  # noqa: PLC0415

    worker = CelerySettings(unacked_suffix=".lms-worker-high", visibility_timeout=7200)
    text = render(settings_file("lms", {}), routing={"a.task": "edx.lms.core.high"}, worker=worker)
    objects.append(config_map("ours", {"production.py": text}))
    volume = objects[0]["spec"]["template"]["spec"]["volumes"][0]
    tutors = {
        **volume.pop("configMap"),
        "items": [
            {"key": "production.py", "path": "tutor_production.py"},
            {"key": "__init__.py", "path": "__init__.py"},
        ],
    }
    ours = {"name": "ours", "items": [{"key": "production.py", "path": "production.py"}]}
    volume["projected"] = {"sources": [{"configMap": tutors}, {"configMap": ours}]}


SECRET = secret("managed-redis", {"url": "rediss://user:pa%40ss@cache.example.com:6380/3", "host": "cache.example.com"})
UPDATE = "BROKER_TRANSPORT_OPTIONS.update({'visibility_timeout': 9000})\n"

CASES: list[Case] = [
    case("plain"),
    case("plain-cms", service="cms"),
    case("queues-of-settings", queues=False),
    case("queues-of-settings-cms", queues=False, service="cms"),
    case("as-tutor-17", "--exclude-queues=edx.cms.core.default", queues=False),
    case("excluded-short", "-X", "edx.cms.core.default,edx.lms.core.high", queues=False),
    case("queues-twice", "--queues=a,b", "-Q", "c,d"),
    case("queues-of-variable", env=[value("CELERY_WORKER_QUEUES", "from.env,other")], queues=False),
    case("queues-over-variable", env=[value("CELERY_WORKER_QUEUES", "from.env")]),
    case("queues-expanded", "--queues=$(QUEUE),$(MISSING)", env=[value("QUEUE", "x.$$y")], queues=False),
    case("env-file-queues", env_file="CELERY_QUEUES: [edx.lms.core.default, one.more]\n", queues=False),
    case("env-file-queues-map", env_file="CELERY_QUEUES:\n  a: {}\n  b: {}\n", queues=False),
    case("env-file-queues-empty", env_file="CELERY_QUEUES: []\n", queues=False),
    case("settings-add-a-queue", settings="CELERY_QUEUES['one.more'] = {}\n", queues=False),
    case("settings-update-queues", settings="CELERY_QUEUES.update({q: {} for q in ['x', 'y']})\n", queues=False),
    case("settings-pop-a-queue", settings="CELERY_QUEUES.pop('edx.cms.core.default')\n", queues=False),
    case("settings-delete-a-queue", settings="del CELERY_QUEUES['edx.cms.core.default']\n", queues=False),
    case("settings-merge-queues", settings="CELERY_QUEUES = {**CELERY_QUEUES, 'z': {}}\n", queues=False),
    case("settings-or-queues", settings="CELERY_QUEUES |= {'z': {}}\n", queues=False),
    case(
        "kombu-queues",
        settings="from kombu import Queue\nCELERY_QUEUES = (Queue('k1'), Queue(name='k2', routing_key='r'))\n",
        queues=False,
    ),
    case("no-queues-at-all", settings="CELERY_QUEUES = None\n", queues=False),
    case("no-alternates", env_file='ALTERNATE_WORKER_QUEUES: ""\n', queues=False),
    case("two-alternates", env_file='ALTERNATE_WORKER_QUEUES: "cms other"\n', queues=False),
    case(
        "renamed-queues",
        env_file="DEFAULT_PRIORITY_QUEUE: edx.lms.campus.default\nHIGH_PRIORITY_QUEUE: edx.lms.campus.high\n"
        "HIGH_MEM_QUEUE: edx.lms.campus.high_mem\n",
        queues=False,
        unknown=["default_queue"],
    ),
    case(
        "renamed-without-service",
        env_file="DEFAULT_PRIORITY_QUEUE: standard\n",
        queues=False,
        unknown=["default_queue"],
    ),
    case(
        "renamed-odd",
        env_file="DEFAULT_PRIORITY_QUEUE: my-lms-queue\n",
        queues=False,
        unknown=["default_queue", "queues"],
    ),
    case("renamed-in-settings", settings="HIGH_PRIORITY_QUEUE = 'quick'\nCELERY_DEFAULT_QUEUE = 'slow'\n"),
    case("default-queue-in-env-file", env_file="CELERY_DEFAULT_QUEUE: mine\n"),
    case(
        "no-missing-queues",
        settings="CELERY_CREATE_MISSING_QUEUES = False\nCELERY_QUEUES['one.more'] = {}\n",
    ),
    case("no-missing-queues-in-env-file", env_file="CELERY_CREATE_MISSING_QUEUES: false\n"),
    case("no-missing-queues-in-vain", settings="CELERY_TASK_CREATE_MISSING_QUEUES = False\n"),
    case("eager", settings="CELERY_ALWAYS_EAGER = True\n"),
    case("eager-in-env-file", env_file="CELERY_ALWAYS_EAGER: 'false'\n"),
    case("eager-in-vain", settings="CELERY_TASK_ALWAYS_EAGER = True\n", env_file="CELERY_TASK_ALWAYS_EAGER: true\n"),
    # The broker
    case("broker-in-env-file", env_file='CELERY_BROKER_HOSTNAME: "cache.example.com:6380"\nCELERY_BROKER_VHOST: "4"\n'),
    case("broker-with-password", env_file='CELERY_BROKER_USER: "edx%2Fapp"\nCELERY_BROKER_PASSWORD: "p%40ss"\n'),
    case("broker-null", env_file="CELERY_BROKER_USER: null\nCELERY_BROKER_VHOST: null\n"),
    case("broker-yaml-1.1", env_file="CELERY_BROKER_PASSWORD: 0123\nCELERY_BROKER_USER: yes\n"),
    case("broker-amqp", env_file='CELERY_BROKER_TRANSPORT: amqp\nCELERY_BROKER_HOSTNAME: "rabbit:5672"\n'),
    case(
        "broker-rediss",
        env_file='CELERY_BROKER_TRANSPORT: "rediss"\nCELERY_BROKER_USE_SSL: {ssl_cert_reqs: required}\n',
    ),
    case("broker-option", before=["--broker=redis://option:6379/5"]),
    case("broker-option-short", before=["-b", "redis://user:pw@option/6"]),
    case("broker-variable", env=[value("CELERY_BROKER_URL", "redis://variable:6379/7")]),
    case("broker-variable-empty", env=[value("CELERY_BROKER_URL", "")]),
    case("broker-in-capitals", env=[value("CELERY_BROKER_URL", "REDIS://variable:6379/7")]),
    case("broker-socket", env=[value("CELERY_BROKER_URL", "redis+socket:///run/redis.sock?virtual_host=2")]),
    case("broker-read-variable", env=[value("CELERY_BROKER_READ_URL", "redis://read:6379/7")]),
    case("broker-plain-variable", env=[value("BROKER_URL", "redis://plain:6379/8")]),
    case("broker-auto-variable", env=[value("CELERY_BROKER", "redis://auto:6379/9")]),
    case(
        "broker-option-over-variables",
        before=["--broker", "redis://option:6379/5"],
        env=[value("CELERY_BROKER_URL", "redis://variable/1"), value("BROKER_URL", "redis://plain/1")],
    ),
    case(
        "broker-variables-order",
        env=[value("CELERY_BROKER_URL", "redis://variable/1"), value("BROKER_URL", "redis://plain/1")],
    ),
    case(
        "broker-variable-twice",
        env=[value("CELERY_BROKER_URL", "redis://a/1"), value("CELERY_BROKER_URL", "redis://b/2")],
    ),
    case(
        "broker-variable-expanded",
        env=[value("REDIS", "expanded:6379"), value("CELERY_BROKER_URL", "redis://$(REDIS)/2"), value("LATER", "x")],
    ),
    case("broker-of-secret", env=[of_secret("CELERY_BROKER_URL", "managed-redis", "url")], others=[SECRET]),
    case("broker-of-a-secret-elsewhere", env=[of_secret("CELERY_BROKER_URL", "gone", "url")], unknown=BROKER),
    case(
        "broker-of-an-optional-secret",
        env=[of_secret("CELERY_BROKER_URL", "gone", "url", optional=True)],
        doubtful=BROKER,
    ),
    case(
        "broker-of-env-from",
        edit=_env_from({"configMapRef": {"name": "env"}}),
        others=[config_map("env", {"CELERY_BROKER_URL": "redis://env-from:6379/1"})],
    ),
    case(
        "broker-of-env-from-with-prefix",
        edit=_env_from({"prefix": "CELERY_", "secretRef": {"name": "env"}}),
        others=[secret("env", {"BROKER_URL": "redis://prefixed:6379/1"})],
    ),
    case(
        "env-over-env-from",
        env=[value("CELERY_BROKER_URL", "redis://env:6379/1")],
        edit=_env_from({"configMapRef": {"name": "env"}}),
        others=[config_map("env", {"CELERY_BROKER_URL": "redis://env-from:6379/1"})],
    ),
    case("broker-in-settings", settings="BROKER_URL = 'redis://settings:6379/1'\n"),
    case("broker-formatted", settings="BROKER_URL = '{}://{}/{}'.format('redis', 'formatted:6379', 3)\n"),
    case("broker-f-string", settings="_h = 'joined'\nBROKER_URL = f'redis://{_h}:6379/3'\n"),
    case(
        "broker-of-environment-in-settings",
        settings="BROKER_URL = os.environ['REDIS_URL']\n",
        env=[value("REDIS_URL", "redis://from-env:6379/1")],
    ),
    case(
        "broker-of-imported-environ",
        settings="from os import environ, getenv as _e\nBROKER_URL = environ['REDIS_URL'] + _e('GONE', '/3')\n",
        env=[value("REDIS_URL", "redis://from-env:6379")],
    ),
    case(
        "broker-with-quoted-password",
        settings="from urllib.parse import quote\nBROKER_URL = f\"redis://:{quote('p@ss/', safe='')}@quoted:6379/1\"\n",
    ),
    case("broker-of-getenv-default", settings="BROKER_URL = os.getenv('NOT_THERE', 'redis://default:6379/2')\n"),
    case("broker-of-environ-get", settings="BROKER_URL = os.environ.get('NOT_THERE') or 'redis://or:6379/2'\n"),
    case(
        "broker-of-a-secret-in-settings",
        settings="BROKER_URL = os.environ['REDIS_URL']\n",
        env=[of_secret("REDIS_URL", "gone", "url")],
        unknown=BROKER,
    ),
    case(
        "broker-when-variable-set",
        settings="if os.environ.get('MANAGED'):\n    BROKER_URL = 'redis://managed:6379/1'\n",
        env=[value("MANAGED", "1")],
    ),
    case(
        "broker-when-variable-not-set",
        settings="if 'MANAGED' in os.environ:\n    BROKER_URL = 'redis://managed:6379/1'\n",
    ),
    case(
        "broker-when-unknown",
        settings="import socket\nif socket.gethostname() == 'x':\n    BROKER_URL = 'redis://managed:6379/1'\n",
        unknown=BROKER,
    ),
    case(
        "broker-of-computation",
        settings="import base64\nBROKER_URL = base64.b64decode('cmVkaXM6Ly9hLzE=').decode()\n",
        unknown=BROKER,
    ),
    case(
        "broker-of-function",
        settings="def url():\n    return 'redis://function/1'\nBROKER_URL = url()\n",
    ),
    case(
        "broker-set-by-function",
        settings="def configure():\n    global BROKER_URL\n    BROKER_URL = 'redis://function/1'\nconfigure()\n",
    ),
    case("broker-of-globals", settings="globals()['BROKER_URL'] = 'redis://globals:6379/1'\n"),
    case("broker-of-globals-update", settings="globals().update({'BROKER_URL': 'redis://globals:6379/1'})\n"),
    case("broker-of-tokens", settings="BROKER_URL = 'redis://' + ENV_TOKENS['SITE_NAME'] + ':6379/1'\n"),
    case("broker-of-exec", settings="exec('BROKER_URL = ' + repr('redis://exec/1'))\n", unknown=SETTINGS),
    case(
        "broker-of-setattr",
        settings="import sys\nsetattr(sys.modules[__name__], 'BROKER_URL', 'redis://s/1')\n",
    ),
    case(
        "broker-in-try",
        settings="try:\n    from nowhere import HOST\n    BROKER_URL = HOST\nexcept ImportError:\n    pass\n",
        unknown=BROKER,
    ),
    case("broker-use-ssl", env_file="CELERY_BROKER_USE_SSL: {ssl_cert_reqs: none}\n"),
    case("broker-use-ssl-in-settings", settings="BROKER_USE_SSL = {'ssl_cert_reqs': 'required'}\n"),
    # Transport options
    case("options-in-env-file", env_file=f"{OPTIONS}: {{visibility_timeout: 14400, global_keyprefix: 'edx:'}}\n"),
    case("options-yaml-1.1", env_file=f"{OPTIONS}:\n  visibility_timeout: 4_000\n"),
    case("options-in-vain", settings=f"{OPTIONS} = {{'visibility_timeout': 1}}\n"),
    case("options-updated", settings=UPDATE),
    case("options-by-key", settings="BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 60 * 60 * 5\n"),
    case(
        "options-replaced",
        settings="BROKER_TRANSPORT_OPTIONS = dict(visibility_timeout=5, queue_order_strategy='priority')\n",
    ),
    case("options-through-another-name", settings="_o = BROKER_TRANSPORT_OPTIONS\n_o['global_keyprefix'] = 'alias:'\n"),
    case(
        "options-copied",
        settings="import copy\n_o = copy.deepcopy(BROKER_TRANSPORT_OPTIONS)\n_o['global_keyprefix'] = 'x'\n",
    ),
    case("options-setdefault", settings="BROKER_TRANSPORT_OPTIONS.setdefault('visibility_timeout', 77)\n"),
    case(
        "options-partly-computed",
        settings="import socket\nBROKER_TRANSPORT_OPTIONS['client_name'] = socket.gethostname()\n" + UPDATE,
        unknown=["transport_options"],
    ),
    case(
        "options-spread-from-what-is-computed",
        settings="import random\n_o = random.choice([{}])\n"
        "BROKER_TRANSPORT_OPTIONS = {'sep': ':', **_o, 'visibility_timeout': 5}\n",
        unknown=["transport_options", "key_prefix", "lists"],
    ),
    case(
        "options-handed-to-a-function",
        settings="import random\nrandom.shuffle([BROKER_TRANSPORT_OPTIONS])\n",
        unknown=["transport_options", "visibility_timeout", "key_prefix", "lists"],
    ),
    case(
        "options-in-a-loop",
        settings="for _k, _v in [('visibility_timeout', 8)]:\n    BROKER_TRANSPORT_OPTIONS[_k] = _v\n",
    ),
    # Priorities
    case("priority", settings="CELERY_DEFAULT_PRIORITY = 5\n"),
    case("priority-in-vain", settings="CELERY_TASK_DEFAULT_PRIORITY = 5\n"),
    case(
        "priority-steps",
        env_file=f"{OPTIONS}: {{priority_steps: [0, 1, 2], sep: ':'}}\n",
        settings="CELERY_DEFAULT_PRIORITY = 2\n",
    ),
    case(
        "priority-steps-of-range",
        settings="BROKER_TRANSPORT_OPTIONS['priority_steps'] = list(range(10))\n",
    ),
    case(
        "priority-steps-of-half-a-range", settings="BROKER_TRANSPORT_OPTIONS['priority_steps'] = list(range(0, 9, 5))\n"
    ),
    # Acknowledgement, and what else the settings say
    case("late", settings="CELERY_ACKS_LATE = True\nCELERY_REJECT_ON_WORKER_LOST = True\n"),
    case("late-in-env-file", env_file="CELERY_ACKS_LATE: true\nCELERY_REJECT_ON_WORKER_LOST: false\n"),
    case("late-in-vain", settings="CELERY_TASK_ACKS_LATE = True\ntask_acks_late = True\n"),
    case("soft-shutdown", settings="CELERYD_SOFT_SHUTDOWN_TIMEOUT = 20\n"),
    case("prefetch-in-env-file-in-vain", env_file="CELERYD_PREFETCH_MULTIPLIER: 9\n"),
    case("prefetch-in-settings", settings="CELERYD_PREFETCH_MULTIPLIER = 3\n"),
    case("prefetch-option", "--prefetch-multiplier=7", settings="CELERYD_PREFETCH_MULTIPLIER = 3\n"),
    case("prefetch-variable", env=[value("CELERY_WORKER_PREFETCH_MULTIPLIER", "6")]),
    case("concurrency-option", "--concurrency=3"),
    case("concurrency-short", "-c5"),
    case("concurrency-zero", "--concurrency=0", settings="CELERYD_CONCURRENCY = 2\n"),
    case("concurrency-variable", env=[value("CELERY_WORKER_CONCURRENCY", "2")]),
    case("concurrency-in-settings", settings="CELERYD_CONCURRENCY = 2\n"),
    case("concurrency-in-env-file", env_file="CELERYD_CONCURRENCY: 2\n"),
    case("concurrency-of-cpus", unknown=["concurrency"]),
    case("concurrency-of-solo", "--pool=solo", "--concurrency=4"),
    case("autoscale", "--autoscale=6,2", "--concurrency=4"),
    case("autoscale-variable", "--concurrency=4", env=[value("CELERY_WORKER_AUTOSCALE", "6,2")]),
    case("excluded-by-variable", env=[value("CELERY_WORKER_EXCLUDE_QUEUES", "edx.lms.core.high,x")]),
    case("beat", "--beat", "--schedule=/tmp/celerybeat-schedule"),
    case("beat-short", "-EB"),
    case("beat-variable", env=[value("CELERY_WORKER_BEAT", "true")], unknown=["scheduler"]),
    case("beat-variable-off", env=[value("CELERY_WORKER_BEAT", "0")], unknown=["scheduler"]),
    case("purge", "--discard"),
    # Where files are
    case("settings-of-another-name", edit=_settings_elsewhere, settings=UPDATE),
    case("settings-mounted-alone", edit=_one_file_mounted, settings=UPDATE),
    case("settings-projected", edit=_projected),
    case("settings-renamed-by-items", edit=_renamed_by_items),
    case("settings-beside", edit=_sibling_module),
    case("names-of-a-sibling", edit=_names_of_a_sibling),
    case(
        "options-of-a-sibling",
        edit=_options_of_a_sibling,
    ),
    case("settings-of-another-module", edit=_other_module),
    case("settings-of-ours", edit=_ours),
    case("env-file-elsewhere", edit=_other_env_file),
    case("env-file-in-a-secret", edit=_env_file_in_secret, env_file='CELERY_BROKER_HOSTNAME: "hidden:1"\n'),
    case("in-a-script", edit=_in_script),
    case("variable-in-a-script", edit=_variable_in_script, unknown=BROKER),
    case("handed-on-by-a-script", edit=_handed_on, unknown=BROKER),
    case("started-by-env", edit=_started_by_env),
    case("started-by-nice", edit=_started_by_nice),
    case("command-and-args", edit=_command_and_args),
    case("star-import-of-the-image", settings="from json.decoder import *\n", doubtful=[*BROKER, "default_queue"]),
    case(
        "features-proxy",
        settings="from types import MappingProxyType as FeaturesProxy\nFEATURES = FeaturesProxy(globals())\n",
    ),
]
