"""A site that its operator has in Git, and that a controller gets from a server on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.docs.pages import commands, files
from tests.docs.test_flux import HELD_BY_ENV

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.control_plane.cluster import Cluster
    from tests.docs.place import Place

CONFIGURATION = "overlay/celery-workers.yaml"


class Repository(NamedTuple):
    """What is committed in ``site`` and pushed."""

    site: Place
    url: str
    cluster: Cluster

    def push(self) -> str:
        """Push what is committed, and return the commit."""
        self.site.done("git push -q -f ../served/site.git HEAD:main")
        return self.site.done("git rev-parse HEAD").strip()

    def done(self, *commands: str) -> str:
        """Run what talks to the cluster: Tutor's commands, kubectl."""
        environ = self.cluster.environ
        # The real kubectl stands before the place's stand-in.
        kubectl = environ["PATH"].partition(":")[0]
        path = f"{kubectl}:{self.site.environment['PATH']}"
        own = {"PATH": path, "KUBECONFIG": environ["KUBECONFIG"], "TUTOR_ROOT": str(self.site.directory / "tutor")}
        return self.site.done(*commands, env=own)

    def configure(self, **spec: Any) -> None:
        """Change fields of ``spec`` in the overlay's configuration."""
        path = self.site.directory / CONFIGURATION
        tree = yaml.safe_load(path.read_text())
        tree["spec"] |= spec
        path.write_text(yaml.safe_dump(tree, sort_keys=False))

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the site by name."""
        for name, text in files.items():
            path = self.site.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def split_env(self, page: str) -> Sequence[str]:
        """Have env/ hold the split as the page's section says, commit it, and return the commands that do that."""
        section = HELD_BY_ENV.search(page)
        assert section is not None
        self.site.done('export TUTOR_ROOT="$PWD/tutor"', "tutor plugins enable kustomizer")
        self.write(files(section[0]))
        add, committed, _build = commands(section[0])
        self.site.done(add, committed)
        return add, committed
