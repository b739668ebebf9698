"""The split in env/: what the overlay gives, in plain kustomize, or nothing that could be applied."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from kustomizer import SPLIT_BY as MARK
from kustomizer.errors import UserError
from kustomizer.kustomize.executable import Kustomize
from kustomizer.kustomize.split_env import is_missing, split_directory
from kustomizer.kustomize.split_names import FILE, PLACE, PREFIX
from kustomizer.tutor_env.making import build_as_tutors
from kustomizer.tutor_env.state import SUMMARY, stale_reason
from kustomizer.tutor_env.step import Request, save_split
from tests import sites
from tests.builds import EXEC, HEAD, RECOMMENDED, Document, documents, environment
from tests.tutor_env.site_root import ALL, ENTRY, fresh_root, render_again


def builder(version: str = sites.NEWEST) -> Kustomize:
    return Kustomize(path=str(sites.kustomize(version)), version="")


def write_config(root: Path, spec: str) -> Path:
    path = root / "celery-workers.yaml"
    path.write_text(HEAD + spec)
    return path


def plain_build(env: Path, version: str = sites.NEWEST) -> bytes:
    return sites.run(sites.kustomize(version), "build", env)


def by_overlay(tmp_path: Path, site: str, spec: str) -> dict[str, Document]:
    """Return what an overlay with the function gives, without Tutor's template Jobs, which env/ keeps."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (tmp_path / "tutors").symlink_to(sites.site(site))
    (overlay / "config.yaml").write_text(HEAD + EXEC + spec)
    (overlay / "kustomization.yaml").write_text("resources: [../tutors]\ntransformers: [config.yaml]\n")
    return objects(sites.build(sites.kustomize(sites.NEWEST), overlay))


def objects(data: bytes) -> dict[str, Document]:
    return {item.key: item for item in documents(data)}


def without_mark(tree: object) -> object:
    assert isinstance(tree, dict)
    metadata = dict(tree["metadata"])
    annotations = {key: value for key, value in metadata.get("annotations", {}).items() if key != MARK}
    return {**tree, "metadata": {**metadata, "annotations": annotations}}


@pytest.mark.parametrize("spec", [RECOMMENDED, ALL], ids=["recommended", "all"])
@pytest.mark.parametrize("site", ["16", "18", "21", "22", "full"])
def test_env_gives_what_the_overlay_gives(site: str, spec: str, tmp_path: Path) -> None:
    root = fresh_root(tmp_path / "root", site)
    save_split(Request(root=root, named=write_config(root, spec)), builder())
    expected, found = by_overlay(tmp_path, site, spec), objects(plain_build(root / "env"))

    assert found.keys() == expected.keys()
    for key, item in found.items():
        assert without_mark(item.tree) == without_mark(expected[key].tree), key
    tutors = objects(plain_build(sites.site(site)))
    assert {key for key in tutors if key.startswith("ConfigMap ")} <= found.keys(), "Tutor's Jobs look for these"
    assert all(found[key].text == item.text for key, item in tutors.items() if item.kind == "Job")


def test_kubectl_builds_the_same(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root), builder())
    assert sites.run("kubectl", "kustomize", root / "env") == plain_build(root / "env")


