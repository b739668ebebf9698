"""`tutor-kustomizer apply`: what changes is shown, and nothing is applied that nobody agreed to."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kustomizer.cluster.apply import TUTORS_MANAGERS
from kustomizer.kustomize.executable import Kustomize
from kustomizer.tutor_env.step import Request, save_split
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED, commands
from tests.tutor_env.site_root import fresh_root

if TYPE_CHECKING:
    from pathlib import Path

OVERLAY = "resources: [../env]\ntransformers: [config.yaml]\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with an overlay, and a cluster that has nothing yet."""
    (tmp_path / "env").symlink_to(sites.site("22"))
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(OVERLAY)
    (tmp_path / "overlay" / "config.yaml").write_text(HEAD + EXEC + RECOMMENDED)
    (tmp_path / "cluster" / "applied").mkdir(parents=True)
    (tmp_path / "cluster" / "log").touch()
    kubectl = commands(tmp_path) / "kubectl"
    kubectl.write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.kubectl_stand_in "$@"\n')
    kubectl.chmod(0o755)
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from kustomizer.cli import run; run()", "apply", *arguments]


def environment(place: Path) -> dict[str, str]:
    return {
        "PATH": f"{place / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place),
        "PYTHONPATH": str(sites.ROOT),
        "COLUMNS": "80",
        "STAND_IN": str(place / "cluster"),
        "TMPDIR": str(place),
    }


def apply(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=place, env=environment(place), capture_output=True, text=True, check=False, input=""
    )


