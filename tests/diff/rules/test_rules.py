"""The registry: ids, pages, order, and that real builds give no nonsense."""

from __future__ import annotations

import pytest

from kustomizer.diff.findings import OWN_RULES
from kustomizer.findings.model import SEVERITIES
from kustomizer.rules.registry import RULES as CHECK_RULES
from tests import sites
from tests.diff.rules.two_builds import findings


def test_no_id_is_used_twice() -> None:
    assert not OWN_RULES.keys() & CHECK_RULES.keys()
    assert list(OWN_RULES) == sorted(OWN_RULES)


def test_each_rule_has_a_module_and_a_test_of_its_name() -> None:
    for rule in OWN_RULES:
        name = rule.replace("-", "_")
        assert (sites.ROOT / "kustomizer/diff/rules" / f"{name}.py").is_file()
        assert (sites.ROOT / "tests/diff/rules" / f"test_{name}.py").is_file()


@pytest.mark.parametrize("rule", OWN_RULES)
def test_each_rule_has_a_page(rule: str) -> None:
    assert OWN_RULES[rule].title.endswith(".")
    for part in ("**Severity", "**What to do:**"):
        assert part in OWN_RULES[rule].page


def test_an_upgrade_of_tutor() -> None:
    before, after = (
        [sites.build(sites.kustomize(sites.NEWEST), sites.site(version)).decode()] for version in ("21", "22")
    )
    found = findings(before, after)
    assert {finding.rule for finding in found} == {"immutable-field", "image-change"}
    assert [SEVERITIES.index(finding.severity) for finding in found] == sorted(
        SEVERITIES.index(finding.severity) for finding in found
    )
    assert findings(before, before) == []