@pytest.mark.parametrize("version", [sites.OLDEST, sites.NEWEST])
def test_the_oldest_kustomize_will_do(version: str, tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    done = save_split(Request(root=root), builder(version))
    assert "lms-worker-high-mem" in done.table
    assert objects(plain_build(root / "env", version)).keys() == objects(plain_build(root / "env")).keys()


def test_twice_the_same_save(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    first = save_split(Request(root=root), builder())
    before = {path: path.read_bytes() for path in (root / "env").rglob("*") if path.is_file()}
    render_again(root, "22")
    again = save_split(Request(root=root), builder())
    assert not first.unchanged
    assert again.unchanged
    assert (again.table, again.warnings, again.source) == (first.table, list(first.warnings), first.source)
    assert {path: path.read_bytes() for path in (root / "env").rglob("*") if path.is_file()} == before


def test_a_split_that_was_touched_is_made_again(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root), builder())
    split = split_directory(root / "env")
    assert split is not None
    worker = split / "resources" / "deployment-lms-worker-high.yaml"
    before = worker.read_text()
    worker.write_text(before.replace("edx.lms.core.high", "edx.lms.core.other"))
    assert stale_reason(root, None)
    render_again(root, "22")
    assert not save_split(Request(root=root), builder()).unchanged
    assert worker.read_text() == before


def test_only_one_split_is_kept(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root), builder())
    config = write_config(root, RECOMMENDED)
    render_again(root, "22")
    save_split(Request(root=root, named=config), builder())
    split = split_directory(root / "env")
    assert split is not None
    assert [path.name for path in (root / "env" / PLACE).iterdir()] == [split.name]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("spec: {workers: {lms: {hgh: {}}}}\n", "no worker would consume"),
        ("spec: {workers: {lms: {high: {replicas: many}}}}\n", "spec.workers.lms.high.replicas"),
        ("spec: [\n", "not YAML|isn't YAML|line"),
    ],
)
def test_what_is_refused_leaves_an_env_that_cannot_be_built(spec: str, said: str, tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root), builder())
    render_again(root, "22")
    with pytest.raises(UserError, match=said):
        save_split(Request(root=root, named=write_config(root, spec)), builder())
    assert is_missing(root / "env")
    with pytest.raises(RuntimeError, match="the-split-is-missing--run-tutor-config-save"):
        plain_build(root / "env")


