"""What Celery's own conf says, whatever a split sets, is warned of."""

from __future__ import annotations

import pytest

from tests.keda_site import SETTINGS, built, site, worked

SPLIT = "{workers: {lms: {high: %s, high_mem: {}}}}"
APP = "from openedx.core.lib.celery import APP\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("APP.conf.task_acks_late = False", ["late acknowledgement", "CELERY_ACKS_LATE"]),
        ("APP.conf.update(broker_transport_options={})", ["in-flight keys", "BROKER_TRANSPORT_OPTIONS"]),
        ("APP.conf.update(worker_send_task_events=True)", []),
        ("print(APP.conf)", []),
    ],
)
def test_what_a_split_sets_in_vain(text: str, said: list[str]) -> None:
    warnings = worked(SPLIT % "{}", site(settings=f"{SETTINGS}{APP}{text}\n")).warnings
    assert len(warnings) == bool(said)
    assert all(words in warnings[0] and "line 3" in warnings[0] for words in said)


def test_a_broker_of_celerys_own_conf() -> None:
    """KEDA counted in the one of ``lms.env.yml``."""
    given = site(settings=f"{SETTINGS}{APP}APP.conf.broker_url = 'redis://other:6379/3'\n")
    [message] = built(SPLIT % "{keda: {enabled: true}}", given).errors
    assert "where the broker is isn't known: Celery's own conf is changed" in message
    assert "Set spec.broker.address" in message
