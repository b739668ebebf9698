"""docs/upgrading.md: its commands on a real Tutor, with an overlay that an older version wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.builds import documents
from tests.docs.pages import commands, page
from tests.docs.place import place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.place import Place

TOOL, TUTOR, GOING = (commands(part) for part in re.split(r"(?m)^## ", page("upgrading"))[1:])
INSTALLERS = ("pipx", "uv", "pip")


def typed(given: list[str]) -> list[str]:
    """Return commands but those of installers, which tests/acceptance/test_wheel.py runs."""
    return [
        f"{command} --yes" if command.startswith("tutor-kustomizer apply") else command
        for command in given
        if command.split()[0] not in INSTALLERS
    ]


@pytest.fixture
def site(tmp_path: Path) -> Place:
    made = place(tmp_path)
    made.done(
        'export TUTOR_ROOT="$PWD/tutor"',
        "tutor config save --set LMS_HOST=learn.example.com",
        "tutor-kustomizer init overlay --tutor-root tutor",
    )
    return made


def test_the_tool(site: Place) -> None:
    schema = site.directory / "overlay" / "celery-workers.schema.json"
    new = schema.read_text()
    schema.write_text("{}\n")
    config = (site.directory / "overlay" / "celery-workers.yaml").read_text()
    said = site.done(*typed(TOOL))
    assert schema.read_text() == new
    assert (site.directory / "overlay" / "celery-workers.yaml").read_text() == config
    # The same version builds the same.
    assert "Nothing changes." in said
    assert "Deployment lms-worker-high" in site.applied()


def test_tutor(site: Place) -> None:
    said = site.done('export TUTOR_ROOT="$PWD/tutor"', *typed(TUTOR))
    assert "Nothing changes." in said


def test_what_goes_is_what_the_overlay_added(site: Place) -> None:
    (listing,) = [command for command in GOING if " diff " in command]
    said = site.done('export TUTOR_ROOT="$PWD/tutor"', f"{listing} -o json")
    added = {item.name for item in documents(site.done("tutor-kustomizer build overlay").encode())}
    added -= {item.name for item in documents(site.done("kustomize build tutor/env").encode())}
    names = set(re.findall(r'"name": "([^"]+)"', said))
    assert {re.sub(r"-[a-z0-9]{10}$", "", name) for name in added} <= names
    assert "destroy" in said


def test_the_way_out(site: Place) -> None:
    """The routing leaves Open edX's settings; the one value that stays is named."""
    root = 'export TUTOR_ROOT="$PWD/tutor"'
    settings = site.directory / "tutor/env/apps/openedx/settings/lms/production.py"
    site.done(
        root,
        "tutor-kustomizer route lms reminders.tasks.send_reminder edx.lms.core.high --overlay overlay",
        "tutor plugins enable kustomizer",
        'tutor config save --set KUSTOMIZER_OVERLAY="$PWD/overlay"',
    )
    assert "reminders" in settings.read_text()
    site.done(root, *[command for command in typed(GOING) if command.startswith("tutor ")])
    assert "reminders" not in settings.read_text()
    config = yaml.safe_load((site.directory / "tutor" / "config.yml").read_text())
    assert "kustomizer" not in config["PLUGINS"]
    assert [name for name in config if "KUSTOMIZER" in name] == ["KUSTOMIZER_OVERLAY"]


def test_every_installer_of_the_tutorial_is_told_of() -> None:
    for words in (TOOL, GOING):
        assert {command.split()[0] for command in words} >= set(INSTALLERS)
