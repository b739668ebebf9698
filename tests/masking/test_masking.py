"""No secret leaves the masks, wherever it was put and however it was written; what differs still differs."""

from __future__ import annotations

import base64
import json
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import given, strategies as st

from kustomizer.manifests.protocols import read_stream
from kustomizer.manifests.resource import Resource, Resources
from kustomizer.manifests.tree import plain_value
from kustomizer.masking.marks import ABSENT, CHANGED_SECRET, SECRET
from kustomizer.masking.masking import Masks
from tests import sites

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PASSWORD = "n6Tz%w/Qb'x\"4+K"
OTHER = "Zr8-kk2:Lm@9 qW"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config_map(**files: str) -> dict[str, Any]:
    name = "-".join(sorted(files)).replace("_", "-").lower()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"config-{name}"}, "data": files}


def pod(**container: Any) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": "main", **container}]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "main"}, "spec": spec}


def secret(value: str) -> dict[str, Any]:
    data = {"password": base64_of(value)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"}, "data": data}


def resources(*trees: dict[str, Any]) -> Resources:
    return Resources([Resource(yaml.safe_dump(tree)) for tree in trees])


def shown(*trees: dict[str, Any]) -> str:
    """Return what is shown of objects, each leaf on lines of its own."""
    build = resources(*trees)
    masks = Masks(build, build)
    return "\n".join(text for item in build for text in leaves(masks.shown(ABSENT, masks.tree(item))[1]))


def leaves(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [text for key, value in node.items() for text in (str(key), *leaves(value))]
    if isinstance(node, list):
        return [text for value in node for text in leaves(value)]
    return [str(node)]


# Where a password may stand, by name at its place, without any Secret that tells its value.
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "a Secret": secret,
    "a Secret in clear text": lambda value: {**secret(""), "data": {}, "stringData": {"a": value}},
    "a file's name": lambda value: config_map(redis_password=value),
    "YAML": lambda value: config_map(**{"lms.env.yml": yaml.safe_dump({"A": "b", "XQUEUE": {"PASSWORD": value}})}),
    "YAML in one line": lambda value: config_map(
        a=yaml.safe_dump({"db": {"password": value}}, default_flow_style=True)
    ),
    "folded YAML": lambda value: config_map(a=yaml.safe_dump({"CLIENT_SECRET": value}, width=1)),
    "a block of YAML": lambda value: config_map(a=f"a: b\napi_key: |\n  {value}\nc: d\n"),
    "JSON": lambda value: config_map(**{"auth.json": json.dumps({"user": "me", "password": value})}),
    "JSON in JSON": lambda value: config_map(**{"a.json": json.dumps({"a": json.dumps({"token": value, "b": 1})})}),
    "Python": lambda value: config_map(**{"production.py": f"SECRET_KEY = {value!r}\nB = 1\n"}),
    "Python's index": lambda value: config_map(**{"a.py": f'JWT_AUTH["JWT_SECRET_KEY"] = {json.dumps(value)}\n'}),
    "Python's call": lambda value: config_map(**{"a.py": f"connect(host='a', password={value!r}, port=1)\n"}),
    "Python's default": lambda value: config_map(**{"a.py": f'os.environ.get("REDIS_PASSWORD", {json.dumps(value)})'}),
    "Python's pair": lambda value: config_map(**{"a.py": f"XQUEUE = {{'basic_auth': ('lms', {value!r})}}"}),
    "a list in YAML": lambda value: config_map(a=yaml.safe_dump({"basic_auth": ["lms", value]})),
    "the environment": lambda value: pod(env=[{"name": "MYSQL_ROOT_PASSWORD", "value": value}]),
    "an option": lambda value: pod(args=["serve", f"--admin-password={value}"]),
    "an option and its value": lambda value: pod(args=["serve", "--admin-password", value, "--port", "1"]),
    "Redis's option": lambda value: pod(command=["redis-server", "--requirepass", value]),
    "a script": lambda value: pod(args=["sh", "-c", f"redis-cli --pass {shlex.quote(value)} ping"]),
    "mysql's option": lambda value: pod(args=["sh", "-c", f"mysql -u root -p{shlex.quote(value)} -e 'SHOW TABLES'"]),
    "a variable of a script": lambda value: config_map(**{"a.sh": f"export PGPASSWORD={shlex.quote(value)}\n"}),
    "a URL": lambda value: pod(env=[{"name": "URL", "value": f"redis://me:{quote(value, safe='')}@redis:6379/0"}]),
    "a query": lambda value: config_map(a=f"http://a/b?c=d&access_token={quote(value, safe='')}"),
    "a header": lambda value: config_map(a=f"Authorization: Basic {base64_of(f'me:{value}')}"),
    "INI": lambda value: config_map(**{"my.cnf": f"[client]\nuser=root\npassword={value}\n"}),
    "redis.conf": lambda value: config_map(**{"redis.conf": f"port 1\nrequirepass {json.dumps(value)}\n"}),
    "SQL": lambda value: config_map(
        **{"a.sql": f"CREATE USER a IDENTIFIED BY '{value.replace(chr(39), chr(39) * 2)}';"}
    ),
    "XML": lambda value: config_map(**{"a.xml": f"<user><password>{quote(value)}</password></user>"}),
    "a trigger": lambda value: {
        **pod(),
        "kind": "ScaledObject",
        "spec": {"triggers": [{"type": "redis", "metadata": {"password": value, "address": "redis:6379"}}]},
    },
    "a field in camel case": lambda value: {**pod(), "kind": "Grafana", "spec": {"adminPassword": value}},
    "a mapping of passwords": lambda value: {**pod(), "kind": "Redis", "spec": {"passwords": {"me": value}}},
    "a list of tokens": lambda value: {**pod(), "kind": "Proxy", "spec": {"tokens": ["", value]}},
    "credentials": lambda value: {**pod(), "kind": "Proxy", "spec": {"credentials": {"user": "me", "value": value}}},
    "a value": lambda value: {**pod(), "kind": "Proxy", "spec": {"apiToken": {"value": value}}},
    "a parameter": lambda value: {**pod(), "kind": "Proxy", "spec": {"set": [{"key": "db.password", "value": value}]}},
    "what was applied last": lambda value: {
        **pod(),
        "metadata": {
            "name": "a",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(secret(value))},
        },
    },
}

