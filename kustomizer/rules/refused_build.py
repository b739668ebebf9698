"""An overlay that can't be built, or a file that isn't a build.

Nothing else can be said of such a site. The finding is in JSON, SARIF and annotations, so that a job that shows them
shows the reason, too; as text it is the command's error message. The exit status is 1, whatever `--fail-on` says.

**Severity:** **error**. It can't be set aside.

**What to do:** what the message says. Where the function refused the configuration, each problem is a finding of its
own, at the line of its field. Any other reason stands at the line that it names, or that has the words it quotes.
"""

from __future__ import annotations

from collections.abc import Iterable

from kustomizer.errors import Problem, UserError
from kustomizer.findings.model import Finding
from kustomizer.kustomize.build import causes_of
from kustomizer.site.model import Site


def check(_site: Site) -> Iterable[Problem]:
    """Find nothing: a site that can be looked at was built. The command reports what was refused."""
    return ()


def refusal(error: UserError) -> list[Finding]:
    """Return the reasons why there is no site to look at."""
    return [Finding(rule="refused-build", problem=problem) for problem in causes_of(error)]
