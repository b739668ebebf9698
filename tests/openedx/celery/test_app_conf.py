"""The names of Celery's own configuration, and those that Open edX has for them."""

from __future__ import annotations

import re
from pathlib import Path

from celery.app import defaults

import kustomizer
from kustomizer.openedx.celery.app_conf import SETTINGS

_ASKED = re.compile(r"""settings\.(?:setting|tables?)\("([A-Z_]+)\"""")
# Open edX's own: Celery never reads it.
_NOT_CELERYS = {"EXPLICIT_QUEUES"}


def test_each_name_is_celerys() -> None:
    assert {new: defaults._TO_OLD_KEY[new] for new in SETTINGS} == SETTINGS


def test_what_is_asked_for_by_its_old_name_has_its_new_one() -> None:
    sources = Path(kustomizer.__file__).parent.rglob("*.py")
    asked = {name for path in sources for name in _ASKED.findall(path.read_text())}
    assert "BROKER_URL" in asked
    assert asked - _NOT_CELERYS <= set(SETTINGS.values())
