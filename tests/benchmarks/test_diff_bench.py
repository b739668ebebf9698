"""What `make bench-diff` compares is what it says."""

from __future__ import annotations

from benchmarks import diff_bench
from kustomizer.diff.compare import comparison
from kustomizer.diff.model import CHANGE
from tests.diff.pairs import resources


def test_copies_of_a_site_are_objects_of_their_own() -> None:
    documents = list(diff_bench.copies(diff_bench.built("full"), 300))
    changed = [diff_bench.relabelled(text) if number % 100 == 0 else text for number, text in enumerate(documents)]
    before, after = ("---\n".join(each) for each in (documents, changed))
    found = comparison(resources(before), resources(after))
    assert (len(found.objects), found.count(CHANGE), found.unchanged) == (3, 3, 297)


def test_an_upgrade_changes_every_object() -> None:
    full = diff_bench.built("full")
    found = comparison(resources(full), resources(diff_bench.upgraded(full)))
    assert found.unchanged == 0
    assert len(found.groups[0].objects) == len(found.objects) == len([*resources(full)])
