"""Statements that people write into Open edX's settings, as patches of Tutor's plugins: a real Celery loads each."""

from __future__ import annotations

ALL = (
    "acknowledges_late",
    "broker",
    "broker_url",
    "default_priority",
    "default_queue",
    "key_prefix",
    "lists",
    "names",
    "pool",
    "prefetch_multiplier",
    "rejects_on_worker_lost",
    "routes",
    "soft_shutdown_timeout",
    "transport_options",
    "use_ssl",
    "visibility_timeout",
)
"""What is asked of a worker's Celery and may come from its settings."""
KNOWN = {
    "parse.quote": "import urllib.parse\n"
    "BROKER_URL = 'redis://:' + urllib.parse.quote(os.environ['REDIS_PASSWORD'], safe='') + '@h:1/1'\n",
    "from urllib import parse": "from urllib import parse\n"
    "BROKER_URL = f\"redis://:{parse.quote_plus(os.environ['REDIS_PASSWORD'])}@h:1/1\"\n",
    "import as": "import urllib.parse as up\nBROKER_URL = 'redis://:%s@h:1/1' % up.quote('a/b', safe='')\n",
    "os as": "import os as _os\nBROKER_URL = 'redis://' + _os.environ.get('REDIS_HOST', 'x') + ':1/1'\n",
    "os.getenv as": "import os as _os\nBROKER_URL = 'redis://' + _os.getenv('REDIS_HOST', 'x') + ':1/1'\n",
    "env alias": "env = os.environ\nBROKER_URL = 'redis://' + env.get('REDIS_HOST', 'x') + ':1/1'\n",
    "get alias": "env = os.environ.get\nBROKER_URL = 'redis://' + env('REDIS_HOST', 'x') + ':1/1'\n",
    "getenv alias": "getenv = os.getenv\nBROKER_URL = 'redis://' + getenv('REDIS_HOST', 'x') + ':1/1'\n",
    "fstring spec": "BROKER_URL = f'redis://h:{6379:d}/{1:01d}'\n",
    "fstring spec2": "_p=3\nBROKER_URL = f'redis://h:6379/{_p:>1}'\n",
    "int env": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = int(os.environ.get('NUM', '3600'))\n",
    "int env port": "BROKER_URL = f\"redis://h:{int(os.environ['PORT'])}/1\"\n",
    "walrus": "if (host := os.environ.get('REDIS_HOST')):\n    BROKER_URL = f'redis://{host}:1/1'\n",
    "walrus2": "if host := os.getenv('NOPE'):\n    BROKER_URL = f'redis://{host}:1/1'\n",
    "try import pass": "try:\n"
    "    import nothing_here\n"
    "except ImportError:\n"
    "    nothing_here = None\n"
    "CELERY_ACKS_LATE = True\n",
    "try env": "try:\n"
    "    BROKER_URL = os.environ['REDIS_URL']\n"
    "except KeyError:\n"
    "    BROKER_URL = 'redis://fallback:1/1'\n",
    "try env there": "try:\n"
    "    BROKER_URL = 'redis://' + os.environ['REDIS_HOST'] + ':1/1'\n"
    "except KeyError:\n"
    "    pass\n",
    "try del": "try:\n    del BROKER_TRANSPORT_OPTIONS['nope']\nexcept KeyError:\n    pass\n",
    "try nameerror": "try:\n"
    "    BROKER_TRANSPORT_OPTIONS\n"
    "except NameError:\n"
    "    BROKER_TRANSPORT_OPTIONS = {}\n"
    "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 99\n",
    "dict comp": "BROKER_TRANSPORT_OPTIONS = {k: v for k, v in BROKER_TRANSPORT_OPTIONS.items()}\n"
    "BROKER_TRANSPORT_OPTIONS.update({k: 5 for k in ('visibility_timeout',)})\n",
    "list comp routes": "EXPLICIT_QUEUES.update({t: {'queue': HIGH_PRIORITY_QUEUE} for t in ['a.b', 'c.d']})\n",
    "format kw": "BROKER_URL = 'redis://{host}:{port}/{db}'.format(host=os.environ['REDIS_HOST'], port=1, db=2)\n",
    "format map": "BROKER_URL = 'redis://{host}:1/1'.format_map({'host': 'fm'})\n",
    "percent dict": "BROKER_URL = 'redis://%(host)s:1/1' % {'host': 'pc'}\n",
    "percent tuple": "BROKER_URL = 'redis://%s:%d/%s' % ('pc', 6379, 0)\n",
    "or dict": "BROKER_TRANSPORT_OPTIONS = BROKER_TRANSPORT_OPTIONS | {'visibility_timeout': 12}\n",
    "ior dict": "BROKER_TRANSPORT_OPTIONS |= {'visibility_timeout': 12}\n",
    "getattr settings": "import sys\n"
    "_m = sys.modules[__name__]\n"
    "BROKER_URL = getattr(_m, 'BROKER_URL').replace('redis:6379', 'ga:1')\n",
    "setattr module": "import sys\n_m = sys.modules[__name__]\n_m.BROKER_URL = 'redis://attr:1/1'\n",
    "globals setdefault": "globals().setdefault('CELERY_DEFAULT_PRIORITY', 5)\n",
    "globals get": "_o = globals().get('BROKER_TRANSPORT_OPTIONS', {})\n"
    "BROKER_TRANSPORT_OPTIONS = dict(_o, visibility_timeout=44)\n",
    "locals update": "locals().update(BROKER_URL='redis://loc:1/1')\n",
    "locals item": "locals()['BROKER_URL'] = 'redis://loc:1/1'\n",
    "vars item": "vars()['BROKER_URL'] = 'redis://vars:1/1'\n",
    "list extend": "_q = list(CELERY_QUEUES)\n_q.extend(['one.more'])\nCELERY_QUEUES = {q: {} for q in _q}\n",
    "apps +=": "INSTALLED_APPS += ['x'] if False else []\nMIDDLEWARE = list(globals().get('MIDDLEWARE', [])) + ['m']\n",
    "apps append": "INSTALLED_APPS.append('django.contrib.sites') if 'x' in INSTALLED_APPS else None\n",
    "bool env": "CELERY_ACKS_LATE = os.environ.get('FLAG', 'false').lower() in ('true', '1', 'yes')\n",
    "bool env eq": "CELERY_ACKS_LATE = os.environ.get('FLAG') == 'true'\n",
    "ternary": "CELERY_DEFAULT_PRIORITY = 5 if os.environ.get('FLAG') else None\n",
    "timedelta": "from datetime import timedelta\n"
    "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = timedelta(hours=2).total_seconds()\n",
    "timedelta int": "from datetime import timedelta\n"
    "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = int(timedelta(hours=2).total_seconds())\n",
    "timedelta seconds": "import datetime\n"
    "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = datetime.timedelta(hours=2).seconds\n",
    "pow": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 60 ** 2 * 2\n",
    "json loads env": "import json\nBROKER_TRANSPORT_OPTIONS = json.loads('{\"visibility_timeout\": 5}')\n",
    "json env": "import json\n"
    "BROKER_TRANSPORT_OPTIONS.update(json.loads(os.environ.get('OPTS', '{\"visibility_timeout\": 6}')))\n",
    "ssl": "import ssl\nBROKER_USE_SSL = {'ssl_cert_reqs': ssl.CERT_NONE}\n",
    "ssl url": "BROKER_URL = BROKER_URL.replace('redis://', 'rediss://', 1) + '?ssl_cert_reqs=CERT_NONE'\n",
    "rsplit": "BROKER_URL = BROKER_URL.rsplit('/', 1)[0] + '/5'\n",
    "slices": "BROKER_URL = BROKER_URL[:-1] + '7'\n",
    "str join": "BROKER_URL = ''.join(['redis://', 'joined', ':1', '/1'])\n",
    "join gen": "BROKER_URL = ';'.join(f'sentinel://s{n}:26379' for n in range(3))\n"
    "BROKER_TRANSPORT_OPTIONS['master_name'] = 'm'\n",
    "tuple assign": "BROKER_URL, CELERY_ACKS_LATE = 'redis://t:1/1', True\n",
    "chain assign": "_X = BROKER_URL = 'redis://chain:1/1'\n",
    "star unpack": "_a, *_b = ['redis://star:1/1', 1, 2]\nBROKER_URL = _a\n",
    "function local": "def _u(host):\n    return f'redis://{host}:1/1'\nBROKER_URL = _u('fn')\n",
    "lambda": "_u = lambda h: f'redis://{h}:1/1'\nBROKER_URL = _u('la')\n",
    "function unrelated": "def _noop(x):\n    y = x\n    return y\n_z = _noop(3)\nCELERY_ACKS_LATE = True\n",
    "with open": "with open('/etc/hostname') as f:\n    _name = f.read()\nCELERY_ACKS_LATE = True\n",
    "for break": "for _x in [1, 2, 3]:\n    if _x == 2:\n        CELERY_DEFAULT_PRIORITY = _x\n        break\n",
    "for else": "for _x in ():\n    pass\nelse:\n    CELERY_DEFAULT_PRIORITY = 4\n",
    "for items": "for _k, _v in {'CELERY_ACKS_LATE': True}.items():\n    globals()[_k] = _v\n",
    "assert": "assert BROKER_URL\nCELERY_ACKS_LATE = True\n",
    "enumerate": "CELERY_QUEUES = {q: {} for n, q in enumerate(CELERY_QUEUES)}\n",
    "zip": "CELERY_QUEUES.update(dict(zip(['z1'], [{}])))\n",
    "sum": "CELERY_DEFAULT_PRIORITY = sum([1, 2])\n",
    "round": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = round(1.5 * 3600)\n",
    "any": "CELERY_ACKS_LATE = any([False, True])\nCELERY_REJECT_ON_WORKER_LOST = all([True])\n",
    "isinstance": "if isinstance(BROKER_TRANSPORT_OPTIONS, dict):\n"
    "    BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 8\n",
    "print": "print('loading')\nCELERY_ACKS_LATE = True\n",
    "logging": "import logging\nlogging.getLogger('x').setLevel(logging.INFO)\nCELERY_ACKS_LATE = True\n",
    "logger": "import logging\nlog = logging.getLogger(__name__)\nlog.info('x')\nCELERY_ACKS_LATE = True\n",
    "LOGGING": "LOGGING = {'loggers': {}}\n"
    "LOGGING['loggers']['x'] = {}\n"
    "LOGGING.get('handlers', {}).get('a', {}).update(level='INFO')\n",
    "reverse": "_b = dict(reversed(list({'visibility_timeout': 3}.items())))\nBROKER_TRANSPORT_OPTIONS.update(_b)\n",
    "sorted key": "_b = sorted(['b', 'a'], key=len)\nCELERY_ACKS_LATE = True\n",
    "is None": "if BROKER_URL is not None and not BROKER_USE_SSL:\n    CELERY_ACKS_LATE = True\n",
    "chained cmp": "if 0 < 1 < 2:\n    CELERY_ACKS_LATE = True\n",
    "crontab": "from celery.schedules import crontab\n"
    "CELERYBEAT_SCHEDULE = {'x': {'task': 'a', 'schedule': crontab(hour=1)}}\n"
    "CELERY_ACKS_LATE = True\n",
    "kombu Exchange": "from kombu import Exchange, Queue\n"
    "CELERY_QUEUES = [Queue('kx', Exchange('kx'), routing_key='kx')]\n",
    "routes dict": "CELERY_ROUTES = {'a.*': {'queue': 'one'}}\n",
    "env tokens get": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = ENV_TOKENS.get('MY_VT', 4321)\n",
    "django conf": "from django.utils.translation import gettext_lazy as _\nX = _('hello')\nCELERY_ACKS_LATE = True\n",
    "path": "from pathlib import Path\n_b = Path('/a') / 'b'\nCELERY_ACKS_LATE = True\n",
    "update kw": "BROKER_TRANSPORT_OPTIONS.update(visibility_timeout=9, global_keyprefix='k:')\n",
    "pop": "BROKER_TRANSPORT_OPTIONS.pop('fanout_prefix', None)\n",
    "aug int": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 100\n"
    "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] *= 3\n",
    "negative index": "BROKER_URL = ['redis://a:1/1', 'redis://b:1/1'][-1]\n",
    "in list": "if os.environ.get('FLAG', '') in ['true', 'on']:\n    CELERY_ACKS_LATE = True\n",
    "split strip": "BROKER_URL = ';'.join(x.strip() for x in 'redis://a:1/1, '.split(',') if x.strip())\n",
    "int division": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 7201 // 2\n",
    "shift": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 1 << 12\n",
    "sub mul str": "CELERY_DEFAULT_PRIORITY = len('x' * 3)\n",
    "ordered": "from collections import OrderedDict\nCELERY_QUEUES = OrderedDict((q, {}) for q in ['o1', 'o2'])\n",
    "defaultdict": "from collections import defaultdict\n"
    "_d = defaultdict(dict)\n"
    "_d['a']['b'] = 1\n"
    "CELERY_ACKS_LATE = True\n",
    "literal_eval": "import ast\nBROKER_TRANSPORT_OPTIONS = ast.literal_eval(\"{'visibility_timeout': 7}\")\n",
    "strtobool": "CELERY_ACKS_LATE = bool(int(os.environ.get('ONE', '1')))\n",
    "type annotation": "BROKER_URL: str = 'redis://ann:1/1'\n",
    "docstring": "'''doc'''\nBROKER_URL = 'redis://doc:1/1'\n",
    "setdefault nested": "BROKER_TRANSPORT_OPTIONS.setdefault('sentinel_kwargs', {})['password'] = 'x'\n",
    "del name": "del BROKER_TRANSPORT_OPTIONS\n",
    "del and get": "_o = globals().pop('BROKER_TRANSPORT_OPTIONS')\n"
    "BROKER_TRANSPORT_OPTIONS = {**_o, 'visibility_timeout': 3}\n",
    "environ index in": "os.environ['X_SET'] = 'a'\nBROKER_URL = f\"redis://{os.environ['X_SET']}:1/1\"\n",
    "environ setdefault": "os.environ.setdefault('X_SET', 'a')\n"
    "BROKER_URL = f\"redis://{os.environ.get('X_SET')}:1/1\"\n",
    "celery env set": "os.environ['CELERY_BROKER_URL'] = 'redis://fromset:1/1'\n",
    "celery env set2": "os.environ.setdefault('CELERY_BROKER_URL', 'redis://fromset:1/1')\n",
    "celery env update": "os.environ.update({'CELERY_BROKER_URL': 'redis://fromset:1/1'})\n",
    "celery env putenv": "os.environ |= {'CELERY_BROKER_URL': 'redis://fromset:1/1'}\n",
    "celery env pop": "os.environ.pop('FLAG', None)\nCELERY_ACKS_LATE = bool(os.environ.get('FLAG'))\n",
    "env in uncalled function": "def _f():\n    os.environ['CELERY_BROKER_URL'] = 'redis://x:1/1'\n",
    "environ alias set": "from os import environ as _e\n_e['CELERY_BROKER_URL'] = 'redis://x:1/1'\n",
    "continue": "for _n in (1, 2, 3):\n    if _n == 3:\n        continue\n    CELERY_DEFAULT_PRIORITY = _n\n",
    "break inner": "for _n in (1, 2):\n"
    "    for _m in (5, 6):\n"
    "        if _m == 6:\n"
    "            break\n"
    "        CELERY_DEFAULT_PRIORITY = _m + _n\n",
    "try second fails": "try:\n"
    "    CELERY_ACKS_LATE = True\n"
    "    BROKER_URL = os.environ['NOPE']\n"
    "except KeyError:\n"
    "    pass\n",
    "try else": "try:\n"
    "    _x = os.environ['REDIS_HOST']\n"
    "except KeyError:\n"
    "    CELERY_ACKS_LATE = False\n"
    "else:\n"
    "    CELERY_ACKS_LATE = True\n"
    "finally:\n"
    "    CELERY_DEFAULT_PRIORITY = 1\n",
    "try nested items": "try:\n"
    "    BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = int(ENV_TOKENS['NOPE'])\n"
    "except (KeyError, ValueError):\n"
    "    BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 11\n",
    "shadow sum": "def sum(x):\n    return 4\nCELERY_DEFAULT_PRIORITY = sum([1])\n",
    "shadow str": "str = lambda x: 'redis://shadow:1/1'\nBROKER_URL = str(1)\n",
    "fn default": "def _u(host='d', port=1):\n"
    "    '''doc'''\n"
    "    return f'redis://{host}:{port}/1'\n"
    "BROKER_URL = _u(port=2)\n",
    "fn closes": "HOST = 'one'\ndef _u():\n    return f'redis://{HOST}:1/1'\nHOST = 'two'\nBROKER_URL = _u()\n",
    "fn rec": "def _u(n):\n    return 1 if n < 2 else n * _u(n - 1)\nCELERY_DEFAULT_PRIORITY = _u(3)\n",
    "fn walrus": "def _u():\n    return (BROKER_URL := 'redis://inner:1/1')\n_x = _u()\n",
    "fn param same name": "def _u(BROKER_URL):\n    return BROKER_URL.upper()\n_x = _u('redis://q:1/1')\n",
    "fn redefined": "def _u():\n    return 'redis://a:1/1'\n_u = lambda: 'redis://b:1/1'\nBROKER_URL = _u()\n",
    "lambda mutates": "_f = lambda o: o.update(visibility_timeout=3)\n_f(BROKER_TRANSPORT_OPTIONS)\n",
    "comp scope": "_n = 'x'\n_l = [_n for _n in ['a', 'b']]\nBROKER_URL = f'redis://{_n}:1/1'\n",
    "comp walrus": "_l = [_z := n for n in [1, 2]]\nCELERY_DEFAULT_PRIORITY = _z\n",
    "sys modules alias": "from sys import modules\nmodules[__name__].BROKER_URL = 'redis://alias:1/1'\n",
    "dict attr": "import sys\nsys.modules[__name__].__dict__['BROKER_URL'] = 'redis://dd:1/1'\n",
    "dict update": "import sys\nvars(sys.modules[__name__])['BROKER_URL'] = 'redis://vv:1/1'\n",
    "globals alias": "_g = globals()\n_g['BROKER_URL'] = 'redis://ga:1/1'\n",
    "globals ior": "_g = globals()\n_g |= {'BROKER_URL': 'redis://gi:1/1'}\n",
    "exec in func": "def _f():\n    exec('BROKER_URL = 1', globals())\n",
    "putenv": "os.putenv('CELERY_BROKER_URL', 'redis://put:1/1')\n",
    "environ loop": "for _k, _v in {'CELERY_BROKER_URL': 'redis://loop:1/1'}.items():\n    os.environ[_k] = _v\n",
    "environ del": "del os.environ['FLAG']\nCELERY_ACKS_LATE = 'FLAG' in os.environ\n",
    "environ empty": "os.environ['CELERY_BROKER_URL'] = ''\nBROKER_URL = 'redis://used:1/1'\n",
    "environ read url": "os.environ['CELERY_BROKER_READ_URL'] = 'redis://read:1/1'\n",
    "environ setdefault set": "CELERY_ACKS_LATE = os.environ.setdefault('FLAG', 'x') == 'true'\n",
    "fmt width": "BROKER_URL = '{:>0}'.format('redis://fw:1/1')\n",
    "percent literal": "BROKER_URL = 'redis://:%s%%40x@h:1/1' % 'p'\n",
    "json bool": "import json\nCELERY_ACKS_LATE = json.loads('true')\n",
    "bool neg": "CELERY_DEFAULT_PRIORITY = -(-3)\n",
    "str num cmp": "CELERY_ACKS_LATE = '1' == 1\n",
    "div": "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = 7200 / 2\n",
    "timedelta kw": "from datetime import timedelta as td\n"
    "BROKER_TRANSPORT_OPTIONS['visibility_timeout'] = int((td(minutes=90)).total_seconds())\n",
    "starred mid": "_a, *_b, _c = 'redis://s1:1/1', 2, 3, 'redis://s2:1/1'\nBROKER_URL = _c\n",
    "nested unpack": "(_a, (_b, BROKER_URL)) = (1, (2, 'redis://np:1/1'))\n",
    "aug list alias": "_q = ['x']\n_r = _q\n_r += ['y']\nCELERY_QUEUES = {n: {} for n in _q}\n",
    "sorted rev": "CELERY_QUEUES = {n: {} for n in sorted(['a', 'b'], reverse=True)}\n",
    "zip uneven": "BROKER_TRANSPORT_OPTIONS.update(dict(zip(['visibility_timeout', 'sep'], [9])))\n",
    "nested func global": "def _set():\n    globals()['BROKER_URL'] = 'redis://g:1/1'\n_set()\n",
    "env in function": "def _f():\n    os.environ['CELERY_BROKER_URL'] = 'redis://x:1/1'\n_f()\n",
    "try import found": "try:\n"
    "    import json\nexcept ImportError:\n    json = None\nif json:\n    CELERY_ACKS_LATE = True\n",
    "delattr": "import sys\ndelattr(sys.modules[__name__], 'BROKER_URL')\nBROKER_URL = 'redis://after:1/1'\n",
    "sys modules other": "import sys\n"
    "_m = sys.modules['lms.envs.tutor.production']\n_m.BROKER_URL = 'redis://other:1/1'\n",
    "this module": "import lms.envs.tutor.production as me\nme.BROKER_URL = 'redis://me:1/1'\n",
    "environ passed": "def _load(e):\n"
    "    e['CELERY_BROKER_URL'] = 'redis://pass:1/1'\n    return 1\n_load(os.environ)\n",
}
"""Those of which all is known."""