# How it may be written elsewhere, where nothing but its value tells.
FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda value: f"remote('db', 'me', {value}, 1)",
    "within a word": lambda value: f"me{value}",
    "base64": base64_of,
    "base64 with user": lambda value: f"auth {base64_of(f'me:{value}')} end",
    "base64 with more around": lambda value: base64_of(f"a: b\nconnect {value} now, and then something else\n"),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 on lines of 70": lambda value: "\n".join(split(base64_of("x" * 60 + value + "y" * 80), 70)),
    "percent": lambda value: f"/a/{quote(value)}/b",
    "percent, all": lambda value: f"/a/{quote(value, safe='')}/b",
    "percent and plus": lambda value: f"a&b={quote_plus(value)}&c",
    "JSON": lambda value: json.dumps(["a", value]),
    "JSON with letters": lambda value: json.dumps(["a", value], ensure_ascii=False),
    "JSON twice": lambda value: json.dumps(json.dumps({"a": value})),
    "Python": lambda value: repr(["a", value]),
    "YAML": lambda value: yaml.safe_dump(["a", value]),
    "YAML in single quotes": lambda value: f"a: '{value.replace(chr(39), chr(39) * 2)}'",
    "YAML in double quotes": lambda value: yaml.safe_dump(["a", value], default_style='"'),
    "folded": lambda value: yaml.safe_dump({"a": f"{'b' * 70} {value}"}, width=20),
    "a shell": lambda value: f"echo {shlex.quote(value)}",
    "hexadecimal": lambda value: value.encode().hex(),
}

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40).filter(
    lambda text: (
        sum(any(map(kind, text)) for kind in (str.islower, str.isupper, str.isdigit)) == 3
        and "://" not in text
        and "@" not in text
        and text[0].isalnum()
        and text[-1].isalnum()
    )
)


def split(text: str, width: int) -> Sequence[str]:
    return [text[start : start + width] for start in range(0, len(text), width)]


def hidden(value: str, text: str) -> bool:
    """Tell whether nothing of ``value`` is in ``text``, in any form that a reader could undo."""
    parts = [value[start : start + 6] for start in range(len(value) - 5)]
    forms = {value, quote(value), quote(value, safe=""), json.dumps(value)[1:-1], base64_of(value)[:-4]}
    return not any(part in text for part in (*parts, *forms))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", ["hunter2x9Q", "aB3dE6gH", "p4ss w0rd 4u", "a-b.c~D9x", "x" * 30 + "Y" * 90])