def test_a_key_that_stands_twice_is_refused_by_name(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    kustomization = root / "env" / FILE
    kustomization.write_text(kustomization.read_text() + "configMapGenerator: []\n")
    with pytest.raises(UserError, match="`configMapGenerator:` stands twice"):
        save_split(Request(root=root), builder())
    assert is_missing(root / "env")


@pytest.mark.parametrize(
    "more",
    [
        "transformers:\n- plugins/x.yaml\n",
        "transformers: [plugins/x.yaml]\n",
        "generatorOptions:\n  labels: {a: b}\n",
        "generatorOptions: {annotations: {a: b}}\n# the end",
    ],
)
def test_what_other_plugins_write_is_kept(more: str, tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    kustomization = root / "env" / FILE
    kustomization.write_text(kustomization.read_text() + more)
    (root / "env" / "plugins").mkdir(exist_ok=True)
    (root / "env" / "plugins" / "x.yaml").write_text(
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: x}\nannotations: {x: 'y'}\n"
        "fieldSpecs: [{path: metadata/annotations, create: true, kind: Service}]\n"
    )
    save_split(Request(root=root), builder())
    built = plain_build(root / "env").decode()
    if "transformers" in more:
        assert built.count('    x: "y"\n') == built.count("\nkind: Service\n")
    assert "name: lms-worker-high-mem\n" in built


def test_something_that_changes_the_copies_again_is_refused(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    kustomization = root / "env" / FILE
    kustomization.write_text(
        kustomization.read_text() + "\npatches:\n- target: {kind: Deployment}\n  patch: |\n"
        "    - {op: add, path: /spec/template/spec/containers/-, value: {name: sidecar, image: a}}\n"
    )
    with pytest.raises(UserError) as caught:
        save_split(Request(root=root), builder())
    [problem] = caught.value.problems
    said = "would differ from what the function made in spec.template.spec.containers: something in env/ changes it"
    assert said in problem.message
    assert "Deployment lms-worker-high in namespace openedx, " in problem.message
    assert is_missing(root / "env")


def test_no_entry_for_the_split(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    kustomization = root / "env" / FILE
    kustomization.write_text(kustomization.read_text().replace(ENTRY, ""))
    with pytest.raises(UserError, match="has no entry for the split"):
        save_split(Request(root=root), builder())


def test_secrets_are_for_their_owner(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root, named=write_config(root, ALL)), builder())
    secrets = [path for path in (root / "env" / PLACE).rglob("*.env") if path.is_file()]
    assert [path.name for path in secrets] == ["flower.env"]
    config = root / "env" / "apps" / "openedx" / "config" / "lms.env.yml"
    text = config.read_text()
    config.write_text(text.replace('CELERY_BROKER_PASSWORD: ""', 'CELERY_BROKER_PASSWORD: "wordpass"'))
    assert "wordpass" in config.read_text()
    render_again(root, "22")
    # In a patch of Tutor's own worker, too.
    spec = ALL.replace("default: {keda", "default: {env: [{name: A_PASSWORD, value: wordpass}], keda", 1)
    split = save_split(Request(root=root, named=write_config(root, spec)), builder())
    assert not split.unchanged
    holding = [
        path for path in (root / "env" / PLACE).rglob("*") if path.is_file() and b"wordpass" in path.read_bytes()
    ]
    assert "deployment-lms-worker.yaml" in {path.name for path in holding}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}


def test_other_plugins_add_workers_and_the_operator_wins(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    added = {"workers": {"lms": {"grading": {"queues": ["grading"], "replicas": 3, "concurrency": 2}}}}
    done = save_split(Request(root=root, added=added), builder())
    assert "lms-worker-grading" in done.table
    assert "lms-worker-high-mem" in done.table
    config = write_config(root, RECOMMENDED.replace("high: {},", "high: {}, grading: {replicas: 1},", 1))
    render_again(root, "22")
    save_split(Request(root=root, named=config, added=added), builder())
    [worker] = [item.tree for item in documents(plain_build(root / "env")) if item.name == "lms-worker-grading"]
    assert worker["spec"]["replicas"] == 1
    assert "--concurrency=2" in str(worker)


def test_env_as_tutor_wrote_it(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "full")
    expected = plain_build(sites.site("full"))
    assert build_as_tutors(root, builder()) == expected
    save_split(Request(root=root), builder())
    assert build_as_tutors(root, builder()) == expected


def test_it_is_stale_when_what_it_was_made_from_changes(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    config = write_config(root, RECOMMENDED)
    save_split(Request(root=root, named=config), builder())
    assert stale_reason(root, config) == ""
    # Tutor 16 to 20 write this one in `do` and `init`.
    jobs = root / "env" / "k8s" / "jobs.yml"
    jobs.write_text(jobs.read_text() + "# again\n")
    assert stale_reason(root, config) == ""
    config.write_text(config.read_text() + "# a comment\n")
    assert "celery-workers.yaml has changed" in stale_reason(root, config)
    config.write_text(HEAD + RECOMMENDED)
    deployments = root / "env" / "k8s" / "deployments.yml"
    deployments.write_text(deployments.read_text() + "# again\n")
    assert stale_reason(root, config) == "files that Tutor wrote have changed"
    config.unlink()
    assert "celery-workers.yaml has changed" in stale_reason(root)
    # Who doesn't know where it is looked for takes it as it was.
    assert stale_reason(root, as_recorded=True) == "files that Tutor wrote have changed"


@pytest.mark.parametrize(("same", "refused"), [(True, False), (False, True)])
def test_the_function_over_an_env_that_holds_the_split(same: bool, refused: bool, tmp_path: Path) -> None:
    root = fresh_root(tmp_path / "root", "22")
    save_split(Request(root=root, named=write_config(root, RECOMMENDED)), builder())
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    spec = RECOMMENDED if same else RECOMMENDED.replace("low: {}", "low: {replicas: 2}")
    (overlay / "config.yaml").write_text(HEAD + EXEC + spec)
    (overlay / "kustomization.yaml").write_text("resources: [../root/env]\ntransformers: [config.yaml]\n")
    done = subprocess.run(
        [sites.kustomize(sites.NEWEST), *sites.BUILD, overlay],
        capture_output=True,
        env=environment(tmp_path),
        check=False,
    )
    if refused:
        assert done.returncode != 0
        assert b"split by another configuration already: celery-workers.yaml" in done.stderr
    else:
        assert done.stdout == plain_build(root / "env")


KILLED = """
import os, sys
from pathlib import Path
from kustomizer.kustomize.executable import Kustomize
from kustomizer.tutor_env.step import Request, save_split
root, kustomize, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
# Imports are over before anything is counted.
import kustomizer.tutor_env.made, yaml
def count(event, arguments):
    global left
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.posix_spawn"):
        left -= 1
        if left < 0:
            os._exit(9)
sys.addaudithook(count)
save_split(Request(root=root), Kustomize(path=kustomize, version=""))
print(left)
"""


def test_killed_at_any_step_nothing_half_can_be_applied(tmp_path: Path) -> None:
    root = fresh_root(tmp_path / "root", "22")

    def run(steps: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", KILLED, str(root), str(sites.kustomize(sites.NEWEST)), str(steps)],
            capture_output=True,
            text=True,
            check=False,
            env={**environment(tmp_path), "PYTHONPATH": str(sites.ROOT)},
        )

    assert run(1_000_000).returncode == 0  # which may write bytecode, too
    shutil.rmtree(root / "env" / PLACE)
    render_again(root, "22")
    total = 1_000_000 - int(run(1_000_000).stdout)
    whole = plain_build(root / "env")
    assert total > 60
    outcomes = set()
    # The last steps, which touch env/kustomization.yml, and a sample of those before: the copy, and the new directory.
    for steps in [*range(0, total - 120, 40), *range(total - 120, total - 20, 10), *range(total - 20, total + 1)]:
        for left in (root / "env" / PLACE, *root.glob(".kustomizer-env-*")):
            shutil.rmtree(left, ignore_errors=True)
        # The split of an earlier save, which is removed in the end.
        old = root / "env" / PLACE / f"{PREFIX}0123456789abcdef"
        old.mkdir(parents=True)
        (old / "kustomization.yaml").write_text("")
        render_again(root, "22")
        done = run(steps)
        # Names of temporary files differ, and so may the number of steps, by one or two.
        assert done.returncode == 9 or (done.returncode == 0 and steps > total - 5), (steps, done.stderr)
        missing = is_missing(root / "env")
        outcomes.add(missing)
        if not missing:
            assert plain_build(root / "env") == whole, steps
    assert outcomes == {True, False}
    # What was left behind doesn't stand in the way, and is gone after the next save.
    render_again(root, "22")
    assert run(1_000_000).returncode == 0
    assert plain_build(root / "env") == whole
    assert sorted(path.name for path in root.iterdir()) == ["env"]
    assert [path.name for path in (root / "env" / PLACE).iterdir()] == [
        str(split_directory(root / "env")).rpartition("/")[2]
    ]


FULL = f"""
import kustomizer.errors
try:
{textwrap.indent(KILLED, "    ")}
except kustomizer.errors.UserError as error:
    sys.exit(str(error))
""".replace("os._exit(9)", "raise OSError(28, os.strerror(28))").replace('"os.remove", "os.rmdir", ', "")


def test_a_full_disk_is_said_at_any_step(tmp_path: Path) -> None:
    root = fresh_root(tmp_path / "root", "22")
    failed = 0
    for steps in range(0, 1000, 25):
        done = subprocess.run(
            [sys.executable, "-c", FULL, str(root), str(sites.kustomize(sites.NEWEST)), str(steps)],
            capture_output=True,
            text=True,
            check=False,
            env={**environment(tmp_path), "PYTHONPATH": str(sites.ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if done.returncode == 0:
            break
        assert "Traceback" not in done.stderr, (steps, done.stderr)
        assert "No space left on device" in done.stderr
        assert is_missing(root / "env")
        assert not [*root.glob(".kustomizer-env-*"), *(root / "env" / PLACE).glob(".new-*")]
        failed += 1
    assert failed > 5
    assert not is_missing(root / "env")


def test_the_summary_holds_no_password(tmp_path: Path) -> None:
    root = fresh_root(tmp_path, "22")
    save_split(Request(root=root, named=write_config(root, ALL)), builder())
    split = split_directory(root / "env")
    assert split is not None
    config = yaml.safe_load((sites.site("22").parent / "config.yml").read_text())
    passwords = {str(value) for name, value in config.items() if name.endswith(("PASSWORD", "SECRET", "SECRET_KEY"))}
    assert len(passwords) > 3
    assert not [value for value in passwords if value in (split / SUMMARY).read_text()]
