"""`init --refresh`: what is ours in an overlay is renewed, what is the operator's stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from kustomizer.config.load import load
from kustomizer.errors import UserError
from kustomizer.overlay.refresh import refresh
from kustomizer.overlay.survey import Survey, SurveyedService
from kustomizer.overlay.templates import (
    FUNCTION_ANNOTATION,
    GUARD_FILE,
    configuration_text,
    copy_guard,
    overlay_files,
)
from kustomizer.overlay.yaml_edit import append_item
from tests import sites

LMS = SurveyedService(name="lms", queues=[], variants=["high", "high_mem"], broker="")
CMS = SurveyedService(name="cms", queues=[], variants=["low"], broker="")
SITE = Survey(services=[LMS, CMS], autoscalers=[])


@pytest.fixture(params=[False, True], ids=["kustomize", "kubectl"])
def overlay(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a new overlay of each form."""
    return written(tmp_path / "overlay", kubectl=request.param)


def written(directory: Path, *, kubectl: bool = False) -> Path:
    directory.mkdir()
    for name, text in overlay_files("../env", SITE, kubectl=kubectl).items():
        (directory / name).write_text(text)
    return directory


def texts(overlay: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(overlay.iterdir())}


def test_a_new_overlay_is_up_to_date(overlay: Path) -> None:
    before = texts(overlay)
    done = refresh(overlay, kubectl=None)
    assert (done.written, done.notes, texts(overlay)) == ([], [], before)


@pytest.mark.parametrize("kubectl", [False, True])
def test_from_one_form_to_the_other(kubectl: bool, tmp_path: Path) -> None:
    overlay = written(tmp_path / "overlay", kubectl=not kubectl)
    refresh(overlay, kubectl=kubectl)

    expected = dict(overlay_files("../env", SITE, kubectl=kubectl))
    found = texts(overlay)
    config, wanted = (yaml.safe_load(each.pop("celery-workers.yaml")) for each in (found, expected))
    assert found == expected
    assert (FUNCTION_ANNOTATION in config["metadata"].get("annotations", {})) is not kubectl
    annotations = [each["metadata"].pop("annotations", {}) for each in (config, wanted)]
    assert [{name: yaml.safe_load(text) for name, text in each.items()} for each in annotations[:1]] == [
        {name: yaml.safe_load(text) for name, text in each.items()} for each in annotations[1:]
    ]
    assert config == wanted
    assert refresh(overlay, kubectl=kubectl).written == []


def test_the_configuration_stays_to_the_letter(tmp_path: Path) -> None:
    overlay = written(tmp_path / "overlay")
    config = overlay / "celery-workers.yaml"
    mine = config.read_text().replace("  annotations:\n", "  annotations:\n    mine: 'yes'  # why\n") + "# the end\n"
    config.write_text(mine)
    refresh(overlay, kubectl=True)
    head, _, rest = mine.partition("    config.kubernetes.io/function: |\n")
    assert config.read_text() == head + rest.partition("path: tutor-celery-workers\n")[2]


def test_what_is_missing_or_old_is_renewed(overlay: Path) -> None:
    before = texts(overlay)
    (overlay / GUARD_FILE).unlink()
    (overlay / "celery-workers.schema.json").write_text("{}\n")
    (overlay / "name-references.yaml").write_text(
        "nameReference:\n- kind: Deployment\n  fieldSpecs:\n  - {kind: ScaledObject, path: spec/scaleTargetRef/name}\n"
    )
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("- guard.yaml\n", ""))
    done = refresh(overlay, kubectl=None)

    assert {path.name for path in done.written} == {*before} - {"celery-workers.yaml"}
    after = texts(overlay)
    assert yaml.safe_load(after.pop("kustomization.yaml")) == yaml.safe_load(before.pop("kustomization.yaml"))
    assert after == before


def test_the_guard_follows_the_services_that_are_split(tmp_path: Path) -> None:
    overlay = written(tmp_path / "overlay")
    config = overlay / "celery-workers.yaml"
    config.write_text(config.read_text().partition("    lms:\n")[0] + "    cms: {low: {}}\n")
    refresh(overlay, kubectl=None)
    assert "name: cms-worker-celery-settings\n" in (overlay / GUARD_FILE).read_text()


def test_the_guard_of_workers_without_settings_names_a_copy_that_there_is(tmp_path: Path) -> None:
    overlay = written(tmp_path / "overlay")
    guard, config = overlay / GUARD_FILE, overlay / "celery-workers.yaml"
    guard.write_text(copy_guard("lms", "high"))
    refresh(overlay, kubectl=None)
    assert "kind: Deployment\n    name: lms-worker-high\n" in guard.read_text()
    config.write_text(config.read_text().partition("    lms:\n")[0] + "    cms: {low: {}}\n")
    refresh(overlay, kubectl=None)
    assert "kind: Deployment\n    name: cms-worker-low\n" in guard.read_text()


