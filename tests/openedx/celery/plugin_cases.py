"""Settings in the forms that plugins of real sites are written in, and odder ones: a real Celery loads each.

Each is the end of Tutor's production.py, or that and modules which are mounted beside it.
"""

from __future__ import annotations

from tests.openedx.celery.settings_cases import ALL

OPTIONS = ("key_prefix", "lists", "transport_options", "visibility_timeout")
BROKER = ("broker", "broker_url")
PRIORITY = ("default_priority", "lists")
APP = "from openedx.core.lib.celery import APP\n"
HOST = """
import socket
HOST = socket.gethostname()
"""

FORMS: dict[str, str] = {
    "Celery's conf, of what isn't asked for": APP + "APP.conf.timezone = 'UTC'\nAPP.conf.update(result_expires=5)\n",
    # Routes
    "routes that may not be there": """
try:
    EXPLICIT_QUEUES.update({"reports.tasks.write": {"queue": "edx.lms.core.high_mem"}})
except NameError:
    EXPLICIT_QUEUES = {"reports.tasks.write": {"queue": "edx.lms.core.high_mem"}}
""",
    "a route of a known queue": "EXPLICIT_QUEUES['mail.tasks.send'] = {'queue': HIGH_PRIORITY_QUEUE}\n",
    "routes for each queue": """
BY_QUEUE = {HIGH_MEM_QUEUE: ["reports.write", "reports.merge"], HIGH_PRIORITY_QUEUE: ["mail.send"]}
EXPLICIT_QUEUES |= {task: {"queue": queue} for queue, tasks in BY_QUEUE.items() for task in tasks}
""",
    "routes if there are any": """
if EXPLICIT_QUEUES:
    EXPLICIT_QUEUES.update(a={'queue': 'high'})
    CELERY_ACKS_LATE = True
""",
    "a queue for each other service": """
OTHERS = ["cms"]
MORE = [DEFAULT_PRIORITY_QUEUE.replace("lms", other) for other in OTHERS]
CELERY_QUEUES.update({queue: {} for queue in MORE if queue not in CELERY_QUEUES.keys()})
""",
    "a schedule": """
from celery.schedules import crontab
CELERYBEAT_SCHEDULE = globals().get("CELERYBEAT_SCHEDULE", {})
CELERYBEAT_SCHEDULE["tidy"] = {"task": "tidy.up", "schedule": crontab(minute=7), "options": {"queue": HIGH_MEM_QUEUE}}
""",
    # The broker
    "names that Celery doesn't read": """
CELERY_BROKER_TRANSPORT = 'rediss'
CELERY_BROKER_USE_SSL = True
CELERY_BROKER_URL = 'rediss://x:1/0'
""",
    "a URL of parts": """
import logging
import ssl
log = logging.getLogger(__name__)
CACHE = {"host": os.environ["REDIS_HOST"], "user": "", "password": os.environ.get("REDIS_PASSWORD", ""), "tls": True}
if CACHE["host"]:
    scheme = "rediss" if CACHE["tls"] else "redis"
    if CACHE["user"] and CACHE["password"]:
        login = f"{CACHE['user']}:{CACHE['password']}@"
    elif CACHE["password"]:
        login = ":secret@"
    else:
        login = ""
    os.environ["CELERY_BROKER_URL"] = os.environ["REDIS_URL"] = f"{scheme}://{login}{CACHE['host']}:{os.environ['PORT']}/2"
    BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_NONE}
    log.info("another Redis")
else:
    log.info("Tutor's own Redis")
""",
    "a URL in old style": """
TRANSPORT, SERVER = 'redis', 'cache:6379'
BROKER_URL = '{0}://{1}:{2}@{3}/{4}'.format(TRANSPORT, '', '', SERVER, 3)
""",
    "options of the environment": """
BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': int(os.environ.get('HOLD', 43200))}
""",
    "options of Redis": """
BROKER_TRANSPORT_OPTIONS.update({'visibility_timeout': 11 * 3600, 'socket_keepalive': True})
""",
    "caches over TLS": """
for name, cache in CACHES.items():
    if cache.get("BACKEND", "").endswith("RedisCache") and cache["LOCATION"].startswith("redis:"):
        cache["LOCATION"] = cache["LOCATION"].replace("redis:", "rediss:", 1)
""",
    # Functions of several statements
    "a helper that asks the environment": """
def setting(name, default=None, *, of=None):
    "What a variable says."
    text = os.environ.get(name, default)
    if of is not None and isinstance(text, str):
        text = of(text)
    return text
DEFAULT_PRIORITY_QUEUE = setting("DEFAULT_QUEUE", default="edx.lms.core.default")
CELERY_QUEUES = setting("QUEUES", {DEFAULT_PRIORITY_QUEUE: {}, "mine": {}}, of=json.loads)
BROKER_USE_SSL = setting("TLS", False, of=bool)
CELERY_DEFAULT_PRIORITY = setting("NUM", of=int) // 1000
""",
    "a helper for truth": """
def is_on(name, otherwise=False):
    text = (os.environ.get(name, "") or "").strip()
    if not text:
        return otherwise
    return text.lower() in {"1", "on", "true"}
CELERY_ACKS_LATE = is_on("FLAG")
CELERY_REJECT_ON_WORKER_LOST = is_on("NONE", True)
""",
    "a helper that refuses": """
def needed(name):
    text = os.environ.get(name)
    if not text:
        raise RuntimeError(f"{name} has to be set")
    return text
BROKER_URL = f"redis://{needed('REDIS_HOST')}:{needed('PORT')}/3"
""",
    "a helper that may fail": """
def number(name, otherwise):
    try:
        return int(os.environ[name])
    except KeyError:
        return otherwise
BROKER_TRANSPORT_OPTIONS["visibility_timeout"] = number("NUM", 5)
CELERY_DEFAULT_PRIORITY = number("NONE", 4)
""",
    "helpers that call each other": """
def first(*, of):
    for name in of:
        if name in os.environ:
            return os.environ[name]
    return None
def address():
    return f"redis://{first(of=('NONE', 'REDIS_HOST'))}:6379/1"
def connect():
    global BROKER_URL
    BROKER_URL = address()
    options = BROKER_TRANSPORT_OPTIONS
    options["visibility_timeout"] = 77
connect()
""",
    "a function that Django is given": """
def storage(block):
    from django.conf import settings
    place = settings.LMS_BASE
    if SERVICE_VARIANT == "cms":
        place = settings.CMS_BASE
    return dict(place=place)
XBLOCK_SETTINGS = {"Scorm": {"STORAGE_FUNC": storage}}
""",
    "error reports": """
import importlib
import logging
import re
logger = logging.getLogger(__file__)
IGNORED = [re.compile("^Gone"), re.compile(r"\\d+ lost")]
def sort_out(event, hint):
    text = str(hint.get("exc_info", ""))
    for rule in IGNORED:
        if rule.search(text):
            return None
    return event
def begin(service):
    key = (os.environ.get("REPORTS_KEY", "") or "").strip()
    if not key:
        return
    try:
        import error_reports
    except ImportError:
        logger.warning("no reports of %s", service)
        return
    error_reports.start(key, before=sort_out, rate=float(os.environ.get("RATE") or 0))
def is_there(module):
    try:
        importlib.import_module(module)
        return True
    except Exception:
        return False
begin("lms")
MIDDLEWARE = list(MIDDLEWARE)
if is_there("lms.envs.tutor.visitors"):
    MIDDLEWARE.append("lms.envs.tutor.visitors.Count")
else:
    logging.getLogger(__name__).warning("Nobody counts visitors")
try:
    import error_reports
    error_reports.start("", before=sort_out, **{"rate": 0.0})
except ImportError:
    logger.error("no reports")
""",
    "addresses over TLS": """
def secure(url):
    if isinstance(url, str) and url.startswith("http:"):
        return "https:" + url[len("http:"):]
    return url
PAGES = {"a": "http://a", "b": 2}
if "PAGES" in globals():
    for name, page in list(PAGES.items()):
        PAGES[name] = secure(page)
if "CELERY_QUEUES" in globals():
    CELERY_QUEUES["more"] = {}
""",
    # What Django loads
    "middleware": """
import sys
class Badge:
    TEXT = b"<b>"
    BROKER_URL = "none"
    def __init__(self, respond):
        self.respond = respond
    def __call__(self, request):
        response = self.respond(request)
        if "html" in response.get("Content-Type", ""):
            response.content = response.content + self.TEXT
            response["Content-Length"] = len(response.content)
        return response
this = sys.modules[__name__]
setattr(this, "Badge", Badge)
MIDDLEWARE.append(f"{__name__}.Badge")
""",
    "a module that is made": """
import sys
from types import ModuleType
class Visits:
    PLACES = ["/a", "/b"]
    def counts(self, path):
        for place in self.PLACES:
            if path.startswith(place):
                return True
        return False
made = ModuleType("lms.djangoapps.visits")
made.Visits = Visits
sys.modules["lms.djangoapps.visits"] = made
MIDDLEWARE += ["lms.djangoapps.visits.Visits"]
""",
    "a signal": """
from django.core.signals import request_started
from django.dispatch import receiver
def patch_search(sender=None, **more):
    request_started.disconnect(patch_search)
    import search.api as api
    def found(text=None):
        return dict(text=text)
    api.found = found
request_started.connect(patch_search)
@receiver(request_started)
def note_it(sender, **more):
    FEATURES["SEEN"] = True
""",
    "a page of the administration": """
def add_page():
    from django.contrib import admin
    site = admin.site
    if getattr(site, "has_page", False):
        return
    before = site.get_urls
    def urls():
        return before()
    site.get_urls = urls
    site.has_page = True
try:
    add_page()
except Exception:
    from django.core.signals import request_started as started
    from django.dispatch import receiver as on
    @on(started, dispatch_uid="page")
    def later(sender, **more):
        try:
            add_page()
        except Exception:
            logging.getLogger("page").exception("no page")
""",
    "another view": """
try:
    from django.contrib.auth import views
    views.LoginView.as_view = lambda **more: lambda request: request
    setattr(views, "shown", 1)
except Exception:
    pass
""",
    "templates": """
import os as _os
if "work" not in INSTALLED_APPS:
    INSTALLED_APPS.append("work")
try:
    import mails as _mails
    _PLACE = _os.path.join(_os.path.dirname(_mails.__file__), "html")
    for _engine in TEMPLATES:
        if _engine.get("BACKEND", "").endswith("DjangoTemplates"):
            _engine.setdefault("DIRS", [])
            _engine["DIRS"].insert(0, _PLACE)
            break
    del _engine
except Exception:
    pass
del _os
""",
    "a fix that may be there": """
import sys
sys.path.insert(0, "/openedx")
try:
    import login_fix
except Exception:
    pass
else:
    INSTALLED_APPS.append("login_fix")
    ROOTS = globals().get("ROOTS", [])
    if "login_fix.urls" not in ROOTS:
        ROOTS.insert(0, "login_fix.urls")
""",
    "an app that may be there": """
import importlib.util
if importlib.util.find_spec("lms.djangoapps.badges") and "badges" not in INSTALLED_APPS:
    INSTALLED_APPS.append("badges")
""",
    "the order of middleware": """
A, B = "a.A", "b.B"
if A in MIDDLEWARE and B in MIDDLEWARE:
    at = MIDDLEWARE.index(A)
    if at > MIDDLEWARE.index(B):
        MIDDLEWARE.insert(0, MIDDLEWARE.pop(at))
MIDDLEWARE.append("c.C") if "c.C" not in MIDDLEWARE else None
MIDDLEWARE = [each for each in MIDDLEWARE if each != "d.D"]
if not any("work" in app for app in INSTALLED_APPS):
    INSTALLED_APPS.append("work")
""",
    "hosts of the environment": """
HOSTS = os.environ.get("HOSTS", "").split(",") if os.environ.get("HOSTS") else []
for host in HOSTS:
    host = host.strip()
    if host and host not in ALLOWED_HOSTS:
        ALLOWED_HOSTS.append(host)
ALLOWED_HOSTS = [f"10.0.0.{n}" for n in range(1, 250)]
""",
    "a key that has to be": """
SECRET_KEY = os.environ.get("KEY") or os.environ.get("FLAG") or "k"
if not SECRET_KEY:
    raise ValueError("a key is needed")
_login = os.environ.get("LOGIN") or os.environ.get("FLAG")
if _login:
    LOGINS = dict(globals().get("LOGINS", {}))
    LOGINS.setdefault("oidc", _login)
""",
    "folders": """
MEDIA = "/tmp"
for folder in [MEDIA]:
    if not os.path.exists(folder):
        os.makedirs(folder, exist_ok=True)
HERE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "themes")
if os.path.isdir("/none") and "/none" not in globals().get("LOCALE_PATHS", []):
    LOCALE_PATHS = ["/none"] + list(LOCALE_PATHS)
""",
    "a second database": """
DATABASES['default'] = {}
_copy = DATABASES['default'].copy()
_copy.pop('ATOMIC', None)
_copy['HOST'] = 'b'
DATABASES['read'] = _copy
""",
    "caches in one go": """
STORES = {
    name: {'KEY_PREFIX': prefix, **({'TIMEOUT': time} if time else {})}
    for name, prefix, time in [('default', 'd', None), ('celery', 'c', 99)]
}
""",
    "loggers": """
from logging import getLogger
from celery.utils.log import get_task_logger
getLogger(__name__).info('a')
get_task_logger(__name__)
""",
    "names of old and new Django": """
import warnings
try:
    from django.utils.deprecation import RemovedInDjango50Warning as Old
    warnings.filterwarnings('ignore', category=Old)
except ImportError:
    pass
CELERY_ACKS_LATE = True
""",
    "what is computed by others": """
class Derived:
    def __init__(self, of):
        self.of = of
REPORTS_KEY = Derived(lambda settings: settings.HIGH_MEM_QUEUE)
""",
    "texts that don't matter": """
import re
NAME = re.sub('a', 'b', BROKER_URL)
with open(os.devnull, 'w') as f:
    f.write('x')
import yaml
with open(os.environ['LMS_CFG']) as f:
    SITE = yaml.safe_load(f).get('SITE_NAME')
""",
    "a dictionary with an unknown item": HOST
    + """
BROKER_TRANSPORT_OPTIONS |= {'visibility_timeout': 5}
FEATURES.update(host=HOST)
""",
    # Odd ones
    "del": """
CELERY_ACKS_LATE = True
CELERY_DEFAULT_PRIORITY = 3
BROKER_USE_SSL = True
del (CELERY_ACKS_LATE, CELERY_DEFAULT_PRIORITY), globals()['BROKER_USE_SSL']
""",
    "del of the module": """
import sys
CELERY_DEFAULT_PRIORITY = 3
this = sys.modules[__name__]
del this.CELERY_DEFAULT_PRIORITY
delattr(this, 'BROKER_URL')
BROKER_URL = 'redis://after:1/1'
""",
    "|= of a set that has two names": """
A = {'x'}
B = A
B |= {'y'}
CELERY_QUEUES = {queue: {} for queue in sorted(A)}
""",
    "+= of a list that has two names": """
A = ['x']
B = A
B += ('y', 'z')
CELERY_QUEUES = {queue: {} for queue in A}
""",
    "a name of this module": """
import sys
this = sys.modules[__name__]
this.BROKER_URL += '1'
if hasattr(this, 'NONE'):
    INSTALLED_APPS.append('x')
""",
    "this module, imported": """
import lms.envs.tutor.production as me
me.BROKER_URL = 'redis://me:1/1'
me.CELERY_QUEUES['x'] = {}
""",
    "functions in a list": """
def one():
    global BROKER_URL
    BROKER_URL = 'redis://one:1/1'
for each in [one]:
    each()
""",
    "a function under another name": """
def one():
    global BROKER_URL
    BROKER_URL = 'redis://one:1/1'
two = one
two()
CELERY_ACKS_LATE = True
""",
    "a function by its name": """
def one():
    globals()['BROKER_URL'] = 'redis://one:1/1'
globals()['one']()
""",
    "names of a function": """
HOST = 'module'
def url():
    return f'redis://{HOST}:1/1'
def build(HOST):
    return url()
BROKER_URL = build('local')
CELERY_DEFAULT_QUEUE = [url() for HOST in ['inner']][0]
""",
    "a default that is shared": """
def tune(options=BROKER_TRANSPORT_OPTIONS):
    options['visibility_timeout'] = 4
tune()
""",
    "return in a loop": """
def first(names):
    for name in names:
        if name.startswith('edx'):
            return name
    else:
        return 'none'
CELERY_DEFAULT_QUEUE = first(['a', 'edx.b', 'edx.c'])
""",
    "return in a try": """
def ask():
    try:
        return os.environ['REDIS_HOST']
    finally:
        BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 6
BROKER_URL = f'redis://{ask()}:1/1'
""",
    "try around if": """
try:
    if 'FLAG' in os.environ:
        BROKER_URL = 'redis://' + os.environ['REDIS_HOST'] + ':1/1'
    else:
        BROKER_URL = os.environ['NOPE']
except KeyError:
    BROKER_URL = 'redis://none:1/1'
""",
    "an item that isn't there": """
try:
    BROKER_TRANSPORT_OPTIONS["sentinel_kwargs"]["password"] = "x"
    CELERY_ACKS_LATE = True
except KeyError:
    BROKER_TRANSPORT_OPTIONS["sentinel_kwargs"] = {"password": "y"}
""",
    "an item of a shallow copy": """
import copy
BROKER_TRANSPORT_OPTIONS['sentinel_kwargs'] = {'password': 'a'}
mine = copy.copy(BROKER_TRANSPORT_OPTIONS)
mine['sentinel_kwargs']['password'] = 'b'
""",
    "a loop that changes its list": """
A = ['a', 'b', 'c', 'edx.d']
for queue in A:
    if queue == 'b':
        A.remove(queue)
        break
for index, queue in enumerate(list(A)):
    A.remove(queue)
    CELERY_DEFAULT_PRIORITY = index
for queue in [*A, 'edx.' + str(index)]:
    A.append(queue)
CELERY_DEFAULT_QUEUE = queue
""",
    "a loop that changes its table": """
PARTS = {'visibility_timeout': '1', 'sep': ':'}
for name, value in PARTS.items():
    PARTS[name] = int(value) if value.isdigit() else value + value
BROKER_TRANSPORT_OPTIONS.update(PARTS)
""",
    "an item of a copied list": """
A = [{'a': 1}]
B = A.copy()
B[0]['a'] = 2
CELERY_DEFAULT_PRIORITY = A[0]['a']
""",
    "a table in itself": """
LOOP = {}
LOOP['loop'] = LOOP
CELERY_ACKS_LATE = True
""",
    "kombu's queues": """
from kombu import Queue
MINE = Queue('mine')
CELERY_QUEUES = (MINE, Queue(name='b'))
CELERY_DEFAULT_QUEUE = MINE.name
""",
    "Open edX's settings once more": """
BROKER_URL = 'redis://mine:1/1'
BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 9
from lms.envs.production import *
""",
    "an import of two": """
from lms.envs.production import BROKER_TRANSPORT_OPTIONS as options
options['visibility_timeout'] = 8
""",
    "walrus in a condition": """
if (text := os.environ.get('NUM')) and (number := int(text)) > 5:
    BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = number
""",
    "a chain of updates": """
A = {}
A.update(visibility_timeout=1)
A.update({'sep': ':'}, visibility_timeout=2)
BROKER_TRANSPORT_OPTIONS.update(A)
BROKER_TRANSPORT_OPTIONS.setdefault('sep', '-')
""",
    "a loop over an unknown value": HOST
    + """
for queue, host in [('a', HOST), ('b', '')]:
    CELERY_QUEUES[queue] = {}
    FEATURES[queue] = host
""",
    "an environment's own name": """
if __name__.startswith('lms.'):
    CELERY_ACKS_LATE = True
""",
}
"""Those of which all is known."""

