"""Times that don't fit each other: grace periods, visibility timeouts, soft shutdown."""

from __future__ import annotations

import pytest
import yaml

from tests import keda_site
from tests.keda_site import Result, built, env_file, site

WORKERS = "workers: {lms: {default: {%s}, high: {%s}, high_mem: {}}, cms: {high: {}, low: {}}}"
OPTIONS = "CELERY_BROKER_TRANSPORT_OPTIONS"
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"


def build(default: str = "", high: str = "", more: str = "", *, lms: str = "{}", cms: str = "{}") -> Result:
    """Return the build with settings of two workers, and the transport options of each service."""
    files = {"lms_env": env_file(**{OPTIONS: lms}), "cms_env": env_file(**{OPTIONS: cms})}
    return built(f"{{{WORKERS % (default, high)}{more}}}", site(**files))


def test_the_built_in_times_fit() -> None:
    assert not build().output.problems


@pytest.mark.parametrize(
    ("high", "lms", "seconds"),
    [
        ("terminationGracePeriodSeconds: 3601", "{}", 3600),
        ("terminationGracePeriodSeconds: 3600", "{}", None),
        # The built-in grace period is 600.
        ("visibilityTimeout: 500", "{}", 500),
        ("", "{visibility_timeout: 599}", 599),
        ("", "\n  visibility_timeout: 599", 599),
        ("visibilityTimeout: 4000", "{visibility_timeout: 599}", None),
        ("", "{visibility_timeout: 600}", None),
    ],
)
def test_a_grace_period_longer_than_the_visibility_timeout(high: str, lms: str, seconds: int | None) -> None:
    """The one that counts: the worker's, what lms.env.yml says, Celery's."""
    result = build(high=f"protectFromEviction: true, {high}", lms=lms, cms=lms)
    assert not result.errors
    found = [text for text in result.warnings if "lms-worker-high get" in text]
    assert [f"after {seconds} s: it is run twice" in text for text in found] == [True] * bool(seconds)


@pytest.mark.parametrize(
    ("high", "warned"),
    [
        ("terminationGracePeriodSeconds: 601", True),
        ("terminationGracePeriodSeconds: 600", False),
        ("terminationGracePeriodSeconds: 601, protectFromEviction: true", False),
        ("terminationGracePeriodSeconds: 601, keda: {enabled: true}", False),
        ("terminationGracePeriodSeconds: 601, keda: {enabled: true}, protectFromEviction: null", True),
        (f"terminationGracePeriodSeconds: 601, podAnnotations: {{{SAFE_TO_EVICT}: 'false'}}", False),
    ],
)
def test_a_grace_period_longer_than_the_cluster_autoscaler_grants(high: str, warned: bool) -> None:
    found = build(high=high).warnings
    assert ["the cluster autoscaler grants 600 s" in text for text in found] == [True] * warned
    assert all("Set spec.workers.lms.high.protectFromEviction: true" in text for text in found)


@pytest.mark.parametrize("annotation", [f"{SAFE_TO_EVICT}: 'false'", "karpenter.sh/do-not-disrupt: 'true'", "a: b"])
def test_a_worker_that_a_plugin_protects_already(annotation: str) -> None:
    lms = keda_site.worker("lms", keda_site.LMS_VARIANTS)
    lms["spec"]["template"]["metadata"]["annotations"] = yaml.safe_load(annotation)
    spec = "{workers: {lms: {high: {terminationGracePeriodSeconds: 601}, high_mem: {}}}}"
    found = keda_site.worked(spec, keda_site.site(lms_worker=lms)).warnings
    assert [annotation == "a: b" for text in found if "autoscaler grants" in text] == [True] * (annotation == "a: b")


@pytest.mark.parametrize(("seconds", "workers"), [(599, 0), (600, 5), (3600, 6)])
def test_a_soft_shutdown_longer_than_the_grace_period(seconds: int, workers: int) -> None:
    found = build(more=f", celery: {{softShutdownTimeout: {seconds}}}").warnings
    assert len(found) == workers
    assert all("spec.celery.softShutdownTimeout: pods of " in text for text in found)


def test_services_whose_files_differ_share_a_key() -> None:
    message = "the default worker shares Celery's in-flight key with that of cms; of 7200 s and 3600 s the shorter"
    # So it is without a split, too.
    by_site = build(lms="{visibility_timeout: 7200}")
    assert not by_site.errors
    assert any(message in text for text in by_site.warnings)
    assert "shares Celery's in-flight key" in build("visibilityTimeout: 7200", cms="{visibility_timeout: 99}").errors[0]
    assert not build(lms="{visibility_timeout: 7200}", cms="{visibility_timeout: 7200}").errors
    assert not build("visibilityTimeout: 7200", cms="{visibility_timeout: 7200}").errors


def test_a_file_that_cannot_be_read_is_no_matter_here() -> None:
    assert not build(lms="{visibility_timeout: [").errors
