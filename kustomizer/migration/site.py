"""A site with tutor-contrib-celery: read, migrated, and compared with the site that the configuration makes."""

from __future__ import annotations

from pathlib import Path

from kustomizer.config.types import OPEN_EDX_SERVICES
from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Wanted, find_kustomize
from kustomizer.kustomize.plain_build import build_tutors
from kustomizer.manifests.protocols import read_build
from kustomizer.manifests.resource import Resources
from kustomizer.migration import emitted as contrib_output
from kustomizer.migration.comparison import Deviation, compare
from kustomizer.migration.configuration import Migration, migrate
from kustomizer.migration.facts import facts, routing_of
from kustomizer.migration.settings import ContribSettings
from kustomizer.openedx.targeting import scale_target
from kustomizer.overlay.survey import Survey, survey as survey_of
from kustomizer.record import Record
from kustomizer.site.model import Site
from kustomizer.transform.pipeline import transform
from kustomizer.transform.routing import routing_table


class ContribSite(Record):
    """A site as Tutor rendered it, with what the plugin emitted and without."""

    env: Path
    contrib_on: bool
    emitted: Resources
    plain: Resources
    survey: Survey
    """The survey of ``plain``."""


def read_site(env: Path, wanted: Wanted) -> ContribSite:
    """Return the site in ``env``. Raises UserError where it can't be built."""
    built = build_tutors(env, find_kustomize(wanted))
    contrib_on = contrib_output.is_in(env)
    plain = contrib_output.without_plugin(read_build(built)) if contrib_on else read_build(built)
    return ContribSite(
        env=env, contrib_on=contrib_on, emitted=read_build(built), plain=plain, survey=survey_of(_copy(plain))
    )


def _copy(resources: Resources) -> Resources:
    return read_build("---\n".join(item.render() for item in resources))


def migrate_site(settings: ContribSettings, site: ContribSite) -> Migration:
    """Return the configuration. Raises UserError where the plugin left nothing to migrate."""
    workers = settings.workers
    # They are empty where the plugin is off already, and env/ wasn't rendered since.
    if not workers and site.contrib_on:
        workers = contrib_output.workers_config(site.emitted)
    targets = [scale_target(item)[1] for item in site.plain.of_kind("HorizontalPodAutoscaler")]
    queues = {service.name: service.queues for service in site.survey.services if service.variants}
    gone = [service for service in OPEN_EDX_SERVICES if (workers or {}).get(service) and service not in queues]
    if gone:
        names = " and ".join(f"{service}-worker" for service in gone)
        message = f"{site.env} has no {names} that takes Open edX's queues, and the plugin's settings have workers for "
        remedy = "Run `tutor config save`, so that env/ is as the plugins that are on make it"
        raise UserError.of(f"{message}it", remedy=remedy)
    migration = migrate(settings, workers or {}, queues=queues, with_hpa=targets)
    if not migration.config.services():
        raise UserError.of(
            f"tutor-contrib-celery gives {site.env.parent} no worker of its own",
            remedy="Run this while the plugin is on, after `tutor config save`; for a site that never "
            "had it there is tutor-kustomizer init",
        )
    return migration


def compared(migration: Migration, site: ContribSite) -> list[Deviation]:
    """Return the deviations from what the plugin emitted. Raises UserError where the function refuses the site."""
    ours = _copy(site.plain)
    transform(ours, migration.config)
    if not site.contrib_on:
        return []
    emitted = Site(site.emitted)
    # The plugin's routes stay in Open edX's settings: what ours does is what the configuration says.
    wanted = {service: routing_table(migration.config, service) for service in OPEN_EDX_SERVICES}
    return compare(facts(emitted, routing_of(emitted)), facts(Site(ours), wanted))
