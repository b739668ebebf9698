"""`tutor-kustomizer queue` and `route`: the configuration changed in place, and read by the real kustomize after."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from kustomizer.cli import main
from kustomizer.config.load import worker_settings
from kustomizer.overlay.changes import add_worker
from kustomizer.overlay.config_file import find_config
from kustomizer.system.files import locked
from tests import sites
from tests.checkout import BUILT, copy_checkout

PRODUCTION = "overlays/production"
PATCH = f"{PRODUCTION}/config/celery-workers.yaml"
RECOMMENDED = "generators/recommended/celery-workers.yaml"

OWN = """\
# yaml-language-server: $schema=celery-workers.schema.json
apiVersion: celery.openedx.io/v1alpha1
kind: CeleryWorkers
metadata: {name:   celery-workers}
spec:
  defaults: {keda: {enabled: true}}   # KEDA is installed
  workers:
    lms:

      # Bulk e-mail and what else is urgent.
      "high": {}
      # Reports.
      high_mem:
        concurrency: 1  # one at a time
    cms: {high: {}, low: {}}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what overlays are made of, the current directory, beside an overlay of its own."""
    copy_checkout(tmp_path, BUILT)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "celery-workers.yaml").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def done(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    return result.stderr


def changed(before: str, path: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), Path(path).read_text().splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_a_worker_is_added(repository: Path) -> None:
    path = "own/celery-workers.yaml"
    Path(path).chmod(0o600)
    said = done(
        *("queue", "add", "cms", "bulk", "--overlay", "own", "--queues", "edx.cms.core.bulk,other"),
        *("--concurrency", "2", "--max-replicas", "4", "--in-flight", "slots", "--limit", "cpu=2,memory=3Gi"),
        *("--extra-arg=--pool=threads", "--extra-arg", "-E"),
    )
    assert "own/celery-workers.yaml: added spec.workers.cms.bulk: Deployment cms-worker-bulk consumes" in said
    assert changed(OWN, path) == [
        "-     cms: {high: {}, low: {}}",
        "+     cms: {high: {}, low: {}, bulk: {queues: [edx.cms.core.bulk, other], concurrency: 2, "
        "keda: {maxReplicas: 4, inFlight: Slots}, resources: {limits: {cpu: 2, memory: 3Gi}}, "
        "extraArgs: [--pool=threads, -E]}}",
    ]
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_a_setting_is_changed_and_said(repository: Path) -> None:
    said = done("queue", "set", "lms", "high_mem", "--overlay", "own", "--max-replicas", "5", "--concurrency", "2")
    assert "set spec.workers.lms.high_mem.concurrency to 2 (it was 1)" in said
    assert changed(OWN, "own/celery-workers.yaml") == [
        "-         concurrency: 1  # one at a time",
        "+         concurrency: 2  # one at a time",
        "+         keda: {maxReplicas: 5}",
    ]
    again = done("queue", "set", "lms", "high_mem", "--overlay", "own", "--max-replicas", "5")
    assert "says so already" in again


def test_a_setting_is_taken_out(repository: Path) -> None:
    path = "own/celery-workers.yaml"
    said = done("queue", "set", "lms", "high_mem", "--unset", "concurrency", "--max-replicas", "3", "--overlay", "own")
    assert "took spec.workers.lms.high_mem.concurrency out" in said
    assert worker_settings(find_config(Path("own")).load(), "lms", "high_mem").concurrency is None
    assert "        keda: {maxReplicas: 3}\n" in Path(path).read_text()
    # What is left empty goes with it.
    done("queue", "set", "lms", "high_mem", "--unset", "keda.maxReplicas", "--overlay", "own")
    assert "maxReplicas" not in Path(path).read_text()
    assert "high_mem" in find_config(Path("own")).load().spec.workers["lms"]
    assert "      # Reports.\n" in Path(path).read_text()


def test_a_setting_of_the_patched_configuration_is_taken_out_of_the_patch_alone(repository: Path) -> None:
    before = worker_settings(find_config(Path(PRODUCTION)).load(), "lms", "high_mem")
    assert before.keda is not None
    assert before.keda.max_replicas == 5
    done("queue", "set", "lms", "high_mem", "--unset", "keda.maxReplicas", "--overlay", PRODUCTION)
    after = worker_settings(find_config(Path(PRODUCTION)).load(), "lms", "high_mem")
    assert after.keda is not None
    assert after.keda.max_replicas is None
    assert after.keda.in_flight == "Slots"


def test_a_setting_that_is_not_there_is_refused(repository: Path) -> None:
    result = run("queue", "set", "lms", "high_mem", "--unset", "concurency", "--overlay", "own")
    assert result.exit_code == 1
    assert "spec.workers.lms.high_mem has no concurency" in result.stderr
    assert "concurrency" in result.stderr
    assert Path("own/celery-workers.yaml").read_text() == OWN


def test_settings_of_keda_without_keda_are_pointed_at(repository: Path) -> None:
    assert "isn't turned on" in done("queue", "set", "lms", "high", "--max-replicas", "4", "--file", RECOMMENDED)
    assert "isn't turned on" not in done("queue", "set", "lms", "high", "--concurrency", "4", "--file", RECOMMENDED)
    assert "isn't turned on" not in done("queue", "set", "lms", "high", "--list-length", "4", "--overlay", "own")


def test_a_worker_is_removed_with_its_comment(repository: Path) -> None:
    said = done("queue", "remove", "lms", "high_mem", "--overlay", "own")
    assert changed(OWN, "own/celery-workers.yaml") == [
        "-       # Reports.",
        "-       high_mem:",
        "-         concurrency: 1  # one at a time",
    ]
    assert "unacked.lms-worker-high-mem" in said
    assert "redis-cli HLEN" in said
    assert "no worker consumes edx.lms.core.high_mem now" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("queue", "add", "lms", "high"), "is there already"),
        (("queue", "set", "lms", "hgh_mem", "--concurrency", "2"), "Did you mean high_mem?"),
        (("queue", "set", "lsm", "high", "--concurrency", "2"), "Services that are: lms, cms"),
        (("queue", "set", "lms", "high"), "nothing to set"),
        (("queue", "set", "lms", "high", "--min-replicas", "40"), "40 is more than maxReplicas, by default 30"),
        (("queue", "set", "lms", "high", "--replicas", "2"), "both set the number of pods"),
        (("queue", "set", "lms", "high", "--queues", "edx.lms.core.high_mem"), "is also that of"),
        (("queue", "set", "lms", "high", "--extra-arg=--queues=a"), "--queues"),
        (("queue", "remove", "cms", "default"), "Tutor's own"),
        (("queue", "add", "notes", "x"), "names no queue|isn't lms or cms"),
        (("route", "lms", "a.b", "edx.lms.core.hihg"), "Did you mean edx.lms.core.high?"),
        (("route", "lms", "a.b", "--remove"), "isn't routed"),
    ],
)
def test_what_is_refused_leaves_the_file(words: tuple[str, ...], message: str, repository: Path) -> None:
    refused = run(*words, "--overlay", "own")
    assert refused.exit_code == 1, refused.output
    assert any(part in refused.stderr for part in message.split("|")), refused.stderr
    assert Path("own/celery-workers.yaml").read_text() == OWN


@pytest.mark.parametrize(
    "words",
    [("queue", "set", "lms", "high", "--limit", "cpu"), ("route", "lms", "a"), ("route", "lms", "a", "b", "--remove")],
)
def test_wrong_usage(words: tuple[str, ...], repository: Path) -> None:
    assert run(*words, "--overlay", "own").exit_code == 2


@pytest.mark.parametrize("quantity", ["lots", "8GB", "8gi", "-1", "1 Gi"])
def test_what_is_no_quantity_is_refused(quantity: str, repository: Path) -> None:
    refused = run("queue", "set", "lms", "high_mem", "--limit", f"memory={quantity}", "--overlay", "own")
    assert refused.exit_code == 2
    assert f"memory: {quantity!r} is no quantity" in refused.stderr
    assert Path("own/celery-workers.yaml").read_text() == OWN


@pytest.mark.parametrize(
    "quantity",
    ["cpu=500m", "cpu=0.5", "cpu=.5", *(f"memory={amount}" for amount in ("2", "8Gi", "1e3", "128974848", "400M"))],
)
def test_what_kubernetes_takes_is_taken(quantity: str, repository: Path) -> None:
    done("queue", "set", "lms", "high_mem", "--limit", quantity, "--overlay", "own")


def test_an_alias_is_left_to_its_owner(repository: Path) -> None:
    text = OWN.replace('"high": {}', '"high": &calm {concurrency: 1}').replace("low: {}", "low: *calm")
    Path("own/celery-workers.yaml").write_text(text)
    refused = run("queue", "set", "cms", "low", "--concurrency", "2", "--overlay", "own")
    assert "can't be changed in place" in refused.stderr
    assert Path("own/celery-workers.yaml").read_text() == text
    done("queue", "set", "cms", "high", "--concurrency", "2", "--overlay", "own")


def test_routes_come_and_go(repository: Path) -> None:
    assert "a.b, sent by lms, goes to edx.cms.core.low" in done(
        "route", "lms", "a.b", "edx.cms.core.low", "--overlay", "own"
    )
    assert changed(OWN, "own/celery-workers.yaml") == [
        "+   routing:",
        "+     lms:",
        "+       a.b: {queue: edx.cms.core.low}",
    ]
    refused = run("queue", "remove", "cms", "low", "--overlay", "own")
    assert "tutor-kustomizer route lms a.b QUEUE" in refused.stderr
    assert "(it went to edx.cms.core.low)" in done("route", "lms", "a.b", "edx.lms.core.high", "--overlay", "own")
    done("route", "lms", "a.b", "--remove", "--overlay", "own")
    assert Path("own/celery-workers.yaml").read_text() == OWN


def built(directory: str) -> dict[str, object]:
    """Return the configuration that the real kustomize makes of a directory."""
    made = yaml.safe_load(sites.run(sites.kustomize(sites.NEWEST), "build", directory))
    assert isinstance(made, dict)
    return made


def test_a_patch_is_changed_and_means_what_it_says(repository: Path) -> None:
    recommended, before = Path(RECOMMENDED).read_text(), Path(PATCH).read_text()
    done("queue", "set", "lms", "high_mem", "--max-replicas", "7", "--overlay", PRODUCTION)
    assert [line for line in changed(before, PATCH) if line[0] == "+"] == [
        "+         keda: {inFlight: Slots, listLength: 1, maxReplicas: 7}"
    ]
    # The one is in the patch's base, the other in neither.
    done("queue", "remove", "cms", "low", "--overlay", PRODUCTION)
    done("queue", "add", "cms", "bulk", "--file", PATCH)
    task = "lms.djangoapps.bulk_email.tasks.send_course_email"
    done("route", "lms", task, "--remove", "--overlay", PRODUCTION)

    assert Path(RECOMMENDED).read_text() == recommended
    config = find_config(Path(PRODUCTION)).load()
    made = built(f"{PRODUCTION}/config")
    assert made["spec"] == config.given
    assert list(config.spec.workers["cms"]) == ["high", "default", "bulk"]
    assert task not in config.spec.routing["lms"]
    assert "is there already" in run("queue", "add", "lms", "high", "--overlay", PRODUCTION).stderr


def test_a_configuration_that_others_share_has_to_be_named(repository: Path) -> None:
    refused = run("queue", "set", "lms", "high", "--concurrency", "2", "--overlay", "overlays/multiqueue")
    assert refused.exit_code == 1
    assert f"--file {RECOMMENDED}" in refused.stderr
    done("queue", "set", "lms", "high", "--concurrency", "2", "--file", RECOMMENDED)
    assert built("generators")["spec"] == find_config(Path("generators")).load().given


def test_an_overlay_without_one_is_refused(repository: Path) -> None:
    refused = run("queue", "set", "lms", "high", "--concurrency", "2", "--overlay", "base")
    assert "has no configuration of kind CeleryWorkers" in refused.stderr


def test_the_commands_of_the_documentation(repository: Path) -> None:
    page = (sites.ROOT / "docs" / "operations.md").read_text()
    commands = re.findall(r"(?m)^    tutor-kustomizer ((?:queue|route) .*)$", page)
    assert [command.split()[:2] for command in commands] == [
        ["queue", "add"],
        ["queue", "set"],
        ["route", "lms"],
        ["queue", "remove"],
        ["queue", "set"],
    ]
    Path("own").rename("overlay")
    for command in commands:
        done(*command.split())
    find_config(Path("overlay")).load()


def test_a_cycle_is_left_to_kustomize_to_report(repository: Path) -> None:
    Path("own/celery-workers.yaml").unlink()
    Path("own/kustomization.yaml").write_text("resources: [../own]\n")
    assert "has no configuration" in run("queue", "add", "lms", "x", "--overlay", "own").stderr


def test_two_configurations_are_refused(repository: Path) -> None:
    shutil.copytree("own", "two")
    shutil.copy("two/celery-workers.yaml", "two/a.yaml")
    Path("two/celery-workers.yaml").rename("two/b.yaml")
    Path("two/kustomization.yaml").write_text("transformers: [a.yaml, b.yaml]\n")
    said = run("queue", "add", "lms", "x", "--overlay", "two").stderr
    assert "two/a.yaml and two/b.yaml each hold a configuration of kind CeleryWorkers" in said
    assert "x" in done("queue", "add", "lms", "x", "--file", "two/b.yaml")


def test_two_configurations_in_one_file_are_refused_for_what_they_are(repository: Path) -> None:
    both = f"{OWN}---\n{OWN.replace('celery-workers}', 'others}')}"
    (repository / "own" / "celery-workers.yaml").write_text(both)
    for words in (["add", "lms", "x"], ["set", "lms", "high", "--concurrency", "2"], ["remove", "lms", "high"]):
        for where in (["--overlay", "own"], ["--file", "own/celery-workers.yaml"]):
            refused = run("queue", *words, *where)
            assert refused.exit_code == 1
            assert "celery-workers.yaml: the file holds 2 configurations of kind CeleryWorkers" in refused.output
            assert "Put what they say into one" in refused.output
    assert (repository / "own" / "celery-workers.yaml").read_text() == both


def test_several_at_once_are_all_written(repository: Path) -> None:
    start = [sys.executable, "-c", "from kustomizer.start import run; run()"]
    variants = [f"extra{number}" for number in range(4)]
    with locked(repository / "own"):
        processes = [
            subprocess.Popen(
                [*start, "queue", "add", "lms", variant, "--queues", variant, "--overlay", "own"],
                env={**os.environ, "PYTHONPATH": str(sites.ROOT)},
                stderr=subprocess.PIPE,
                text=True,
            )
            for variant in variants
        ]
        waiting: set[int] = set()
        while len(waiting) < len(processes):
            assert all(process.poll() is None for process in processes)
            waiting = {process.pid for process in processes if str(repository / "own") in open_files(process.pid)}
        path = repository / "own/celery-workers.yaml"
        path.write_text(path.read_text().replace("      high_mem:", "      mine: {queues: [mine]}\n      high_mem:"))
    for process in processes:
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert "added spec.workers.lms.extra" in stderr
    workers = find_config(repository / "own").load().spec.workers["lms"]
    assert {*variants, "mine", "high", "high_mem"} <= workers.keys()


def open_files(pid: int) -> set[str]:
    files = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # It may be closed meanwhile.
        with suppress(OSError):
            files.add(str(link.readlink()))
    return files


def test_a_change_of_somebody_else_is_not_overwritten(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repository / "own/celery-workers.yaml"

    def save_in_an_editor(*args: object) -> object:
        path.write_text(OWN + "# mine\n")
        return add_worker(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("kustomizer.commands.queue.add_worker", save_in_an_editor)
    refused = run("queue", "add", "lms", "extra", "--queues", "extra", "--overlay", "own")
    assert refused.exit_code == 1
    assert "celery-workers.yaml was changed meanwhile, so that nothing was written" in refused.stderr
    assert path.read_text() == OWN + "# mine\n"


HOUR = "Celery's 3600 s hold unless the site sets BROKER_TRANSPORT_OPTIONS"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "high --grace-period 4000",
            f"which Redis delivers again after 3600 s: it is run twice. Set spec.workers.lms.high.visibilityTimeout "
            f"above 4000 ({HOUR})",
        ),
        (
            "high_mem --grace-period 7300",
            "which Redis delivers again after 7200 s: it is run twice. Set spec.workers.lms.high_mem.visibilityTimeout "
            "above 7300\n",
        ),
        ("default --visibility-timeout 7200", "of 7200 s and 3600 s the shorter counts for both: what runs longer is"),
        ("high --list-length 1 --concurrency 4", "listLength: 1 is less than the 4 tasks that a pod of"),
        ("high --no-keda --grace-period 700", "the cluster autoscaler grants 600 s when it removes a node"),
    ],
)
def test_pairs_that_a_build_warns_of(words: str, said: str, repository: Path) -> None:
    variant, *options = words.split()
    assert said in done("queue", "set", "lms", variant, *options, "--overlay", "own")


def test_times_that_a_build_refuses(repository: Path) -> None:
    times = ("--grace-period", "4000", "--visibility-timeout", "3999")
    before = {path: path.read_bytes() for path in Path("own").iterdir()}
    refused = run("queue", "set", "lms", "high", *times, "--overlay", "own")
    assert refused.exit_code == 1
    assert "terminationGracePeriodSeconds: 4000 is more than visibilityTimeout, 3999" in refused.stderr
    assert {path: path.read_bytes() for path in Path("own").iterdir()} == before


def test_pairs_that_fit_are_not_warned_of(repository: Path) -> None:
    fitting = ("--grace-period", "4000", "--visibility-timeout", "4001", "--list-length", "4", "--concurrency", "4")
    assert "Warning" not in done("queue", "set", "lms", "high", *fitting, "--overlay", "own")
    assert "Warning" not in done("queue", "set", "cms", "default", "--max-replicas", "3", "--overlay", "own")
