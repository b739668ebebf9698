"""A site that tutor-contrib-celery is on in: read, taken over, and compared with what comes of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kustomizer.errors import Problem, UserError
from kustomizer.kustomize.build import build_tutors
from kustomizer.kustomize.executable import find_kustomize
from kustomizer.manifests.full_reader import read_all
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.tree import plain_value
from kustomizer.manifests.writer import emit
from kustomizer.migration import emitted as plugin_output
from kustomizer.migration.comparison import compare
from kustomizer.migration.configuration import migrate
from kustomizer.migration.facts import facts, named
from kustomizer.overlay.survey import Survey, survey
from kustomizer.record import Record
from kustomizer.transform.pipeline import transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kustomizer.kustomize.executable import Wanted
    from kustomizer.migration.comparison import Deviation
    from kustomizer.migration.configuration import Migration
    from kustomizer.migration.settings import PluginSettings


class PluginSite(Record):
    """A site as Tutor rendered it, with the plugin's part in it, and without."""

    env: Path
    plugin_on: bool
    emitted: list[dict[str, Any]]
    plain: list[dict[str, Any]]
    found: Survey


def read_site(env: Path, wanted: Wanted) -> PluginSite:
    """Return the site in ``env``. Raises UserError where it can't be built."""
    built = build_tutors(env, find_kustomize(wanted))
    emitted = [plain_value(document) for document in read_all(built.decode()) if document is not None]
    plugin_on = plugin_output.is_in(env)
    plain = plugin_output.without_plugin(emitted) if plugin_on else emitted
    found = survey(read_build(stream(plain)))
    return PluginSite(env=env, plugin_on=plugin_on, emitted=emitted, plain=plain, found=found)


def stream(documents: Sequence[dict[str, Any]]) -> bytes:
    """Return ``documents`` as YAML."""
    return "---\n".join(map(emit, documents)).encode()


def migrate_site(settings: PluginSettings, site: PluginSite) -> Migration:
    """Return the configuration. Raises UserError where the plugin left nothing to take over."""
    workers = settings.workers
    # Empty where the plugin was turned off already, and env/ not yet rendered anew.
    if not workers and site.plugin_on:
        workers = plugin_output.workers_config(site.emitted)
    targets = [item["spec"]["scaleTargetRef"]["name"] for item in named(site.plain, "HorizontalPodAutoscaler").values()]
    queues = {service.name: service.queues for service in site.found.services if service.variants}
    made = migrate(settings, workers or {}, queues=queues, with_hpa=targets)
    if not made.config.services():
        raise UserError(
            Problem(
                message=f"tutor-contrib-celery gives {site.env.parent} no worker of its own",
                remedy="Run this while the plugin is on, after `tutor config save`; for a site that never "
                "had it there is tutor-kustomizer init",
            )
        )
    return made


def compared(made: Migration, site: PluginSite) -> list[Deviation]:
    """Return what differs from what the plugin emitted. Raises UserError where the function refuses the site."""
    resources = read_build(stream(site.plain))
    transform(resources, made.config)
    if not site.plugin_on:
        return []
    ours = [plain_value(item.tree) for item in resources]
    return compare(facts(site.emitted, settings="openedx-settings-{}"), facts(ours, settings="{}-celery-settings"))
