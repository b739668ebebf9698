"""stale-hash: a ConfigMap that was changed after its name got a hash."""

from __future__ import annotations

import pytest

from kustomizer.manifests.name_hashes import suffixes
from tests.rules.small_site import finder, problems

found = finder("stale-hash")


def config_map(name: str, value: str = "1", kind: str = "ConfigMap") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: openedx\ndata:\n  key: '{value}'\n"


(HASH,) = suffixes({"kind": "ConfigMap", "data": {"key": "1"}})


@pytest.mark.parametrize("stem", ["any", "lms-worker-high-celery-settings"])
def test_a_name_with_the_hash_of_the_content(stem: str) -> None:
    assert found(config_map(f"{stem}-{HASH}")) == []


def test_a_name_without_a_hash() -> None:
    assert found(config_map("any"), config_map("any-other-ending1")) == []


def test_content_that_was_changed_later() -> None:
    (problem,) = problems("stale-hash", config_map(f"any-{HASH}", "2"))

    assert problem.severity == "warning"
    (new,) = suffixes({"kind": "ConfigMap", "data": {"key": "2"}})
    assert "was changed after its name got a hash" in problem.message
    assert new not in problem.message
    assert problem.remedy == "Change it in the kustomization that generates it"


def test_a_copys_settings_that_were_changed_later() -> None:
    (problem,) = problems("stale-hash", config_map(f"lms-worker-high-celery-settings-{HASH}", "2"))

    assert "spec.settings.names: Kustomize" in problem.remedy


def test_a_secret_is_another_matter() -> None:
    assert found(config_map(f"any-{HASH}", "2", kind="Secret")) == []


def test_what_no_kustomize_can_hash() -> None:
    assert found(config_map(f"any-{HASH}").replace("'1'", "[1]")) == []