def test_a_place_says_that_its_value_is_secret(place: str, value: str) -> None:
    text = shown(PLACES[place](value))
    assert hidden(value, text), text
    assert SECRET in text


@given(place=st.sampled_from(sorted(PLACES)), value=SECRETS)
def test_any_value_is_hidden_in_any_place(place: str, value: str) -> None:
    text = shown(PLACES[place](value))
    assert hidden(value, text), text


@given(form=st.sampled_from(sorted(FORMS)), value=SECRETS)
def test_what_was_seen_in_a_secret_place_is_hidden_in_any_form(form: str, value: str) -> None:
    text = shown(config_map(notes=FORMS[form](value)), secret(value))
    assert hidden(value, text), text


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("layout", [yaml.safe_dump, json.dumps])
def test_what_was_seen_in_any_place_is_hidden_elsewhere(place: str, layout: Callable[[Any], str]) -> None:
    value = "n6Tz-wQb.4K9xY"
    build = Resources(
        [Resource(f"{layout(tree)}\n") for tree in (PLACES[place](value), config_map(notes=f"a {value} b"))]
    )
    masks = Masks(build, build)
    text = "\n".join(leaf for item in build for leaf in leaves(masks.tree(item)))
    assert hidden(value, text), text


@given(value=SECRETS, other=SECRETS, place=st.sampled_from(sorted(PLACES)))
def test_equal_secrets_are_equal_and_others_differ(value: str, other: str, place: str) -> None:
    before, after = resources(PLACES[place](value)), resources(PLACES[place](other))
    again = resources(PLACES[place](value))
    masks = Masks(before, after)
    first, second, third = (masks.tree(next(iter(build))) for build in (before, after, again))
    assert first == third
    assert (first == second) is (value == other)


@given(text=st.text(st.sampled_from("\ufdd0\ufdd1x01PASSWORD: '\"\n"), max_size=30))
def test_no_text_is_taken_for_a_token(text: str) -> None:
    build = resources({**config_map(), "data": {"a": "b"}})
    masks = Masks(build, build)
    masks.token("first")
    assert masks.shown(ABSENT, masks.cut(text, []))[1] == text


def test_one_change_is_told_from_none() -> None:
    before, after = (resources(config_map(a=f'A: b\nPASSWORD: "{value}"\n')) for value in ("one1one1", "two2two2"))
    masks = Masks(before, after)
    trees = [masks.tree(next(iter(build))) for build in (before, after)]
    assert masks.shown(trees[0], trees[0]) == (expected := masks.shown(trees[0], trees[1])[0], expected)
    assert masks.shown(*trees)[1]["data"]["a"] == f'A: b\nPASSWORD: "{CHANGED_SECRET}"\n'


def test_a_swap_is_two_changes() -> None:
    pairs = (("A1b2C3d4", "E5f6G7h8"), ("E5f6G7h8", "A1b2C3d4"))
    before, after = (resources(config_map(a=f"A_PASSWORD: {one}\nB_PASSWORD: {two}\n")) for one, two in pairs)
    masks = Masks(before, after)
    old, new = (masks.tree(next(iter(build))) for build in (before, after))
    assert masks.shown(old, new)[1]["data"]["a"] == f"A_PASSWORD: {CHANGED_SECRET}\nB_PASSWORD: {CHANGED_SECRET}\n"


def test_what_is_new_has_not_changed() -> None:
    assert Masks(resources(), resources()).shown(ABSENT, {"a": [1, None, "b"]})[1] == {"a": [1, None, "b"]}
    assert f"password\n{SECRET}\n" in shown(secret("A1b2C3d4"))


@pytest.mark.parametrize(
    "weak", ["openedx", "lms", "redis", "password", "mysql:3306", "true", "production", "12345678"]
)
def test_a_weak_password_is_not_told_by_masking_the_word_elsewhere(weak: str) -> None:
    text = f"image: overhangio/openedx:22\nlms redis password mysql:3306 true production 12345678\n# {weak}\n"
    objects = (config_map(notes=text), secret(weak), pod(env=[{"name": "A_PASSWORD", "value": weak}]))
    assert text in shown(*objects)


def test_a_file_in_a_secret_tells_of_no_other_file() -> None:
    text = "from celery import Celery\nbroker_transport_options = {}\nCELERY_BROKER_URL = A\nimport os\n"
    assert text in shown(config_map(**{"a.py": text}), secret(f"{text}broker_password = 'n6TzKK4q'\n"))
    key = "n6TzKK4qZr8kk2Lm9"
    assert hidden(key, shown(config_map(a=f"see {key}"), secret(f"{text}KEYS = [{key}]\n")))


