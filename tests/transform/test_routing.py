"""The routing that Tutor's own settings may have already: left to them only where they have the last word on it."""

from __future__ import annotations

import pytest
import yaml

from kustomizer.function import run_stream
from tests.golden_cases import cases
from tests.keda_site import SETTINGS, site, worked

CASE = next(case for case in cases() if case.directory.name == "routing-in-tutors-settings")
END = "    }\nkind: ConfigMap\n"


def routed(stream: str) -> bool:
    """Return whether the function adds a ConfigMap with the routing."""
    output = run_stream(stream.encode(), CASE.config)
    assert not output.failed, output.problems
    return b"name: lms-celery-settings\n" in output.data


def test_nothing_is_added_to_what_tutors_settings_end_in() -> None:
    assert not routed(CASE.stream)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (END, "    }\n    EXPLICIT_QUEUES = {}\nkind: ConfigMap\n"),
        (END, "    }\n    print()\nkind: ConfigMap\n"),
        ("{'queue': 'edx.lms.core.high'}", "{'queue': 'edx.lms.core.default'}"),
        ("    EXPLICIT_QUEUES = {", "    if DEBUG: EXPLICIT_QUEUES = {"),
        ("    EXPLICIT_QUEUES = {", "    # EXPLICIT_QUEUES = {"),
    ],
)
def test_anything_else_has_the_routing_added(there: str, instead: str) -> None:
    assert CASE.stream.count(there) >= 1
    assert routed(CASE.stream.replace(there, instead))


def test_further_lines_do_not_matter_where_they_are_empty() -> None:
    assert not routed(CASE.stream.replace(END, "    }\n\n\nkind: ConfigMap\n"))


def test_settings_under_another_name_are_found_where_they_are_mounted() -> None:
    routing = next(case for case in cases() if case.directory.name == "routing")
    plain = run_stream(routing.stream.encode(), routing.config).data.decode()
    renamed = routing.stream.replace("openedx-settings-lms", "campus-lms")
    output = run_stream(renamed.encode(), routing.config)

    assert not output.failed, output.problems
    readers = output.data.decode().count("name: lms-celery-settings")
    assert readers == plain.count("name: lms-celery-settings") > 2


def test_a_scaled_job_has_it_where_its_pods_have_their_settings() -> None:
    routing = next(case for case in cases() if case.directory.name == "routing")
    given = [*yaml.safe_load_all(routing.stream)]
    [cron] = [tree for tree in given if tree["kind"] == "CronJob"]
    template = cron["spec"].pop("jobTemplate")["spec"]["template"]
    cron |= {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "spec": {"jobTargetRef": {"template": template}}}
    output = run_stream(yaml.safe_dump_all(given).encode(), routing.config)
    [made] = [tree for tree in yaml.safe_load_all(output.data) if tree["kind"] == "ScaledJob"]
    [volume] = made["spec"]["jobTargetRef"]["template"]["spec"]["volumes"]
    assert volume["projected"]["sources"][1]["configMap"]["name"] == "lms-celery-settings"


ROUTER = "openedx.core.lib.celery.routers.route_task"


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ("['my.router.Router']", "has Celery ask another router than Open edX's"),
        ("{'a.b': {'queue': 'edx.lms.core.high'}}", "has Celery ask another router than Open edX's"),
        ("[{'a.b': {'queue': 'q'}}, CELERY_ROUTES]", "says first where a.b goes, whatever spec.routing says"),
        ("[[('x', 'q'), ('a.*', {'queue': 'q'})], CELERY_ROUTES]", "says first where a.b goes"),
        ("[{'a.*': {'queue': 'q'}}, CELERY_ROUTES]", "says first where a.b goes"),
        ("[{'b.*': {'queue': 'q'}, 'a.b.*': {'queue': 'q'}}, CELERY_ROUTES]", ""),
        ("made_elsewhere()", "isn't known ("),
        ("(CELERY_ROUTES, {'a.b': {'queue': 'q'}})", ""),
        (f"[{{'other': {{'queue': 'q'}}}}, '{ROUTER}']", ""),
        ("CELERY_ROUTES", ""),
    ],
)
def test_another_router_than_the_one_that_reads_the_routing(routes: str, said: str) -> None:
    given = site(settings=f"{SETTINGS}CELERY_ROUTES = {routes}\n")
    spec = "{workers: {lms: {high: {}, high_mem: {}}}, routing: {lms: {a.b: {queue: edx.lms.core.high}}}}"
    problems = worked(spec, given).warnings
    assert [f"CELERY_ROUTES {said}" in each for each in problems] == [True] * bool(said)
    assert all("line 2" in each for each in problems)
