"""Which files of env/ Tutor would write otherwise now: for another value, another plugin, another version of either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tutor import config as tutor_config, env as tutor_env, hooks
from tutor.exceptions import TutorError

from kustomizer.errors import UserError
from kustomizer.kustomize.split_env import is_missing, split_directory
from kustomizer.kustomize.split_names import FILE, OVERLAY, PLACE, PREFIX, SPLIT
from kustomizer.tutor_env.kustomization import as_tutors
from kustomizer.tutor_env.state import is_tutors_alone, named_in, stale_reason
from kustomizer.tutor_plugin.hooks import added_by_plugins
from kustomizer.tutor_plugin.options import Options

_SHOWN = 3
"""Files that are named; a new version of Tutor changes them all."""


def reason(wanted: Options) -> str:
    """Return why the env/ of a root isn't what Tutor, with our plugin, would write now; empty where it is."""
    env = wanted.root / "env"
    try:
        if wanted.is_split:
            stale = stale_reason(wanted.root, wanted.present_config, added_by_plugins())
            if stale:
                return stale
        elif unwanted := _unwanted(env):
            why = f"{OVERLAY} names an overlay" if wanted.overlay else f"{SPLIT} is false"
            return f"it still {unwanted}, and {why}"
    except UserError as error:
        # The next save ends with it.
        return str(error)
    try:
        names = list(differing(env, tutor_config.load_full(str(wanted.root))))
    except (TutorError, UserError):
        # `tutor config save` says what is wrong.
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"it would change {', '.join(names[:_SHOWN])}{more}" if names else ""


def _unwanted(env: Path) -> str:
    """Return what an ``env`` that isn't to be split has of a split; empty where it has nothing."""
    if is_missing(env):
        return "waits for the split"
    if split_directory(env) is not None:
        return "holds the split"
    return "holds files of the split" if any((env / PLACE).glob(f"{PREFIX}*")) else ""


def differing(env: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what ``env`` is built from and Tutor would write otherwise, its kustomization first."""
    renderer = tutor_env.Renderer(dict(config))
    templates = list(renderer.iter_templates_in(""))
    # As Tutor's own save does, in its order: the last one wins.
    sources = {
        f"{target}/{name}".lstrip("/"): name
        for prefix, target in hooks.Filters.ENV_TEMPLATE_TARGETS.iterate()
        for name in templates
        if name.startswith(prefix)
    }
    for name, path in [(FILE, env / FILE), *named_in(env)]:
        if name not in sources or not is_tutors_alone(name):
            continue
        rendered = renderer.render_template(sources[name])
        if _comparable(name, rendered) != _comparable(name, path.read_bytes()):
            yield name


def _comparable(name: str, content: str | bytes) -> str:
    text = content if isinstance(content, str) else content.decode(errors="replace")
    if name != FILE:
        return text
    # Whether the split is in it is told elsewhere, and its line leaves an empty one.
    return "\n".join(line for line in as_tutors(text).splitlines() if line.strip())