def test_a_guard_that_can_find_nothing_is_said(tmp_path: Path) -> None:
    """What the function makes of another application's worker has no settings of ours."""
    overlay = written(tmp_path / "overlay")
    config = overlay / "celery-workers.yaml"
    head = config.read_text().partition("spec:\n")[0]
    config.write_text(head + "spec: {workers: {superset: {default: {queues: [celery]}}}}\n")
    (note,) = refresh(overlay, kubectl=None).notes
    assert note == f"{overlay / GUARD_FILE} fails every build, since lms and cms aren't split: take it out"
    (overlay / GUARD_FILE).unlink()
    assert refresh(overlay, kubectl=None).notes == []


def test_what_the_operator_wrote_is_left_alone_and_said(overlay: Path) -> None:
    guard, references = overlay / GUARD_FILE, overlay / "name-references.yaml"
    guard.write_text(guard.read_text() + "  - select: {kind: Deployment}\n    fieldPaths: [spec.paused]\n")
    references.write_text("nameReference:\n- kind: Mine\n  fieldSpecs:\n  - {kind: Other, path: spec/a}\n")
    before = texts(overlay)
    done = refresh(overlay, kubectl=None)
    assert texts(overlay) == before
    assert done.written == []
    assert [note.partition(" ")[0] for note in done.notes] == [str(guard), str(references)]
    assert "Deployment, Secret, TriggerAuthentication" in done.notes[1]


def test_an_overlay_whose_function_is_named_elsewhere() -> None:
    """The overlays of this repository share one configuration, and patch it."""
    with pytest.raises(UserError, match="which other overlays may share"):
        refresh(sites.ROOT / "overlays" / "multiqueue", kubectl=True)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_overlay(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"holds no kustomization\.yaml"):
        refresh(tmp_path / name, kubectl=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: b\n", "a: b\nlist:\n- new\n"),
        ("a: b", "a: b\nlist:\n- new\n"),
        ("list:\n- a # why\n# behind\nb: c\n", "list:\n- a # why\n- new\n# behind\nb: c\n"),
        ("list:\n  - a\n", "list:\n  - a\n  - new\n"),
        ("list:\n- a: |\n    b\n\n", "list:\n- a: |\n    b\n- new\n\n"),
        ("list: [a, b] # why\n", "list: [a, b, new] # why\n"),
        ("list: []\n", "list: [new]\n"),
        ("list: [\n  a,\n  b\n]\n", "list: [\n  a,\n  b, new]\n"),
        ("list:\nb: c\n", "b: c\nlist:\n- new\n"),
        ("list: null\n", "list:\n- new\n"),
        ("list:\r\n- a\r\nb: c\r\n", "list:\r\n- a\r\n- new\r\nb: c\r\n"),
    ],
)
def test_an_item_more(text: str, expected: str) -> None:
    assert append_item(text, "list", "new") == expected


def test_an_item_for_what_is_no_list() -> None:
    with pytest.raises(UserError, match="isn't a list"):
        append_item("list: {a: b}\n", "list", "new")


def test_the_command(tmp_path: Path) -> None:
    from kustomizer.cli import main  # noqa: PLC0415

    overlay = written(tmp_path / "overlay")
    runner = CliRunner()
    done = runner.invoke(main, ["init", str(overlay), "--refresh"])
    assert (done.exit_code, done.stderr) == (0, f"{overlay} is up to date\n")
    done = runner.invoke(main, ["init", str(overlay), "--refresh", "--kubectl"])
    assert (done.exit_code, done.stderr) == (0, f"Wrote {overlay}/celery-workers.yaml, {overlay}/kustomization.yaml\n")
    assert runner.invoke(main, ["init", str(overlay), "--refresh", "--force"]).exit_code == 2
    assert runner.invoke(main, ["init", str(overlay)], env={"TUTOR_ROOT": ""}).exit_code == 2


@pytest.mark.parametrize(("slots", "length"), [("", 1), ("8", 8), ("8,2", 8), ("auto", 1)])
def test_a_new_configuration_counts_the_slots_that_the_worker_has(slots: str, length: int) -> None:
    text = configuration_text(Survey(services=[LMS.replace(concurrency=slots)], autoscalers=[]))
    high_mem = load(yaml.safe_load(text)).spec.workers["lms"]["high_mem"]
    assert high_mem.keda is not None
    assert high_mem.keda.list_length == length
    assert high_mem.concurrency == (None if slots else 1)
