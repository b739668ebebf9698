"""Says of an env/ of Tutor's that it isn't what `tutor config save` would write now.

Told by contents: Git and copies keep no file times.
"""

from __future__ import annotations

import os

from kustomizer.errors import WARNING, Problem
from kustomizer.kustomize.examination import shown
from kustomizer.kustomize.split_names import FILE, OVERLAY, PLACE, PREFIX, SPLIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_HELD = {
    "K8S_NAMESPACE": (FILE, "\nnamespace: {}\n"),
    "ID": (FILE, "app.kubernetes.io/instance: openedx-{}\n"),
    "LMS_HOST": ("apps/openedx/config/lms.env.yml", '\nLMS_BASE: "{}"\n'),
    "CMS_HOST": ("apps/openedx/config/lms.env.yml", '\nCMS_BASE: "{}"\n'),
    "DOCKER_IMAGE_OPENEDX": ("k8s/deployments.yml", "image: {}\n"),
}
"""Values of Tutor's config.yml, each with a file of env/ and the form that it has there. None is secret."""
_NO_PLAIN_VALUE = ("|", ">", "&", "*", "{", "[", "!")
OFF = ("", "false", "no", "off", "null", "~")
"""What is false to Tutor, in small letters."""

_BY_TUTOR: dict[str, Callable[[], str]] = {}


def let_tutor_say(env: str, reason: Callable[[], str]) -> None:
    """Have ``reason`` say why ``env`` is stale, empty where it isn't: with Tutor at hand it can be told for sure."""
    _BY_TUTOR[os.path.realpath(env)] = reason


def stale_envs(directories: Iterable[str]) -> Iterator[Problem]:
    """Yield a warning for each of ``directories`` that is an env/ which Tutor would write otherwise now."""
    for directory in directories:
        if is_tutor_env(directory):
            reason = stale_reason_of(directory)
            if reason:
                yield Problem(
                    message=f"{shown(directory)} isn't what Tutor would write now: {reason}",
                    severity=WARNING,
                    remedy="Run `tutor config save` first",
                )


def is_tutor_env(directory: Path | str) -> bool:
    """Tell whether Tutor wrote ``directory``."""
    return os.path.isfile(f"{directory}/{FILE}") and os.path.isfile(f"{directory}/k8s/deployments.yml")  # noqa: PTH113


def stale_reason_of(env: str) -> str:
    """Return why Tutor would write ``env`` otherwise now, empty where nothing says so."""
    by_tutor = _BY_TUTOR.get(os.path.realpath(env))
    if by_tutor is not None:
        return by_tutor()
    return _of_split(env) or _of_version(env) or _of_config(env)


def _of_split(env: str) -> str:
    if f"{PLACE}/{PREFIX}" not in _text(f"{env}/{FILE}"):
        return ""
    values = config_values(env)
    is_set = {key: values.get(key, "").lower() not in OFF for key in (OVERLAY, SPLIT)}
    if is_set[OVERLAY] or (SPLIT in values and not is_set[SPLIT]):
        key = OVERLAY if is_set[OVERLAY] else SPLIT
        return f"it still holds the split, and config.yml says {key}: {values[key]}"
    from pathlib import Path  # noqa: PLC0415 - most sites aren't split so, and a build imports little

    from kustomizer.tutor_env.state import stale_reason  # noqa: PLC0415

    return stale_reason(Path(env).parent, as_recorded=True)


def _of_version(env: str) -> str:
    """Tell an env/ of which a part is of another Tutor: a save that was interrupted, or committed in part."""
    version, kustomization = _text(f"{env}/version").strip(), _text(f"{env}/{FILE}")
    if not version or "app.kubernetes.io/version: " not in kustomization:
        return ""
    if f"app.kubernetes.io/version: {version}\n" in kustomization:
        return ""
    return f"env/version says {version}, and {FILE} another version"


def _of_config(env: str) -> str:
    """Compare config.yml with what env/ must hold of it."""
    values = config_values(env)
    for key, (file, form) in _HELD.items():
        value = values.get(key)
        if not value:
            continue
        text = _text(f"{env}/{file}")
        if form.partition("{")[0] in text and form.format(value) not in text:
            return f"config.yml says {key}: {value}, and {file} another value"
    return ""


def config_values(env: str) -> dict[str, str]:
    """Return the plain values of the config.yml beside ``env``. One that is a template can't be told without Tutor."""
    values = {}
    for line in _text(f"{os.path.dirname(env)}/config.yml").splitlines():  # noqa: PTH120
        key, _, value = line.partition(": ")
        value = value.strip()
        value = value[1:].partition(value[0])[0] if value[:1] in {"'", '"'} else value.partition(" #")[0].rstrip()
        if "{{" not in value and not value.startswith(_NO_PLAIN_VALUE) and f"TUTOR_{key}" not in os.environ:
            values[key] = value
    return values


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs 5 ms to import
            return file.read()
    except OSError:
        return ""
