"""What a pod is asked of its tasks: the routes that the build's settings have."""

from __future__ import annotations

import pytest

from kustomizer.cluster.tasks import tasks_request
from tests.rules.small_site import settings, site, with_settings


@pytest.mark.parametrize(
    ("text", "queues", "whole"),
    [
        (
            "EXPLICIT_QUEUES = {'b.task': {'queue': 'b'}, 'a.task': {'queue': 'a'}}",
            {"a.task": "a", "b.task": "b"},
            True,
        ),
        ("EXPLICIT_QUEUES = {'a.task': 'a'}", {"a.task": "a"}, True),
        ("EXPLICIT_QUEUES = {'a.task': {'priority': 3}}", {}, True),
        ("EXPLICIT_QUEUES = computed()", {}, False),
    ],
)
def test_the_routes_of_the_settings(text: str, queues: dict[str, str], *, whole: bool) -> None:
    (worker,) = site(with_settings("lms-worker", "a"), settings(text)).workers
    assert tasks_request(worker)["routing"] == {"queues": queues, "whole": whole}