UNKNOWN = {
    "yaml load": (
        "import yaml\nBROKER_TRANSPORT_OPTIONS.update(yaml.safe_load('visibility_timeout: 6'))\n",
        ("key_prefix", "lists", "transport_options", "visibility_timeout"),
    ),
    "re sub": ("import re\nBROKER_URL = re.sub(r'/0$', '/8', BROKER_URL)\n", ("broker", "broker_url")),
    "for environ": (
        "for _k, _v in os.environ.items():\n    if _k.startswith('EDX_SETTING_'):\n        globals()[_k[12:]] = _v\n",
        (),
    ),
    "class": ("class _C:\n    URL = 'redis://cls:1/1'\nBROKER_URL = _C.URL\n", ("broker", "broker_url")),
    "hasattr": ("if not hasattr(CELERY_QUEUES, 'nope'):\n    CELERY_ACKS_LATE = True\n", ("acknowledges_late",)),
    "bytes": ("BROKER_URL = b'redis://by:1/1'.decode()\n", ("broker", "broker_url")),
    "os path": (
        "_p = os.path.join('/a', 'b')\nif os.path.exists('/nope/nope'):\n    BROKER_URL = 'redis://no:1/1'\n",
        ("broker", "broker_url"),
    ),
    "sys argv": ("import sys\nif 'celery' in sys.argv[0]:\n    CELERY_ACKS_LATE = True\n", ("acknowledges_late",)),
    "env in unknown branch": (
        "import socket\nif socket.gethostname():\n    os.environ['CELERY_BROKER_URL'] = 'redis://x:1/1'\n",
        ("broker", "broker_url"),
    ),
    "environ alias in branch": (
        "import socket\n"
        "from os import environ as _e\n"
        "if socket.gethostname():\n"
        "    _e['CELERY_BROKER_URL'] = 'redis://x:1/1'\n",
        ("broker", "broker_url"),
    ),
    "break in unknown if": (
        "import socket\n"
        "for _n in (1, 2, 3):\n"
        "    CELERY_DEFAULT_PRIORITY = _n\n"
        "    if socket.gethostname():\n"
        "        break\n",
        ("default_priority", "lists"),
    ),
    "try value error": (
        "try:\n"
        "    CELERY_DEFAULT_PRIORITY = int(os.environ.get('REDIS_HOST'))\n"
        "except ValueError:\n"
        "    CELERY_DEFAULT_PRIORITY = 2\n",
        ("default_priority", "lists"),
    ),
    "try wrong handler": (
        "try:\n"
        "    try:\n"
        "        BROKER_URL = os.environ['NOPE']\n"
        "    except ValueError:\n"
        "        CELERY_ACKS_LATE = True\n"
        "except KeyError:\n"
        "    BROKER_URL = 'redis://outer:1/1'\n",
        ("acknowledges_late", "broker", "broker_url"),
    ),
    "try as": (
        "try:\n"
        "    BROKER_URL = os.environ['NOPE']\n"
        "except KeyError as error:\n"
        "    BROKER_URL = f'redis://{error.args[0].lower()}:1/1'\n",
        ("broker", "broker_url"),
    ),
    "try zero": (
        "try:\n    _x = 1 / 0\nexcept ZeroDivisionError:\n    CELERY_ACKS_LATE = True\n",
        ("acknowledges_late",),
    ),
    "fn args": ("def _u(*a, **k):\n    return 'redis://star:1/1'\nBROKER_URL = _u(1)\n", ("broker", "broker_url")),
    "fn decorated": (
        "def _d(f):\n"
        "    return lambda: 'redis://deco:1/1'\n"
        "@_d\n"
        "def _u():\n"
        "    return 'redis://plain:1/1'\n"
        "BROKER_URL = _u()\n",
        ("broker", "broker_url"),
    ),
    "fn in branch": (
        "import socket\n"
        "def _u():\n"
        "    return 'redis://a:1/1'\n"
        "if socket.gethostname():\n"
        "    def _u():\n"
        "        return 'redis://b:1/1'\n"
        "BROKER_URL = _u()\n",
        ("broker", "broker_url"),
    ),
    "generator lazily": (
        "_g = (BROKER_TRANSPORT_OPTIONS.update({'visibility_timeout': n}) for n in [4])\n",
        ("key_prefix", "lists", "transport_options", "visibility_timeout"),
    ),
    "generator used": (
        "list(BROKER_TRANSPORT_OPTIONS.update({'visibility_timeout': n}) for n in [4])\n",
        ("key_prefix", "lists", "transport_options", "visibility_timeout"),
    ),
    "and side": (
        "import socket\nsocket.gethostname() and BROKER_TRANSPORT_OPTIONS.update({'visibility_timeout': 5})\n",
        ("key_prefix", "lists", "transport_options", "visibility_timeout"),
    ),
    "or side": (
        "import socket\n_x = socket.gethostname() or (BROKER_URL := 'redis://no:1/1')\n",
        ("broker", "broker_url"),
    ),
    "ifexp side": (
        "import socket\nBROKER_TRANSPORT_OPTIONS.update({'visibility_timeout': 5}) if socket.gethostname() else None\n",
        ("key_prefix", "lists", "transport_options", "visibility_timeout"),
    ),
    "getattr default": (
        "import sys\n_m = sys.modules[__name__]\nCELERY_DEFAULT_PRIORITY = getattr(_m, 'NOPE_X', 4)\n",
        ("default_priority", "lists"),
    ),
    "importlib self": (
        "import importlib\n_m = importlib.import_module(__name__)\n_m.BROKER_URL = 'redis://il:1/1'\n",
        ("broker", "broker_url"),
    ),
    "globals setitem": (
        "globals().__setitem__('BROKER_URL', 'redis://gs:1/1')\n",
        ALL,
    ),
    "environ replaced": (
        "os.environ = {**os.environ, 'CELERY_BROKER_URL': 'redis://rep:1/1'}\n",
        ("broker", "broker_url"),
    ),
    "list mult": ("_q = ['x'] * 2\nCELERY_QUEUES = {n: {} for n in _q}\n", ("queues",)),
    "slice assign": ("_q = ['x', 'y']\n_q[0:1] = ['z']\nCELERY_QUEUES = {n: {} for n in _q}\n", ("queues",)),
    "list item assign": ("_q = ['x', 'y']\n_q[0] = 'z'\nCELERY_QUEUES = {n: {} for n in _q}\n", ("queues",)),
    "attr on list": (
        "class O: pass\n_o = O()\n_o.url = 'redis://o:1/1'\nBROKER_URL = _o.url\n",
        ("broker", "broker_url"),
    ),
    "with supp": (
        "import contextlib\n"
        "with contextlib.suppress(KeyError):\n"
        "    BROKER_URL = os.environ['NOPE']\n"
        "    CELERY_ACKS_LATE = True\n",
        ("acknowledges_late", "broker", "broker_url"),
    ),
    "with supp2": (
        "import contextlib\nwith contextlib.suppress(KeyError):\n    _x = {}['a']\n    CELERY_ACKS_LATE = True\n",
        ("acknowledges_late",),
    ),
    "match": (
        "match os.environ.get('FLAG'):\n"
        "    case 'true':\n        BROKER_URL = 'redis://yes:1/1'\n    case _:\n        BROKER_URL = 'redis://no:1/1'\n",
        ("broker", "broker_url"),
    ),
    "dict comp if": (
        "_o = BROKER_TRANSPORT_OPTIONS.items()\n"
        "BROKER_TRANSPORT_OPTIONS = {k: v for k, v in _o if not k.startswith('fanout')}\n",
        ("key_prefix", "lists", "transport_options", "visibility_timeout"),
    ),
    "while": ("_n = 0\nwhile _n < 3:\n    _n += 1\nCELERY_DEFAULT_PRIORITY = _n\n", ("default_priority", "lists")),
}
"""Those that leave something unknown, with what."""
