"""Finds where a text holds a password, and says its name: never the password itself."""

from __future__ import annotations

import re

_SECRET_NAME = (
    r"[A-Za-z0-9_.-]*(?:PASSWORD|PASSWD|SECRET|SECRET_KEY|TOKEN|API_?KEY|ACCESS_KEY|MASTER_KEY|PRIVATE_KEY|LICENSE_KEY"
    r"|BASIC_?AUTH|password|passwd|secret|secret_key|token|api_?key|access_key|master_key|private_key|license_key"
    r"|basic[_-]?auth|requirepass)"
)
_IS_SECRET_NAME = re.compile(_SECRET_NAME)
# Each name and URL is looked for at the beginning of its word only: a file may be one word of a million letters.
# NAME: "value" and NAME: value of YAML and JSON, NAME = "value" and ["NAME"] = "value" of Python and INI files.
_QUOTED = re.compile(rf"""(?<![A-Za-z0-9_.-])({_SECRET_NAME})["']?\]?\s*[:=]\s*(["'])([^"'\n]+)\2""")
_PLAIN = re.compile(rf"""^[ \t]*(?:- )?(?=\w)({_SECRET_NAME}):[ \t]+([^\s"'#&*|>\[{{][^\s]*)[ \t]*$""", re.MULTILINE)
# NAME = value of INI files.
_INI = re.compile(rf"""^[ \t]*(?=\w)({_SECRET_NAME})[ \t]*=[ \t]*([^\s"'#;][^\s]*)[ \t]*$""", re.MULTILINE)
# Words are joined with a NUL: an option at the end of a script's line has no value.
_OPTION = re.compile(rf"""(?:^|[\s\0])--?({_SECRET_NAME})(?:=|\0|(?:[ \t]|\\\n)+)["']?([^\s\0"']+)""")
# Django's: a flag, and no password.
_FLAGS = frozenset({"unusable-password"})
_URL = re.compile(r"""(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'"<>]*:([^\s/@'"<>]+)@""")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# What stands for a value that is put in later.
_PLACEHOLDER = re.compile(r"^(?:[$%{<].*|\*+|[xX]{3,}|os\.environ.*)$")
SWITCHES = frozenset({"", "none", "null", "true", "false", "on", "off", "yes", "no", "0", "1", "~"})
"""Values, in lower case, that are no password whatever their name."""

URL = "a URL with a password"
PEM = "a private key"


def is_secret_name(name: str) -> bool:
    """Tell whether what has this name, of an environment variable say, is a password."""
    return _IS_SECRET_NAME.fullmatch(name) is not None


def is_secret_value(value: str) -> bool:
    """Tell whether ``value`` may be a password, and not a placeholder for one or a switch."""
    value = value.strip()
    return value.lower() not in SWITCHES and _PLACEHOLDER.match(value) is None


def is_secret_setting(name: str, value: str) -> bool:
    """Tell whether a setting of this name and value holds a password, in a URL, too."""
    return (is_secret_name(name) and is_secret_value(value)) or has_url(value)


def has_url(text: str) -> bool:
    """Tell whether ``text`` holds a URL with a password in it."""
    return any(is_secret_value(match.group(1)) for match in _URL.finditer(text))


def in_words(words: list[str]) -> list[str]:
    """Return what holds passwords in a command line: options' names, URLs."""
    text = "\0".join(words)
    found = [match.groups() for match in _OPTION.finditer(text)]
    names = [
        name for name, value in found if name not in _FLAGS and not value.startswith("-") and is_secret_value(value)
    ]
    return _unique([*names, *([URL] if has_url("\n".join(words)) else [])])


def in_file(name: str, text: str) -> list[str]:
    """Return what holds passwords in a file of this name: settings' names, URLs, keys."""
    places = [(match.start(), match.group(1)) for match in _QUOTED.finditer(text) if is_secret_value(match.group(3))]
    if name.endswith((".yml", ".yaml")):
        matches = _PLAIN.finditer(text)
        places += [(match.start(), match.group(1)) for match in matches if is_secret_value(match.group(2))]
    if name.endswith((".ini", ".cfg", ".conf")):
        places += [(match.start(), match.group(1)) for match in _INI.finditer(text) if is_secret_value(match.group(2))]
    names = [found_name for _, found_name in sorted(places)]
    if has_url(text):
        names.append(URL)
    if _PEM.search(text):
        names.append(PEM)
    return _unique(names)


def _unique(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))