MODULES: dict[str, tuple[str, dict[str, str]]] = {
    "a table": (
        """
from .tables import ROUTES, OPTIONS
EXPLICIT_QUEUES.update(ROUTES)
BROKER_TRANSPORT_OPTIONS.update(OPTIONS)
""",
        {
            "tables.py": """
ROUTES = {'a': {'queue': 'edx.lms.core.high'}}
OPTIONS = {'visibility_timeout': 7}
"""
        },
    ),
    "a function": (
        """
from .helpers import url
BROKER_URL = url('x')
""",
        {
            "helpers.py": """
PORT = 1
def url(host):
    return f'redis://{host}:{PORT}/1'
"""
        },
    ),
    "a function that is given this module": (
        """
from .helpers import apply, put
import sys
apply(sys.modules[__name__])
put(globals())
""",
        {
            "helpers.py": """
def put(names):
    names['CELERY_ACKS_LATE'] = True
def apply(settings):
    settings.BROKER_URL = 'redis://applied:1/1'
"""
        },
    ),
    "the module itself": (
        """
from . import helpers
import lms.envs.tutor.helpers as again
BROKER_URL = helpers.URL
CELERY_ACKS_LATE = again.LATE
""",
        {
            "helpers.py": """
URL = 'redis://more:1/1'
LATE = True
"""
        },
    ),
    "its own names": (
        """
_host = 'a'
from .more import *
BROKER_URL = f'redis://{_host}:1/1'
""",
        {
            "more.py": """
_host = 'b'
CELERY_QUEUES = globals().get('CELERY_QUEUES') or {}
CELERY_QUEUES['more'] = {}
"""
        },
    ),
    "Open edX's names again": (
        """
BROKER_URL = 'redis://mine:1/1'
from .more import *
""",
        {
            "more.py": """
from lms.envs.production import *
CELERY_ACKS_LATE = True
"""
        },
    ),
    "some of its names": (
        "from .more import *\n",
        {
            "more.py": """
__all__ = ['CELERY_ACKS_LATE']
CELERY_ACKS_LATE = True
BROKER_URL = 'redis://no:1/1'
"""
        },
    ),
    "the environment": (
        "from . import variables\n",
        {
            "variables.py": """
import os
os.environ['CELERY_BROKER_URL'] = 'redis://m:1/1'
"""
        },
    ),
    "run once": (
        """
from .more import A
from .more import B
BROKER_URL = A
CELERY_DEFAULT_QUEUE = B
""",
        {
            "more.py": """
import os
A = os.environ.setdefault('ONE', 'redis://one:1/1')
B = 'b'
os.environ['ONE'] = 'two'
"""
        },
    ),
    "in a try": (
        """
try:
    from .more import *
except ImportError:
    pass
""",
        {"more.py": "BROKER_URL = 'redis://more:1/1'\n"},
    ),
    "two that import each other": (
        "from .one import *\n",
        {
            "one.py": """
A = 'redis://one:1/1'
from .two import B
BROKER_URL = B
""",
            "two.py": """
from . import one
B = one.A
""",
        },
    ),
}
"""Those of modules beside the settings, of which all is known."""

DOUBTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a branch with another name": (
        HOST
        + """
if HOST:
    mine = BROKER_TRANSPORT_OPTIONS
    mine['visibility_timeout'] = 5
""",
        OPTIONS,
    ),
    "a branch with the environment": (
        HOST
        + """
if HOST:
    e = os.environ
    e['CELERY_BROKER_URL'] = 'redis://e:1/1'
""",
        BROKER,
    ),
    "a branch with this module": (
        HOST
        + """
import sys
this = sys.modules[__name__]
if HOST:
    this.BROKER_URL = 'redis://t:1/1'
""",
        BROKER,
    ),
    "a branch that only reads": (
        HOST
        + """
if HOST:
    SEEN = [*CELERY_QUEUES], len(BROKER_TRANSPORT_OPTIONS), BROKER_TRANSPORT_OPTIONS.get('sep')
    if 'sep' in BROKER_TRANSPORT_OPTIONS and os.environ.get('A'):
        SEEN = f'{BROKER_URL}'
""",
        (),
    ),
    "a loop that shortens its list": (
        """
HOSTS = ['one', 'two', 'three']
for host in HOSTS:
    BROKER_URL = f'redis://{host}:1/1'
    del HOSTS[0]
""",
        BROKER,
    ),
    "a loop that prolongs its list": (
        """
HOSTS = ['one', 'two']
for number, host in enumerate(HOSTS):
    BROKER_URL = f'redis://{host}:1/1'
    if number < 2:
        HOSTS.append('three')
""",
        BROKER,
    ),
    "a loop that changes a later item": (
        """
HOSTS = {'a': 'one', 'b': 'two'}
for name, host in HOSTS.items():
    BROKER_URL = f'redis://{host}:1/1'
    HOSTS['b'] = 'three'
""",
        BROKER,
    ),
    "a loop through a generator": (
        """
HOST = 'one'
for host in (HOST for _ in range(2)):
    BROKER_URL = f'redis://{host}:1/1'
    HOST = 'two'
""",
        BROKER,
    ),
    "a comprehension that changes its list": (
        """
NAMES = ['a', 'b', 'c']
CELERY_DEFAULT_QUEUE = '.'.join([NAMES.pop() for _ in NAMES])
""",
        ("default_queue",),
    ),
    "a class that is used": (
        """
class Broker:
    def use(self):
        global BROKER_URL
        BROKER_URL = 'redis://c:1/1'
Broker().use()
""",
        BROKER,
    ),
    "a class that changes": (
        """
class Tune:
    BROKER_TRANSPORT_OPTIONS.update(visibility_timeout=4)
""",
        OPTIONS,
    ),
    "a class that holds": (
        """
class Tune:
    options = BROKER_TRANSPORT_OPTIONS
Tune.options['visibility_timeout'] = 4
""",
        OPTIONS,
    ),
    "an object that holds": (
        """
import types
held = types.SimpleNamespace()
held.options = BROKER_TRANSPORT_OPTIONS
held.options['sep'] = ':'
""",
        OPTIONS,
    ),
    "a decorator": (
        """
def now(function):
    function()
    return function
@now
def set_it():
    global BROKER_URL
    BROKER_URL = 'redis://d:1/1'
""",
        BROKER,
    ),
    "a function that is handed on": (
        """
def set_it(*_):
    global BROKER_URL
    BROKER_URL = 'redis://m:1/1'
list(map(set_it, [1]))
""",
        BROKER,
    ),
    "a function that sorts": (
        """
def key(item):
    BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 3
    return item
sorted([1, 2], key=key)
""",
        OPTIONS,
    ),
    "a closure": (
        """
host = 'outer'
def make(host):
    return lambda: f'redis://{host}:1/1'
url = make('inner')
BROKER_URL = url()
""",
        BROKER,
    ),
    "a context of one's own": (
        """
class Quiet:
    def __enter__(self):
        return self
    def __exit__(self, *_):
        return True
with Quiet():
    _ = {}['a']
    CELERY_ACKS_LATE = True
""",
        ("acknowledges_late",),
    ),
    "suppress by another name": (
        """
from contextlib import suppress as quiet
with quiet(KeyError):
    _ = os.environ['NOPE']
    CELERY_ACKS_LATE = True
""",
        ("acknowledges_late",),
    ),
    "a comprehension that changes": (
        HOST + "[BROKER_TRANSPORT_OPTIONS.update(visibility_timeout=4) for _ in HOST]\n",
        OPTIONS,
    ),
    "an iterator that is kept": (
        """
pairs = zip(['visibility_timeout'], [3])
BROKER_TRANSPORT_OPTIONS.update(pairs)
CELERY_ACKS_LATE = bool(dict(pairs))
""",
        ("acknowledges_late", *OPTIONS),
    ),
    "a set as a text": ("BROKER_URL = 'redis://' + str({'h'}) + ':1/1'\n", BROKER),
    "the same or not": (
        """
one = 'red' + str(1)
if one is 'red1':
    CELERY_ACKS_LATE = True
""",
        ("acknowledges_late",),
    ),
    "Open edX's own routes": (
        """
old = EXPLICIT_QUEUES.pop('work.tasks.on_high', None)
if old:
    CELERY_ACKS_LATE = True
""",
        ("acknowledges_late",),
    ),
    "one of Open edX's own routes": (
        "CELERY_DEFAULT_QUEUE = EXPLICIT_QUEUES.setdefault('work.tasks.on_high', {'queue': 'x'})['queue']\n",
        ("default_queue", "routes"),
    ),
    "all of the environment": ("BROKER_TRANSPORT_OPTIONS.update(os.environ)\n", OPTIONS),
    "an unknown table under known items": (
        """
import socket
BROKER_TRANSPORT_OPTIONS.update({**vars(socket), 'sep': ':'})
BROKER_TRANSPORT_OPTIONS = {'sep': ':', 'x': {**vars(socket)}.get('none')}
""",
        ("transport_options",),
    ),
    "a pattern": (
        """
match os.environ.get('FLAG'):
    case 'true':
        CELERY_ACKS_LATE = True
""",
        ("acknowledges_late",),
    ),
    "exec": ("exec('CELERY_ACKS_LATE = True')\n", ALL),
    # What something unknown holds as well
    "a method under another name": (
        """
put = BROKER_TRANSPORT_OPTIONS.update
put(visibility_timeout=5)
""",
        OPTIONS,
    ),
    "one of two": (
        HOST
        + """
tables = [BROKER_TRANSPORT_OPTIONS, {}]
tables[len(HOST) * 0]['visibility_timeout'] = 5
""",
        OPTIONS,
    ),
    "an item of an unknown list": (
        HOST
        + """
tables = [BROKER_TRANSPORT_OPTIONS] + list(HOST)
tables[0]['visibility_timeout'] = 5
""",
        OPTIONS,
    ),
    "a table put into an unknown one": (
        """
tables = {}
get = tables.get
tables['options'] = BROKER_TRANSPORT_OPTIONS
get('options')['visibility_timeout'] = 5
""",
        OPTIONS,
    ),
    "all names of the module": (
        """
for table in list(globals().values()):
    if isinstance(table, dict) and 'fanout_prefix' in table:
        table['visibility_timeout'] = 5
""",
        (*OPTIONS, "routes"),
    ),
    "Open edX's settings in a function": (
        """
def now(function):
    import lms.envs.production as settings
    settings.BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 5
    return function
@now
def later():
    pass
""",
        (*OPTIONS, "routes"),
    ),
    "a name that is computed, and one that isn't": (
        """
import sys
match 1:
    case 1:
        setattr(sys.modules['lms.envs.tutor.production'], 'host', 'b')
host = 'a' if 'host' not in globals() else host
BROKER_URL = f'redis://{host}:1/1'
""",
        BROKER,
    ),
    # Celery's own configuration
    "Celery's conf, by keywords": (
        APP + "APP.conf.update(broker_url='redis://own:1/1', task_acks_late=True)\nBROKER_URL = 'redis://later:1/1'\n",
        (*BROKER, "acknowledges_late"),
    ),
    "Celery's conf, by a table": (
        APP + "conf = APP.conf\nconf.update({'task_default_queue': 'own'})\n",
        ("default_queue",),
    ),
    "an attribute of Celery's conf": (APP + "APP.conf.task_default_priority = 3\n", PRIORITY),
    "an item of Celery's conf": (
        APP + "APP.conf['broker_transport_options'] = {'visibility_timeout': 5, 'global_keyprefix': 'a'}\n",
        OPTIONS,
    ),
    "an old name of Celery's conf": (APP + "APP.conf['CELERY_ACKS_LATE'] = True\n", ("acknowledges_late",)),
    "names of Celery's conf from a table": (
        APP
        + """
for name, value in {'task_acks_late': True, 'worker_pool': 'solo'}.items():
    setattr(APP.conf, name, value)
""",
        ("acknowledges_late", "pool"),
    ),
    "what Celery's conf holds is changed": (
        "BROKER_TRANSPORT_OPTIONS = {'a': 1}\n" + APP + "APP.conf.broker_transport_options['visibility_timeout'] = 5\n",
        OPTIONS,
    ),
    "Celery's conf, by its modules": (
        """
import celery
import openedx.core.lib.celery as own
celery.current_app.conf.task_acks_late = True
own.APP.conf.update(task_default_queue='own')
""",
        ("acknowledges_late", "default_queue"),
    ),
    "Celery's conf, in a branch": (
        HOST
        + """
from celery import current_app
if HOST:
    current_app.conf.broker_url = 'redis://own:1/1'
    current_app.conf['task_acks_late'] = True
""",
        (*BROKER, "acknowledges_late"),
    ),
    # What is done once
    "a place that is computed": (
        """
priorities, places = [{'n': 3}, {'n': 5}], [0, 1]
priorities[places.pop()]['n'] += 1
CELERY_DEFAULT_PRIORITY = priorities[1]['n'] + len(places)
""",
        PRIORITY,
    ),
    "the order of a set": ("CELERY_DEFAULT_QUEUE = list({'a'} | {'b'})[0]\n", ("default_queue",)),
    "range as it is": (
        "BROKER_TRANSPORT_OPTIONS['priority_steps'] = range(3)\n",
        ("lists", "transport_options"),
    ),
}
"""Those that leave something unknown, with what."""
