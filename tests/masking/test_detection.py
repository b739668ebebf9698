"""Where a text holds a password; which rules make of it what is in tests/rules/test_clear_text_password.py."""

from __future__ import annotations

import time

import pytest

from kustomizer.masking import detection
from tests.examples import sample

HUGE = {
    "letters": "a" * 300_000,
    "dashes": "-" * 300_000,
    "dots": "a." * 150_000,
    "pluses": "a+" * 150_000,
    "names": "password" * 30_000,
    "quotes": "PASSWORD: '" * 20_000,
    "blanks": "PASSWORD" + " " * 300_000,
    "URLs": "http://a:" * 30_000,
    "options": "--password\n" * 20_000,
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('A_PASSWORD: "x1"', ["A_PASSWORD"]),
        ("- client_secret: x1", ["client_secret"]),
        ('{"db": {"password": "x1", "user": "me"}}', ["password"]),
        ("db = connect(password='x1')", ["password"]),
        ("amqp://me:x1@rabbit", [detection.URL]),
        ("-----BEGIN RSA PRIVATE KEY-----", [detection.PEM]),
        ("PASSWORD: 'x1'\nPASSWORD: 'x2'\nTOKEN: 'x3'", ["PASSWORD", "TOKEN"]),
        ("PASSWORD: ''\nTOKEN: ${TOKEN}\nSECRET: \"{{ SECRET }}\"\nAPI_KEY: null", []),
        ("PASSWORD_RESET_LINK: 'x1'\nSECRET_NAME: 'x1'", []),
        ("https://example.com:8000/@me", []),
    ],
)
def test_names_in_a_file(text: str, names: list[str]) -> None:
    assert detection.in_file("a.yml", text) == names


@pytest.mark.parametrize("text", ["[newrelic]\nlicense_key = x1\n", "  api_key=x1 \n"])
def test_an_ini_file_has_values_without_quotes(text: str) -> None:
    assert len(detection.in_file("newrelic.ini", text)) == 1
    assert detection.in_file("a.py", text) == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--password", "x1"], ["password"]),
        (["--client-secret=x1"], ["client-secret"]),
        (["sh", "-c", "tool --client-secret \\\n  x1"], ["client-secret"]),
        (["sh", "-c", "manage.py manage_user cms --password\nmanage.py migrate"], []),
        (["manage.py", "manage_user", "--unusable-password", "cms"], []),
    ],
)
def test_names_in_a_command_line(words: list[str], names: list[str]) -> None:
    assert detection.in_words(words) == names


def test_only_yaml_has_values_without_quotes() -> None:
    assert detection.in_file("a.py", "password: str\n") == []


@pytest.mark.parametrize("name", sample(HUGE))
def test_it_takes_no_longer_than_the_text_is_long(name: str) -> None:
    text = HUGE[name]
    start = time.process_time()
    detection.in_file("a.yml", text)
    detection.in_words([text])
    assert time.process_time() - start < 3
