"""What a settings module says, read without running it."""

from __future__ import annotations

from kustomizer.openedx.python_settings import PythonSettings


def test_the_last_assignment_counts() -> None:
    settings = PythonSettings("A = 1\nif True:\n    A = 2\nB = A\nC = computed()\nC = -3\nC = computed()\n")
    assert [settings.constant(name) for name in "ABCD"] == [2, None, None, None]


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
    for text in ("print 'of Python 2'", "A = 1\x00", "A = " + "(" * 5000):
        assert PythonSettings(text).constant("A") is None


def test_nothing_is_run() -> None:
    assert PythonSettings("A = 1\nraise SystemExit\n").constant("A") == 1