def answer(place: Path, word: str) -> tuple[int, str]:
    """Run it on a terminal on which ``word`` is typed; return the exit status and what was shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("overlay"), cwd=place, env=environment(place), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, f"{word}\n".encode())
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the last one who wrote to it is gone
                break
            shown += part
        status = process.wait()
    os.close(ours)
    return status, shown.decode()


def applied(place: Path) -> int:
    return len(list((place / "cluster" / "applied").iterdir()))


def log(place: Path) -> list[str]:
    return (place / "cluster" / "log").read_text().splitlines()


def test_it_is_shown_and_applied_and_then_there_is_nothing_to_do(place: Path) -> None:
    first = apply(place, "overlay", "--yes")
    assert first.returncode == 0, first.stderr
    assert "Deployment openedx/lms-worker-high: takes edx.lms.core.high" in first.stdout
    assert "deployment/lms-worker-high serverside-applied" in first.stderr
    count = applied(place)
    assert count > 30
    again = apply(place, "overlay", "--yes")
    assert (again.returncode, again.stderr) == (0, "")
    assert "Nothing changes." in again.stdout
    dry = ["apply", "--server-side", "--dry-run=server"]
    assert [line.split()[:-1] for line in log(place)] == [
        dry,
        ["diff", "--server-side"],
        ["apply", "--server-side"],
        dry,
        ["diff", "--server-side"],
    ]
    assert applied(place) == count


def test_a_number_of_pods_that_the_cluster_has_set_is_not_the_builds(place: Path) -> None:
    workers = "{lms: {high: {}, high_mem: {}}, cms: {high: {}, low: {}}}"
    keda = f"spec:\n  defaults: {{keda: {{enabled: true}}}}\n  workers: {workers}\n"
    (place / "overlay" / "config.yaml").write_text(HEAD + EXEC + keda)
    first = apply(place, "overlay", "--yes")
    assert first.returncode == 0, first.stderr
    assert "ScaledObject openedx/lms-worker-high" in first.stdout
    assert "replicas" not in first.stdout
    stated = (
        OVERLAY + "patches:\n- patch: '{apiVersion: apps/v1, kind: Deployment, "
        "metadata: {name: lms}, spec: {replicas: 3}}'\n"
    )
    (place / "overlay" / "kustomization.yaml").write_text(stated)
    second = apply(place, "overlay", "--dry-run")
    assert "spec.replicas: 1 → 3" in second.stdout


def test_nobody_is_there_to_ask(place: Path) -> None:
    done = apply(place, "overlay")
    assert done.returncode == 1
    assert "To apply unasked: --yes" in done.stderr
    assert applied(place) == 0


@pytest.mark.parametrize(("word", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_it_asks(word: str, status: int, place: Path) -> None:
    given, shown = answer(place, word)
    assert "Apply this to the cluster?" in shown
    assert given == status, shown
    assert bool(applied(place)) == (status == 0)


def test_a_dry_run_applies_nothing(place: Path) -> None:
    done = apply(place, "overlay", "--dry-run", "--yes")
    assert done.returncode == 0
    assert "lms-worker-high" in done.stdout
    assert applied(place) == 0


def test_tutors_fields_are_taken(place: Path) -> None:
    (owner,) = TUTORS_MANAGERS
    (place / "cluster" / "owner").write_text(owner)
    assert apply(place, "overlay", "--yes").returncode == 0
    assert ["--force-conflicts" in line for line in log(place)] == [False, True, True]


def test_fields_of_others_are_not_taken_unless_it_is_said(place: Path) -> None:
    (place / "cluster" / "owner").write_text("argocd-controller")
    refused = apply(place, "overlay", "--yes")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "Error: others own fields that the build sets:",
        "  Deployment lms-worker in namespace openedx: argocd-controller owns spec.replicas. Leave them out of the "
        "overlay; or, where they are to be ours from now on: --force-conflicts",
    ]
    assert applied(place) == 0
    assert apply(place, "overlay", "--yes", "--force-conflicts").returncode == 0


def test_what_kubectl_refuses_is_said_in_its_words(place: Path) -> None:
    (place / "cluster" / "refuses").touch()
    refused = apply(place, "overlay", "--yes")
    assert refused.returncode == 1
    assert "kubectl apply: Error from server (Forbidden): no" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_kubectls_advice_to_turn_validation_off_is_not_passed_on(place: Path) -> None:
    (place / "cluster" / "refuses").write_text(
        'error: error validating "STDIN": error validating data: unknown field "spec.x"; '
        "if you choose to ignore these errors, turn validation off with --validate=false\n"
    )
    refused = apply(place, "overlay", "--yes")
    assert refused.returncode == 1
    assert refused.stderr.rstrip().endswith('error validating data: unknown field "spec.x"')


def test_passwords_of_the_site_are_not_shown_and_not_left_behind(place: Path) -> None:
    assert apply(place, "overlay", "--yes").returncode == 0
    (place / "overlay" / "kustomization.yaml").write_text(
        OVERLAY + "patches:\n- patch: |-\n    {apiVersion: apps/v1, kind: Deployment, metadata: {name: mysql}, "
        "spec: {template: {spec: {containers: [{name: mysql, env: [{name: MY_PASSWORD, value: hunter2hunter2}]}]}}}}\n"
    )
    done = apply(place, "overlay", "--yes")
    assert done.returncode == 0, done.stderr
    assert "MY_PASSWORD" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert not list(place.glob("tutor-kustomizer-*"))


def test_a_built_file_will_do(place: Path) -> None:
    (place / "site.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n")
    assert apply(place, "site.yaml", "--yes").returncode == 0
    assert applied(place) == 1


def test_the_context_is_kubectls(place: Path) -> None:
    apply(place, "overlay", "--dry-run", "--context", "prod", "--kubeconfig", "k")
    assert log(place)[1] == "--context=prod --kubeconfig=k diff --server-side --filename=-"


def test_an_env_that_holds_the_split_is_applied_as_tutor_does(place: Path) -> None:
    root = fresh_root(place / "root", "22")
    save_split(Request(root=root), Kustomize(path=str(sites.kustomize(sites.NEWEST)), version=""))
    done = apply(place, "root/env", "--yes", "--kustomize", str(sites.kustomize(sites.NEWEST)))
    assert done.returncode == 0, done.stderr
    assert "Left out, as Tutor does: cms-job, lms-job, mysql-job, its template Jobs" in done.stderr
    assert applied(place) > 20
    assert not [path.name for path in (place / "cluster" / "applied").iterdir() if ".Job." in path.name]
