"""What a settings module says, read without running it."""

from __future__ import annotations

from kustomizer.openedx.python_settings import PythonSettings


def test_a_dictionary_is_put_together() -> None:
    settings = PythonSettings(
        "D = {'a': 1, 'b': computed(), **OTHER, key: 2}\n"
        "D.update({'c': {'queue': 'x'}})\n"
        "D['a'] = 3\n"
        "D[key] = 4\n"
        "E.update({'a': 5})\n"
        "D.pop('c')\n"
    )
    assert settings.entries("D") == {"a": 3, "c": {"queue": "x"}}


def test_what_python_cannot_read_says_nothing() -> None:
    for text in ("D = {'a': 1}\nprint 'of Python 2'", "D = {'a': 1}\x00", "D = " + "(" * 5000):
        assert PythonSettings(text).entries("D") == {}


def test_nothing_is_run() -> None:
    assert PythonSettings("D = {'a': 1}\nraise SystemExit\n").entries("D") == {"a": 1}
