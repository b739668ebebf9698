"""Text that Flux takes for its variables.

A Flux Kustomization with `postBuild` replaces each `${NAME}` of the build, wherever it stands, with the value that it
knows for the name. Where it knows none, Flux's kustomize-controller 1.9 and newer refuse the whole build; older ones
put in nothing. `${NAME:-text}` becomes the text. A script, a file of nginx's or a dashboard that has such places of its
own is then another one. Where Flux can't read a variable's name, as in `${@}` or `${NAME+text}`, it may refuse the
build, too.

Only `tutor-kustomizer check --flux` looks for it: other ways to a cluster leave these places alone, and so does Flux
without `postBuild`. An object is reported once, with the names in it. Names that `postBuild` gives a value are among
them: the build doesn't say which these are.

**Severity:** info.

**What to do:** annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled` (for a generated ConfigMap
in its generator's `options`), or write `$${NAME}`, of which Flux makes `${NAME}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kustomizer.config.values import join
from kustomizer.errors import INFO, Problem
from kustomizer.manifests.tree import lookup, mapping, plain_value
from kustomizer.site.model import Site
from kustomizer.system.wording import joined

SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"

_PLACE = re.compile(r"(?<!\$)\$\{([A-Za-z_]\w*(?=[}:=,^/#%-]))?", re.ASCII)
_SHOWN = 4


def check(site: Site) -> Iterator[Problem]:
    """Find the objects that Flux would change."""
    for resource in site.resources if site.for_flux else ():
        if not resource.mentions("$") or _opts_out(resource.tree):
            continue
        places = [(path, name) for path, text in _texts(resource.tree, "") for name in _PLACE.findall(text)]
        if not places:
            continue
        names = list(dict.fromkeys(f"${{{name}}}" for _, name in places if name))
        message = f"holds {joined(names, most=_SHOWN)}: Flux's postBuild puts in what it knows for that, or refuses it"
        if not all(name for _, name in places):
            unread = "a ${ with no variable's name, for which Flux's postBuild may refuse the build"
            message = f"{message}; and {unread}" if names else f"holds {unread}"
        remedy = f"Annotate it with {SUBSTITUTE}: disabled, or write $${{ for each ${{ that isn't Flux's"
        yield resource.problem(message, remedy, field=places[0][0], severity=INFO)


def _opts_out(tree: Any) -> bool:
    return any(
        plain_value(mapping(lookup(tree, "metadata", field)).get(SUBSTITUTE)) == "disabled"
        for field in ("annotations", "labels")
    )


def _texts(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield each text of an object with its path."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, join(path, str(key)))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, f"{path}[{index}]")
    elif isinstance(node, str):
        yield path, node
