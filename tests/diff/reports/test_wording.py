"""What every form says in the same words."""

from __future__ import annotations

from kustomizer.diff.model import ObjectId, OrderChange, TextChange, ValueChange
from kustomizer.diff.reports.wording import by_kind, by_remedy, change_text, names, restarts, rolls
from kustomizer.masking.marks import ABSENT
from kustomizer.system.wording import joined
from tests.diff.reports.samples import CONFIG, FINDING, INFO_FINDING, deployment


def test_names_have_their_namespaces_where_these_differ() -> None:
    namespace = ObjectId(group="", kind="Namespace", namespace="", name="openedx")
    assert by_kind([deployment("lms"), CONFIG, deployment("cms"), namespace]) == [
        ("ConfigMap", ["openedx-config"]),
        ("Deployment", ["cms", "lms"]),
        ("Namespace", ["openedx"]),
    ]
    other = deployment("lms").replace(namespace="staging")
    assert by_kind([deployment("lms"), other]) == [("Deployment", ["openedx/lms", "staging/lms"])]


def test_few_workers_are_named_and_many_counted() -> None:
    assert rolls(map(deployment, ("lms", "lms-worker", "cms-worker"))) == "lms, lms-worker and cms-worker"
    assert rolls(map(deployment, ("lms", *(f"lms-worker-{number}" for number in range(6))))) == "lms and 6 workers"


def test_a_change_in_a_line() -> None:
    path = ("spec", "replicas")
    assert change_text(ValueChange(path=path, before=1, after=2)) == "spec.replicas: 1 → 2"
    assert change_text(ValueChange(path=path, before=ABSENT, after=2)) == "spec.replicas: 2 is new"
    assert change_text(ValueChange(path=path, before=1)) == "spec.replicas: 1 goes"
    assert change_text(ValueChange(path=path, after={"a": 1})) == "spec.replicas is new"
    assert change_text(ValueChange(path=path, before={"a": 1}, after="x")) == "spec.replicas changes"
    assert change_text(OrderChange(path=path, after=())) == "spec.replicas: another order"
    text = TextChange(path=("data", "a.py"), hunks=(), newline_at_end=(True, True))
    assert change_text(text) == 'data["a.py"]: 0 places of the text'


def test_a_name_with_a_slash_in_a_files_name_is_no_label() -> None:
    assert change_text(ValueChange(path=("data", "a/b"), before="1", after="2")) == 'data["a/b"]: "1" → "2"'


def test_findings_with_one_remedy() -> None:
    other = FINDING.replace(problem=FINDING.problem.replace(remedy="Another."))
    assert by_remedy([FINDING, other, FINDING, INFO_FINDING]) == [[FINDING, FINDING], [other], [INFO_FINDING]]


def test_words_in_a_row() -> None:
    assert [joined(["a", "b", "c"][:number]) for number in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_a_job_reads_what_others_are_restarted_for() -> None:
    jobs = [ObjectId(group="batch", kind="Job", namespace="openedx", name=f"{name}-job") for name in "abcd"]
    assert restarts([deployment("lms"), *jobs[:2]]) == "rolls lms; read by Jobs a-job and b-job"
    assert restarts(jobs[:1]) == "read by Job a-job"
    assert restarts(jobs, "`{}`".format) == "read by `4` Jobs"
    assert restarts([]) == "no pod refers to it"


def test_many_objects_are_counted() -> None:
    workers = [deployment(f"worker-{number}") for number in range(13)]
    assert names(workers, full=False) == ["Deployment 13"]
    assert names(workers[:12], full=False) == names(workers[:12], full=True)
    assert names(workers, full=True)[0].count("worker-") == 13