def test_the_name_of_an_object_is_never_masked() -> None:
    named = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "r4nd0mName9"}}
    assert "see r4nd0mName9" in shown(named, secret("r4nd0mName9"), config_map(a="see r4nd0mName9"))


@pytest.mark.parametrize(
    "text",
    [
        'PASSWORD: ""\n',
        "PASSWORD: ${PASSWORD}\n",
        "PASSWORD_RESET_LINK: 'https://a/b'\nSECRET_NAME: database\n",
        "ACCESS_TOKEN_EXPIRE_SECONDS: 3600\nUSE_TOKEN: true\n",
        "https://example.com:8000/@me",
        "partition_key: course_key\nforeign key (a)\n",
        "- {name: token, from: header}\n",
    ],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert text in shown(config_map(**{"a.yml": text}))


def test_what_has_no_quotes_in_code_is_no_string() -> None:
    text = "SECRET_KEY = os.environ['SECRET_KEY']\nconnect(password=PASSWORD, token=token)\npassword: str\n"
    assert text in shown(config_map(**{"a.py": text}))


def test_line_breaks_in_base64_are_no_change() -> None:
    value = "n6Tz" * 40
    broken = {**secret(value), "data": {"password": "\n".join(split(base64_of(value), 70)) + "\n"}}
    before, after = resources(secret(value)), resources(broken)
    masks = Masks(before, after)
    assert masks.tree(next(iter(before))) == masks.tree(next(iter(after)))


def test_what_only_refers_to_a_secret_is_shown() -> None:
    reference = {"name": "A_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}
    volume = {"name": "secret", "secret": {"secretName": "database"}}
    tree = pod(env=[reference], secrets=["database"], credentials={"secretRef": {"name": "other", "key": "password"}})
    tree["spec"]["template"]["spec"] |= {"volumes": [volume], "automountServiceAccountToken": False}
    build = resources(tree, secret("n6Tz8KKq"))
    masks = Masks(build, build)
    assert masks.tree(next(iter(build))) == plain_value(next(iter(build)).tree)


@pytest.fixture(scope="module")
def full() -> Resources:
    output = sites.build(sites.kustomize(sites.NEWEST), sites.site("full"))
    return Resources(read_stream(output, b"kind: X").resources)


def test_no_secret_of_a_full_site_is_shown(full: Resources) -> None:
    settings = yaml.safe_load((sites.site("full").parent / "config.yml").read_text())
    words = ("PASSWORD", "SECRET", "MASTER_KEY", "API_KEY", "ACCESS_KEY")
    known = {
        value
        for name, value in settings.items()
        if isinstance(value, str) and any(name.endswith(word) or f"{word}_S" in name for word in words)
    } - {"openedx"}
    masks = Masks(full, full)
    text = "\n".join(leaf for item in full for leaf in leaves(masks.shown(ABSENT, masks.tree(item))[1]))
    raw = "\n".join(item.text for item in full)
    assert len([value for value in known if value in raw]) > 25
    assert [value for value in known if value in text or base64_of(value)[:-4] in text] == []
    assert "PRIVATE KEY" not in text
    for line in text.splitlines():
        assert not any(
            line.strip().startswith(f'"{number}": "') and SECRET not in line for number in ("d", "p", "q", "qi")
        )


def test_the_masks_of_a_full_site_leave_what_is_readable(full: Resources) -> None:
    masks = Masks(full, full)
    text = "\n".join(leaf for item in full for leaf in leaves(masks.shown(ABSENT, masks.tree(item))[1]))
    assert "docker.io/overhangio/openedx:22" in text
    assert "mysql://superset:(secret)@mysql/superset" in text
    # Lines of 14,000; by hand, each of them was looked at.
    assert sum(SECRET in line for line in text.splitlines()) < 200


def test_what_is_parsed_already_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, other = (read_stream(f"{json.dumps(config_map(a='b'))}\n".encode(), b"{}").resources for _ in range(2))
    for resource in parsed:
        assert resource.tree
    counted: list[Resource] = []
    parse = Resource._parse

    def counting(item: Resource) -> dict[str, Any]:
        counted.append(item)
        return parse(item)

    monkeypatch.setattr(Resource, "_parse", counting)

    Masks(Resources(parsed), Resources([]))
    assert not counted
    Masks(Resources(other), Resources([]))
    assert len(counted) == 1
