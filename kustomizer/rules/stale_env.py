"""An `env/` that isn't what `tutor config save` would write now.

A setting was changed, a plugin switched on, a queue or a route added, and `env/` wasn't saved since. So what is built
from it, and what `tutor k8s start` applies, is the site of before. `build`, `queues`, `init`, `apply` and `export` say
the same on stderr; `diff` says it of the build after, also where nothing changes. It is told by contents, never by the
times of files:

- of the split in `env/`: the configuration, the files and the version of tutor-kustomizer that it was made from; and
  that `config.yml` has turned it off since (`KUSTOMIZER_SPLIT: false`, or a `KUSTOMIZER_OVERLAY`);
- of any `env/` beside its `config.yml`: the namespace, the site's id, the hosts of LMS and Studio and Open edX's image,
  unless they are templates; and that `env/version` is the version in `kustomization.yml`;
- with `tutor kustomizer check`, whether Tutor, with its settings and plugins of now, would write a file otherwise that
  `env/` is built from. That includes the routing of an overlay (`KUSTOMIZER_OVERLAY`), by which Jobs send their tasks.

**Severity:** **warning**.

**What to do:** run the command that the message names, `tutor config save` as a rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from kustomizer.errors import Problem
from kustomizer.site.model import Site


def check(site: Site) -> Iterable[Problem]:
    """Return what was found when the site was built."""
    return site.stale
